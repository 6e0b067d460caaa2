"""`timekeeper run`: records what the passing of time has brought about, once or for as long as it is left to run."""

import time
from collections import Counter
from contextlib import closing
from typing import Annotated

import typer

from api.command.books import print_line
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, settings_of
from api.command.place import open_ledger, open_place, writable_book
from api.command.printing import print_json, progress, say
from api.log import configure_logging
from api.timekeeper import NAME, keep_time, timekeeper_of
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from projections import timekeeper

timekeeper_app = typer.Typer(
    help="Turn the passing of time into facts: deadlines that approach, are missed, are issued anew.",
    no_args_is_help=True,
)

LOOKED_AFTER_SECONDS = 1.0


@timekeeper_app.callback()
def timekeeper_program() -> None:
    """Turn the passing of time into facts: deadlines that approach, are missed, are issued anew."""


@timekeeper_app.command("run")
def run_timekeeper(
    once: Annotated[bool, typer.Option("--once", help="Record what is owed now, and end.")] = False,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Record each deadline that approaches or was missed, exactly once. A running server does so by itself.

    Without --once it goes on until it is asked to stop, and logs what it records; where another one is at work, it
    stands by.
    """
    settings = settings_of(database, data, book)
    with open_place(settings) as target:
        writable_book(target, settings.book)
        with open_ledger(target, settings) as ledger:
            if once:
                _run_once(ledger, target, as_json=as_json)
            else:
                configure_logging()
                with timekeeper_of(ledger, target) as keeper:
                    while keeper.is_alive():
                        time.sleep(LOOKED_AFTER_SECONDS)


def _run_once(ledger: Ledger, target: Database, *, as_json: bool) -> None:
    recorded: Counter[str] = Counter()
    with (
        closing(target.connect(Role.APPLICATION, autocommit=True)) as connection,
        progress(f"catching up {NAME}", silent=as_json) as advance,
    ):
        for kept in keep_time(ledger, target, connection, progress=advance):
            recorded += kept.recorded
        next_at = timekeeper.next_at(connection, ledger.book)
    if as_json:
        print_json({"book": ledger.book, "recorded": dict(recorded), "next_at": next_at})
        return
    for name, facts in sorted(recorded.items()):
        print_line(f"recorded {facts:,} {name}")
    if not recorded:
        print_line("nothing was owed")
    say("nothing is ahead" if next_at is None else f"the next is owed at {next_at.isoformat(timespec='seconds')}")
