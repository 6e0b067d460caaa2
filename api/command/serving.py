"""`serve`: prints what there is to open, then runs the service of one book on loopback until it is asked to stop."""

import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from types import FrameType
from typing import Annotated
from uuid import UUID

import typer

from api.command.attesting import witnesses_of
from api.command.books import print_line
from api.command.deadlines import print_sla
from api.command.demo.drawn import complaint_id
from api.command.demo.fill import SEED, SHOWN
from api.command.filling import calendar, demo_settings, fill_once, shown_command
from api.command.options import BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place, writable_book
from api.command.printing import say
from api.command.tokens import print_tokens
from api.command.upkeep import catch_up, names
from api.eraser import eraser_of
from api.log import configure_logging
from api.measurer import measurer_of
from api.publishing import publisher_of
from api.sealer import sealer_of
from api.timekeeper import timekeeper_of
from ledger.application import Ledger
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.schedule import Schedule
from ledger.settings import Settings
from ledger.vault.erasing import carry_out_again
from ledger.vault.service import Vault
from projections import worklist

LOOPBACK = "127.0.0.1"
WAITING_CONNECTIONS_MAX = 128


def serve(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8000,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Serve the book demo, filled with a made-up year of a bank when it is not yet."),
    ] = False,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
) -> None:
    """Serve one book over HTTP on 127.0.0.1, keep its projections up, and keep its time. Ends cleanly on Ctrl-C and SIGTERM.

    With --demo, prints the SLA report of the made-up year and the addresses to open first.
    """
    settings = demo_settings(database, data, book) if demo else settings_of(database, data, book)
    doors_hour(settings)  # said before anything is opened
    with closing(_bound(port)) as bound, open_place(settings, migrates=True, makes=True) as target:
        if demo:
            fill_once(target, settings)
            _print_report(target, settings.book)
        else:
            writable_book(target, settings.book)
        with open_ledger(target, settings) as ledger:
            catch_up(target, settings.book, worklist.PROJECTION.name, silent=False)
            shown = complaint_id(SEED, SHOWN) if demo else _soonest_due(target, settings.book)
            bound.listen(WAITING_CONNECTIONS_MAX)  # not before: whoever waits for the port finds the service ready
            _print_addresses(f"http://{LOOPBACK}:{bound.getsockname()[1]}", settings.book, shown)
            if demo:
                print_line("The beginning of that history, as it was known then; in another terminal:")
                print_line(shown_command(target, settings, database, data))
                print_tokens(settings, f"http://{LOOPBACK}:{bound.getsockname()[1]}/sla")
            _run(ledger, target, bound, settings)


def _run(ledger: Ledger, target: Database, bound: socket.socket, settings: Settings) -> None:
    """Answers, and signs what came in, until a signal asks to stop."""
    from api.app import create_app  # noqa: PLC0415 - a web framework is loaded by the one command that serves
    from api.server import server  # noqa: PLC0415 - as above

    configure_logging()
    checkpoints = Checkpoints(ledger, target, settings.signing_key)
    hour = doors_hour(settings)
    with closing(Vault(ledger, target)) as vault:
        again = carry_out_again(ledger, vault)
        if any(again):
            say(f"{sum(again)} data subjects were erased again: a restored database or key folder had them")
        with (
            _ends_on_signals(),
            Schedule(checkpoints, witnesses_of(settings)),
            timekeeper_of(ledger, target),
            sealer_of(ledger, target),
            measurer_of(ledger, target, calendar()),
            eraser_of(ledger, target, vault),
            nullcontext() if hour is None else publisher_of(ledger, target, checkpoints, calendar(), hour),
        ):
            service = server(create_app(ledger, target, settings=settings), bound.getsockname()[1])
            gc.collect()
            gc.freeze()  # what was loaded stays, and looking through it again and again would hold up all callers at once
            service.run(sockets=[bound])


def doors_hour(settings: Settings) -> int | None:
    """The hour at which doors are brought up; None: never. Raises WrongUse for what is neither."""
    if settings.doors_hour == "never":
        return None
    if settings.doors_hour.isdecimal() and 0 <= int(settings.doors_hour) <= 23:
        return int(settings.doors_hour)
    raise WrongUse(f"LEDGER_DOORS_HOUR: write an hour from 0 to 23, or never, not {settings.doors_hour!r}")


def _bound(port: int) -> socket.socket:
    """The socket that will be served, taken before any work is done for nothing."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        raise WrongUse(
            f"port {port} cannot be served ({(error.strerror or str(error)).lower()}): name another with --port"
        ) from None
    return bound


def _print_report(target: Database, book: str) -> None:
    for name in names(None):
        catch_up(target, book, name, silent=False)
    with closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        print_sla(connection, book)


def _soonest_due(target: Database, book: str) -> UUID | None:
    """A complaint whose history is worth opening: the one that is due next."""
    with closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        return next((task.complaint_id for task in worklist.page(connection, book, rows_max=1).tasks), None)


def _print_addresses(service: str, book: str, shown: UUID | None) -> None:
    print_line("")
    print_line(f"The book {book} is served; stop with Ctrl-C. To open:")
    addresses = [
        ("/", "what there is, for a browser"),
        ("/openapi.json", "every address, described for programs; what follows takes a token"),
        ("/sla", "SLA report 时效报告"),
        ("/worklist", "what is open, soonest due first 待办清单"),
    ]
    if shown is not None:
        addresses.append((f"/complaints/{shown}/history", "the history of one complaint 投诉历史"))
    width = max(len(path) for path, _ in addresses)
    for path, says in addresses:
        print_line(f"  {service}{path:<{width}}  {says}")


@contextmanager
def _ends_on_signals() -> Iterator[None]:
    """Once the server has shut down, the signal that asked for it ends the program with exit code 0."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    def hang_up(_signal: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)  # the server knows that one

    earlier = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        earlier[signal.SIGHUP] = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        say("stopped")
