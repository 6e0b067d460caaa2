"""The documents of returns in their setting: computed at a position of a book, found again as they were sent. Records nothing."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
from psycopg2.extensions import connection as Connection

from ledger.deadlines.calendar import Calendar, built_in_calendars
from ledger.proof.stored import StoredTree
from ledger.record.envelope import opened
from ledger.record.reading import events_after, head
from ledger.refusal import Refusal
from ledger.returns.commands import SendReturn
from ledger.returns.events import ReturnSent
from ledger.returns.refusals import PeriodReversed, PeriodUnfinished
from projections.indicators.asking import Ground, ground
from projections.indicators.periods import Period, period_before, period_of
from projections.returns.asking import OtherForm, Pseudonyms, differences, digest_of, prepared, written
from projections.returns.definitions import Form, form_named
from projections.returns.sent import Submission


@dataclass(eq=False)
class DocumentNotReproduced(Refusal):
    """A document that was too long for the fact of its sending comes out otherwise now."""

    submission_id: UUID
    digest: str

    says: ClassVar[str] = (
        "The document of submission {submission_id} was too long to be kept, and this program computes another one than"
        " that of SHA-256 {digest}."
    )
    remedy: ClassVar[str] = "Take the file that was sent."


@dataclass(eq=False)
class DocumentDiffers(Refusal):
    """A document that is to be recorded as sent is not what the book gives at its position."""

    position: int
    different: str

    says: ClassVar[str] = (
        "The document is not what this book gives for it at position {position}. Computed again: {different}."
    )
    remedy: ClassVar[str] = "Nothing was recorded. Prepare the return anew, and send that, byte by byte."


DIFFERENCES_TOLD_MAX = 10


def calendar_of(form: Form, house: Calendar) -> Calendar:
    """The calendar in whose days a return counts."""
    return house if form.calendar is None else built_in_calendars()[form.calendar]


def last_whole(form: Form, on: Ground) -> Period:
    """The last period of a return that is over."""
    return period_before(form.every, period_of(form.every, on.calendar.local_day(on.at.now)))


def computed(
    connection: Connection, book: str, on: Ground, form: Form, period: Period, receiver: str, names: Pseudonyms
) -> dict[str, Any]:
    """The document of a return on the ground given, with the book's origin and the root of its tree."""
    origin = head(connection, book).origin
    root = StoredTree(connection, book, on.at.position).root()
    return prepared(connection, on, form, period, receiver, origin, root.hex(), names)


def as_stated(
    connection: Connection, book: str, document: dict[str, Any], house: Calendar
) -> tuple[Form, Period, Ground]:
    """The form, period and ground that a document was computed on. Raises NoSuchReturn, NotReached."""
    form = form_named(document["return"]["name"])
    period = Period(date.fromisoformat(document["period"]["from"]), date.fromisoformat(document["period"]["to"]))
    now = datetime.fromisoformat(document["judged_at"])
    on = ground(connection, book, calendar_of(form, house), as_of=document["known_at"]["position"], now=now)
    return form, period, on


def as_sent(connection: Connection, book: str, submission: Submission, names: Pseudonyms, house: Calendar) -> bytes:
    """The very bytes that were sent: from the fact itself, or computed again where they were too long for it.

    Raises DocumentNotReproduced.
    """
    (row,) = events_after(connection, book, submission.position - 1, 1)
    fact = opened(row).event
    assert isinstance(fact, ReturnSent), "a submission stands at the position of its sending"
    if fact.document is not None:
        return fact.document.encode()
    form = form_named(fact.name)
    on = ground(connection, book, calendar_of(form, house), as_of=fact.position, now=fact.judged_at)
    period = Period(fact.begins_on, fact.ends_on)
    document = written(computed(connection, book, on, form, period, fact.receiver, names))
    if digest_of(document) != fact.digest:
        raise DocumentNotReproduced(submission.submission_id, fact.digest)
    return document


def verified(connection: Connection, book: str, command: SendReturn, names: Pseudonyms, house: Calendar) -> None:
    """Computes again what is to be recorded as sent, before the fact that nobody can take back.

    Raises DocumentDiffers, PeriodUnfinished (to the hour, by the calendar of the return), NoSuchReturn, NotReached.
    """
    form = form_named(command.name)
    period = Period(command.begins_on, command.ends_on)
    calendar = calendar_of(form, house)
    if period.ends_on < period.begins_on:
        raise PeriodReversed
    if command.judged_at < period.instants(calendar)[1]:
        raise PeriodUnfinished(period.ends_on)
    on = ground(connection, book, calendar, as_of=command.position, now=command.judged_at)
    again = computed(connection, book, on, form, period, command.receiver, names)
    content = written(again)
    if command.digest != digest_of(content) or command.document not in (None, content.decode()):
        raise DocumentDiffers(command.position, _told_apart(command.document, again))


def _told_apart(document: str | None, again: dict[str, Any]) -> str:
    """What differs, cell by cell, in words; where no cell does, which parts of the document do."""
    try:
        given = orjson.loads(document or "")
        found = differences(given, again)
    except OtherForm as other:
        return other.told()
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its digest is another one"
    if not found:
        parts = sorted(name for name in {*given, *again} if given.get(name) != again.get(name))
        return f"it differs in {', '.join(parts)}" if parts else "its digest is another one"
    told = [
        f"{'total' if each['keys'] is None else ' / '.join(key or '–' for key in each['keys'])}, {each['column']}: "
        f"{each['before']} is stated, {each['after']} is computed"
        for each in found[:DIFFERENCES_TOLD_MAX]
    ]
    more = len(found) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")


def read(document: bytes) -> dict[str, Any]:
    """A document that was sent, as what it says."""
    content: dict[str, Any] = orjson.loads(document)
    return content
