"""`timeline`, `duties`, `actions`: asks the projections about customers and what is to be done, and prints what they answer."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from api.command import party_telling
from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, settings_of
from api.command.place import said_to_be_empty
from api.command.printing import out, print_json, say
from api.command.reading import AS_OF, asking_of, place_named
from ledger.circumstances import known_tables
from projections import duties, timeline

Who = Annotated[str | None, typer.Option("--who", help="Only what this member of staff has.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=duties.ROWS_MAX, help="List at most so many.")]


def customer_timeline(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")],
    as_of: Annotated[
        str | None,
        typer.Option(
            AS_OF,
            metavar="POSITION|DAY|TIME",
            help="As the book was known there, or when that day ended. [default: now]",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Print at most so many facts.")] = 1_000,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Tell all that concerns a customer 客户全程记录, complaints included, in the order in which it happened.

    Records that were merged are told together. Personal values are not shown. What was recorded up to now is worked in
    first.
    """
    customer_id = _id(customer)
    settings = settings_of(database, data, book)
    lines: list[timeline.Line] = []
    with asking_of(settings, timeline.PROJECTION.name, silent=as_json) as connection:
        place, cursor = place_named(connection, settings.book, as_of), None
        while True:
            rows_max = min(timeline.ROWS_MAX, limit - len(lines))
            found = timeline.of_customer(
                connection, settings.book, customer_id, as_of=place, rows_max=rows_max, cursor=cursor
            )
            lines += found.lines
            if found.next_cursor is None or len(lines) >= limit:
                break
            place, cursor = found.position, found.next_cursor
        tables = known_tables(connection, settings.book)
        empty = None if lines else said_to_be_empty(connection, settings.book)
    if not lines:
        raise WrongUse(empty or f"nothing is known of a customer {customer_id} in the book {settings.book}")
    if as_json:
        print_json(
            {
                "book": found.book,
                "customer_id": found.customer_id,
                "position": found.position,
                "same_person": found.same_person,
                "lines": [line._asdict() for line in lines],
                "more": found.next_cursor is not None,
            }
        )
    else:
        console = out()
        for part in party_telling.timeline_parts(found, lines, calendar(), tables):
            console.print(part, soft_wrap=isinstance(part, str))
    if found.next_cursor is not None:
        say("there is more: ask with a higher --limit")


def what_is_to_be_done(
    kind: Annotated[duties.Kind | None, typer.Option("--kind", help="Only this kind.", case_sensitive=False)] = None,
    who: Who = None,
    limit: Limit = 20,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List what somebody has to do besides complaints 其他待办: actions, warnings, risks, leaks, answers, calls.

    What is urgent first, then the soonest due. What was recorded up to now is worked in first.
    """
    settings = settings_of(database, data, book)
    with asking_of(settings, duties.PROJECTION.name, silent=as_json) as connection:
        page = duties.page(connection, settings.book, kind=kind, who=who, rows_max=limit)
        tables = known_tables(connection, settings.book)
        empty = None if page.duties else said_to_be_empty(connection, settings.book)
    if as_json:
        print_json(
            {
                "book": page.book,
                "position": page.position,
                "duties": [duty._asdict() for duty in page.duties],
                "more": page.next_cursor is not None,
            }
        )
    else:
        out().print(party_telling.duties_table(page, calendar(), datetime.now(UTC), tables.now))
    if not page.duties:
        say(empty or f"nothing of the kind is to be done in the book {settings.book}")
    if page.next_cursor is not None:
        say(f"there are more: ask with a higher --limit (at most {duties.ROWS_MAX}), or by --who")


def open_actions(
    who: Who = None,
    limit: Limit = 20,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List the corrective actions that are not closed 整改事项, the soonest due first.

    What was recorded up to now is worked in first.
    """
    what_is_to_be_done(duties.Kind.ACTION, who, limit, database, data, book, as_json)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise WrongUse(
            f"{text!r} is no customer's id: the receipt of a registration or a complaint gives it as customer_id"
        ) from None
