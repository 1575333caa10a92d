"""The async drivers of MySQL and MariaDB."""

from bootstrap.backends.mysql.drivers.aiomysql import AIOMYSQL
from bootstrap.backends.mysql.drivers.asyncmy import ASYNCMY

DRIVERS = (AIOMYSQL, ASYNCMY)
SYNC_DRIVERS = {
    "pymysql": "pymysql",
    "mysqldb": "MySQLdb",
    "mysqlconnector": "mysql.connector",
    "mariadbconnector": "mariadb",
    "cymysql": "cymysql",
    "oursql": "oursql",
    "pyodbc": "pyodbc",
}
