"""The installed program `complaint-ledger`: its commands, and what becomes of their failures. No rule and no SQL is here.

Exit codes: 0 good, 1 a problem was found, 2 wrong use, 3 the database cannot be reached or used now.
"""

import os
import signal
import sys
from importlib.metadata import version
from types import FrameType
from typing import Annotated, Never

import psycopg2
import typer
from eventsourcing import persistence

from api.command import (
    access,
    attesting,
    auditing,
    books,
    bundling,
    deadlines,
    disclosing,
    door,
    erasing,
    exporting,
    figures,
    filling,
    parties,
    policies,
    proving,
    reading,
    reporting,
    returning,
    safekeeping,
    sealing,
    serving,
    succeeding,
    timekeeping,
    tokens,
    upkeep,
    witnessing,
)
from api.command.demo.fill import BookInUse, FillFailed
from api.command.options import WrongUse
from api.command.printing import say
from ledger.complaint.refusals import ComplaintNotFound
from ledger.database.backup import BackupFailed
from ledger.database.faults import DatabaseUnavailable, DataFolderNotOurs
from ledger.proof.cosigning import WitnessDisagrees
from ledger.proof.note import NoteMalformed, SignatureWrong
from ledger.proof.posting import Unanswered
from ledger.record.reading import NoSuchBook
from ledger.record.tree import ProofFailed
from ledger.refusal import Refusal
from ledger.vault.master import KeysUnusable
from projections.machine import BuiltByOtherVersion, PositionsMissing, ProjectionStopped, TreeDiffers
from projections.rebuild import AlreadyBuilding, NothingToCompare, ReadersInTheWay
from projections.sealing import SealedByOtherVersion

PROBLEM, WRONG_USE, AWAY, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="complaint-ledger",
    epilog="Settings: LEDGER_DATABASE_URL, LEDGER_DATA, LEDGER_BOOK, LEDGER_MASTER_KEY, LEDGER_SERVER_ACCOUNT "
    "(the README says what each is); what the command line names goes first.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        books.print_line(f"complaint-ledger {version('complaint-ledger')}")
        raise typer.Exit


@app.callback()
def program(
    version_asked: Annotated[
        bool, typer.Option("--version", help="Print the version, and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Record complaints as facts, compute their deadlines, and show any history as it was known on any day."""


app.command("serve")(serving.serve)
app.command("demo")(filling.demo)
app.command("migrate")(books.migrate_database)
app.add_typer(filling.imports, name="import")
app.add_typer(deadlines.sla_app, name="sla")
app.command("history")(reading.complaint_history)
app.command("worklist")(reading.open_complaints)
app.command("timeline")(parties.customer_timeline)
app.command("duties")(parties.what_is_to_be_done)
app.command("actions")(parties.open_actions)
app.add_typer(figures.indicators_app, name="indicators")
app.add_typer(reporting.report_app, name="report")
app.add_typer(returning.returns_app, name="returns")
app.add_typer(door.regulator_app, name="regulator")
app.command("verify")(proving.verify)
app.command("checkpoint")(attesting.checkpoint)
app.command("key")(attesting.key)
app.command("proof")(attesting.proof)
app.command("consistency")(attesting.consistency)
app.command("entries")(attesting.entries)
app.command("bundle")(bundling.pack)
app.command("disclosure")(disclosing.disclose)
app.command("export")(exporting.export)
app.add_typer(auditing.audit_app, name="audit")
app.add_typer(witnessing.witness_app, name="witness")
app.add_typer(upkeep.projections_app, name="projections")
upkeep.projections_app.command("seal")(sealing.seal)
upkeep.projections_app.command("check-seal")(sealing.check_seal)
app.add_typer(policies.regimes_app, name="regime")
app.add_typer(policies.calendars_app, name="calendar")
books.books_app.command("succeed")(succeeding.succeed)
app.add_typer(timekeeping.timekeeper_app, name="timekeeper")
app.add_typer(books.books_app, name="book")
app.add_typer(tokens.tokens_app, name="token")
app.add_typer(access.access_app, name="access")
app.add_typer(erasing.erase_app, name="erase")
app.command("backup")(safekeeping.backup)
app.command("restore")(safekeeping.restore)

WRONG = (WrongUse, NoSuchBook, ComplaintNotFound, BookInUse, DataFolderNotOurs, NoteMalformed)
"""The caller named what is not there, or wrote what can't be read."""

FOUND = (
    Refusal,
    BackupFailed,
    FillFailed,
    KeysUnusable,
    ProofFailed,
    SignatureWrong,
    Unanswered,
    WitnessDisagrees,
    ProjectionStopped,
    BuiltByOtherVersion,
    TreeDiffers,
    PositionsMissing,
    AlreadyBuilding,
    NothingToCompare,
    ReadersInTheWay,
    SealedByOtherVersion,
)
"""The record or the world is not as it should be; each message says what to do."""


OUTAGE = (
    *(psycopg2.OperationalError, psycopg2.InterfaceError),
    *(persistence.OperationalError, persistence.InterfaceError),
)
"""The connection broke, or the server did not answer in time: the same command may do later."""


def run() -> None:
    """The entry point: runs one command, turns a named failure into one line on standard error."""
    signal.signal(signal.SIGTERM, _asked_to_end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` asks for it to be ignored
        signal.signal(signal.SIGHUP, _asked_to_end)
    try:
        app()
    except WRONG as wrong:
        _fail(str(wrong), WRONG_USE)
    except FOUND as found:
        _fail(str(found) or (type(found).__doc__ or type(found).__name__), PROBLEM)
    except DatabaseUnavailable as away:
        _fail(str(away), AWAY)
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName, psycopg2.errors.UndefinedFunction):
        _fail("the database has no ledger of this version yet: run `complaint-ledger migrate`", PROBLEM)
    except (psycopg2.Error, persistence.PersistenceError) as error:
        code = AWAY if isinstance(error, OUTAGE) else PROBLEM
        _fail(f"the database could not do it: {_one_line(error)}. Nothing half-done was kept; try again", code)
    except KeyboardInterrupt:
        _fail("interrupted; what was recorded stays, and the same command goes on from there", INTERRUPTED)
    except BrokenPipeError:
        # whoever read our output has seen enough, `head` for one; nothing more can be written, at exit neither
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}", WRONG_USE)


def _asked_to_end(number: int, _frame: FrameType | None) -> None:
    """SIGTERM, and SIGHUP when the terminal goes, end like an ordinary exit: what is open is closed, a server stops."""
    raise SystemExit(128 + number)


def _one_line(error: Exception) -> str:
    """The first line of an error; what follows (DETAIL, the statement) may hold values."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _fail(sentence: str, code: int) -> Never:
    say(f"complaint-ledger: {sentence}")
    sys.exit(code)


if __name__ == "__main__":
    run()
