"""Measures the institution's own indicators when a month is over, so that a threshold that was crossed raises its warning.

It joins the figures (`projections.indicators`) to the indicators that were defined with thresholds (`ledger.improvement`),
and decides nothing: whether a warning follows, the rules of the indicator say. A measurement has an id that its indicator
and month make, so whoever measures twice, or at the same time as another, finds it there.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog
from psycopg2.extensions import connection as Connection

from api.standby import Standby, Stopped
from ledger.application import Ledger, Receipt
from ledger.database.target import Database
from ledger.deadlines.calendar import Calendar
from ledger.improvement.commands import MeasureIndicator
from ledger.improvement.events import Better, IndicatorMeasured
from ledger.improvement.indicator import RULES, Indicator
from ledger.record.reading import events_named, head
from projections import asking
from projections.indicators.asking import READ, Figure, Ground, Part, cases, figures, ground
from projections.indicators.definitions import Definition, definitions
from projections.indicators.periods import Period, period_before, period_of
from projections.worker import catch_up

NAME = "measurer"
PRINCIPAL = "measurer"

MONTHS_MAX = 12
"""How far back it measures what nobody measured."""
CAUSES_MAX = 100
"""How many complaints a measurement names."""
INDICATORS_MAX = 1_000
"""How many definitions one round takes in; the next one goes on behind them."""
IDLE_SECONDS = 600.0

MEASURES: Mapping[str, str] = {
    "handling-speed": "resolution-time",
    "response-speed": "first-reply-time",
    "handling-satisfaction": "satisfaction",
    "complaint-handling-rate": "handling-rate",
}
"""By which figure an indicator of the code table is measured, where the two bear different names."""


class Defined:
    """The indicators that were ever defined in a book; only what was recorded since is looked through."""

    def __init__(self) -> None:
        self._ids: dict[UUID, None] = {}
        self._looked_up_to = 0

    def now(self, connection: Connection, book: str) -> list[UUID]:
        """Those defined up to now, in their order. Costs a read of what was recorded since, the first time of the book."""
        end = head(connection, book).size
        rows = events_named(connection, book, ["indicator-defined"], self._looked_up_to + 1, end, INDICATORS_MAX)
        self._ids |= dict.fromkeys(row.stream_id for row in rows)
        self._looked_up_to = rows[-1].position if len(rows) == INDICATORS_MAX else end
        return list(self._ids)


class Wanted(NamedTuple):
    """A month of an indicator that has thresholds and was not measured in it."""

    indicator_id: UUID
    state: Indicator
    measure: Definition
    month: Period


def measure(
    ledger: Ledger,
    database: Database,
    connection: Connection,
    calendar: Calendar,
    now: datetime,
    defined: Defined | None = None,
) -> list[Receipt]:
    """Measures each month that is over, of each indicator that has thresholds and a figure; records nothing twice.

    Costs a read of the indicators that were defined; where a month waits, that of its figures.
    """
    wanted = [
        each
        for indicator_id in (defined or Defined()).now(connection, ledger.book)
        for each in _months(ledger, calendar, indicator_id, now)
    ]
    if not wanted:
        return []
    for name in READ:
        if (asking.standing(connection, ledger.book, name) or 0) < head(connection, ledger.book).size:
            catch_up(database, ledger.book, name)
    on = ground(connection, ledger.book, calendar, as_of=None, now=now)
    measured = ((each, _figure(connection, on, each)) for each in wanted)
    return [
        ledger.handle(_command(connection, on, each, figure), principal=PRINCIPAL, key=_key(each))
        for each, figure in measured
        if figure is not None and figure.value is not None
    ]


def measured_by(indicator: str | None) -> Definition | None:
    """The figure by which an indicator of the code table is measured; None where no recorded fact answers it."""
    return definitions().get(MEASURES.get(indicator or "", indicator or ""))


def _months(ledger: Ledger, calendar: Calendar, indicator_id: UUID, now: datetime) -> Iterator[Wanted]:
    """The months since it was defined that are over and were not measured, the latest first."""
    state: Indicator = ledger.state("indicator", indicator_id)[0]
    figure = measured_by(state.indicator)
    if figure is None or not state.thresholds or state.defined_at is None:
        return
    done = {
        period_of("month", fact.period_to)
        for _, fact in RULES.effective(state.recorded)
        if isinstance(fact, IndicatorMeasured)
    }
    month = period_before("month", period_of("month", calendar.local_day(now)))
    for _ in range(MONTHS_MAX):
        if month.ends_on < calendar.local_day(state.defined_at):
            return
        if month not in done:
            yield Wanted(indicator_id, state, figure, month)
        month = period_before("month", month)


def _figure(connection: Connection, on: Ground, wanted: Wanted) -> Figure | None:
    """The figure of the month: of the whole, or of the department that the indicator is about."""
    scope = wanted.state.scope
    found = figures(
        connection, on, [wanted.measure.name], "month", [wanted.month], None if scope is None else "department"
    )
    return next((each for each in found if each.part == scope), None)


def _command(connection: Connection, on: Ground, wanted: Wanted, figure: Figure) -> MeasureIndicator:
    assert figure.value is not None, "what has no value is not measured"
    scale = 100_000 if wanted.measure.unit == "percent" else 1_000
    return MeasureIndicator(
        indicator_id=wanted.indicator_id,
        measurement_id=uuid5(wanted.indicator_id, str(wanted.month)),
        value_thousandths=round(figure.value * scale),
        period_from=wanted.month.begins_on,
        period_to=wanted.month.ends_on,
        source=f"{wanted.measure.name} as known at position {on.at.position}",
        complaint_ids=tuple(_causes(connection, on, wanted)),
        measured_by=PRINCIPAL,
        measured_at=on.at.now,
    )


def _causes(connection: Connection, on: Ground, wanted: Wanted) -> Sequence[UUID]:
    """Of a share, the complaints that made it worse; the other figures are made of all of them."""
    if wanted.measure.kind != "share" or wanted.measure.about != "complaint":
        return []
    scope, worse = wanted.state.scope, 0.0 if wanted.state.better is Better.HIGHER else 1.0
    by: Part | None = None if scope is None else "department"
    page = cases(connection, on, wanted.measure.name, wanted.month, by=by, part=scope)
    return list(dict.fromkeys(each.complaint_id for each in page.cases if each.value == worse))[:CAUSES_MAX]


def _key(wanted: Wanted) -> str:
    return f"measured/{wanted.indicator_id}/{wanted.month}"


def measurer_of(
    ledger: Ledger, database: Database, calendar: Calendar, *, idle_seconds: float = IDLE_SECONDS
) -> Standby:
    """Measures the indicators of one book for as long as a process lives; in a second process it stands by."""
    log = structlog.get_logger(NAME).bind(book=ledger.book)
    defined = Defined()

    def round_of(connection: Connection, _stopped: Stopped) -> None:
        done = measure(ledger, database, connection, calendar, datetime.now(UTC), defined)
        if done:
            log.info("measurer.measured", measurements=len(done))

    return Standby(NAME, database, ledger.book, round_of, idle_seconds)
