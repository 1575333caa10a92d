"""The journal on MySQL and MariaDB, where DDL commits by itself."""
