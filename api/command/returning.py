"""`returns`: prepares returns, records what was sent and what became of it, and checks and opens any of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID, uuid4

import orjson
import typer
from psycopg2.extensions import connection as Connection
from pydantic import ValidationError

from api.command.figures import opened_events, print_cases
from api.command.filling import calendar
from api.command.options import AsJson, BookName, DatabaseUrl, DataFolder, WrongUse, read_day, read_moment, settings_of
from api.command.place import open_keys, open_ledger, open_place, writable_book
from api.command.printing import cell, out, print_json, say, table
from api.command.reading import AS_OF, asking_of, place_named
from api.command.telling import happened
from ledger.application import Receipt
from ledger.returns.commands import (
    AcknowledgeReturn,
    AnswerQuestion,
    QuestionReturn,
    RestateReturn,
    ReturnCommand,
    SendReturn,
    SetReturnDue,
)
from ledger.returns.events import DOCUMENT_CHARACTERS_MAX
from ledger.settings import Settings
from projections.indicators.asking import READ, Ground, ground
from projections.indicators.periods import Period
from projections.returns import sent
from projections.returns.asking import FORMAT, Pseudonyms, cases, differences, digest_of, key_name, written
from projections.returns.calendar import calendar as due_calendar
from projections.returns.definitions import Form, NoSuchReturn, form_named, forms
from projections.returns.documents import as_stated, calendar_of, computed, last_whole, verified
from projections.returns.writing import as_csv, as_xlsx

returns_app = typer.Typer(
    help="Returns 报表 to receivers outside: frozen, recorded as sent, checked, opened.", no_args_is_help=True
)

FileOfReturn = Annotated[Path, typer.Argument(metavar="FILE.json", help="The document, as `returns prepare` wrote it.")]
By = Annotated[str, typer.Option("--by", metavar="STAFF", help="Who did it.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When. [default: now]")]
Asked = TypeVar("Asked", bound=ReturnCommand)

ROWS_PRINTED = 40
DAYS_AHEAD = 200


@returns_app.command("prepare")
def prepare(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(forms())}.")],
    starts_from: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="[default: the last whole period]")
    ] = None,
    starts_to: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The last day of the period; with --from.")
    ] = None,
    receiver: Annotated[str | None, typer.Option("--receiver", help="[default: the return's own]")] = None,
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the three files are written.")] = Path(),
    as_of: Annotated[str | None, typer.Option(AS_OF, metavar="POSITION|DAY|TIME", help="[default: now]")] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Compute a return at a position and write it: JSON (the document), CSV and a workbook with a cover. Records nothing."""
    form = _form(name)
    settings = settings_of(database, data, book)
    with asking_of(settings, *READ, silent=as_json) as connection:
        place = place_named(connection, settings.book, as_of)
        on = ground(
            connection,
            settings.book,
            calendar_of(form, calendar()),
            as_of=place,
            now=datetime.now(UTC) if place is None else None,
        )
        period = _period(form, starts_from, starts_to, on)
        to = receiver or form.receiver
        document = _document(connection, settings, on, form, period, to)
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{form.name}_{to}_{period.begins_on}_{period.ends_on}"
    content = written(document)
    files = {f"{stem}.json": content, f"{stem}.csv": as_csv(document), f"{stem}.xlsx": as_xlsx(document)}
    for file, bytes_of_it in files.items():
        (folder / file).write_bytes(bytes_of_it)
    if as_json:
        print_json(
            {
                "digest": digest_of(content),
                "files": sorted(files),
                "position": on.at.position,
                "totals": document["totals"],
            }
        )
    else:
        out().print(
            f"{form.title}, {period.begins_on} to {period.ends_on}, for {to}, as known at position {on.at.position:,}"
        )
        out().print(
            f"{len(document['rows']):,} rows; totals {document['totals']}; SHA-256 {digest_of(content)}", soft_wrap=True
        )
        for file in sorted(files):
            out().print(f"  {folder / file}", soft_wrap=True)
        say(
            "nothing is recorded yet: once it has gone out, `complaint-ledger returns send FILE.json --by STAFF` records that"
        )


@returns_app.command("send")
def send(
    file: FileOfReturn,
    by: By,
    restates: Annotated[str | None, typer.Option(help="The submission that this one corrects.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is restated.")] = None,
    at: At = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Record that a return was sent, with its digest and its position; or a restatement, with the one that it corrects."""
    content, document = _read(file)
    about = _about(document)
    text = content.decode()
    fields: dict[str, Any] = {
        **about,
        "submission_id": uuid4(),
        "position": document["known_at"]["position"],
        "root": document["known_at"]["root"],
        "judged_at": document["judged_at"],
        "digest": digest_of(content),
        "document": text if len(text) <= DOCUMENT_CHARACTERS_MAX else None,
        "sent_by": by,
        "sent_at": _moment(at),
    }
    if (restates is None) != (reason is None):
        raise WrongUse("--restates and --reason belong together: which submission was wrong, and why")
    command: SendReturn
    if restates is None or reason is None:
        command = _command(SendReturn, **fields)
    else:
        command = _command(RestateReturn, **fields, restates=_id(restates, "--restates"), reason=reason)
    settings = settings_of(database, data, book)
    _form(command.name)
    with asking_of(settings, *READ, silent=as_json) as connection:
        names = _names(settings, command.receiver)
        verified(connection, settings.book, command, names, calendar())
    receipt = _record(settings, command)
    _print_receipt(receipt, as_json, submission_id=fields["submission_id"], what="sent")


@returns_app.command("acknowledge")
def acknowledge(
    file: FileOfReturn,
    submission: Annotated[str, typer.Option(help="The id of the submission.")],
    by: By,
    reference: Annotated[str | None, typer.Option(help="The receiver's own reference.")] = None,
    at: At = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Record that the receiver confirmed a submission."""
    _, document = _read(file)
    command = _command(
        AcknowledgeReturn,
        **_about(document),
        submission_id=_id(submission, "--submission"),
        receiver_reference=reference,
        noted_by=by,
        acknowledged_at=_moment(at),
    )
    receipt = _record(settings_of(database, data, book), command)
    _print_receipt(receipt, as_json, submission_id=submission, what="acknowledged")


@returns_app.command("question")
def question(
    file: FileOfReturn,
    text: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What the receiver asked, on one line, without names.")
    ],
    submission: Annotated[str, typer.Option(help="The id of the submission.")],
    by: By,
    at: At = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Record what the receiver asked about a submission."""
    _, document = _read(file)
    question_id = uuid4()
    command = _command(
        QuestionReturn,
        **_about(document),
        submission_id=_id(submission, "--submission"),
        question_id=question_id,
        question=text,
        noted_by=by,
        questioned_at=_moment(at),
    )
    receipt = _record(settings_of(database, data, book), command)
    _print_receipt(receipt, as_json, question_id=question_id, what="questioned")


@returns_app.command("answer")
def answer(
    file: FileOfReturn,
    text: Annotated[str, typer.Argument(metavar="ANSWER", help="What was answered, on one line, without names.")],
    asked: Annotated[str, typer.Option("--question", help="The id of the question.")],
    by: By,
    at: At = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Record what was answered to a question of the receiver."""
    _, document = _read(file)
    command = _command(
        AnswerQuestion,
        **_about(document),
        question_id=_id(asked, "--question"),
        answer=text,
        answered_by=by,
        answered_at=_moment(at),
    )
    receipt = _record(settings_of(database, data, book), command)
    _print_receipt(receipt, as_json, question_id=asked, what="answered")


@returns_app.command("list")
def list_sent(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this return.")] = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """List what was sent, to whom, for which period, and what became of it."""
    settings = settings_of(database, data, book)
    with asking_of(settings, sent.PROJECTION.name, silent=as_json) as connection:
        found = sent.submissions(connection, settings.book, name=name)
    if as_json:
        print_json([each._asdict() for each in found])
        return
    title = f"Returns 报送 of the book {settings.book}; times of {calendar().zone}"
    made = table(
        title, "return", "receiver", "period", "sent", "acknowledged", "open questions", "restated by", "submission"
    )
    for each in found:
        made.add_row(
            *(
                each.name,
                each.receiver,
                f"{each.begins_on}..{each.ends_on}",
                happened(each.sent_at, calendar()),
                happened(each.acknowledged_at, calendar()),
            ),
            *(cell(each.questions_open), cell(each.restated_by), str(each.submission_id)),
        )
    out().print(made)


@returns_app.command("calendar")
def print_calendar(
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Print what is due when 报送日历: each period that is late or due, the one that runs, what was sent, and what was set. Exit code 1 when one is late."""
    settings = settings_of(database, data, book)
    with asking_of(settings, *READ, sent.PROJECTION.name, silent=as_json) as connection:
        rows = due_calendar(connection, settings.book, calendar().local_day(datetime.now(UTC)), calendar())
    if as_json:
        print_json([each._asdict() for each in rows])
    else:
        made = table(None, "due", "return", "receiver", "period", "state", "source of the due date")
        for each in rows:
            period = Period(each.begins_on, each.ends_on)
            made.add_row(str(each.due_on), each.name, each.receiver, str(period), each.state, each.source)
        out().print(made)
    if any(each.state == "LATE" for each in rows):
        raise typer.Exit(1)


@returns_app.command("due")
def set_due(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(forms())}.")],
    starts_from: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day of the period.")],
    starts_to: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day of the period.")],
    on: Annotated[str, typer.Option("--on", metavar="DAY", help="The day by which it has to be there.")],
    source: Annotated[str, typer.Option(help="Where that is said: the receiver's text or letter.")],
    by: By,
    receiver: Annotated[str | None, typer.Option("--receiver", help="[default: the return's own]")] = None,
    at: At = None,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Record by which day a return is due 报送期限, as a fact: it stands in the calendar instead of the form's own rule."""
    form = _form(name)
    command = _command(
        SetReturnDue,
        name=form.name,
        receiver=receiver or form.receiver,
        begins_on=read_day(starts_from, "--from"),
        ends_on=read_day(starts_to, "--to"),
        due_on=read_day(on, "--on"),
        source=source,
        set_by=by,
        set_at=_moment(at),
    )
    receipt = _record(settings_of(database, data, book), command)
    _print_receipt(receipt, as_json, due_on=on, what="set as due")


@returns_app.command("check")
def check(
    file: FileOfReturn,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Compute a document again at its own position and compare; tell whether it was recorded as sent. Exit code 1 if it differs."""
    content, document = _read(file)
    settings = settings_of(database, data, book)
    with asking_of(settings, *READ, sent.PROJECTION.name, silent=as_json) as connection:
        form, period, on = _as_stated(connection, settings, document)
        again = _document(connection, settings, on, form, period, document["receiver"])
        recorded = [each for each in sent.submissions(connection, settings.book) if each.digest == digest_of(content)]
    found = differences(document, again)
    same = written(again) == content
    result = {
        "digest": digest_of(content),
        "same": same,
        "differences": found,
        "recorded_at_positions": [each.position for each in recorded],
    }
    if as_json:
        print_json(result)
    else:
        out().print(f"SHA-256 {digest_of(content)}", soft_wrap=True)
        out().print(
            "computed again, every cell is the same" if same else f"computed again, it DIFFERS: {found[:ROWS_PRINTED]}",
            soft_wrap=True,
        )
        for each in recorded:
            out().print(
                f"recorded as sent by the event at position {each.position:,}: its proof of inclusion leads to the tree"
            )
        if not recorded:
            say("no fact in this book says that this document was sent")
    if not same:
        raise typer.Exit(1)


@returns_app.command("compare")
def compare(
    first: FileOfReturn,
    then: Annotated[Path, typer.Argument(metavar="LATER.json", help="A later document of the same return.")],
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Show the cells of two documents that differ: what a restatement changes."""
    settings_of(database, data, book)  # two files are compared: nothing is opened
    _, before = _read(first)
    _, after = _read(then)
    found = differences(before, after)
    if as_json:
        print_json(found)
        return
    made = table(None, "row", "column", "before", "after", numbers=("before", "after"))
    for each in found:
        made.add_row(
            "total 合计" if each["keys"] is None else " / ".join(key or "–" for key in each["keys"]),
            each["column"],
            cell(each["before"]),
            cell(each["after"]),
        )
    out().print(made)


@returns_app.command("drill")
def drill(
    file: FileOfReturn,
    row: Annotated[
        list[str] | None,
        typer.Option("--row", help="The keys of the row, one --row for each; – for not known; none: the total."),
    ] = None,
    column: Annotated[str | None, typer.Option("--column", help="[default: the first]")] = None,
    for_receiver: Annotated[
        bool, typer.Option("--for-receiver", help="Name complaints and events as the receiver may see them.")
    ] = False,
    database: DatabaseUrl = None,
    data: DataFolder = None,
    book: BookName = None,
    as_json: AsJson = False,
) -> None:
    """Open a cell of a return: list its complaints, and their events with their positions, as known when it was computed."""
    _, document = _read(file)
    settings = settings_of(database, data, book)
    keys = None if not row else [None if key == "–" else key for key in row]
    with asking_of(settings, *READ, silent=as_json) as connection:
        form, period, on = _as_stated(connection, settings, document)
        column = column or form.columns[0].name
        _known_cell(document, form, keys, column)
        found = cases(connection, on, form, period, keys, column)
        events = opened_events(connection, on, found)
    print_cases(events, _names(settings, document["receiver"]) if for_receiver else None, on, as_json=as_json)


def _known_cell(document: dict[str, Any], form: Form, keys: list[str | None] | None, column: str) -> None:
    """Raises WrongUse for a column or a row that the return does not have."""
    columns, told_apart_by = [each.name for each in form.columns], [each.name for each in form.rows]
    if column not in columns:
        raise WrongUse(f"--column: write one of {', '.join(columns)}, not {column!r}")
    if keys is None:
        return
    if len(keys) != len(told_apart_by):
        raise WrongUse(
            f"--row: give {len(told_apart_by)} of them, for {', '.join(told_apart_by) or 'a list has no rows to name'};"
            " none at all: the total"
        )
    if not any(row["keys"] == keys for row in document["rows"]):
        raise WrongUse(f"--row: the return has no row {' / '.join(key or '–' for key in keys)}: its file lists them")


def _form(name: str) -> Form:
    try:
        return form_named(name)
    except NoSuchReturn as wrong:
        raise WrongUse(f"{wrong.says.format(name=name)} There are: {', '.join(wrong.known)}") from None


def _id(text: str, option: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise WrongUse(
            f"{option}: write the id as it was printed when that was recorded (`complaint-ledger returns list` shows"
            f" submissions), not {text!r}"
        ) from None


def _command(kind: type[Asked], **fields: Any) -> Asked:
    """The command of what was written; raises WrongUse, which repeats no value: it may be a personal one."""
    try:
        return kind(**fields)
    except ValidationError as wrong:
        told = [
            f"{'.'.join(map(str, each['loc'])) or 'what was written'}: {each['msg'].removeprefix('Value error, ')}"
            for each in wrong.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise WrongUse(f"{'; '.join(told)}. Nothing was recorded: change that, and give the command again") from None


def _names(settings: Settings, receiver: str) -> Pseudonyms:
    keys = open_keys(settings)
    try:
        return Pseudonyms(keys.secret(key_name(settings.book, receiver)))
    finally:
        keys.close()


def _document(
    connection: Connection, settings: Settings, on: Ground, form: Form, period: Period, receiver: str
) -> dict[str, Any]:
    return computed(connection, settings.book, on, form, period, receiver, _names(settings, receiver))


def _as_stated(connection: Connection, settings: Settings, document: dict[str, Any]) -> tuple[Form, Period, Ground]:
    _form(document["return"]["name"])
    return as_stated(connection, settings.book, document, calendar())


def _period(form: Form, first: str | None, last: str | None, on: Ground) -> Period:
    if first is None and last is None:
        return last_whole(form, on)
    if first is None or last is None:
        raise WrongUse("give both --from and --to, or neither for the last whole period")
    period = Period(read_day(first, "--from"), read_day(last, "--to"))
    if period.ends_on < period.begins_on:
        raise WrongUse("--to lies before --from: exchange them")
    return period


def _read(file: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes and the content of a document; raises WrongUse for a file that is none."""
    content = file.read_bytes()
    try:
        document = orjson.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT or written(document) != content:
        raise WrongUse(
            f"{file} is no document of a return, or was changed: give the JSON file that `returns prepare` wrote"
        )
    return content, document


def _about(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": document["return"]["name"],
        "receiver": document["receiver"],
        "begins_on": document["period"]["from"],
        "ends_on": document["period"]["to"],
    }


def _moment(text: str | None) -> datetime:
    return datetime.now(UTC) if text is None else read_moment(text, "--at")


def _record(settings: Settings, command: ReturnCommand) -> Receipt:
    with open_place(settings) as target:
        writable_book(target, settings.book)
        with open_ledger(target, settings) as ledger:
            return ledger.handle(command, principal="returns")


def _print_receipt(receipt: Receipt, as_json: bool, *, what: str, **ids: object) -> None:
    place = receipt.last_position
    if as_json:
        print_json({**ids, "position": place, "tree_size": receipt.tree_size, "root": receipt.root})
    else:
        names = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in ids.items())
        where = "that was recorded already" if place is None else f"recorded at position {place:,}"
        out().print(f"{what}: {names}; {where}", soft_wrap=True)
