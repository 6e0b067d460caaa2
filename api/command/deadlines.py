"""`sla`: the report, the derivation of one complaint's deadlines, and what another policy would have made of them.

Computes no figure of its own; a projection is caught up first, so that what is printed holds all that is recorded.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import connection as Connection

from api.command import accounts
from api.command.filling import calendar
from api.command.options import (
    AsJson,
    BookName,
    DatabaseUrl,
    DataFolder,
    WrongUse,
    one_of,
    read_complaint_id,
    read_day,
    settings_of,
)
from api.command.place import said_to_be_empty
from api.command.policies import calendar_file, regime_file
from api.command.printing import out, print_json, progress, say
from api.command.reading import AS_OF, asking_of, before_the_first, complaint_named, place_named
from ledger.circumstances import known_tables
from ledger.deadlines.regime import Regime
from ledger.policy.state import ClockLabel, ClockLabels
from projections import derivation, history, sla
from projections import what_if as supposing
from projections.asking import AsOf
from projections.policies import policies_at

sla_app = typer.Typer(
    help="How deadlines were kept 时效; without a further word, the report.", invoke_without_command=True
)

AsOfPlace = Annotated[
    str | None,
    typer.Option(
        AS_OF, metavar="POSITION|DAY|TIME", help="As the book was known there, or when that day ended. [default: now]"
    ),
]


@sla_app.callback()
def sla_report(
    context: typer.Context,
    starts_from: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Only clocks that started on this day or later.")
    ] = None,
    starts_to: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Only clocks that started on this day or earlier.")
    ] = None,
    as_of: AsOfPlace = None,
    by: Annotated[
        sla.Part | None,
        typer.Option(
            "--by",
            metavar="|".join(sla.PARTS),
            help="Break every figure down.",
            parser=one_of("--by", sla.PARTS, {"--period": sla.PERIODS}),
        ),
    ] = None,
    period: Annotated[
        sla.Period | None,
        typer.Option("--period", help="And by the day, month … on which clocks started.", case_sensitive=False),
    ] = None,
    classified: Annotated[
        str | None,
        typer.Option(
            metavar="first|POSITION|DAY|TIME",
            help="Break down by the classification that was set first, or as known there. [default: as --as-of]",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=sla.ROWS_MAX, help="List at most so many overdue.")] = 10,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Print how first replies and resolutions kept their limits 时效报告, and what is overdue.

    Days are days of the institution's time zone. What was recorded up to now is worked in first.
    """
    if context.invoked_subcommand is not None:
        return
    first = read_day(starts_from, "--from") if starts_from else None
    last = read_day(starts_to, "--to") if starts_to else None
    if first and last and last < first:
        raise WrongUse("--to lies before --from: exchange them")
    settings = settings_of(database, data, book)
    with asking_of(settings, sla.PROJECTION.name, silent=as_json) as connection:
        begin = calendar().day_begins_at(first) if first else None
        before = calendar().day_begins_at(last + timedelta(days=1)) if last else None
        place = place_named(connection, settings.book, as_of)
        of: sla.Classified = "first"
        if classified != "first":
            of = place_named(connection, settings.book, classified, "--classified")
        print_sla(
            connection,
            settings.book,
            place,
            starts_from=begin,
            starts_before=before,
            by=by,
            period=period,
            classified=of,
            limit=limit,
            as_json=as_json,
        )


def print_sla(
    connection: Connection,
    book: str,
    place: AsOf = None,
    *,
    starts_from: datetime | None = None,
    starts_before: datetime | None = None,
    by: sla.Part | None = None,
    period: sla.Period | None = None,
    classified: sla.Classified = None,
    limit: int = 10,
    as_json: bool = False,
) -> None:
    """Asks for the report and the overdue at one place and one moment, and prints both."""
    now = datetime.now(UTC) if place is None else None
    report = sla.report(
        connection,
        book,
        starts_from=starts_from,
        starts_before=starts_before,
        as_of=place,
        now=now,
        part=by,
        period=period,
        classified=classified,
    )
    overdue = sla.overdue(
        connection,
        book,
        starts_from=starts_from,
        starts_before=starts_before,
        as_of=report.position,
        now=report.now,
        rows_max=limit,
    )
    if as_json:
        print_json(accounts.sla_document(report, overdue))
    else:
        console = out()
        labels = policies_at(connection, book, report.position).clock_labels
        tables = known_tables(connection, book)
        for part in accounts.sla_tables(report, overdue, calendar(), labels, tables):
            console.print(part, soft_wrap=isinstance(part, str))
    if report.position == 0:
        say(said_to_be_empty(connection, book) or before_the_first(connection, book))


@sla_app.command("explain")
def explain(
    complaint: Annotated[
        str, typer.Argument(metavar="COMPLAINT", help="Its id, its reference number, or another body's.")
    ],
    as_of: AsOfPlace = None,
    clock: Annotated[str | None, typer.Option(help="Only the clock of this name, such as resolution.")] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Derive each deadline of a complaint day by day 时限推导: counted, skipped and why, moved by what, by which versions.

    The same place gives the same bytes again. Verdicts are those of the moment asked about.
    """
    settings = settings_of(database, data, book)
    known_id = read_complaint_id(
        complaint
    )  # by its id a complaint is read from the record, and nothing has to be built
    with asking_of(settings, *(() if known_id else (history.PROJECTION.name,)), silent=as_json) as connection:
        place = place_named(connection, settings.book, as_of)
        complaint_id = known_id or complaint_named(connection, settings.book, complaint, place)
        derived = derivation.derive(connection, settings.book, complaint_id, place)
        if not derived.known:
            raise WrongUse(
                f"no complaint {complaint_id} was known in the book {settings.book} then: check the id, --book"
            )
    chosen = derived.of_clock(clock)
    if as_json:
        print_json(accounts.derivation_document(chosen))
        return
    console = out()
    console.print(
        f"Deadlines 时限 of the complaint {complaint_id}, as known at position {derived.position:,} of the book "
        f"{settings.book}",
        soft_wrap=True,
    )
    for line in chosen.lines():
        console.print(line, soft_wrap=True, markup=False)
    if not chosen.runs:
        say("no deadline was known of it" if clock is None else f"no deadline called {clock!r} was known of it")


@sla_app.command("what-if")
def what_if(
    regime: Annotated[
        list[Path] | None,
        typer.Option("--regime", metavar="FILE", help="A regime in TOML, as if in force from the beginning."),
    ] = None,
    calendars: Annotated[
        list[Path] | None,
        typer.Option("--calendar", metavar="FILE", help="A calendar in TOML, as if published at the beginning."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, max=supposing.DIFFERENCES_MAX, help="List at most so many differences.")
    ] = 20,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Replay the book under another policy: the verdicts that would differ, and the rate as it is and would be.

    A file stands in the place of the published policy of its name; what is not named stays. Nothing is recorded.
    """
    if not regime and not calendars:
        raise WrongUse("name a policy to suppose: --regime FILE, or --calendar FILE")
    settings = settings_of(database, data, book)
    supposed_calendars = [calendar_file(path) for path in calendars or ()]
    with asking_of(settings, sla.PROJECTION.name, silent=as_json) as connection:
        known = {
            *policies_at(connection, settings.book).newest_calendars(),
            *(each.name for each in supposed_calendars),
        }
        supposed = [regime_file(path, known) for path in regime or ()]
        labels = _labels(connection, settings.book, supposed)
        with progress("complaints replayed", silent=as_json) as advance:
            found = supposing.what_if(
                connection,
                settings.book,
                regimes=supposed,
                calendars=supposed_calendars,
                now=datetime.now(UTC),
                differences_max=limit,
                progress=advance,
            )
    if as_json:
        print_json(accounts.what_if_document(found))
        return
    console = out()
    for part in accounts.what_if_tables(found, calendar(), labels):
        console.print(part, soft_wrap=isinstance(part, str))


def _labels(connection: Connection, book: str, supposed: Sequence[Regime]) -> ClockLabels:
    """What clocks are called in the book, and those of the regimes that are supposed by these."""
    own = {(regime.name, rule.name): ClockLabel(rule.zh, rule.en) for regime in supposed for rule in regime.clocks}
    return {**policies_at(connection, book).clock_labels, **own}
