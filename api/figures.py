"""The figures over HTTP, and what is behind each: every route parses, hands over, answers. Nothing is computed here."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from psycopg2.extensions import connection as Connection

from api import figure_answers as answers
from api.answers import answer
from api.asking import PAGE_DEFAULT, PROJECTION, After, Asker, AsOf, AtLeast, Limit, Now
from api.description import question_description
from api.moments import house_calendar
from ledger.command import Day
from projections.asking import BadCursor, reached
from projections.indicators import asking
from projections.indicators.address import address_of
from projections.indicators.asking import Part
from projections.indicators.definitions import NoSuchIndicator, definition, definitions, not_computable
from projections.indicators.periods import (
    DayOutOfRange,
    Period,
    PeriodName,
    TooManyPeriods,
    period_before,
    period_of,
    periods,
)

Name = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,41}$")]
FirstDay = Annotated[Day | None, Query(alias="from", description="Periods from the one with this day.")]
LastDay = Annotated[Day | None, Query(description="To the period with this day; neither: the last whole one.")]
By = Annotated[Part | None, Query(description="Break the figures down by this.")]


def router(asker: Asker) -> APIRouter:
    """Every question about figures, bound to a book."""
    routes = asker.routes()

    @routes.get("/figures", **question_description(answers.Indicators))
    async def indicators() -> Response:
        """Every indicator with its definition and query, and the targets that cannot be computed."""
        found = {"indicators": list(definitions().values()), "not_computable": not_computable()}
        return answer(answers.Indicators, found)

    @routes.get(
        "/figures/{name}",
        **question_description(answers.Figures, *PROJECTION, NoSuchIndicator, TooManyPeriods, DayOutOfRange),
    )
    async def figures(
        request: Request,
        name: Name,
        at_least: AtLeast,
        period: PeriodName = "month",
        begins: FirstDay = None,
        to: LastDay = None,
        by: By = None,
        as_of: AsOf = None,
        now: Now = None,
    ) -> Response:
        """The figures of an indicator by period, each beside that of the period and of the year before."""
        days = (begins, to)
        judged = now or (datetime.now(UTC) if as_of is None else None)
        await _reached_by_all(asker, at_least)
        found = await asker.ask_projection(
            asking.READ[0], at_least, _figures, name, period, days, by, as_of=as_of, now=judged
        )
        return answer(answers.Figures, found, to=request)

    @routes.get(
        "/figures/{name}/cases",
        **question_description(answers.CasesPage, *PROJECTION, NoSuchIndicator, DayOutOfRange, BadCursor),
    )
    async def cases(
        name: Name,
        at_least: AtLeast,
        begins: Annotated[Day, Query(alias="from")],
        to: Annotated[Day, Query()],
        as_of: Annotated[int, Query(ge=0, lt=2**62, description="The position that the figure stands at.")],
        now: Annotated[Now, Query(description="The instant that it was judged at.")],
        by: By = None,
        part: Annotated[
            str | None, Query(max_length=200, description="The part; left out: where it is not known.")
        ] = None,
        limit: Limit = PAGE_DEFAULT,
        cursor: After = None,
    ) -> Response:
        """The complaints behind a number, and their events with their positions: the address stands beside the number."""
        await _reached_by_all(asker, at_least)
        found = await asker.ask_projection(
            asking.READ[0],
            at_least,
            _cases,
            name,
            Period(begins, to),
            as_of=as_of,
            now=now,
            by=by,
            part=part,
            rows_max=limit,
            cursor=cursor,
        )
        return answer(answers.CasesPage, found)

    return routes


async def _reached_by_all(asker: Asker, at_least: int) -> None:
    """A figure is as of where the projection stands that is furthest behind of those that it is computed from."""
    for name in asking.READ[1:]:
        await asker.ask_projection(name, at_least, reached, name)


def _figures(
    connection: Connection,
    book: str,
    name: str,
    period: PeriodName,
    days: tuple[Day | None, Day | None],
    by: Part | None,
    *,
    as_of: int | datetime | None,
    now: datetime | None,
) -> dict[str, Any]:
    indicator = definition(name)
    on = asking.ground(connection, book, house_calendar(), as_of=as_of, now=now)
    wanted = _periods(period, days, on)
    found = asking.figures(connection, on, [name], period, wanted, by)
    lines = [{**each._asdict(), "target": indicator.target, "cases_at": str(address_of(each, on))} for each in found]
    place = {"book": book, "position": on.at.position, "now": on.at.now}
    return {**place, "indicator": name, "unit": indicator.unit, "by": by, "figures": lines}


def _periods(name: PeriodName, days: tuple[Day | None, Day | None], on: asking.Ground) -> list[Period]:
    """Those between two days; with one of them the one with that day, with neither the last whole one."""
    first, last = days
    if first is None and last is None:
        return [period_before(name, period_of(name, on.calendar.local_day(on.at.now)))]
    begin = first or last
    assert begin is not None, "one of them was given"
    return periods(name, begin, last or on.calendar.local_day(on.at.now))


def _cases(
    connection: Connection,
    book: str,
    name: str,
    period: Period,
    *,
    as_of: int,
    now: datetime,
    **asked: Any,
) -> dict[str, Any]:
    on = asking.ground(connection, book, house_calendar(), as_of=as_of, now=now)
    page = asking.cases(connection, on, name, period, **asked)
    events = asking.events_of(connection, on.at, [each.complaint_id for each in page.cases])
    cases = [{**each._asdict(), "events": events[each.complaint_id]} for each in page.cases]
    return {**page._asdict(), "cases": cases}
