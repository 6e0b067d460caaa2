"""The submission calendar 报送日历: what is due when, by the facts that set it or else by the form. It judges by a given day."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.deadlines.calendar import Calendar
from ledger.record.reading import events_after
from projections.asking import asked, standing
from projections.indicators import tables
from projections.indicators.periods import Period, period_before, period_of
from projections.returns import sent
from projections.returns.definitions import Form, forms

_SQL = queries(__file__)

State = Literal["LATE", "due", "running", "sent late", "sent"]
"""LATE: the day has passed and nothing was sent. due: the period is over. running: it is not."""

PERIODS_MAX = 24
"""So many whole periods of each return are looked back at, from the first that the book has whole."""

Key = tuple[str, str, date, date]
"""Name, receiver, and the period's first and last day."""


class Due(NamedTuple):
    """A return that is due. `position` is that of the fact that set the day; None where the form's own rule stands."""

    due_on: date
    name: str
    receiver: str
    begins_on: date
    ends_on: date
    state: State
    source: str
    position: int | None


def calendar(connection: Connection, book: str, today: date, house: Calendar) -> list[Due]:
    """Every whole period since the book's first one that is due or late, the last whole one of each return and the one
    that runs, and every other that a day was set for in two years.

    The earliest due first; `state` marks the late ones. `house` says on which day the book began and a return was sent. Raises NotBuilt.
    """
    done: dict[Key, date] = {}
    for each in sent.submissions(connection, book):  # the first sending counts, a restatement is later
        done[each.name, each.receiver, each.begins_on, each.ends_on] = house.local_day(each.sent_at)
    began_on = _began_on(connection, book, today, house)
    ruled: dict[Key, tuple[date, str, int | None]] = {
        key: (due_on, source, None)
        for form in forms().values()
        for key, due_on, source in _ruled(form, today, began_on)
    }
    stated = {
        (each.name, each.receiver, each.begins_on, each.ends_on): (each.due_on, each.source, each.position)
        for each in sent.due_days(connection, book, today - timedelta(days=731))
    }
    listed = [
        Due(due_on, *key, _state(key, due_on, done.get(key), today), source, position)
        for key, (due_on, source, position) in {**ruled, **stated}.items()
    ]
    return sorted(listed)


def _began_on(connection: Connection, book: str, today: date, house: Calendar) -> date:
    """The day of the first complaint; where none is known to the figures, that of the book's first fact."""
    if standing(connection, book, tables.PROJECTION.name) is not None:
        at = asked(connection, book, tables.PROJECTION.name, None, None)
        ((received_at,),) = at.fetch(connection, _SQL["first_received"], {})
        if received_at is not None:
            return house.local_day(received_at)
    first = events_after(connection, book, 0, 1)
    return house.local_day(first[0].recorded_at) if first else today


def _ruled(form: Form, today: date, began_on: date) -> Iterator[tuple[Key, date, str]]:
    period = period_of(form.every, today)
    for back in range(1 + PERIODS_MAX):
        if back > 1 and period.begins_on < began_on:
            return
        yield _key(form, period), period.ends_on + timedelta(days=form.due_days), form.due_source
        period = period_before(form.every, period)


def _key(form: Form, period: Period) -> Key:
    return form.name, form.receiver, period.begins_on, period.ends_on


def _state(key: Key, due_on: date, sent_on: date | None, today: date) -> State:
    if sent_on is not None:
        return "sent late" if sent_on > due_on else "sent"
    if due_on < today:
        return "LATE"
    return "due" if key[3] < today else "running"
