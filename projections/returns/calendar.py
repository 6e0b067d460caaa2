"""The submission calendar 报送日历: what is due when, by the facts that set it or else by the form. It judges by a given day."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from psycopg2.extensions import connection as Connection

from projections.indicators.periods import Period, period_before, period_of
from projections.returns import sent
from projections.returns.definitions import Form, forms

State = Literal["sent", "LATE", "due", "running"]
"""LATE: the day has passed and nothing was sent. due: the period is over. running: it is not."""

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


def calendar(connection: Connection, book: str, today: date) -> list[Due]:
    """The last whole period of each return and the one that runs, and every other that a day was set for in two years.

    The earliest due first. Raises NotBuilt.
    """
    done = {(each.name, each.receiver, each.begins_on, each.ends_on) for each in sent.submissions(connection, book)}
    ruled = {key: (due_on, source, None) for form in forms().values() for key, due_on, source in _ruled(form, today)}
    stated = {
        (each.name, each.receiver, each.begins_on, each.ends_on): (each.due_on, each.source, each.position)
        for each in sent.due_days(connection, book, today - timedelta(days=731))
    }
    return sorted(
        Due(due_on, *key, _state(key, due_on, key in done, today), source, position)
        for key, (due_on, source, position) in {**ruled, **stated}.items()
    )


def _ruled(form: Form, today: date) -> Iterator[tuple[Key, date, str]]:
    running = period_of(form.every, today)
    for period in (period_before(form.every, running), running):
        yield _key(form, period), period.ends_on + timedelta(days=form.due_days), form.due_source


def _key(form: Form, period: Period) -> Key:
    return form.name, form.receiver, period.begins_on, period.ends_on


def _state(key: Key, due_on: date, was_sent: bool, today: date) -> State:
    if was_sent:
        return "sent"
    if due_on < today:
        return "LATE"
    return "due" if key[3] < today else "running"
