"""`disclosure`: hands out one personal value with what proves it. Computes no hash and decides nobody's right to see."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from psycopg2.extensions import connection as Connection

from api.command import reading
from api.command.books import print_line
from api.command.bundling import covering, for_known_purpose, receiver_of
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place
from api.command.printing import print_json
from api.command.upkeep import catch_up
from ledger.access.refusals import NoSuchValue
from ledger.database.roles import Role
from ledger.proof.checkpoints import Checkpoints
from ledger.proof.disclosing import disclosure_file
from ledger.proof.writing import private_file
from ledger.record.digests import digests_of
from ledger.record.plans import plans
from ledger.record.reading import head, stream_events
from ledger.vault.service import Look, Vault
from projections import history


def disclose(
    complaint: Annotated[str, typer.Argument(metavar="COMPLAINT", help="Its id, or a reference number.")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="Such as customer_contact, or fact.content.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The JSON file to write; readable by you only.")],
    receiver: Annotated[str, typer.Option("--for", metavar="NAME", help="Who receives it, by identifier.")],
    purpose: Annotated[str, typer.Option("--purpose", metavar="CODE", help="What for; recorded as a look.")],
    request: Annotated[
        UUID | None, typer.Option("--request", metavar="ID", help="A granted request of the receiver.")
    ] = None,
    position: Annotated[
        int | None,
        typer.Option(
            "--position", metavar="N", min=1, help="Of which event, where the field was recorded more than once."
        ),
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Hand out one personal value 单项披露 with its salt, its event and the proof, so that anybody can check it.

    The receiver needs nothing of the ledger: `python verify.py FILE --key KEY`, with the program of any bundle. It takes the
    right that every look in clear takes, and is recorded as a look at this one value before the file is written.
    """
    to = receiver_of(receiver, purpose, [])
    assert to is not None, "a purpose was stated"
    settings = settings_of(database, data, book)
    with (
        open_place(settings) as target,
        open_ledger(target, settings) as ledger,
        closing(target.connect(Role.APPLICATION, autocommit=True)) as connection,
        closing(Vault(ledger, target)) as vault,
    ):
        head(connection, settings.book)  # raises NoSuchBook before anything is built
        for_known_purpose(to, ledger)
        catch_up(target, settings.book, history.PROJECTION.name, silent=as_json)
        complaint_id = reading.complaint_named(connection, settings.book, complaint, None)
        at = _position_of(connection, settings.book, complaint_id, field, position)
        covering(connection, Checkpoints(ledger, target, settings.signing_key), at)
        look = Look(complaint_id, to.purpose, (field,), request, position=at)
        disclosed = vault.disclose(look, to.name, to.handed_out_by)
        if not disclosed:
            raise WrongUse(
                f"the value of {field} at position {at} was erased with its data subject: its digest is all there is"
            )
        with private_file(out) as file:
            file.write(disclosure_file(connection, settings.book, disclosed[0]))
    if as_json:
        print_json({"file": str(out), "complaint_id": complaint_id, "field": field, "position": at})
        return
    print_line(f"{field} of the event at position {at:,}, for {to.name}, in {out}")


def _position_of(connection: Connection, book: str, complaint_id: UUID, field: str, position: int | None) -> int:
    """Where the field is recorded; raises NoSuchValue, or WrongUse where it stands in several events and none was named."""
    rows = stream_events(connection, book, complaint_id)
    found = [each for row in rows for each in digests_of(plans(), row.position, row.name, row.state)]
    places: Sequence[int] = [each.position for each in found if each.path == field]
    if position is not None:
        places = [each for each in places if each == position]
    if not places:
        raise NoSuchValue([field if position is None else f"{field} at position {position}"])
    if len(places) > 1:
        raise WrongUse(
            f"{field} was recorded at the positions {', '.join(map(str, places))}: say which with --position"
        )
    return places[0]
