"""`disclosure`: hands out one personal value with what proves it. Computes no hash and decides nobody's right to see."""

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
from api.command.printing import print_json, say
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
from ledger.vault.standing import standing
from projections import history

_PROPOSAL = "amendment-proposed"


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
            "--position",
            metavar="N",
            min=1,
            help="Of which event, where the field was recorded more than once, or what was superseded.",
        ),
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Hand out one personal value 单项披露 with its salt, its event and the proof, so that anybody can check it.

    That is the value in force, corrected where it was corrected; what was superseded is handed out by its --position only.

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
        at, superseded_by = _place_of(connection, settings.book, complaint_id, field, position)
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
        print_json(
            {"file": str(out), "complaint_id": complaint_id, "field": field, "position": at}
            | {"superseded_by_version": superseded_by}
        )
        return
    print_line(f"{field} of the event at position {at:,}, for {to.name}, in {out}")
    if superseded_by is not None:
        say(f"this value is not in force: version {superseded_by} of the complaint superseded it")


def _place_of(
    connection: Connection, book: str, complaint_id: UUID, field: str, position: int | None
) -> tuple[int, int | None]:
    """Where the field is recorded, and the version that superseded it there; by default where its value in force is.

    A corrected value is proved by its correction rather than by the proposal. Raises NoSuchValue, or WrongUse where the
    field stands in several events, or in none any more, and no position was named.
    """
    rows = stream_events(connection, book, complaint_id)
    now = standing(rows)
    found = [each for row in rows for each in digests_of(plans(), row.position, row.name, row.state)]
    first = {each.digest: each.path for each in reversed(found)}  # the path under which a digest proves its value
    named = [each for each in found if now.is_called(each, field) and each.path == first[each.digest]]
    if position is not None:
        for each in named:
            if each.position == position:
                return position, now.superseded_by.get(each.digest)
        raise NoSuchValue([f"{field} at position {position}"])
    if not named:
        raise NoSuchValue([field])
    proposals = {row.position for row in rows if row.name == _PROPOSAL}
    in_order = sorted(named, key=lambda each: (each.position in proposals, each.position), reverse=True)
    places = {each.digest: each.position for each in in_order}
    standing_at = sorted(at for digest, at in places.items() if digest not in now.superseded_by)
    if len(standing_at) != 1:
        where = ", ".join(map(str, standing_at or sorted(places.values())))
        how = "was recorded" if standing_at else "stands no more; it was recorded"
        raise WrongUse(f"{field} {how} at the positions {where}: say which with --position")
    return standing_at[0], None
