"""`indicators` and `report drill`: asks the indicators and prints what they answer. Computes no figure of its own."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, get_args

import typer
from psycopg2.extensions import connection as Connection
from rich.table import Table
from typer.core import TyperGroup

from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, one_of, read_day, settings_of
from api.command.printing import cell, out, print_json, say, table
from api.command.reading import AS_OF, asking_of, place_named
from api.command.telling import happened
from ledger.circumstances import known_tables
from ledger.tables.state import Tables
from projections.indicators.address import Address, NotAnAddress, address_of
from projections.indicators.asking import (
    CASES_MAX,
    READ,
    TABLES_OF,
    Case,
    Cases,
    Figure,
    Ground,
    Part,
    RecordedEvent,
    cases,
    events_of,
    figures,
    ground,
)
from projections.indicators.definitions import Definition, NoSuchIndicator, definition, definitions, not_computable
from projections.indicators.periods import (
    PERIODS,
    DayOutOfRange,
    Period,
    PeriodName,
    TooManyPeriods,
    period_before,
    period_of,
    periods,
)
from projections.returns.asking import Pseudonyms

PERIODS_SHOWN = 13
"""Of one indicator, where nobody says which days: a year and the same period of the year before."""


class ShowsByDefault(TyperGroup):
    """A group whose command `show` is meant where none of its commands is named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own context
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["show", *args]
        return super().parse_args(ctx, args)


indicators_app = typer.Typer(
    cls=ShowsByDefault, help="What the handling comes to 效果评价, by indicator, period and part."
)

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="One indicator. [default: all of them]")]
Days = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY", help="Periods from the one with this day. [default: see --period]"),
]
LastDay = Annotated[str | None, typer.Option("--to", metavar="DAY", help="To the period with this day.")]
AsOfOption = Annotated[
    str | None,
    typer.Option(AS_OF, metavar="POSITION|DAY|TIME", help="As the book was known there. [default: now]"),
]


@indicators_app.command("show")
def show(
    name: Name = None,
    by: Annotated[
        Part | None,
        typer.Option(
            "--by",
            metavar="|".join(get_args(Part)),
            help="Break every figure down.",
            parser=one_of("--by", get_args(Part), {"--period": PERIODS}),
        ),
    ] = None,
    period: Annotated[
        PeriodName,
        typer.Option(
            "--period", help="How long a period is; without --from, the last whole one (of one NAME: the last 13)."
        ),
    ] = "month",
    starts_from: Days = None,
    starts_to: LastDay = None,
    as_of: AsOfOption = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Print the indicators, each beside the period before, the same of the year before, and the house's target.

    With --json each figure has the address that `report drill` opens. What was recorded up to now is worked in first.
    """
    known(name)
    settings = settings_of(database, data, book)
    with asking_of(settings, *READ, silent=as_json) as connection:
        place = place_named(connection, settings.book, as_of)
        now = datetime.now(UTC) if place is None else None
        on = ground(connection, settings.book, calendar(), as_of=place, now=now)
        wanted = asked_about(period, starts_from, starts_to, on, PERIODS_SHOWN if name and by is None else 1)
        found = figures(connection, on, None if name is None else [name], period, wanted, by)
        tables = known_tables(connection, settings.book).at(on.at.position)
    if as_json:
        print_json(document(on, found))
    else:
        for part in _told(on, found, name, by, tables):
            out().print(part, soft_wrap=isinstance(part, str))


@indicators_app.command("explain")
def explain(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One indicator. [default: a list]")] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Print what an indicator is: its definition, its target, its query; without a name, all of them in a list."""
    settings_of(database, data, book)  # a definition is the program's own: nothing is opened
    known(name)
    wanted = list(definitions().values()) if name is None else [definition(name)]
    if as_json:
        missing = [each.model_dump() for each in not_computable()] if name is None else []
        print_json({"indicators": [each.model_dump() for each in wanted], "not_computable": missing})
    elif name is None:
        out().print(_list(wanted))
        out().print(_missing())
    else:
        for line in _explained(wanted[0]):
            out().print(line, soft_wrap=True)


def drill(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of a figure, as a report printed it.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=CASES_MAX, help="List at most so many complaints.")] = 50,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Open a number: list the complaints that it is made of, and their events with their positions in the book."""
    settings = settings_of(database, data, book)
    try:
        asked = Address.read(address)
    except NotAnAddress as wrong:
        raise WrongUse(str(wrong)) from None
    known(asked.indicator)
    with asking_of(settings, *READ, silent=as_json) as connection:
        page, events = opened_figure(connection, settings.book, asked, limit)
        tables = known_tables(connection, settings.book).at(page.position)
    if as_json:
        print_json(cases_document(page, events))
    else:
        for part in _opened(asked, page, events, tables):
            out().print(part, soft_wrap=isinstance(part, str))
    if page.next_cursor is not None:
        say(f"there are more: ask with a higher --limit (at most {CASES_MAX}), or page through the API")


def known(name: str | None) -> None:
    """Raises WrongUse for a name that is no indicator's."""
    try:
        if name is not None:
            definition(name)
    except NoSuchIndicator as wrong:
        raise WrongUse(f"{wrong.says.format(name=wrong.name)} There are: {', '.join(wrong.known)}") from None


def opened_figure(
    connection: Connection, book: str, asked: Address, limit: int
) -> tuple[Cases, dict[Case, Sequence[RecordedEvent]]]:
    """A page of the cases behind a figure, with the events of each."""
    on = ground(connection, book, calendar(), as_of=asked.as_of, now=asked.now)
    page = cases(connection, on, asked.indicator, asked.period, by=asked.by, part=asked.part, rows_max=limit)
    events = events_of(connection, on.at, [each.complaint_id for each in page.cases])
    return page, {each: events[each.complaint_id] for each in page.cases}


def asked_about(name: PeriodName, first: str | None, last: str | None, on: Ground, shown: int) -> Sequence[Period]:
    """The periods that the options mean: those between two days, else the last whole ones. Raises WrongUse."""
    today = calendar().local_day(on.at.now)
    if first is None and last is None:
        found = [period_before(name, period_of(name, today))]
        while len(found) < shown:
            found.insert(0, period_before(name, found[0]))
        return found
    begin = read_day(first, "--from") if first else None
    end = read_day(last, "--to") if last else today
    if begin is None:
        begin = end
    if end < begin:
        raise WrongUse("--to lies before --from: exchange them")
    try:
        return periods(name, begin, end)
    except (TooManyPeriods, DayOutOfRange) as wrong:
        raise WrongUse(str(wrong)) from None


def document(on: Ground, found: Sequence[Figure]) -> dict[str, object]:
    """The figures as a program reads them, each with its address."""
    return {
        "book": on.at.book,
        "position": on.at.position,
        "now": on.at.now,
        "figures": [
            {
                **figure._asdict(),
                "period": {"from": figure.period.begins_on, "to": figure.period.ends_on},
                "unit": definition(figure.indicator).unit,
                "target": _target(definition(figure.indicator)),
                "cases_at": str(address_of(figure, on)),
            }
            for figure in found
        ],
        "not_computable": [each.model_dump() for each in not_computable()],
    }


def cases_document(page: Cases, events: dict[Case, Sequence[RecordedEvent]]) -> dict[str, object]:
    return {
        "position": page.position,
        "now": page.now,
        "cases": [{**each._asdict(), "events": [event._asdict() for event in of_it]} for each, of_it in events.items()],
        "more": page.next_cursor is not None,
    }


def written(indicator: Definition, value: float | None) -> str:
    """A value as a person reads it, in its unit."""
    if value is None:
        return "–"
    match indicator.unit:
        case "percent":
            return f"{value:.1%}"
        case "points":
            return f"{value:.2f}"
        case "days" | "hours":
            return f"{value:,.1f}"
        case "complaints" | "events" | "contacts" | "minor":
            return f"{value:,.0f}"


def labelled(by: str | None, part: str | None, tables: Tables) -> str:
    """The labels of what a figure is broken down by, in both languages where its table has them."""
    if part is None:
        return "–"
    for name in TABLES_OF.get(by or "", ()):
        coded = tables.codes.get(name, {}).get(part)
        if coded is not None:
            return f"{coded.en} {coded.zh}"
    return part


def _target(indicator: Definition) -> str | None:
    return None if indicator.target is None else str(indicator.target)


def _told(
    on: Ground, found: Sequence[Figure], name: str | None, by: Part | None, tables: Tables
) -> Iterator[Table | str]:
    spans = sorted({figure.period for figure in found})
    days = f"{spans[0].begins_on} to {spans[-1].ends_on}" if spans else "no days"
    yield (
        f"Indicators 指标 of the book {on.at.book}, {days}, as known at position {on.at.position:,}, "
        f"judged at {happened(on.at.now, on.calendar)} ({on.calendar.zone})"
    )
    many = len(spans) > 1
    first = ("from", "to") if many else ()
    titles = () if name is not None else ("indicator",)
    numbers = ("value", "p90", "p95", "before", "year before", "cases")
    made = table(None, *first, *titles, *((by,) if by else ()), *numbers[:5], "target", "met", "cases", numbers=numbers)
    for figure in found:
        indicator = definition(figure.indicator)
        values = (figure.value, figure.p90, figure.p95, figure.before, figure.year_before)
        made.add_row(
            *(map(cell, figure.period) if many else ()),
            *(() if name is not None else (indicator.title,)),
            *((labelled(by, figure.part, tables),) if by else ()),
            *(written(indicator, value) for value in values),
            *(_target(indicator) or "", {True: "yes", False: "NO", None: ""}[figure.met], cell(figure.cases)),
        )
    yield made
    if name is None:
        yield "Targets that no recorded fact answers: `complaint-ledger indicators explain`. To open a number: --json, then report drill."


def _list(wanted: Sequence[Definition]) -> Table:
    made = table("Indicators 指标", "name", "title", "kind", "unit", "target")
    for each in wanted:
        made.add_row(each.name, each.title, each.kind, each.unit, _target(each) or "")
    return made


def _missing() -> Table:
    made = table("\nNot computable 暂不可计算: no fact of it is recorded", "what", "target", "what would be needed")
    for each in not_computable():
        made.add_row(f"{each.en} {each.zh}", each.target, each.needs)
    return made


def _explained(indicator: Definition) -> Iterator[str]:
    yield f"{indicator.name}: {indicator.title}"
    yield indicator.says
    yield f"Period: {indicator.period}. Kind: {indicator.kind}, in {indicator.unit}."
    if indicator.target is not None:
        yield f"Target: {indicator.target} ({indicator.target.source})."
    yield "Broken down, it goes by how the complaint stands as known at the position asked about."
    yield indicator.query.strip()


def opened_events(connection: Connection, on: Ground, found: Sequence[Case]) -> dict[Case, Sequence[RecordedEvent]]:
    """The events of cases, by case."""
    events = events_of(connection, on.at, [each.complaint_id for each in found])
    return {each: events[each.complaint_id] for each in found}


def print_cases(
    events: dict[Case, Sequence[RecordedEvent]], names: Pseudonyms | None, on: Ground, *, as_json: bool
) -> None:
    """Prints complaints and their events; for a receiver by his own names, from which he can link no stream or position."""
    if names is not None:
        opaque = [
            {
                "complaint": names.of("complaint", each.complaint_id),
                "value": each.value,
                "events": [names.of("event", event.position) for event in of_it],
            }
            for each, of_it in ((each, events[each]) for each in names.in_order(events))
        ]
        print_json({"cases": opaque})
    elif as_json:
        print_json(cases_document(Cases(on.at.position, on.at.now, tuple(events), None), events))
    else:
        out().print(_cases_table(events))


def _opened(
    asked: Address, page: Cases, events: dict[Case, Sequence[RecordedEvent]], tables: Tables
) -> Iterator[Table | str]:
    indicator = definition(asked.indicator)
    part = f", {asked.by} {labelled(asked.by, asked.part, tables)}" if asked.by else ""
    yield (
        f"{indicator.title}, {asked.period.begins_on} to {asked.period.ends_on}{part}: "
        f"the cases behind it, as known at position {page.position:,}"
    )
    yield _cases_table(events)


def _cases_table(events: dict[Case, Sequence[RecordedEvent]]) -> Table:
    made = table(None, "complaint", "reference", "adds", "events at positions", numbers=("adds",))
    for each, of_it in events.items():
        adds = "–" if each.value is None else f"{each.value:,.2f}".rstrip("0").rstrip(".")
        made.add_row(
            *(str(each.complaint_id), each.reference or "–", adds),
            ", ".join(f"{event.name}@{event.position}" for event in of_it),
        )
    return made
