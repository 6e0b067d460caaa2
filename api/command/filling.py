"""`demo` and `import`: fills a book from a seed or from files, and reports what became of it."""

import shlex
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.command.attesting import witnesses_of
from api.command.books import print_line
from api.command.cfpb import NotComplaints
from api.command.demo import fill as demo_fill
from api.command.demo.drawn import complaint_id
from api.command.importing import CfpbImport, Report
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import make_book, open_keys, open_place, writable_book
from api.command.printing import print_json, progress, say
from api.log import configure_logging
from api.moments import house_calendar
from ledger.application import Ledger
from ledger.complaint.events import ComplaintRegistered
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.deadlines.calendar import Calendar
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.cosigning import make_and_collect
from ledger.proof.schedule import Schedule
from ledger.record.envelope import opened
from ledger.record.reading import stream_events
from ledger.settings import Settings

DEMO_BOOK = "demo"

SHOWN_FACTS = 6
"""The first so many facts of the complaint that is shown: what was known of it before it was investigated."""

PROGRAM = ".venv/bin/complaint-ledger"

imports = typer.Typer(help="Import complaints from files of other bodies.", no_args_is_help=True)


@imports.callback()
def of_other_bodies() -> None:
    """Keeps `cfpb` a command of its own while it is the only one."""


@imports.command("cfpb")
def import_cfpb(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV files with their header line.")],
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Import complaints of the CFPB publication (14, 16 or 18 columns), recording only what each row states.

    The same row again records nothing: a complaint is known by its id, or where the file has none by its
    content and its count among equal rows. Every bad row is told on standard error by its line, and the good ones
    are kept; --json lists the first 1,000 with their reasons. Exit code 1 when a row was rejected.
    """
    for path in files:
        if not path.is_file():
            raise WrongUse(f"{path} is not a file: name CSV files of the CFPB publication")
    settings = settings_of(database, data, book)
    with open_place(settings, makes=True) as target:
        writable_book(target, settings.book)
        report = _import_files(target, settings, files, silent=as_json)
    if as_json:
        print_json(
            {
                "book": settings.book,
                "rows": report.rows,
                "recorded": report.recorded,
                "already": report.already,
                "rejected": report.rejected,
                "reasons": report.reasons,
                "reasons_left_out": report.reasons_left_out,
                "sent_before_received": report.sent_before_received,
            }
        )
    else:
        _print_report(report, settings.book)
    if report.rejected:
        raise typer.Exit(1)


def calendar() -> Calendar:
    """The institution's calendar, which says where its days begin: that of the book that is asked, as it is published."""
    return house_calendar()


def _import_files(target: Database, settings: Settings, files: list[Path], *, silent: bool) -> Report:
    configure_logging()
    policy = witnesses_of(settings)
    with closing(open_keys(settings)) as keys, closing(Ledger(target, settings.book, keys)) as ledger:
        checkpoints = Checkpoints(ledger, target, settings.signing_key)
        importer = CfpbImport(ledger, keys, calendar(), calendar().local_day(datetime.now(UTC)), say)
        with Schedule(checkpoints, policy):  # what comes in for hours is signed as it comes
            for path in files:
                with progress(f"importing {path.name} (bytes)", silent=silent) as advance:
                    try:
                        importer.file(path, advance)
                    except NotComplaints as unfit:
                        raise WrongUse(f"{path}: {unfit}") from None
        made, collected = make_and_collect(checkpoints, policy)
        if made is not None and not silent:
            say(f"signed: a checkpoint covers the book's first {made.checkpoint.size:,} events")
        for failure in collected.failures:
            say(failure)
        return importer.report


def _print_report(report: Report, book: str) -> None:
    print_line(
        f"{report.rows:,} {'row' if report.rows == 1 else 'rows'}: {report.recorded:,} recorded in the book {book}, "
        f"{report.already:,} already there, {report.rejected:,} rejected"
    )
    if report.sent_before_received:
        say(
            f"{report.sent_before_received:,} {'row says' if report.sent_before_received == 1 else 'rows say'} that the complaint was sent to the company before it was "
            "received: recorded as stated"
        )


def demo(database: DatabaseUrl = None, data: DataFolder = None, book: BookName = None, as_json: AsJson = False) -> None:
    """Fill the book demo once with a made-up year of a bank. Again, it does nothing.

    Nobody in it exists. What happened in the year is spread by published distributions and decided by the
    same rules as real complaints; all of it is recorded now, and the book says so.
    """
    settings = demo_settings(database, data, book)
    with open_place(settings, migrates=True, makes=True) as target:
        filled = fill_once(target, settings, silent=as_json)
        shown = shown_command(target, settings, database, data)
    if as_json:
        print_json({"book": settings.book, "complaints": demo_fill.COMPLAINTS, "filled_now": filled})
        return
    state = "now holds" if filled else "already holds"
    print_line(
        f"the book {settings.book} {state} {demo_fill.COMPLAINTS:,} made-up complaints; see `complaint-ledger sla --book {settings.book}`"
    )
    print_line("one complaint, as it was known while the book was filled:")
    print_line(shown)


def demo_settings(database: str | None, data: Path | None, book: str | None) -> Settings:
    """Where the demo goes; raises WrongUse for a book that may be meant for real complaints."""
    settings = settings_of(database, data, book or DEMO_BOOK)
    if not settings.book.startswith(DEMO_BOOK):
        raise WrongUse(
            f"the demo goes into a book whose name begins with {DEMO_BOOK}, not into {settings.book}: "
            "it cannot be taken out again"
        )
    return settings


def shown_command(target: Database, settings: Settings, database: str | None, data: Path | None) -> str:
    """A command to copy: the history of the complaint that is shown, as of its first facts.

    References and positions differ by the day of filling, so they are read from the book. A URL may hold a
    password and is not printed.
    """
    with closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        shown = complaint_id(demo_fill.SEED, demo_fill.SHOWN)
        rows = stream_events(connection, settings.book, shown, events_max=SHOWN_FACTS)
    events = [opened(row).event for row in rows]
    reference = next((event.reference for event in events if isinstance(event, ComplaintRegistered)), str(shown))
    installed = Path(sys.argv[0]).name == Path(PROGRAM).name and not Path(PROGRAM).exists()
    called = sys.argv[0] if installed else PROGRAM
    words = [called, "history", reference, "--book", settings.book, "--as-of", str(rows[-1].position)]
    words += ["--data", str(data)] if data else []
    return shlex.join(words) + (" --database URL" if database else "")


def fill_once(target: Database, settings: Settings, *, silent: bool = False) -> bool:
    """Opens the demo's book and fills it unless it is full; says whether it had to."""
    make_book(target, settings.book)
    with closing(open_keys(settings)) as keys, closing(Ledger(target, settings.book, keys)) as ledger:
        if demo_fill.is_filled(ledger):
            return False
        if not silent:
            say(
                f"filling the book {settings.book} with {demo_fill.COMPLAINTS:,} made-up complaints of the past year: "
                "nobody in them exists, and all is recorded today"
            )
        with progress("complaints", demo_fill.COMPLAINTS, silent=silent) as advance:
            demo_fill.fill(target, ledger, calendar(), advance)
    return True
