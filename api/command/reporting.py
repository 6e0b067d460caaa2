"""`report`: draws the figures as a page, and opens a number. Computes no figure of its own."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api import plots
from api.command import figures
from api.command.figures import ShowsByDefault
from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, settings_of
from api.command.printing import out, print_json
from api.command.reading import AS_OF, asking_of, place_named
from projections.indicators.asking import READ, ground
from projections.indicators.plots import OPENED_DEFAULT, OPENED_MAX, drawn

report_app = typer.Typer(cls=ShowsByDefault, help="Draw the figures 图表, or open a number.", no_args_is_help=True)
report_app.command("drill")(figures.drill)


@report_app.command("show")
def show(
    file: Annotated[Path, typer.Option("--html", metavar="FILE", help="Where the page is written.")],
    as_of: Annotated[str | None, typer.Option(AS_OF, metavar="POSITION|DAY|TIME", help="[default: now]")] = None,
    opens: Annotated[
        int, typer.Option("--opens", min=0, max=OPENED_MAX, help="List so many complaints behind each number.")
    ] = OPENED_DEFAULT,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained page: compliance over time, backlog by age, causes, weekday and hour, stages.

    It needs no network and no script, and switches between Chinese and English. Each number opens: the first complaints
    behind it with their events, and the address that `report drill` lists all of them by.
    """
    settings = settings_of(database, data, book)
    with asking_of(settings, *READ, silent=as_json) as connection:
        place = place_named(connection, settings.book, as_of)
        now = datetime.now(UTC) if place is None else None
        found = drawn(connection, ground(connection, settings.book, calendar(), as_of=place, now=now), opens)
    file.write_text(plots.page(found), encoding="utf-8")
    if as_json:
        print_json({"file": str(file), "book": found.book, "position": found.position})
        return
    out().print(f"{file}: the book {found.book} as known at position {found.position:,}", soft_wrap=True)
