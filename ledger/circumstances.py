"""Reads what a decision is given besides its command and its state: the tables in force, the files that it cites.

It decides nothing. The tables are remembered and only what was published since is read.
"""

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import cast
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.access.commands import ApproveErasure, EraseSubject, PlaceLegalHold, RequestErasure
from ledger.audit.commands import AuditFindingCommand
from ledger.command import Command
from ledger.evidence.store import stored_file
from ledger.given import Given, HeldUnder, NamedAction
from ledger.improvement.action import RULES as ACTION_RULES
from ledger.improvement.events import ActionEvent, ActionOpened
from ledger.record.book import book_id
from ledger.record.envelope import opened
from ledger.record.reading import head, position_at, stream_events
from ledger.tables.built_in import tables_stream
from ledger.tables.events import TablesEvent
from ledger.tables.known import KnownTables
from ledger.tables.state import Tables, evolve
from ledger.vault.held import held_under


def known_tables(connection: Connection, book: str) -> KnownTables:
    """The tables of a book at every position; raises NoSuchBook. Costs one read of their stream, some 60 kB a publication."""
    stream_id = tables_stream(book_id(head(connection, book).origin))
    rows = stream_events(connection, book, stream_id)
    return KnownTables((row.position, cast("TablesEvent", opened(row).event)) for row in rows)


def tables_at(connection: Connection, book: str, *, as_of: int | datetime) -> Tables:
    """The tables as they stood at a position or an instant; the built-in ones before any were published."""
    position = as_of if isinstance(as_of, int) else position_at(connection, book, as_of)
    return known_tables(connection, book).at(position)


def _action(connection: Connection, book: str, action_id: UUID) -> NamedAction | None:
    """A corrective action of the book; None where there is none under the id, or its opening was annulled."""
    facts = [opened(row).event for row in stream_events(connection, book, action_id)]
    action = ACTION_RULES.nothing
    for fact in facts:
        if not isinstance(fact, ActionEvent):
            return None  # the id is of something else
        action = ACTION_RULES.evolve(action, fact)
    if action.owner is None:
        return None
    begun = [fact for fact in facts if isinstance(fact, ActionOpened)][-1]
    return NamedAction(action.owner, frozenset((*begun.complaint_ids, *begun.cause_ids)))


class Circumstances:
    """The circumstances of the decisions in one book. Safe for threads."""

    def __init__(self, book: str, tables_stream: UUID) -> None:
        self._book, self._tables_stream = book, tables_stream
        self._tables = Tables()
        self._lock = Lock()

    def given(
        self,
        connection: Connection,
        command: Command,
        clock: Callable[[], datetime],
        state: object = None,
        principal: str = "",
    ) -> Given:
        """What the command is decided on. Costs one indexed read, of no row where nothing was published since.

        A command that cites a file by `file_id` costs another, one about an audit finding one for each corrective action that
        it or the finding's `state` names, one about an erasure or a hold two.
        """
        file_id: UUID | None = getattr(command, "file_id", None)
        found = None if file_id is None else stored_file(connection, self._book, file_id)
        files = {} if found is None else {found.file.file_id: found.file}
        actions: dict[UUID, NamedAction] = {}
        if isinstance(command, AuditFindingCommand):
            named = (*getattr(command, "action_ids", ()), *getattr(state, "action_ids", ()))
            found_actions = ((each, _action(connection, self._book, each)) for each in dict.fromkeys(named))
            actions = {each: action for each, action in found_actions if action is not None}
        held = HeldUnder()
        if isinstance(command, RequestErasure | ApproveErasure | EraseSubject | PlaceLegalHold):
            held = held_under(connection, self._book, command.subject_id)
        return Given(clock(), self.tables(connection), files, actions, held, principal)

    def tables(self, connection: Connection) -> Tables:
        """The tables in force now."""
        with self._lock:
            known = self._tables
        for row in stream_events(connection, self._book, self._tables_stream, after_version=known.version):
            known = evolve(known, cast("TablesEvent", opened(row).event))
        with self._lock:
            if known.version > self._tables.version:
                self._tables = known
        return known
