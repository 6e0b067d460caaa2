"""`bundle`: packs the evidence of some complaints for somebody outside. Computes no hash and decides nobody's right to see."""

import os
import pwd
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from html import escape
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from psycopg2.extensions import connection as Connection
from pydantic import TypeAdapter, ValidationError
from rich.table import Table

from api.command import reading, telling
from api.command.books import print_line
from api.command.exporting import position_named
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import open_ledger, open_place
from api.command.printing import print_json
from api.command.upkeep import catch_up
from api.page import html
from ledger.access.rules import OPERATOR, PURPOSES
from ledger.application import Ledger
from ledger.circumstances import known_tables
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Code, StaffId
from ledger.policy.state import Policies
from ledger.proof.bundle import Disclosures, Shown, Told, none_shown, write_bundle
from ledger.proof.checkpoints import Checkpoints, Held, NoSuchCheckpoint, first_covering
from ledger.proof.shown import Receiver, shown_to
from ledger.record.reading import StoredRow, head
from ledger.vault.service import Vault
from projections import history
from projections.policies import policies_at


def pack(
    complaints: Annotated[
        list[str], typer.Argument(metavar="COMPLAINT…", help="Ids, reference numbers, or another body's references.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The zip file to write.")],
    receiver: Annotated[str, typer.Option("--for", metavar="NAME", help="Who receives it; stands in the manifest.")],
    purpose: Annotated[
        str | None,
        typer.Option(
            "--purpose",
            metavar="CODE",
            help="Show the personal values and files that the receiver may see, for this purpose: recorded as looks.",
        ),
    ] = None,
    request: Annotated[
        list[UUID] | None,
        typer.Option("--request", metavar="ID", help="A granted request of the receiver; one for each complaint."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="POSITION|DAY|TIME", help="As the book was known there. [default: now]"),
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Pack the evidence 证据包 of complaints: events, entries, proofs, checkpoint, keys, histories, and a program to check it.

    The receiver needs nothing of the ledger: `python verify.py FILE --key KEY`. No personal value is shown in it, unless
    a --purpose is stated: then all that the receiver may see, which for core and important values and for files takes
    a granted --request, or the complaint's being assigned to the receiver.
    """
    to = receiver_of(receiver, purpose, request or [])
    settings = settings_of(database, data, book)
    with (
        open_place(settings) as target,
        open_ledger(target, settings) as ledger,
        closing(target.connect(Role.APPLICATION, autocommit=True)) as connection,
    ):
        head(connection, settings.book)  # raises NoSuchBook before anything is built
        for_known_purpose(to, ledger)
        catch_up(target, settings.book, history.PROJECTION.name, silent=False)
        position = position_named(connection, settings.book, as_of)
        checkpoint = covering(connection, Checkpoints(ledger, target, settings.signing_key), position)
        named = [reading.complaint_named(connection, settings.book, each, position) for each in complaints]
        known = policies_at(connection, settings.book, position)

        def tell(complaint: UUID, rows: Sequence[StoredRow]) -> Told:
            return _told(connection, history.of_events(settings.book, complaint, position, rows), known)

        with _given(ledger, target, to, position) as given:
            packed = write_bundle(out, connection, settings.book, named, tell, position, checkpoint, receiver, given)
    if as_json:
        print_json(
            {
                "file": str(out),
                "complaints": named,
                "position": position,
                "checkpoint_size": checkpoint.checkpoint.size,
                "values": packed.values,
                "files": packed.files,
            }
        )
        return
    print_line(
        f"{len(named)} complaints as of position {position:,}, under the checkpoint of size "
        f"{checkpoint.checkpoint.size:,}, in {out}"
    )
    print_line(f"{packed.values:,} personal values and {packed.files:,} files are shown to {receiver}")


@contextmanager
def _given(ledger: Ledger, target: Database, to: Receiver | None, as_of: int) -> Iterator[Disclosures]:
    """What the vault's service gives out for a bundle, files as long as this is open; nothing where no purpose was stated."""
    if to is None:
        yield none_shown
        return
    with closing(Vault(ledger, target)) as vault, closing(ledger.evidence_store()) as store:

        def given(rows: Sequence[StoredRow]) -> Shown:
            return shown_to(ledger, vault, store, to, rows, as_of)

        yield given


def receiver_of(name: str, purpose: str | None, requests: list[UUID]) -> Receiver | None:
    """To whom values are shown; None where none are. Raises WrongUse before anything is recorded."""
    if purpose is None:
        if requests:
            raise WrongUse("--request: say with --purpose what the values are shown for")
        return None
    for option, text, kind in (("--for", name, TypeAdapter(StaffId)), ("--purpose", purpose, TypeAdapter(Code))):
        try:
            kind.validate_python(text)
        except ValidationError:
            raise WrongUse(
                f"{option}: values are shown to a person by identifier and for a purpose in lower case, such as "
                f"--for sun.li --purpose external-audit; not {text!r}"
            ) from None
    return Receiver(name, purpose, tuple(requests), operator())


def operator() -> str:
    """Who gives a command on this machine, as the record names him: the system's account, and no name that was typed."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # an account without a name
        account = str(os.getuid())
    return OPERATOR + re.sub(r"[^A-Za-z0-9._-]", "_", account)[:50]


def covering(connection: Connection, checkpoints: Checkpoints, position: int) -> Held:
    """The oldest checkpoint that covers the position, so that the same bundle can be made again; a new one if none does."""
    try:
        return first_covering(connection, checkpoints.book, position)
    except NoSuchCheckpoint:
        made = checkpoints.make()
        assert made is not None, "there is a position, so there is something to sign"
        return made


def _told(connection: Connection, found: history.History, known: Policies) -> Told:
    """The history as `complaint-ledger history` tells it, as a page, and its facts for a program.

    It is made of the events in the bundle, and of no projection, which somebody may have changed.
    In the days and with the clocks' labels of the book as they were at the position: the same bundle again has the same bytes.
    """
    tables = known_tables(connection, found.book)
    told = telling.told(found, found.lines, known.calendar, tables, known.clock_labels)
    parts = "".join(_as_html(part) for part in told)
    document = {
        "book": found.book,
        "complaint_id": found.complaint_id,
        "position": found.position,
        "lines": [line._asdict() for line in found.lines],
    }
    return Told(html("Complaint history 投诉历史", parts), document)


def _as_html(part: Table | str) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    heads = "".join(f"<th>{escape(HEADS.get(str(column.header), str(column.header)))}</th>" for column in part.columns)
    cells: Any = zip(*(list(column.cells) for column in part.columns), strict=True)
    rows = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in cells)
    return f"<table><tr>{heads}</tr>{rows}</table>"


HEADS = {"#": "# 序号", "when": "when 时间", "who": "who 经办人", "what": "what 事项"}


def for_known_purpose(to: Receiver | None, ledger: Ledger) -> None:
    """Raises WrongUse before a checkpoint is signed or a look recorded; the vault's service would refuse it later."""
    known = ledger.tables().current[PURPOSES]
    if to is not None and to.purpose not in known:
        raise WrongUse(f"--purpose: there is no purpose {to.purpose}; there are {', '.join(known)}")
