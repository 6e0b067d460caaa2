"""`projections`: how far the projections of a book have come, and what brings them forward. Knows no projection's rows."""

from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, read_place, settings_of
from api.command.place import open_place, say_if_empty
from api.command.printing import cell, out, print_json, progress, say, table
from ledger.database.target import Database
from ledger.settings import Settings
from projections import rebuild as building
from projections import worker
from projections.catalogue import PROJECTIONS
from projections.machine import remedy_of

projections_app = typer.Typer(
    help="See and mend the projections: what people look at, computed from the events.", no_args_is_help=True
)

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help=f"One of {', '.join(PROJECTIONS)}. [default: all]")]

NO_ROW = "–"


def names(name: str | None) -> list[str]:
    """The projections that are meant; raises WrongUse for a name that there is not."""
    if name is None:
        return list(PROJECTIONS)
    if name not in PROJECTIONS:
        raise WrongUse(f"there is no projection {name!r}: name one of {', '.join(PROJECTIONS)}")
    return [name]


def catch_up(database: Database, book: str, name: str, *, silent: bool) -> int:
    """Works in what is recorded; shows progress only where there is much to do. Returns the position reached."""
    with progress(f"catching up {name}", silent=silent) as advance:
        return worker.catch_up(database, book, name, progress=advance)


@projections_app.command("status")
def print_status(
    name: Name = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Show how far each projection has come. Changes nothing. Exit code 1 when one has failed."""
    settings = settings_of(database, data, book)
    wanted = names(name)
    with open_place(settings) as target:
        found = [each for each in worker.status(target, settings.book) if each.name in wanted]
    if as_json:
        print_json(found)
    else:
        listing = table(
            None, "name", "position", "behind", "version", "worked on", "root", numbers=("position", "behind")
        )
        for each in found:
            listing.add_row(
                *(each.name, cell(each.position), cell(each.lag_events), cell(each.version)),
                *(cell(each.worked_on), each.root),
            )
        out().print(listing)
        say(
            "behind: events not worked in yet; worked on: a server or a catch-up holds it; root: of the events it was built from"
        )
    failed = [(each.name, each.failed) for each in found if each.failed]
    for failing, failure in failed:
        say(
            f"{failing} stopped at position {failure.position} ({failure.event}): "
            f"{remedy_of(settings.book, failing, failure.error)}"
        )
    if failed:
        raise typer.Exit(1)


@projections_app.command("catch-up")
def print_catch_up(
    name: Name = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Work in everything that is recorded by now. A running server does so by itself."""
    settings = settings_of(database, data, book)
    wanted = names(name)
    with open_place(settings) as target:
        reached = {each: catch_up(target, settings.book, each, silent=as_json) for each in wanted}
    if as_json:
        print_json([{"name": each, "book": settings.book, "position": position} for each, position in reached.items()])
        return
    for each, position in reached.items():
        out().print(f"{each} stands at position {position:,}")


@projections_app.command("rebuild")
def print_rebuild(
    name: Name = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="POSITION|DAY|TIME",
            help="Build it as it was known there, or when that day ended, into a schema of its own.",
        ),
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Build anew from the first event, beside the live one, and put it in its place. It is read all the while.

    With --until the live one stays, and the other one is there until `projections drop` takes it away.
    """
    settings = settings_of(database, data, book)
    wanted = names(name)
    if until is not None:
        _print_until(settings, wanted, until, as_json=as_json)
        return
    title = f"rebuilding {name}" if name else f"rebuilding {len(wanted)} projections in one pass"
    with open_place(settings) as target, progress(title, silent=as_json) as advance:
        answers = building.rebuild_together(target, settings.book, wanted, advance)
    told = list(zip(wanted, answers, strict=True))
    failed = {each: error for each, error in told if isinstance(error, BaseException)}
    if as_json:
        print_json([{"name": each, "error": str(answer)} if each in failed else answer for each, answer in told])
    for each, done in told:
        if isinstance(done, building.Rebuilt) and not as_json:
            rows = ", ".join(f"{rows:,} rows in {of}" for of, rows in done.rows_after.items())
            out().print(f"{each} was rebuilt to position {done.position:,}: {rows}", soft_wrap=True)
    for each, error in failed.items():
        say(f"{each} was not rebuilt, the one before stays: {error}")
    if failed:
        raise next(iter(failed.values()))


def _print_until(settings: Settings, wanted: list[str], until: str, *, as_json: bool) -> None:
    place = _known_at(until, "--until")
    built = []
    with open_place(settings) as target:
        for each in wanted:
            with progress(f"building {each}", silent=as_json) as advance:
                built.append(building.build_until(target, settings.book, each, place, advance))
    if as_json:
        print_json(built)
        return
    for done in built:
        out().print(f"{done.name} as known at position {done.position:,} is in the schema {done.schema}")


def _known_at(text: str, option: str) -> int | datetime:
    """A position, or an instant; a day is meant by its end. Raises WrongUse."""
    place: int | date = read_place(text, option)
    if isinstance(place, int | datetime):
        return place
    return calendar().day_begins_at(place + timedelta(days=1)) - timedelta(microseconds=1)


@projections_app.command("drop")
def print_drop(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(PROJECTIONS)}.")],
    position: Annotated[int, typer.Argument(metavar="POSITION", min=0, help="Where it was built until.")],
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Take away what `projections rebuild --until` built. The live one is not touched."""
    settings = settings_of(database, data, book)
    (wanted,) = names(name)
    with open_place(settings) as target:
        dropped = building.drop_until(target, settings.book, wanted, position)
    if as_json:
        print_json({"name": wanted, "book": settings.book, "position": position, "dropped": dropped})
        return
    out().print(f"{wanted} as known at position {position:,} {'is gone' if dropped else 'was not built'}")


@projections_app.command("compare")
def print_compare(
    name: Name = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Print at most so many differences.")] = 20,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Replay all events into tables beside the live ones, and compare row by row. Exit code 1 on a difference."""
    settings = settings_of(database, data, book)
    wanted = names(name)
    differing = False
    answers = []
    with open_place(settings) as target:
        for each in wanted:
            position = catch_up(target, settings.book, each, silent=as_json)
            with progress(f"replaying {each}", silent=as_json) as advance:
                found = building.compare(target, settings.book, each, advance)
            differing = differing or bool(found)
            answers.append(
                {"name": each, "book": settings.book, "position": position, "ok": not found, "differences": found}
            )
            if not as_json:
                _print_differences(each, position, found, limit)
        say_if_empty(target, settings.book)
    if as_json:
        print_json(answers)
    if differing:
        raise typer.Exit(1)


def _print_differences(name: str, position: int, found: list[building.Difference], limit: int) -> None:
    console = out()
    if not found:
        console.print(f"{name} equals a fresh replay of positions 1 to {position:,}")
        return
    console.print(f"{name} DIFFERS from a fresh replay of positions 1 to {position:,}, in {len(found):,} rows or more:")
    for difference in found[:limit]:
        key = ", ".join(f"{column}={value}" for column, value in difference.key.items())
        live = NO_ROW if difference.live is None else _others(difference.live, difference.fresh)
        fresh = NO_ROW if difference.fresh is None else _others(difference.fresh, difference.live)
        console.print(f"  {difference.table} ({key}): live {live}; replayed {fresh}", soft_wrap=True)
    say(f"run `complaint-ledger projections rebuild {name}`, after asking who changed the rows")


def _others(row: dict[str, object], other: dict[str, object] | None) -> str:
    """The columns of a row that the other one has otherwise."""
    return ", ".join(
        f"{column}={value}" for column, value in row.items() if other is None or other.get(column) != value
    )
