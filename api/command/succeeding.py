"""`book succeed`: opens a book that goes on where a forked one had to stop. Decides nothing by itself."""

from contextlib import closing
from typing import Annotated

import typer

from api.command.books import print_line
from api.command.options import AsJson, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import make_book, open_keys, open_place
from api.command.printing import print_json
from ledger.proof.succession import succeed as succeed_book


def succeed(
    predecessor: Annotated[
        str, typer.Argument(metavar="OLD", help="The book that lost events which it had signed for.")
    ],
    successor: Annotated[str, typer.Argument(metavar="NEW", help="The book to open in its place.")],
    by: Annotated[str, typer.Option("--by", help="Who decided it.")],
    reason: Annotated[str, typer.Option("--reason", help="What was lost and why, on one line; no personal data.")],
    origin: Annotated[
        str | None, typer.Option(help="Of the new book. [default: the old one's, with the signed size behind it]")
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    as_json: AsJson = False,
) -> None:
    """Open a successor 后继账簿 of a book that was restored from too old a backup: its first event records the loss.

    The old book stays as it is, readable, and records nothing. Bring the newer database back instead where there is one.
    """
    settings = settings_of(database, data, predecessor)
    with open_place(settings) as target, closing(open_keys(settings)) as keys:
        try:
            receipt = succeed_book(target, keys, predecessor, successor, by, reason, origin)
        except ValueError as unfit:
            raise WrongUse(str(unfit)) from None
        make_book(target, successor, origin)
    if as_json:
        print_json({"book": successor, "predecessor": predecessor, "position": receipt.first_position})
        return
    print_line(f"opened the book {successor}; the loss of {predecessor} is its position {receipt.first_position}")
