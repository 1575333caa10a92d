"""Sees each statement of a revision: sends what is new, and gives again what was done before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from bootstrap.errors import HalfApplied
from bootstrap.journal import encoding, origins, refusing
from bootstrap.journal.course import Course
from bootstrap.journal.cursors import KeptCursor, taken
from bootstrap.journal.entries import NAME, UNSEEN, Entry, Kind, Outcome, Part, Progress
from bootstrap.journal.policy import Policy
from bootstrap.journal.raw import Watch
from bootstrap.journal.sending import Send, patiently
from bootstrap.journal.statements import Decision, Nature, Said
from bootstrap.journal.store import Store
from bootstrap.journal.waiting import Waiting

# A run that is stopped sends nothing but what is about the journal.
_COMMIT, _ROLLBACK = f"COMMIT /* {NAME} */", f"ROLLBACK /* {NAME} */"


class Recorder:
    """Keeps the journal of the revision that is being applied.

    Args:
        connection: The one of env.py; statements on others are not seen.
        store: Where it is kept.
        policy: What differs by backend.
        again: Pauses, and tells whether to send a statement again that got no lock.
    """

    def __init__(
        self, connection: Connection, store: Store, policy: Policy, *, again: Callable[[], bool]
    ) -> None:
        self._patient = partial(patiently, may=policy.may_come_through, again=again)
        self._connection = connection
        self._store = store
        self._policy = policy
        self._watch = Watch(connection, self._raw)
        self._part: Part | None = None
        self._course = Course()
        self._own = False
        self._refused: HalfApplied | None = None
        self._number = 0
        self._statements = 0
        self._waiting = Waiting()
        self._lastrowid: int | None = None
        self._durable = 0  # statements
        self._resumes = False
        self._finishes = False  # whether the statement that comes was done in part

    # -- a run and its revisions

    def attach(self) -> None:
        """Begins to listen."""
        for target, name, listener in self._listeners():
            event.listen(target, name, listener)
        self._watch.attach()

    def detach(self) -> None:
        """Ends listening."""
        self._watch.detach()
        for target, name, listener in self._listeners():
            event.remove(target, name, listener)

    def _listeners(self) -> tuple[tuple[Any, str, Callable[..., Any]], ...]:
        engine = self._connection.engine
        return (
            (engine, "do_execute", self._do_execute),
            (engine, "do_executemany", self._do_executemany),
            (engine, "do_execute_no_params", self._do_execute_no_params),
            (self._connection, "commit", self._commit),
            (self._connection, "rollback", self._rollback),
        )

    @contextmanager
    def revision(self, part: Part, entries: Sequence[Entry]) -> Iterator[None]:
        """Records the statements that are sent in the block.

        Raises:
            HalfApplied: It does not do again what is recorded, or nobody can tell what was done.
        """
        self._part, self._course, self._refused = part, Course(entries), None
        self._number = self._statements = 0
        self._resumes, self._lastrowid = bool(entries), None
        self._waiting, self._durable = Waiting(), 0
        try:
            yield
            if self._refused is not None:
                raise self._refused
            self._end()
        finally:
            self._part = None

    @property
    def progress(self) -> Progress:
        """How far the revision came."""
        return Progress(statement=self._statements, applied=self._durable)

    @contextmanager
    def own(self) -> Iterator[None]:
        """Lets statements pass that are not the revision's."""
        before, self._own = self._own, True
        try:
            yield
        finally:
            self._own = before

    def _end(self) -> None:
        left = self._course.next
        if left is not None:
            self._refuse(refusing.left_over(self._here, left))
        if self._resumes:
            self._go_live()

    # -- what SQLAlchemy calls

    def _do_execute(self, cursor: Any, sql: str, parameters: Any, context: Any) -> bool:
        def send(text: str) -> None:
            context.dialect.do_execute(cursor, text, parameters, context)

        return self._seen(cursor, sql, parameters, context, self._patient(send))

    def _do_executemany(self, cursor: Any, sql: str, parameters: Any, context: Any) -> bool:
        def send(text: str) -> None:
            context.dialect.do_executemany(cursor, text, parameters, context)

        # Not again when it got no lock: the driver sends one after the other, and some are done.
        return self._seen(cursor, sql, parameters, context, send)

    def _do_execute_no_params(self, cursor: Any, sql: str, context: Any) -> bool:
        def send(text: str) -> None:
            context.dialect.do_execute_no_params(cursor, text, context)

        return self._seen(cursor, sql, (), context, self._patient(send))

    def _seen(self, cursor: Any, sql: str, parameters: Any, context: Any, send: Send) -> bool:
        """Whether the statement was taken care of."""
        ours = context is not None and context.root_connection is self._connection
        if not ours or self._own or self._part is None:
            return False
        if UNSEEN.keys() <= context.execution_options.keys():
            return False
        if self._refused is not None:
            raise self._refused
        said = self._policy.read(sql)
        self._statements += 1
        met = Entry(
            number=0,
            kind=Kind.READ,
            statement=said.shown,
            digest=encoding.digest(sql, parameters),
            line=origins.line(self._part),
        )
        kept = self._again(met, said, send, cursor) if self._course.next else None
        if kept is None:
            said = replace(said, sent=said.finish or said.sent) if self._finishes else said
            self._finishes = False
            kept = self._new(met, said, send, cursor)
        context.cursor = kept
        # insertmanyvalues reads what it got from the cursor that it began with.
        context.fetchall_for_returning = lambda _cursor: kept.fetchall()
        return True

    def _commit(self, _connection: Connection) -> None:
        """Before SQLAlchemy commits."""
        if self._part is not None and not self._own:
            self._write()
            self._is_durable()

    def _rollback(self, _connection: Connection) -> None:
        """Before SQLAlchemy rolls back."""
        if self._part is not None:
            self._waiting.undo()

    def _raw(self) -> None:
        """The revision asks for a cursor of the driver: what it does with that nobody sees.

        A run that goes on would do it twice, so it does not go on after that.
        """
        if self._part is None or self._own:
            return
        if self._refused is not None:
            raise self._refused
        self._statements += 1
        met = Entry(
            number=0,
            kind=Kind.SESSION,
            statement="a cursor of the driver",
            digest=encoding.digest("cursor()", ()),
            line=origins.line(self._part),
            outcome=Outcome(rows=None),
        )
        recorded = self._course.next
        if recorded is not None:
            if recorded.digest != met.digest:
                self._refuse(refusing.another(self._here, recorded, met))
            self._refuse(refusing.not_kept(self._here, recorded))
        if self._resumes:
            self._go_live()
        self._number += 1
        self._waiting.add(replace(met, number=self._number))
        if self._policy.keeps_unseen():
            self._write()

    # -- statements that are recorded

    def _again(self, met: Entry, said: Said, send: Send, cursor: Any) -> KeptCursor | None:
        """Gives what the statement returned before; None when it is to be sent."""
        recorded = self._course.next
        assert recorded is not None  # noqa: S101 - the caller has looked
        last = self._course.is_last
        if recorded.kind is Kind.PARTIAL:
            self._refuse(refusing.partial(self._here, recorded))
        if last and recorded.kind is Kind.INTENT and not self._is_applied(recorded, met):
            with self.own():
                self._policy.undo(recorded.evidence or "")
                self._store.forget(self._running, recorded.number)
            self._course.cut()
            return None
        if recorded.digest != met.digest:
            self._refuse(refusing.another(self._here, recorded, met))
        if recorded.outcome.rows is None:
            self._refuse(refusing.not_kept(self._here, recorded))
        self._course.go_on()
        self._number = recorded.number
        self._durable += 1
        return self._given(recorded, said, send, cursor)

    def _is_applied(self, recorded: Entry, met: Entry) -> bool:
        """Whether the last statement of a run that was killed was carried out."""
        with self.own():
            decision = self._policy.decide(recorded.evidence or "")
        if decision is Decision.IN_DOUBT:
            self._refuse(refusing.in_doubt(self._here, recorded))
        if decision is Decision.AGAIN and recorded.digest != met.digest:
            self._refuse(refusing.another(self._here, recorded, met))
        self._finishes = decision is Decision.AGAIN
        return decision is Decision.APPLIED

    def _given(self, recorded: Entry, said: Said, send: Send, cursor: Any) -> KeptCursor:
        outcome = recorded.outcome
        if recorded.kind is Kind.SESSION:
            return self._session_again(outcome, said, send, cursor)
        cursor.close()
        if outcome.refusal is not None:
            raise origins.exception(self._connection, outcome.refusal)
        self._lastrowid = outcome.lastrowid or self._lastrowid
        return KeptCursor(outcome, cursor)

    def _session_again(self, outcome: Outcome, said: Said, send: Send, cursor: Any) -> KeptCursor:
        if not said.only_variables:
            self._make()
            send(said.sent or said.sql)
            self._policy.sent(said)
            _, kept = taken(cursor)
        else:
            cursor.close()
            kept = KeptCursor(outcome, cursor)
        if outcome.variables:
            with self.own():
                self._policy.restore(dict(outcome.variables))
        return kept

    # -- statements that are new

    def _new(self, met: Entry, said: Said, send: Send, cursor: Any) -> KeptCursor:
        if self._resumes:
            self._go_live()
        self._number += 1
        entry = replace(met, number=self._number)
        match said.nature:
            case Nature.COMMITS:
                return self._intent(entry, said, send, cursor)
            case Nature.WRITES if self._policy.in_autocommit():
                return self._alone(entry, said, send, cursor)
            case Nature.UNDOES:
                self._waiting.undo(said.savepoint)
            case Nature.ENDS:
                self._write()
            case Nature.SESSION if said.commits:
                self._make()
                self._write()
        kept = self._sent(entry, said, send, cursor)
        if said.nature is Nature.ENDS or said.commits:
            latest = self._waiting.take_back()
            self._is_durable()
            self._waiting.add(latest)
        if said.savepoint and said.nature is Nature.READS:
            self._waiting.begin_savepoint(said.savepoint)
        if self._waiting.unwritten > self._policy.most_waiting:
            self._write()
        return kept

    def _sent(self, entry: Entry, said: Said, send: Send, cursor: Any) -> KeptCursor:
        """Sends a statement whose entry can wait until its effect becomes durable."""
        try:
            send(said.sent or said.sql)
        except Exception as error:
            self._failed(entry, error)
            raise
        outcome, kept = taken(cursor)
        self._policy.sent(said)
        if said.variables:
            with self.own():
                outcome = replace(outcome, variables=self._policy.variables(said.variables))
        if said.only_once:
            outcome = replace(outcome, rows=None)
        kinds = {Nature.WRITES: Kind.WRITE, Nature.SESSION: Kind.SESSION}
        self._waiting.add(replace(entry, kind=kinds.get(said.nature, Kind.READ), outcome=outcome))
        return kept

    def _alone(self, entry: Entry, said: Said, send: Send, cursor: Any) -> KeptCursor:
        """Sends a statement in a transaction with its entry, where none would be."""
        with self.own():
            self._policy.begin()
            try:
                kept = self._sent(entry, said, send, cursor)
                self._write()
            except BaseException as error:
                with suppress(DBAPIError):  # a connection that broke has done it
                    self._connection.exec_driver_sql(_ROLLBACK)
                if not self._policy.needs_no_transaction(error):
                    raise
                kept = None
            else:
                self._connection.exec_driver_sql(_COMMIT)
        if kept is None:
            self._waiting.take_back()  # that it was refused there
            return self._intent(entry, said, send, cursor)
        self._is_durable()
        return kept

    def _intent(self, entry: Entry, said: Said, send: Send, cursor: Any) -> KeptCursor:
        """Sends a statement that commits by itself, after its entry."""
        with self.own():
            evidence = self._policy.evidence(said)
        intent = replace(entry, kind=Kind.INTENT, evidence=evidence)
        self._waiting.add(intent)
        self._write()
        if said.unsure:
            with self.own():
                self._connection.exec_driver_sql("COMMIT")
            self._is_durable()
        try:
            send(said.sent or said.sql)
        except Exception as error:
            self._intent_failed(intent, error)
            raise
        self._is_durable()
        _, kept = taken(cursor)
        self._policy.sent(said)
        if said.unsure:
            self._settle(intent)
        return kept

    def _settle(self, intent: Entry) -> None:
        self._number += 1
        self._waiting.add(replace(intent, number=self._number, kind=Kind.SETTLED, evidence=None))

    # -- statements that the server refuses

    def _failed(self, entry: Entry, error: Exception) -> None:
        """Remembers it for the case that the revision goes on."""
        if self._policy.is_rolled_back(error):
            self._waiting.undo()
        self._waiting.add(replace(entry, kind=Kind.FAILED, outcome=origins.refused(error)))

    def _intent_failed(self, intent: Entry, error: Exception) -> None:
        if self._policy.is_lost(error):
            return  # nobody can be asked; the next run will
        evidence = intent.evidence or ""
        with self.own():
            left, changed = self._policy.leaves_behind(evidence), self._policy.is_changed(evidence)
        if left:  # the next run begins with it, and knows by the intent what to undo
            self._is_durable()
            self._durable -= 1
            self._store.overwrites = True
            self._failed(replace(intent, evidence=None), error)
            return
        if changed:
            with self.own():
                self._store.replace(self._running, replace(intent, kind=Kind.PARTIAL))
            self._refuse(refusing.partial(self._here, intent), error)
        with self.own():
            durable = self._store.is_durable(self._running, intent.number)
            if durable:
                self._store.forget(self._running, intent.number)
            else:
                self._store.take_back(self._running, intent.number)
        if durable:
            self._is_durable()
            self._durable -= 1
        else:
            self._waiting.take_back()
        self._failed(replace(intent, evidence=None), error)

    # -- what is durable

    def _make(self) -> None:
        with self.own():
            self._store.make()

    def _write(self) -> None:
        """Writes the entries that count and have no row yet, into the open transaction."""
        due = self._waiting.due()
        if due:
            with self.own():
                self._store.write(self._running, due)
            self._waiting.wrote()

    def _is_durable(self) -> None:
        self._durable += self._waiting.settle()

    def _go_live(self) -> None:
        """What comes now is new: nothing may be recorded in its place."""
        self._resumes = False
        if self._course.numbers > self._number:
            left = self._number + self._course.settled_after(self._number)
            if self._course.numbers > left:
                with self.own():
                    self._store.forget(self._running, left + 1)
            self._number = left
        if self._lastrowid:
            with self.own():
                self._policy.restore_lastrowid(self._lastrowid)

    # -- words

    @property
    def _running(self) -> Part:
        assert self._part is not None  # noqa: S101 - nobody asks between revisions
        return self._part

    @property
    def _here(self) -> refusing.Where:
        return refusing.Where(part=self._running, statement=self._statements)

    def _refuse(self, refusal: HalfApplied, cause: BaseException | None = None) -> None:
        """Raises, and lets nothing pass after it: a revision may swallow what it does not know."""
        self._refused = refusal
        raise refusal from cause
