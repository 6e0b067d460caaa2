"""`erase`: which erasures wait and for what, carrying out those that are due, and whose retention is over. Shows no value."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from api.command.books import print_line
from api.command.bundling import operator
from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, settings_of
from api.command.place import open_ledger, open_place, writable_book
from api.command.printing import cell, out, print_json, progress, say, table
from api.command.telling import happened
from ledger.access.rules import GROUNDS, Keeps
from ledger.application import Ledger
from ledger.settings import Settings
from ledger.tables.table import label
from ledger.vault.due import WAITING_MAX, Approved, Ended, Waiting, erase_due, retention_ended, waiting
from ledger.vault.erasing import carry_out_begun
from ledger.vault.merged import SamePerson
from ledger.vault.service import Vault

erase_app = typer.Typer(no_args_is_help=True, help="Erasures that wait, are due, or that nobody asked for yet.")

LOOKED_AT_MAX = 20_000
"""Persons that one run of `erase ended` looks at; it tells where the next one goes on."""
LOOKED_AT_TOGETHER = 200

WORDS = {
    Keeps.APPROVAL: "approval 审批",
    Keeps.HOLD: "legal hold 法律保全",
    Keeps.OPEN: "open complaint 投诉未结",
    Keeps.RETENTION: "retention 保存期限",
}


@erase_app.callback()
def erase_program() -> None:
    """Erasures that wait, are due, or that nobody asked for yet."""


@contextmanager
def _opened(settings: Settings, *, writes: bool = False) -> Iterator[tuple[Ledger, Vault]]:
    with open_place(settings) as target:
        if writes:
            writable_book(target, settings.book)
        with open_ledger(target, settings) as ledger, closing(Vault(ledger, target)) as vault:
            yield ledger, vault


@erase_app.command("due")
def carry_out_due(
    database: DatabaseUrl = None, data: DataFolder = None, book: BookName = None, as_json: AsJson = False
) -> None:
    """Carry out every approved erasure that no retention, hold or open complaint keeps. A running server does so by itself.

    It may be cut off at any time and run beside a server; run again, it ends what was begun.
    """
    settings = settings_of(database, data, book)
    erased: list[dict[str, object]] = []
    kept: Counter[str] = Counter()
    with (
        _opened(settings, writes=True) as (ledger, vault),
        progress("erasing what is due", silent=as_json) as advance,
    ):
        ended = carry_out_begun(ledger, vault)
        looked_at = erase_due(ledger, vault, Approved(), operator(), datetime.now(UTC))
        for done, looked in enumerate(looked_at, 1):
            advance(done)
            if looked.erased is not None:
                erased.append(looked.erased._asdict())
            if looked.refused is not None:
                say(f"{looked.subject_id}: {looked.refused}")
            kept.update(looked.kept_by)
    if as_json:
        print_json({"book": settings.book, "ended": ended, "erased": erased, "kept_by": dict(kept)})
        return
    for each in erased:
        print_line(f"erased {each['subject_id']}: {each['values']} values, recorded at position {each['position']:,}")
    if ended:
        print_line(f"ended {ended:,} erasures that had been cut off")
    if not erased and not ended:
        print_line("nothing was due")
    for keeps, many in sorted(kept.items()):
        say(f"{many:,} wait for: {WORDS[Keeps(keeps)]}; `erase waiting` lists them")


@erase_app.command("waiting")
def list_waiting(
    after: Annotated[int, typer.Option("--after", min=0, help="Behind this position of a request.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=WAITING_MAX, help="So many at the most.")] = 50,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List the requests for erasure that stand: for what each waits, and until when its values must be kept."""
    settings = settings_of(database, data, book)
    with _opened(settings) as (ledger, vault):
        page = waiting(ledger, vault, datetime.now(UTC), after=after, limit=limit)
        tables = ledger.tables().codes
    if as_json:
        listed = [{**each._asdict(), "ground_en": label(GROUNDS, each.ground, "en", tables)} for each in page.waiting]
        print_json({"book": settings.book, "waiting": listed, "next_after": page.next_after})
        return
    if not page.waiting:
        print_line("no request for erasure stands")
        return
    title = f"Erasures 删除 that wait in the book {settings.book}; times of {calendar().zone}"
    shown = table(title, "position", "data subject", "ground", "asked by", "approved by", "waits for", "kept until")
    for each in page.waiting:
        ground = f"{label(GROUNDS, each.ground, 'en', tables)} {label(GROUNDS, each.ground, 'zh', tables)}"
        shown.add_row(
            *(cell(each.position), cell(each.subject_id), ground, each.requested_by, cell(each.approved_by)),
            *(_waits(each), "–" if each.kept_until is None else happened(each.kept_until, calendar())),
        )
    out().print(shown)
    if page.next_after is not None:
        say(f"there are more: complaint-ledger erase waiting --after {page.next_after} --book {settings.book}")


def _waits(each: Waiting) -> str:
    return ", ".join(WORDS[keeps] for keeps in each.waits_for) or "nothing: `erase due`"


@erase_app.command("ended")
def list_ended(
    after: Annotated[UUID | None, typer.Option("--after", metavar="SUBJECT", help="Go on behind this one.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="End when so many were found.")] = 100,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List the persons whose retention is over though nobody asked for their erasure, in the order of their ids.

    It looks at 20,000 persons at the most, and tells where to go on. Who stands in no complaint, or is under a legal hold, is
    not among them.
    """
    settings = settings_of(database, data, book)
    found: list[Ended] = []
    looked_at, place = 0, after
    with _opened(settings) as (ledger, vault), progress("looking at persons", silent=as_json) as advance:
        now, same = datetime.now(UTC), SamePerson(ledger)
        while True:
            most = min(LOOKED_AT_TOGETHER, limit - len(found))
            page = retention_ended(ledger, vault, now, same, after=place, most=most)
            found += page.ended
            looked_at, place = looked_at + page.looked_at, page.next_after
            advance(looked_at)
            if place is None or len(found) >= limit or looked_at >= LOOKED_AT_MAX:
                break
    if as_json:
        listed = [each._asdict() for each in found]
        print_json({"book": settings.book, "ended": listed, "looked_at": looked_at, "next_after": place})
        return
    if found:
        title = f"Persons whose retention 保存期限 is over in the book {settings.book}, of {looked_at:,} looked at"
        shown = table(title, "data subject", "kept until")
        for each in found:
            shown.add_row(cell(each.subject_id), happened(each.kept_until, calendar()))
        out().print(shown)
    else:
        print_line(f"of {looked_at:,} persons, nobody's retention is over without a request for erasure")
    if place is not None:
        say(f"to go on: complaint-ledger erase ended --after {place} --book {settings.book}")
