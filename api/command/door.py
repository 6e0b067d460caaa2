"""`regulator`: opens the regulator's door, brings it up and seals it, and checks a copy. Computes no row itself."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import psycopg2
import typer

from api import publishing
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place, writable_book
from api.command.printing import out, print_json
from api.command.upkeep import catch_up
from ledger.database.roles import Role
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.note import NoteMalformed, VerifierKey
from projections.indicators.tables import PROJECTION
from projections.regulator import checking, door, reading
from projections.regulator.door import NoSuchReceiver

regulator_app = typer.Typer(
    help="The regulator's door 监管数据接口: a database of its own, by difference, verifiable.", no_args_is_help=True
)

Receiver = Annotated[str, typer.Argument(metavar="RECEIVER", help="Who receives it: a word, such as nfra.")]

SAID = {True: "good", False: "BAD ", None: "open"}
"""Before each verdict of a check; open: it was not looked at."""


@regulator_app.command("open")
def open_door(
    receiver: Receiver,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Make the receiver's database on the same server; its role reaches that one and nothing of the ledger or vault."""
    settings = settings_of(database, data, book)
    with open_place(settings) as target:
        made = door.open_door(target, _known(receiver))
    if as_json:
        print_json({"database": door.database_of(receiver), "login": door.login_of(receiver), "made": made})
    else:
        out().print(
            f"{door.database_of(receiver)} {'is made' if made else 'was there already'}: let {door.login_of(receiver)} in, and let"
        )
        out().print(
            "the receiver run on its own server, after making the same tables: CREATE SUBSCRIPTION … PUBLICATION regulator"
        )


@regulator_app.command("publish")
def publish(
    receiver: Receiver,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Bring the receiver's rows up to what is recorded, seal them by an event, and put the seal's proof beside them.

    Where no row is known otherwise, nothing is recorded. `serve` does the same every day for a door that was published once.
    """
    settings = settings_of(database, data, book)
    _known(receiver)
    with open_place(settings) as target:
        writable_book(target, settings.book)
        with closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
            if not reading.is_open(connection, settings.book, receiver):
                raise WrongUse(f"no door was opened for {receiver}: run `complaint-ledger regulator open {receiver}`")
        catch_up(target, settings.book, PROJECTION.name, silent=as_json)
        with open_ledger(target, settings) as ledger:
            done = publishing.publish(ledger, target, Checkpoints(ledger, target, settings.signing_key), receiver)
    if as_json:
        print_json(done._asdict())
    elif done.sealed:
        out().print(
            f"{door.database_of(receiver)} stands at position {done.position:,}: {done.added:,} rows added, {done.ended:,} ended; sealed"
        )
    else:
        out().print(f"{door.database_of(receiver)} is unchanged since position {done.position:,}: nothing was recorded")


@regulator_app.command("verify")
def verify(
    receiver: Annotated[
        str | None, typer.Argument(metavar="[RECEIVER]", help="Check the door itself, not a copy.")
    ] = None,
    copy: Annotated[str | None, typer.Option("--copy", metavar="URL", help="The regulator's own database.")] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The book's verifier key, as `key` printed it.")
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Check a copy by itself: its rows against the last seal, and that event against a checkpoint. Exit code 1 if it fails.

    With --copy it asks the ledger nothing: the rows, the seal, its proof and the checkpoint are all in the copy.
    """
    settings = settings_of(database, data, book)
    trusted = _key(key)
    if copy is not None:
        with closing(psycopg2.connect(copy)) as connection:
            found = checking.check(connection, settings.book, trusted)
    elif receiver is not None:
        with open_place(settings) as target:
            beside = target.beside(door.database_of(_known(receiver)))
            with closing(beside.connect(Role.PUBLISHER)) as connection:
                found = checking.check(connection, settings.book, trusted)
    else:
        raise WrongUse("say what to check: --copy URL, or the name of a receiver")
    if as_json:
        print_json({**found._asdict(), "verdicts": [each._asdict() for each in found.verdicts], "ok": found.ok})
    else:
        for each in found.verdicts:
            out().print(f"{SAID[each.holds]}  {each.says}", soft_wrap=True)
        if (
            found.reached is not None
            and found.sealed_at_position is not None
            and found.reached > found.sealed_at_position
        ):
            out().print(f"rows behind position {found.sealed_at_position:,} are not sealed yet")
    if not found.ok:
        raise typer.Exit(1)


def _known(receiver: str) -> str:
    try:
        door.database_of(receiver)
    except NoSuchReceiver as wrong:
        raise WrongUse(str(wrong)) from None
    return receiver


def _key(file: Path | None) -> VerifierKey | None:
    if file is None:
        return None
    try:
        return VerifierKey.read(file.read_text(encoding="utf-8").strip().splitlines()[-1])
    except (NoteMalformed, IndexError, ValueError) as wrong:
        raise WrongUse(f"{file} holds no verifier key: {wrong}") from None
