"""`regulator`: opens the regulator's door, brings it up and seals it, and checks a copy. Computes no row itself."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg2
import typer

from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_keys, open_ledger, open_place, writable_book
from api.command.printing import out, print_json
from api.command.upkeep import catch_up
from ledger.database.roles import Role
from ledger.proof.asking import prove
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.note import NoteMalformed, VerifierKey
from ledger.record.reading import events_after
from ledger.seal.events import ProjectionSealed
from ledger.seal.recording import last_seal, record_seal
from projections.indicators.tables import PROJECTION
from projections.regulator import checking, door, reading
from projections.regulator.door import NoSuchReceiver
from projections.returns.asking import Pseudonyms, key_name

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
    """Bring the receiver's rows up to what is recorded, seal them by an event, and put the seal's proof beside them."""
    settings = settings_of(database, data, book)
    _known(receiver)
    with open_place(settings) as target:
        writable_book(target, settings.book)
        with closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
            if not reading.is_open(connection, settings.book, receiver):
                raise WrongUse(f"no door was opened for {receiver}: run `complaint-ledger regulator open {receiver}`")
        catch_up(target, settings.book, PROJECTION.name, silent=as_json)
        with closing(open_keys(settings)) as keys:
            names = Pseudonyms(keys.secret(key_name(settings.book, receiver)))
        done = door.bring_up(target, settings.book, receiver, names)
        beside = target.beside(door.database_of(receiver))
        with (
            open_ledger(target, settings) as ledger,
            closing(target.connect(Role.APPLICATION, autocommit=True)) as connection,
            closing(beside.connect(Role.PROJECTOR)) as copy,
        ):
            if done.position:
                at = door.reached(copy, settings.book)
                assert at is not None, "a door that was brought up says how far"
                digest = door.digest_at(copy, settings.book, done.position)
                copy.rollback()
                seal = ProjectionSealed(
                    projection=door.projection_of(receiver),
                    code_version=door.CODE_VERSION,
                    position=done.position,
                    root=at[1],
                    rows=digest.rows,
                    rows_digest=digest.sha256,
                    sealed_at=datetime.now(UTC),
                )
                record_seal(ledger, connection, seal)
                Checkpoints(ledger, target, settings.signing_key).make()
                found = last_seal(connection, settings.book, seal.projection)
                assert found is not None, "a seal was recorded"
                sealed, row = found
                (stored,) = events_after(connection, settings.book, row.position - 1, 1)
                proven = prove(connection, settings.book, row.position)
                door.keep_seal(copy, settings.book, sealed.position, stored.state, proven.entry, proven.proof.written())
    if as_json:
        print_json(done._asdict())
    else:
        out().print(
            f"{door.database_of(receiver)} stands at position {done.position:,}: {done.added:,} rows added, {done.ended:,} ended; sealed"
        )


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
