"""Fills a book with the made-up year, once: through the rules, then in bulk. Nothing in the year is real.

Every complaint is decided by `ledger.complaint.rules` as a real one would be; only its commands are made up.
The events say that they happened in the past year, and were recorded now: that is what the book says too.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from api.command.demo.complaints import year
from api.command.demo.drawn import Step
from api.command.demo.hours import OfficeHours
from api.command.demo.officers import officers_say
from api.command.demo.parties import party_requests
from ledger.application import BulkRequest, Ledger, Receipt
from ledger.complaint.commands import ApproveAmendment, ComplaintCommand, DeclineAmendment
from ledger.complaint.events import ComplaintEvent
from ledger.complaint.rules import decide
from ledger.complaint.state import Complaint, fold
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.calendar import Calendar
from ledger.given import Given
from ledger.policy.events import POLICY_NAMES
from ledger.record.envelope import opened
from ledger.record.reading import events_after
from ledger.subjects import subject_of
from ledger.tables.events import TABLES_NAMES
from ledger.tables.state import Tables

PRINCIPAL = "demo"
SEED = 20_260_101
COMPLAINTS = 2_600

ANSWERED_AFTER = timedelta(minutes=6)
"""How long a supervisor of the made-up bank takes to approve or decline what a handler proposes."""

SHOWN = 215
"""A complaint that was investigated, reopened and rated: its history is shown to newcomers."""


POLICIES_MAX = 100
"""The policies and tables that stand before the first complaint of a book which a demo may go into."""


class BookInUse(Exception):
    """The book holds something else: a made-up year would be mixed with it for ever."""


class FillFailed(Exception):
    """The record refused a complaint of the demo; the message says which and why."""


def is_filled(ledger: Ledger) -> bool:
    """Whether the last thing of the year is there. Costs one read of one stream."""
    *_, last = officers_say(SEED, datetime.now(UTC), COMPLAINTS)
    subject = subject_of(type(last))
    return ledger.state(subject.name, subject.stream(last, ledger.id))[1] > 0


def fill(database: Database, ledger: Ledger, calendar: Calendar, advance: Callable[[int, int], None]) -> None:
    """Records what is missing of the year; a fill that was interrupted goes on where it was.

    Raises BookInUse where the book holds anything else.
    """
    end = _end_of_year(database, ledger.book, calendar)
    for request, answer in ledger.record_in_bulk(party_requests(SEED, end, COMPLAINTS, OfficeHours(calendar))):
        if not isinstance(answer, Receipt):
            raise FillFailed(f"{request.key} of the demo was not recorded ({answer}): fill a new book with --book")
    tables = ledger.tables()
    requests = (_request(story, tables) for story in year(SEED, end, COMPLAINTS, OfficeHours(calendar)))
    for done, (request, answer) in enumerate(ledger.record_in_bulk(requests), start=1):
        if not isinstance(answer, Receipt):
            raise FillFailed(
                f"complaint {request.stream_id} of the demo was not recorded ({answer}): "
                "fill a new book with --book, or a new data folder with --data"
            )
        advance(done, COMPLAINTS)
    for number, command in enumerate(officers_say(SEED, end, COMPLAINTS)):
        ledger.handle(command, principal=PRINCIPAL, key=f"demo:{SEED}:officers:{number}")


def _end_of_year(database: Database, book: str, calendar: Calendar) -> datetime:
    """The beginning of the day on which the fill began, so that an interrupted one goes on with the same year."""
    with closing(database.connect(Role.APPLICATION, autocommit=True)) as connection:
        beginning = events_after(connection, book, 0, POLICIES_MAX)
    first = next((row for row in beginning if row.name not in {**POLICY_NAMES, **TABLES_NAMES}), None)
    if first is None:
        return calendar.day_begins_at(calendar.local_day(datetime.now(UTC)))
    if opened(first).recorded_by != PRINCIPAL:
        raise BookInUse(f"the book {book} holds events that are not of the demo: name another book for it with --book")
    return calendar.day_begins_at(calendar.local_day(first.recorded_at))


def _request(story: list[Step], tables: Tables | None = None) -> BulkRequest:
    first = story[0].command
    return BulkRequest(
        stream_id=first.complaint_id,
        events=decided(story, tables),
        principal=PRINCIPAL,
        key=f"demo:{SEED}:{first.complaint_id}",
        given=orjson.dumps([step.command.model_dump(mode="json") for step in story], option=orjson.OPT_SORT_KEYS),
        command="make-up-complaint",
    )


def decided(story: list[Step], tables: Tables | None = None) -> list[ComplaintEvent]:
    """The events that the rules make of a story, each decided when it happened; raises a Refusal of the rules."""
    return list(_decisions(story, tables or Tables()))


def _decisions(story: list[Step], tables: Tables) -> Iterator[ComplaintEvent]:
    complaint = Complaint()
    for step in story:
        events = decide(complaint, step.command, Given(step.at, tables, principal=step.proposed_by or PRINCIPAL))
        complaint = fold(events, complaint)
        yield from events
        if step.answered_by is not None and events:
            answer = _answer(step, complaint.version)
            events = decide(complaint, answer, Given(step.at + ANSWERED_AFTER, tables, principal=step.answered_by))
            complaint = fold(events, complaint)
            yield from events


def _answer(step: Step, proposed_version: int) -> ComplaintCommand:
    about: dict[str, Any] = {"complaint_id": step.command.complaint_id, "proposed_version": proposed_version}
    at = step.at + ANSWERED_AFTER
    if step.declined is not None:
        return DeclineAmendment(**about, reason=step.declined, declined_at=at)
    return ApproveAmendment(**about, approved_at=at)
