"""The error numbers of MySQL and MariaDB as reasons.

Numbers below 2000 are the server's, from 2000 on the client's; both products share the ones here
(MySQL Error Message Reference; MariaDB Error Codes).
"""

from __future__ import annotations

from sqlalchemy.exc import InvalidRequestError

from bootstrap.backends.base import Failure, Reason
from bootstrap.backends.chain import causes, network_failure, one_line, passing, without_code

_REASONS = {
    1045: Reason.WRONG_PASSWORD,
    1698: Reason.WRONG_PASSWORD,  # the account logs in by another plugin, such as unix_socket
    1251: Reason.WRONG_PASSWORD,
    2059: Reason.WRONG_PASSWORD,  # an authentication plugin that the client does not have
    2061: Reason.WRONG_PASSWORD,
    1044: Reason.NO_RIGHT,
    1142: Reason.NO_RIGHT,
    1227: Reason.NO_RIGHT,
    1370: Reason.NO_RIGHT,
    1007: Reason.DATABASE_EXISTS,
    1008: Reason.NO_DATABASE,
    1049: Reason.NO_DATABASE,
    1290: Reason.READ_ONLY,
    1792: Reason.READ_ONLY,
    1836: Reason.READ_ONLY,
    1205: Reason.BUSY,
    1213: Reason.CONFLICT,  # a deadlock, whose victim may try again
    1020: Reason.CONFLICT,  # MariaDB with innodb_snapshot_isolation: changed since it was read
    3101: Reason.CONFLICT,  # MySQL: rolled back by Group Replication
    1047: Reason.STARTING,  # Galera: the node is not ready yet
    1040: Reason.TOO_MANY_CONNECTIONS,
    1203: Reason.TOO_MANY_CONNECTIONS,
    1226: Reason.TOO_MANY_CONNECTIONS,
    1053: Reason.CONNECTION_LOST,
    1927: Reason.CONNECTION_LOST,  # MariaDB: connection was killed
    4031: Reason.CONNECTION_LOST,  # MySQL: wait_timeout
    2006: Reason.CONNECTION_LOST,
    2013: Reason.CONNECTION_LOST,
    2026: Reason.TLS,
    1050: Reason.ALREADY_THERE,  # a table
    1060: Reason.ALREADY_THERE,  # a column
    1061: Reason.ALREADY_THERE,  # an index
    1304: Reason.ALREADY_THERE,  # a routine
    1359: Reason.ALREADY_THERE,  # a trigger
    1826: Reason.ALREADY_THERE,  # a foreign key
}
_CANNOT_CONNECT = {2002, 2003, 2005}
_LASTING = {"1792"}  # somebody has made the transaction read-only, not the server


class MySQLErrors:
    """Reads the number that the drivers' exceptions carry as their first argument."""

    def translate(self, error: BaseException) -> Failure | None:
        """Translates an exception of the driver or of SQLAlchemy; None when it is another's."""
        failure = self._translated(error)
        return failure and passing(failure, lasting=_LASTING)

    def _translated(self, error: BaseException) -> Failure | None:
        for cause in causes(error):
            number, text = _number(cause)
            if number in _CANNOT_CONNECT:
                return network_failure(error) or Failure(
                    reason=Reason.CLOSED_PORT, code=str(number), text=text
                )
            if number:
                reason = _REASONS.get(number, Reason.STATEMENT)
                return Failure(reason=reason, code=str(number), text=text)
            if isinstance(cause, InvalidRequestError) and "MariaDB" in str(cause):
                # SQLAlchemy's check of the product has no code of its own, only this class.
                return Failure(reason=Reason.WRONG_PRODUCT, code="", text=one_line(cause))
        if failure := network_failure(error):
            return failure
        return without_code(error)


def _number(error: BaseException) -> tuple[int, str]:
    if isinstance(error, OSError):
        return 0, ""  # its first argument is an errno of the operating system
    match error.args:
        case (int(number), str(text)):
            return number, one_line(text)
    return 0, ""
