"""`regime` and `calendar`: checks, publishes and shows what a book's deadlines go by. Decides nothing: the rules do."""

from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from api.command.books import print_line
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, read_day, settings_of
from api.command.place import open_ledger, open_place, writable_book
from api.command.printing import cell, out, print_json, say, table
from ledger.application import Receipt
from ledger.database.roles import Role
from ledger.deadlines.calendar import Calendar, built_in_calendars, read_calendar
from ledger.deadlines.checking import Fault, check_calendar, check_regime
from ledger.deadlines.regime import Regime, read_regime
from ledger.deadlines.writing import calendar_as_toml, regime_as_toml
from ledger.policy.commands import PolicyCommand, PublishCalendar, PublishRegime, PutRegimeInForce, RetireRegime
from ledger.policy.state import Policies
from ledger.settings import Settings
from projections.policies import policies_at

regimes_app = typer.Typer(
    help="The regimes of a book 时限制度: sets of clocks, each version published in full.", no_args_is_help=True
)
calendars_app = typer.Typer(
    help="The calendars of a book 工作日历: working days, each version published in full.", no_args_is_help=True
)

FILE_BYTES_MAX = 1024 * 1024

File = Annotated[Path, typer.Argument(metavar="FILE", help="TOML; `regime show NAME` writes one to begin with.")]
By = Annotated[str, typer.Option("--by", metavar="STAFF", help="Who publishes or decides it; stands in the record.")]
RegimeName = Annotated[str, typer.Argument(metavar="NAME", help="Such as house; `regime list` lists them.")]
FromDay = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, tomorrow at the earliest.")]
Version = Annotated[int | None, typer.Option("--version", min=1, help="Another than the newest.")]


def regime_file(path: Path, calendars: Collection[str] | None = None) -> Regime:
    """The regime of a file; raises WrongUse with every fault of it."""
    text = _text(path)
    _refuse(path, check_regime(text, calendars))
    return read_regime(text)


def calendar_file(path: Path) -> Calendar:
    """The calendar of a file; raises WrongUse with every fault of it."""
    text = _text(path)
    _refuse(path, check_calendar(text))
    return read_calendar(text)


@regimes_app.command("check")
def check(file: File, as_json: AsJson = False) -> None:
    """Say what is wrong with a regime that you wrote: line, place, reason and what to do. Needs no database.

    Exit code 1 when something is.
    """
    faults = check_regime(_text(file))
    _tell_faults(file, faults, as_json=as_json)
    if not as_json:
        regime = read_regime(_text(file))
        clocks = ", ".join(clock.name for clock in regime.clocks)
        print_line(f"{file}: good: {regime.name} version {regime.version} by {regime.calendar}, clocks {clocks}")
        unknown = sorted(regime.calendars - set(built_in_calendars()))
        if unknown:
            say(f"publish the calendar {unknown[0]} first, if the book does not have it")


@regimes_app.command("publish")
def publish_regime(
    file: File,
    by: By,
    in_force_from: Annotated[
        str | None,
        typer.Option("--in-force-from", metavar="DAY", help="Applies to clocks that start on this day or later."),
    ] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Publish a version of a regime in the book, in force from a day on if one is named.

    The day is tomorrow at the earliest: no deadline that was issued is changed.
    """
    regime = regime_file(file)
    since = None if in_force_from is None else read_day(in_force_from, "--in-force-from")
    settings = settings_of(database, data, book)
    command = _made(PublishRegime, regime=regime, in_force_from=since, published_by=by, published_at=datetime.now(UTC))
    told = f"published {regime.name} version {regime.version}" + (f", in force from {since}" if since else "")
    _record(settings, command, by, told, as_json=as_json)


@regimes_app.command("in-force")
def put_in_force(
    name: RegimeName,
    since: FromDay,
    by: By,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Have the newest version of a published regime apply to clocks that start on a day or later."""
    day = read_day(since, "--from")
    command = _made(PutRegimeInForce, name=name, in_force_from=day, decided_by=by, decided_at=datetime.now(UTC))
    _record(settings_of(database, data, book), command, by, f"{name} is in force from {day} on", as_json=as_json)


@regimes_app.command("retire")
def retire(
    name: RegimeName,
    since: FromDay,
    reason: Annotated[str, typer.Option(help="Why, on one line; stands in the record.")],
    by: By,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Have a regime apply to no clock that would start on a day or later; what runs goes on."""
    day = read_day(since, "--from")
    command = _made(
        RetireRegime, name=name, retired_from=day, reason=reason, decided_by=by, decided_at=datetime.now(UTC)
    )
    _record(settings_of(database, data, book), command, by, f"{name} is retired from {day} on", as_json=as_json)


@regimes_app.command("list")
def list_regimes(
    database: DatabaseUrl = None, data: DataFolder = None, book: BookName = None, as_json: AsJson = False
) -> None:
    """List the regimes of the book, with the days from which their versions apply."""
    known = _policies(settings_of(database, data, book))
    steps = {each.name: each.versions for each in known.in_force()}
    names = list(dict.fromkeys([*known.regimes, *steps]))
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "versions": len(known.regimes.get(name, ())),
                    "in_force": [
                        {"since": since, "version": regime and regime.version} for since, regime in steps.get(name, ())
                    ],
                }
                for name in names
            ]
        )
        return
    listing = table(None, "regime", "versions", "in force", "title", numbers=("versions",))
    for name in names:
        newest = known.regimes[name][-1] if name in known.regimes else next(r for _, r in steps[name] if r)
        in_force = "; ".join(map(_step, steps.get(name, ()))) or "no"
        listing.add_row(name, cell(len(known.regimes.get(name, ()))), in_force, newest.title)
    out().print(listing)


@regimes_app.command("show")
def show_regime(
    name: RegimeName,
    version: Version = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Write a published regime as TOML: to read, or to change and publish as the next version."""
    regime = _policies(settings_of(database, data, book)).regime_named(name, version)
    if as_json:
        print_json(regime.model_dump(mode="json"))
    else:
        typer.echo(regime_as_toml(regime), nl=False)


@calendars_app.command("check")
def check_calendar_file(file: File, as_json: AsJson = False) -> None:
    """Say what is wrong with a calendar that you wrote: line, place, reason and what to do. Needs no database.

    Exit code 1 when something is.
    """
    _tell_faults(file, check_calendar(_text(file)), as_json=as_json)
    if not as_json:
        calendar = read_calendar(_text(file))
        print_line(
            f"{file}: good: {calendar.name} version {calendar.version}, announced through {calendar.settled_through}"
        )


@calendars_app.command("publish")
def publish_calendar(
    by: By,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="TOML; or name a --country.")] = None,
    country: Annotated[
        str | None, typer.Option(metavar="CODE", help="Made from the library `holidays`: ISO 3166, GB for one.")
    ] = None,
    subdivision: Annotated[str | None, typer.Option(metavar="CODE", help="Of the country, ENG for one.")] = None,
    years: Annotated[
        str | None, typer.Option(metavar="FIRST-LAST", help="The years it holds. [default: this one and the next two]")
    ] = None,
    announced_through: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Later days are the library's estimates. [default: the end of this year]"),
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Needed where a country has several: America/New_York.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the calendar. [default: country and subdivision]")] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Publish a version of a calendar in the book, from a file or made for a country.

    Deadlines that are provisional and not over are issued anew by it; no other changes.
    """
    if (file is None) == (country is None):
        raise WrongUse("name a calendar: a FILE, or --country CODE")
    settings = settings_of(database, data, book)
    if file is not None:
        calendar = calendar_file(file)
    else:
        assert country is not None
        made = _of_country(country, _years(years), announced_through, subdivision, zone, name)
        published = _policies(settings).calendars.get(made.name, ())
        calendar = made.model_copy(update={"version": len(published) + 1})
    command = _made(PublishCalendar, calendar=calendar, published_by=by, published_at=datetime.now(UTC))
    told = f"published {calendar.name} version {calendar.version}, announced through {calendar.settled_through}"
    _record(settings, command, by, told, as_json=as_json)


@calendars_app.command("list")
def list_calendars(
    database: DatabaseUrl = None, data: DataFolder = None, book: BookName = None, as_json: AsJson = False
) -> None:
    """List the calendars of the book, and how far their days are announced."""
    known = _policies(settings_of(database, data, book))
    newest = [versions[-1] for versions in known.calendars.values()]
    if as_json:
        print_json(
            [
                {
                    "name": each.name,
                    "versions": each.version,
                    "settled_from": each.settled_from,
                    "settled_through": each.settled_through,
                    "zone": each.zone,
                }
                for each in newest
            ]
        )
        return
    listing = table(None, "calendar", "versions", "announced", "zone", "title", numbers=("versions",))
    for each in newest:
        listing.add_row(
            each.name, cell(each.version), f"{each.settled_from} to {each.settled_through}", each.zone, each.title
        )
    out().print(listing)


@calendars_app.command("show")
def show_calendar(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as china; `calendar list` lists them.")],
    version: Version = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Write a published calendar as TOML: to read, or to correct and publish as the next version."""
    calendar = _policies(settings_of(database, data, book)).calendar_named(name, version)
    if as_json:
        print_json(calendar.model_dump(mode="json"))
    else:
        typer.echo(calendar_as_toml(calendar), nl=False)


def _step(step: tuple[date, Regime | None]) -> str:
    since, regime = step
    version = "none" if regime is None else f"version {regime.version}"
    return f"{version} always" if since <= date(1970, 1, 1) else f"{version} from {since}"


def _of_country(
    country: str,
    years: range,
    announced_through: str | None,
    subdivision: str | None,
    zone: str | None,
    name: str | None,
) -> Calendar:
    from ledger.deadlines import country as made_by  # noqa: PLC0415 - its library takes a tenth of a second to load

    last = date(years[0], 12, 31) if announced_through is None else read_day(announced_through, "--announced-through")
    try:
        return made_by.calendar_of_country(
            country, years, announced_through=last, subdivision=subdivision, zone=zone, name=name
        )
    except made_by.CountryUnsupported as unfit:
        raise WrongUse(str(unfit)) from None


def _years(text: str | None) -> range:
    this = datetime.now(UTC).year
    if text is None:
        return range(this, this + 3)
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal() and 1970 <= int(first) <= int(last or first) <= 2100):
        raise WrongUse(f"--years: write the first and the last year like 2026-2028, not {text!r}")
    return range(int(first), int(last or first) + 1)


def _text(path: Path) -> str:
    if not path.is_file():
        raise WrongUse(f"{path} is not a file: name one in TOML")
    if path.stat().st_size > FILE_BYTES_MAX:
        raise WrongUse(f"{path} has more than {FILE_BYTES_MAX:,} bytes: a policy is smaller")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise WrongUse(f"{path} is not UTF-8: save it as UTF-8") from None


def _refuse(path: Path, faults: Sequence[Fault]) -> None:
    if faults:
        raise WrongUse("\n".join(f"{path}, {fault}" for fault in faults))


def _tell_faults(path: Path, faults: Sequence[Fault], *, as_json: bool) -> None:
    if as_json:
        print_json({"file": str(path), "good": not faults, "faults": [fault._asdict() for fault in faults]})
    else:
        for fault in faults:
            print_line(f"{path}, {fault}")
    if faults:
        raise typer.Exit(1)


def _made(kind: type[PolicyCommand], **fields: object) -> PolicyCommand:
    """A command of what was typed; raises WrongUse for what cannot stand in the record."""
    try:
        return kind.model_validate(fields)
    except ValidationError as unfit:
        wrong = unfit.errors(include_url=False)[0]
        raise WrongUse(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg'].lower()}") from None


def _policies(settings: Settings) -> Policies:
    """What the book goes by now; raises NoSuchBook."""
    with open_place(settings) as target, closing(target.connect(Role.APPLICATION, autocommit=True)) as connection:
        return policies_at(connection, settings.book)


def _record(settings: Settings, command: PolicyCommand, by: str, told: str, *, as_json: bool) -> None:
    with open_place(settings) as target:
        writable_book(target, settings.book)
        with open_ledger(target, settings) as ledger:
            receipt = ledger.handle(command, principal=by)
    _tell(receipt, told, as_json=as_json)


def _tell(receipt: Receipt, told: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "book": receipt.book,
                "policies_id": receipt.stream_id,
                "version": receipt.version,
                "position": receipt.last_position,
                "root": receipt.root,
            }
        )
    elif receipt.last_position is None:
        print_line("already so: nothing was recorded")
    else:
        print_line(f"{told} (position {receipt.last_position:,} of the book {receipt.book})")
