"""Sees each statement of a revision: sends what is new, and gives again what was done before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bootstrap.errors import HalfApplied
from bootstrap.journal import beside, encoding, origins, refusing
from bootstrap.journal.course import Course
from bootstrap.journal.cursors import KeptCursor, taken
from bootstrap.journal.entries import NAME, UNSEEN, Entry, Kind, Outcome, Part, Progress
from bootstrap.journal.listening import Listening
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
        connection: The one of env.py.
        store: Where it is kept.
        policy: What differs by backend.
        again: Pauses, and tells whether to send a statement again that got no lock.

    Attributes:
        is_at_work: Whether statements pass now that are not the revision's.
    """

    def __init__(
        self, connection: Connection, store: Store, policy: Policy, *, again: Callable[[], bool]
    ) -> None:
        self._listening = Listening(
            connection=connection,
            seen=self._seen,
            sends=policy.sends,
            patient=partial(patiently, may=policy.may_come_through, again=again),
            commit=self._commit,
            rollback=self._rollback,
        )
        self._connection = connection
        self._store = store
        self._policy = policy
        self._watch = Watch(connection, self._raw)
        self._part: Part | None = None
        self._course = Course()
        self.is_at_work = False
        self._refused: HalfApplied | None = None
        self._number = self._statements = 0
        self._waiting = Waiting()
        self._lastrowid: int | None = None
        self._durable = 0  # statements
        self._resumes = False
        self._parted = False  # whether it has written on another connection, which stops a next run
        self._finishes = False  # whether the statement that comes was done in part

    # -- a run and its revisions

    def attach(self) -> None:
        """Begins to listen."""
        self._listening.attach()
        self._watch.attach()

    def detach(self) -> None:
        """Ends listening."""
        self._watch.detach()
        self._listening.detach()

    @contextmanager
    def revision(self, part: Part, entries: Sequence[Entry]) -> Iterator[None]:
        """Records the statements that are sent in the block.

        Raises:
            HalfApplied: It does not do again what is recorded, or nobody can tell what was done.
        """
        self._part, self._course, self._refused = part, Course(entries), None
        self._number = self._statements = 0
        self._resumes, self._lastrowid = bool(entries), None
        self._waiting, self._durable, self._parted = Waiting(), 0, False
        try:
            with beside.watched(self._beside):
                yield
            self._let_pass()
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
        before, self.is_at_work = self.is_at_work, True
        try:
            yield
        finally:
            self.is_at_work = before

    def _end(self) -> None:
        left = self._course.next
        if left is not None:
            self._refuse(refusing.left_over(self._here, left))
        if self._resumes:
            self._go_live()

    # -- what SQLAlchemy calls

    def _seen(self, cursor: Any, sql: str, parameters: Any, context: Any, send: Send) -> bool:
        """Whether the statement was taken care of."""
        ours = context is not None and context.root_connection is self._connection
        if not ours or not self._is_on:
            return False
        if UNSEEN.keys() <= context.execution_options.keys():
            return False
        self._let_pass()
        said = self._policy.read(sql)
        met = self._met(said.shown, encoding.digest(sql, parameters))
        kept = self._again(met, said, send, cursor) if self._course.next else None
        if kept is None:
            said = replace(said, sent=said.finish or said.sent) if self._finishes else said
            self._finishes = False
            kept = self._new(met, said, send, cursor)
        context.cursor = kept
        # insertmanyvalues reads what it got from the cursor that it began with.
        context.fetchall_for_returning = lambda _cursor: kept.fetchall()
        return True

    def _let_pass(self) -> None:
        """Raises when something was refused before."""
        if self._refused is not None:
            raise self._refused

    def _met(self, shown: str, digest: str) -> Entry:
        self._statements += 1
        line = origins.line(self._running)
        return Entry(number=0, kind=Kind.READ, statement=shown, digest=digest, line=line)

    def _commit(self, _connection: Connection) -> None:
        """Before SQLAlchemy commits."""
        if self._is_on:
            self._write()
            self._is_durable()

    def _rollback(self, _connection: Connection) -> None:
        """Before SQLAlchemy rolls back."""
        if self._part is not None:
            self._waiting.undo()

    # -- what goes past the connection

    def _raw(self) -> None:
        """The revision asks for a cursor of the driver: what it does with that nobody sees."""
        if self._is_on:
            self._keep_unseen(self._unseen("a cursor of the driver", "cursor()"))

    def _beside(self, sql: str | None) -> None:
        """The revision uses another connection, which commits on its own; reading is no harm."""
        if not self._is_on:
            return
        self._let_pass()
        said = None if sql is None else self._policy.elsewhere(sql)
        if self._parted or (said and said.nature not in (Nature.WRITES, Nature.COMMITS)):
            return
        shown = f"on another connection: {said.shown}" if said else "another connection"
        entry, self._parted = self._unseen(shown, sql or "connect()"), True
        if not self._policy.writes_aside():
            self._keep_unseen(entry)
            return
        self._make()
        with self.own():
            self._store.replace(self._running, entry)

    def _unseen(self, statement: str, text: str) -> Entry:
        """A run that goes on would do it twice, so it does not go on after that."""
        self._let_pass()
        met = replace(self._met(statement, encoding.digest(text, ())), kind=Kind.SESSION)
        recorded = self._course.next
        if recorded is not None:
            if recorded.digest != met.digest:
                self._refuse(refusing.another(self._here, recorded, met))
            self._refuse(refusing.not_kept(self._here, recorded))
        if self._resumes:
            self._go_live()
        self._number += 1
        return replace(met, number=self._number, outcome=Outcome(rows=None))

    def _keep_unseen(self, entry: Entry) -> None:
        self._waiting.add(entry)
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
    def _is_on(self) -> bool:
        return self._part is not None and not self.is_at_work

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
