"""`projections seal` and `check-seal`: commits to a projection's rows by an event, and replays what a seal is about."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place, writable_book
from api.command.printing import out, print_json, progress
from api.command.upkeep import Name, catch_up, names
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.seal.events import ProjectionSealed
from ledger.seal.recording import last_seal, record_seal, seal_at
from projections import sealing


def seal(
    name: Name = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Record what the rows of a projection are now, as one digest: a seal. A running server does so by itself.

    What was recorded up to now is worked in first. A state that is sealed already is not sealed again.
    """
    settings = settings_of(database, data, book)
    wanted = names(name)
    answers: list[dict[str, Any]] = []
    with open_place(settings) as target, closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        writable_book(target, settings.book)
        with open_ledger(target, settings) as ledger:
            for each in wanted:
                if catch_up(target, settings.book, each, silent=as_json) == 0:
                    continue
                made = sealing.sealed(target, settings.book, each, datetime.now(UTC))
                receipt = record_seal(ledger, connection, made)
                answers.append(
                    {**made.model_dump(), "recorded_at_position": None if receipt is None else receipt.last_position}
                )
    if as_json:
        print_json(answers)
        return
    for made_of in answers:
        where = made_of["recorded_at_position"]
        became = "was sealed already" if where is None else f"is sealed by the event at position {where:,}"
        out().print(
            f"{made_of['projection']} at position {made_of['position']:,}: {made_of['rows']:,} rows, "
            f"{made_of['rows_digest']}; it {became}",
            soft_wrap=True,
        )


def check_seal(
    name: Name = None,
    position: Annotated[
        int | None,
        typer.Option(
            "--position", min=1, help="The last seal of this position or an earlier one. [default: the newest]"
        ),
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Replay the events that a seal is about, and compare the digest of the rows. Exit code 1 when they differ."""
    settings = settings_of(database, data, book)
    wanted = names(name)
    with open_place(settings) as target:
        seals = _seals(target, settings.book, wanted, position)
        if not seals:
            raise WrongUse(
                f"no such seal is recorded in the book {settings.book}: `complaint-ledger projections seal` makes one"
            )
        checked = []
        for each in seals:
            with progress(f"replaying {each.projection}", silent=as_json) as advance:
                checked.append(sealing.check(target, each, settings.book, advance))
    if as_json:
        print_json([{**each._asdict(), "seal": each.seal.model_dump(), "ok": each.ok} for each in checked])
    else:
        for done in checked:
            says = "equals a fresh replay" if done.ok else "DIFFERS from a fresh replay"
            out().print(
                f"{done.seal.projection}: the seal of position {done.seal.position:,} {says}: "
                f"{done.rows:,} rows, {done.rows_digest}",
                soft_wrap=True,
            )
    if not all(each.ok for each in checked):
        raise typer.Exit(1)


def _seals(target: Database, book: str, wanted: list[str], position: int | None) -> list[ProjectionSealed]:
    found = []
    with closing(target.connect(Role.PROJECTOR, autocommit=True)) as connection:
        for name in wanted:
            if position is not None:
                found.append(seal_at(connection, book, name, position))
            else:
                last = last_seal(connection, book, name)
                found.append(None if last is None else last[0])
    return [each for each in found if each is not None]
