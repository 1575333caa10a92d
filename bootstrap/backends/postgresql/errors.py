"""PostgreSQL's SQLSTATEs (Appendix A of its manual) as reasons."""

from __future__ import annotations

from bootstrap.backends.base import Failure, Reason
from bootstrap.backends.chain import causes, network_failure, one_line, passing, without_code
from bootstrap.errors import Fault

_REASONS = {
    "28000": Reason.WRONG_PASSWORD,  # also: unknown role, no line in pg_hba.conf
    "28P01": Reason.WRONG_PASSWORD,
    "3D000": Reason.NO_DATABASE,
    "42501": Reason.NO_RIGHT,
    "42P04": Reason.DATABASE_EXISTS,
    "42P07": Reason.ALREADY_THERE,  # a table, an index
    "42701": Reason.ALREADY_THERE,  # a column
    "42710": Reason.ALREADY_THERE,  # a constraint, a type
    "55006": Reason.IN_USE,
    "25006": Reason.READ_ONLY,
    "55P03": Reason.BUSY,
    "40001": Reason.CONFLICT,  # serialization_failure
    "40P01": Reason.CONFLICT,  # a deadlock, whose victim may try again
    "57P03": Reason.STARTING,
    "53300": Reason.TOO_MANY_CONNECTIONS,
    "57P01": Reason.CONNECTION_LOST,
    "57P02": Reason.CONNECTION_LOST,
    "57P05": Reason.CONNECTION_LOST,  # idle_session_timeout
    "25P03": Reason.CONNECTION_LOST,  # idle_in_transaction_session_timeout
}
_LASTING = {"57P05", "25P03"}  # the next try would be as idle


class PostgreSQLErrors:
    """Reads the SQLSTATE that the drivers keep on their exceptions."""

    def translate(self, error: BaseException) -> Failure | None:
        """Translates an exception of the driver or of SQLAlchemy; None when it is another's."""
        failure = self._translated(error)
        return failure and passing(failure, lasting=_LASTING)

    def _translated(self, error: BaseException) -> Failure | None:
        for cause in causes(error):
            # psycopg2 has a word of its own for it.
            state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
            if state:
                return Failure(reason=_reason(state), code=state, text=one_line(cause))
            if type(cause) is ConnectionError:
                # asyncpg's own, without an errno: the server has no TLS and it was asked for, or
                # has ended the connection before it said so.
                text = one_line(cause)
                return Failure(reason=Reason.TLS, code="", text=text, fault=Fault.UNREACHABLE)
            if type(cause).__name__ == "InternalClientError":
                # asyncpg's, when the server's last words arrive while a statement is being sent.
                return Failure(reason=Reason.CONNECTION_LOST, code="", text=one_line(cause))
            if type(cause).__module__.startswith("asyncpg"):
                # Found by the driver itself, such as no host with the asked target_session_attrs.
                own = Failure(reason=Reason.STATEMENT, code="", text=one_line(cause))
                return without_code(error) or own
        if failure := network_failure(error):
            return failure
        return without_code(error)


def _reason(state: str) -> Reason:
    if state.startswith("08"):
        return Reason.CONNECTION_LOST
    return _REASONS.get(state, Reason.STATEMENT)
