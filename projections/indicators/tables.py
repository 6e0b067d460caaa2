"""The projection `indicators`: every effective fact, complaint, other contact, and customer's tier and merging, from which position to which.

It counts nothing: the indicators and the returns are queries over these tables. Personal values stand in none of them.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import groupby
from uuid import UUID

from ledger.complaint.events import (
    ComplaintEvent,
    FactAnnulled,
    FactCorrected,
    happened_at,
    known_event,
)
from ledger.complaint.state import effective
from ledger.database.sql import queries
from ledger.event import Event, personal_fields
from ledger.interaction.events import InteractionEvent
from ledger.names import NAME_OF, class_of
from ledger.record.envelope import opened
from ledger.record.reading import StoredRow, stored_rows
from projections.indicators.contacts import KNOWING, Contact, Known, contact_of, known_of
from projections.indicators.matter import Matter, after, matter_of
from projections.machine import Batch, Projection

_SQL = queries(__file__)

MATTERS_MAX = 50_000
"""Complaints kept in memory by one fold: some 60 MB."""

_STATED = tuple(field.name for field in fields(Matter) if field.name != "spells")
_MATTER = ("book", "complaint_id", "known_from", "known_to", *_STATED, "open_during")
_CONTACT = ("book", "contact_id", "known_from", "known_to", *(field.name for field in fields(Contact)))
_CUSTOMER = ("book", "customer_id", "known_from", "known_to", *Known._fields)
_FACT = ("book", "complaint_id", "version", "known_from", "known_to", "name", "happened_at", "said")

Facts = Mapping[int, ComplaintEvent]
"""Effective facts by their versions."""

Key = tuple[str, UUID, int]
"""Table, stream, and version: 0 in every table but that of facts."""

_TABLES = {"fact": _FACT, "matter": _MATTER, "contact": _CONTACT, "customer": _CUSTOMER}


class IndicatorsFold:
    """Compares what stands of a complaint before and after each event, and keeps what came to stand otherwise."""

    def __init__(self, matters_max: int = MATTERS_MAX) -> None:
        self._matters_max = matters_max
        self._matters: OrderedDict[UUID, Matter] = OrderedDict()

    def apply(self, batch: Batch) -> None:
        rows = [row for row in batch.rows if issubclass(class_of(row.name), ComplaintEvent)]
        streams = self._load(batch, rows)
        changes = _Changes(batch)
        for row in rows:
            event = _complaint_event(row)
            before = self._matters.get(row.stream_id, Matter())
            if isinstance(event, FactAnnulled | FactCorrected):
                then, now = _amended(streams[row.stream_id], row.version)
                for version in then.keys() - now.keys():
                    changes.end("fact", row, version)
                for version, fact in now.items():
                    if then.get(version) is not fact:
                        changes.end("fact", row, version)
                        changes.begin("fact", row, version, _fact(fact))
                matter = matter_of(now.values())
            else:
                changes.begin("fact", row, row.version, _fact(event))
                matter = after(before, event)
            if matter != before:
                if before != Matter():
                    changes.end("matter", row, 0)
                changes.begin("matter", row, 0, _matter(matter))
            self._matters[row.stream_id] = matter
            self._matters.move_to_end(row.stream_id)
        _follow(batch, changes, "contact", (InteractionEvent,), lambda told: _contact(contact_of(told)))
        _follow(batch, changes, "customer", KNOWING, lambda told: _known(known_of(told)))
        changes.write()

    def _load(self, batch: Batch, rows: Sequence[StoredRow]) -> Mapping[UUID, list[StoredRow]]:
        """Reads at once the streams that a batch corrects, and those that it goes on with and that are forgotten."""
        while len(self._matters) > self._matters_max:
            self._matters.popitem(last=False)
        begun = {row.stream_id for row in rows if row.version <= 1}
        missing = {row.stream_id for row in rows} - begun - self._matters.keys()
        amended = {row.stream_id for row in rows if row.name in ("fact-annulled", "fact-corrected")}
        if not missing | amended:
            return {}
        wanted = {"book": batch.book, "stream_ids": [str(each) for each in missing | amended]}
        found = batch.fetch(_SQL["streams"], {**wanted, "position": batch.rows[-1].position})
        stored = stored_rows(found)
        streams = {stream_id: list(each) for stream_id, each in groupby(stored, key=lambda row: row.stream_id)}
        for stream_id in missing:
            earlier = [row for row in streams[stream_id] if row.position < batch.rows[0].position]
            self._matters[stream_id] = matter_of(_effective(earlier).values())
        return streams


class _Changes:
    """The rows that begin and end in a batch; what begins and ends within it is written once."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._begun: dict[Key, tuple[int, Sequence[object]]] = {}
        self._whole: dict[str, list[Sequence[object]]] = {table: [] for table in _TABLES}
        self._ended: dict[str, list[Sequence[object]]] = {table: [] for table in _TABLES}

    def begin(self, table: str, row: StoredRow, version: int, content: Sequence[object]) -> None:
        self._begun[table, row.stream_id, version] = (row.position, content)

    def end(self, table: str, row: StoredRow, version: int) -> None:
        begun = self._begun.pop((table, row.stream_id, version), None)
        if begun is None:
            self._ended[table].append((self._batch.book, str(row.stream_id), version, row.position))
        else:
            self._whole[table].append(self._row(table, row.stream_id, version, begun, row.position))

    def write(self) -> None:
        for (table, stream_id, version), begun in self._begun.items():
            self._whole[table].append(self._row(table, stream_id, version, begun, None))
        for table, columns in _TABLES.items():
            self._batch.execute_values(_SQL[f"end_{table}s"], self._ended[table])
            self._batch.add(table, columns, self._whole[table])

    def _row(
        self, table: str, stream_id: UUID, version: int, begun: tuple[int, Sequence[object]], ended: int | None
    ) -> Sequence[object]:
        place = (version,) if table == "fact" else ()
        return (self._batch.book, stream_id, *place, begun[0], ended, *begun[1])


def _follow(
    batch: Batch,
    changes: _Changes,
    table: str,
    facts: tuple[type[Event], ...],
    row_of: Callable[[Sequence[Event]], Sequence[object] | None],
) -> None:
    """Compares a stream's row before and after each of some facts of it; short streams, so they are read again whole."""
    touched = {row.stream_id for row in batch.rows if issubclass(class_of(row.name), facts)}
    if not touched:
        return
    wanted = {"book": batch.book, "stream_ids": [str(each) for each in touched]}
    found = batch.fetch(_SQL["streams"], {**wanted, "position": batch.rows[-1].position})
    stored = stored_rows(found)
    for _, stream in groupby(stored, key=lambda row: row.stream_id):
        told: list[Event] = []
        before: Sequence[object] | None = None
        for row in stream:
            told.append(opened(row).event)
            if not isinstance(told[-1], facts):
                continue
            after = row_of(told)
            if row.position >= batch.rows[0].position and after != before:
                if before is not None:
                    changes.end(table, row, 0)
                if after is not None:
                    changes.begin(table, row, 0, after)
            before = after


def _contact(contact: Contact) -> Sequence[object] | None:
    return None if contact == Contact() else [getattr(contact, field.name) for field in fields(Contact)]


def _known(known: Known) -> Sequence[object] | None:
    return None if known == Known() else known


PROJECTION = Projection(
    name="indicators",
    version=4,
    tables={
        "matter": ("book", "complaint_id", "known_from"),
        "fact": ("book", "complaint_id", "version", "known_from"),
        "contact": ("book", "contact_id", "known_from"),
        "customer": ("book", "customer_id", "known_from"),
    },
    fold=IndicatorsFold,
    queries=_SQL,
)


def _complaint_event(row: StoredRow) -> ComplaintEvent:
    event = opened(row).event
    assert isinstance(event, ComplaintEvent), f"{row.name} is no event of a complaint"
    return known_event(event)


def _effective(rows: Sequence[StoredRow]) -> dict[int, ComplaintEvent]:
    return dict(effective([_complaint_event(row) for row in rows]))


def _amended(stream: Sequence[StoredRow], version: int) -> tuple[Facts, Facts]:
    """What stood before and after the event of a version; a fact that was not touched is the same object in both."""
    events = [_complaint_event(row) for row in stream if row.version <= version]
    return dict(effective(events[:-1])), dict(effective(events))


def _matter(matter: Matter) -> Sequence[object]:
    return (*(getattr(matter, name) for name in _STATED), matter.open_during)


def _fact(fact: ComplaintEvent) -> Sequence[object]:
    said = fact.model_dump(mode="json", exclude=_left_out(type(fact)), exclude_none=True)
    return (NAME_OF[type(fact)], happened_at(fact), said)


@cache
def _left_out(fact: type[Event]) -> set[str]:
    """Digests of personal values tell nothing, and the customer stands in the other table."""
    return {"customer_id", *(name for name, _ in personal_fields(fact))}
