"""Reads rows of the CFPB consumer complaint database and says which facts a row states. Nothing is recorded here.

The publication has had 14, 16 and 18 columns, two forms of date, and copies with snake_case headers:
columns are found by name. One row is held at a time, whatever the length of the file. A bad row is one rejection,
however many lines it has: a line inside a narrative can be written so that it looks like a row, and is never taken for
one. After a broken quote, reading goes on where the quotes that follow prove that a row begins.

A rejection names column and reason and never what stands there: in a row that is shifted or broken, any column may
hold what a person wrote.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import TextIOWrapper
from typing import BinaryIO, NamedTuple, TextIO
from uuid import UUID

import orjson
from pydantic import ValidationError

from ledger.complaint.events import (
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintEvent,
    ComplaintReceived,
    OutcomeDisputed,
    OutcomeStated,
)
from ledger.deadlines.calendar import Calendar
from ledger.event import Personal

SOURCE = "cfpb"
"""The scheme and source of every imported fact, and the service that the file says acted."""

FIELD_CHARACTERS_MAX = 131_072
"""A longer field is a quote that was opened and never closed."""

LINE_CHARACTERS_MAX = 1_048_576

RECORD_CHARACTERS_MAX = 262_144
"""A row over several lines that is longer is a quote that was never closed: so much is kept, to be read again."""

SURROGATE = re.compile("[\ud800-\udfff]")
"""What `surrogateescape` leaves of a byte that is not UTF-8."""

QUOTES = re.compile('"+')

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""What no term of an event may hold (`ledger.event.Label`)."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "date_received": (),
    "product": (),
    "sub_product": ("subproduct",),
    "issue": (),
    "sub_issue": ("subissue",),
    "consumer_complaint_narrative": ("complaint_what_happened",),
    "company_public_response": (),
    "company": (),
    "state": (),
    "zip_code": ("zipcode", "zip"),
    "tags": (),
    "consumer_consent_provided": (),
    "submitted_via": (),
    "date_sent_to_company": (),
    "company_response_to_consumer": ("company_response",),
    "timely_response": ("timely",),
    "consumer_disputed": (),
    "complaint_id": (),
}
"""Every column that was ever published, with the other names that copies of it bear."""

NEEDED = ("date_received", "product", "company", "submitted_via", "date_sent_to_company")
"""Columns without which a row states no complaint: each must be there, and filled in every row."""

TERMS = ("product", "sub_product", "issue", "sub_issue", "company", "company_response_to_consumer")

TERM_CHARACTERS_MAX = 200

CHANNELS = {
    "web": "web",
    "web referral": "other-transfer",
    "referral": "other-transfer",
    "phone": "phone",
    "postal mail": "letter",
    "fax": "fax",
    "email": "email",
}
"""`Submitted via` to the codes of the channel table."""

_YES_OR_NO = {"yes": True, "no": False, "": None, "n/a": None}


class Rejected(NamedTuple):
    """A row that states no complaint, by the line on which it begins."""

    line: int
    reason: str


class NotComplaints(Exception):
    """The file as a whole is not a copy of the publication; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What one row says of one complaint."""

    line: int
    identifier: str | None
    received_on: date
    sent_on: date
    product: str
    sub_product: str | None
    issue: str | None
    sub_issue: str | None
    narrative: str | None
    channel: str
    company: str
    outcome: str | None
    timely: bool | None
    disputed: bool
    row: bytes
    """Every value of the row, normalised: what tells two rows without an id apart."""

    @property
    def sent_before_received(self) -> bool:
        """A published oddity: recorded as the source states it, and reported."""
        return self.sent_on < self.received_on

    def fingerprint(self) -> bytes:
        """The facts in canonical form: equal for one complaint in any column set that states the same."""
        return orjson.dumps(
            {
                "channel": self.channel,
                "company": self.company,
                "disputed": self.disputed,
                "identifier": self.identifier,
                "issue": self.issue,
                "narrative": self.narrative,
                "outcome": self.outcome,
                "product": self.product,
                "received_on": self.received_on,
                "sent_on": self.sent_on,
                "sub_issue": self.sub_issue,
                "sub_product": self.sub_product,
                "timely": self.timely,
            },
            option=orjson.OPT_SORT_KEYS,
        )


def text_of(raw: BinaryIO) -> TextIOWrapper:
    """A file of the publication, ready for `read`; a byte that is not UTF-8 is left for `read` to report."""
    return TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")


def read(handle: TextIO, today: date) -> Iterator[Stated | Rejected]:
    """The complaints of one file in its order, a bad row as Rejected; raises NotComplaints for another kind of file.

    `today` is the last day that a row may name. Memory does not grow with the file.
    """
    csv.field_size_limit(FIELD_CHARACTERS_MAX)
    lines = _Lines(handle)
    try:
        columns = _columns(next(csv.reader(lines, strict=True), []))
    except csv.Error as broken:
        raise NotComplaints(
            f"its first line is not a line of CSV ({broken}): give a file of the CFPB publication"
        ) from None
    reader = csv.reader(lines, strict=True)
    while True:
        line = lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as broken:
            last = lines.skip_doubtful()
            left_out = (
                f" Lines {line + 1} to {last} are left out, as they may belong to it:"
                " mend the quotes and import the file again, nothing is recorded twice"
            )
            yield Rejected(line, f"not a row of CSV: {broken}." + (left_out if last > line else ""))
            reader = csv.reader(lines, strict=True)  # the other one is still inside the quote
            continue
        if cells and len(cells) != len(columns):
            yield Rejected(line, f"{len(cells)} fields where the header has {len(columns)}")
        elif cells:
            yield _stated(line, columns, cells, today)


class _Lines:
    """The lines of a file. Those of the row that is being read are kept, so that all but its first can be read again."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._waiting: deque[str] = deque()
        self._row: list[str] = []
        self._row_characters = 0
        self._line = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        part = self._take()
        if not part:
            raise StopIteration
        if self._row and self._row_characters + len(part) > RECORD_CHARACTERS_MAX:
            self._give_back([part])
            raise csv.Error(f"a row of more than {RECORD_CHARACTERS_MAX} characters, as if a quote was never closed")
        self._row.append(part)
        self._row_characters += len(part)
        return part

    def begin_row(self) -> int:
        """Forgets the row before; gives the line on which the next one begins."""
        self._row, self._row_characters = [], 0
        return self._line

    def skip_doubtful(self) -> int:
        """After a broken quote: goes on to where a row certainly begins, and gives the last line that is left out.

        Whether a line behind it lies inside a quoted field or outside is not known, so both are followed until the
        quotes contradict one. Where that shows that all of them lay outside, they come again, as rows. Where the
        file ends before it is decided, nothing more of it is read.
        """
        behind = self._row[1:]
        self._give_back(behind)
        last = self._line - 1
        whole = bool(self._row) and _ends_line(self._row[0])
        outside: bool | None = False
        inside: bool | None = True
        kept: list[str] = []
        kept_characters = 0
        while part := self._take():
            began_a_line, whole = whole, _ends_line(part)
            if not began_a_line:  # the rest of a line that is too long to be a row
                continue
            outside, inside = _quoted_after(part, outside), _quoted_after(part, inside)
            kept_characters += len(part)
            if kept_characters <= RECORD_CHARACTERS_MAX:
                kept.append(part)
            else:
                kept.clear()
            if outside is None and inside is None:  # another broken quote
                outside, inside, kept, kept_characters = False, True, [], 0
            elif inside is None and kept:
                self._give_back(kept)
                break
            elif whole and ((inside is None and outside is False) or (outside is None and inside is False)):
                break
        return max(last, self._line - 1)

    def _take(self) -> str:
        part = self._waiting.popleft() if self._waiting else self._handle.readline(LINE_CHARACTERS_MAX)
        self._line += _ends_line(part)
        return part

    def _give_back(self, parts: list[str]) -> None:
        self._line -= sum(map(_ends_line, parts))
        self._waiting.extendleft(reversed(parts))


def _quoted_after(part: str, quoted: bool | None) -> bool | None:
    """Whether a quoted field is open behind this line, where one was or was not before it; None: it cannot have been.

    A field's opening quote stands behind a comma or at the line's beginning, its closing one before a comma or the
    line's end; inside, quotes come in pairs (RFC 4180, section 2).
    """
    for run in QUOTES.finditer(part):
        if quoted is None:
            break
        odd = len(run[0]) % 2 == 1
        opens_well = run.start() == 0 or part[run.start() - 1] == ","
        closes_well = run.end() == len(part) or part[run.end()] in ",\r\n"
        if not quoted:
            quoted = odd if opens_well and (odd or closes_well) else None
        elif odd:
            quoted = False if closes_well else None
    return quoted


def _ends_line(part: str) -> bool:
    """Not so for a part of a line that is too long, and for the last line of some files."""
    return part.endswith(("\n", "\r"))


def _columns(header: list[str]) -> list[str]:
    """The published name of each column; a column never published keeps its own name."""
    names = {alias: name for name, aliases in COLUMNS.items() for alias in (name, *aliases)}
    found = [re.sub(r"[^a-z0-9]+", "_", cell.strip().lower()).strip("_") for cell in header]
    columns = [names.get(name, name) for name in found]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise NotComplaints(
            f"it has no column {', '.join(repr(_title(name)) for name in missing)}: "
            "give a CSV file of the CFPB publication with its header line (14, 16 or 18 columns)"
        )
    twice = {name for name in columns if name in COLUMNS and columns.count(name) > 1}
    if twice:
        raise NotComplaints(f"it has the column {_title(min(twice))!r} twice: remove one")
    return columns


def _title(column: str) -> str:
    return column.replace("_", " ").capitalize()


class _BadRow(ValueError):
    """Why a row is rejected."""


def _stated(line: int, columns: list[str], cells: list[str], today: date) -> Stated | Rejected:
    try:
        return _read_row(line, _values(columns, cells), today)
    except _BadRow as bad:
        return Rejected(line, str(bad))


def _values(columns: list[str], cells: list[str]) -> dict[str, str]:
    for column, cell in zip(columns, cells, strict=True):
        if "\x00" in cell:
            raise _BadRow(f"a null character in {_title(column)!r}")
        if SURROGATE.search(cell):
            raise _BadRow(f"{_title(column)!r} is not UTF-8")
    values = {
        column: cell.replace("\r\n", "\n").strip()
        for column, cell in zip(columns, cells, strict=True)
        if column in COLUMNS
    }
    for column in NEEDED:
        if not values[column]:
            raise _BadRow(f"{_title(column)!r} is empty")
    return values


def _read_row(line: int, values: dict[str, str], today: date) -> Stated:
    values["date_received"] = _day(values, "date_received", today).isoformat()
    values["date_sent_to_company"] = _day(values, "date_sent_to_company", today).isoformat()
    outcome, timely = values.get("company_response_to_consumer") or None, _answer(values, "timely_response")
    if outcome is None and timely is not None:
        raise _BadRow("it says whether the response was timely and not what the response was")
    _check_terms(values)
    return Stated(
        line=line,
        identifier=_identifier(values),
        received_on=date.fromisoformat(values["date_received"]),
        sent_on=date.fromisoformat(values["date_sent_to_company"]),
        product=values["product"],
        sub_product=values.get("sub_product") or None,
        issue=values.get("issue") or None,
        sub_issue=values.get("sub_issue") or None,
        narrative=values.get("consumer_complaint_narrative") or None,
        channel=_channel(values),
        company=values["company"],
        outcome=outcome,
        timely=timely,
        disputed=_answer(values, "consumer_disputed") is True,
        row=orjson.dumps({name: value for name, value in values.items() if value}, option=orjson.OPT_SORT_KEYS),
    )


def _day(values: dict[str, str], column: str, today: date) -> date:
    """A day written `M/D/YYYY` or `YYYY-MM-DD`."""
    text = values[column]
    american = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text, re.ASCII)
    international = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text, re.ASCII)
    try:
        if american:
            day = date(int(american[3]), int(american[1]), int(american[2]))
        elif international:
            day = date(int(international[1]), int(international[2]), int(international[3]))
        else:
            day = None
    except ValueError:  # the 30th of February
        day = None
    if day is None:
        raise _BadRow(f"{_title(column)!r} is no date like 9/30/2016 or 2016-09-30")
    if day > today:
        raise _BadRow(f"{_title(column)!r} lies in the future")
    if day.year < 1970:
        raise _BadRow(f"{_title(column)!r} lies before 1970")
    return day


def _answer(values: dict[str, str], column: str) -> bool | None:
    text = values.get(column, "")
    if text.lower() not in _YES_OR_NO:
        raise _BadRow(f"{_title(column)!r} is neither Yes nor No")
    return _YES_OR_NO[text.lower()]


def _channel(values: dict[str, str]) -> str:
    given = values["submitted_via"]
    if given.lower() not in CHANNELS:
        raise _BadRow("'Submitted via' is no channel that is known here")
    return CHANNELS[given.lower()]


def _identifier(values: dict[str, str]) -> str | None:
    given = values.get("complaint_id", "")
    if given and re.fullmatch(r"[0-9]{1,18}", given, re.ASCII) is None:
        raise _BadRow("'Complaint id' is not a number")
    return (given.lstrip("0") or "0") if given else None  # 0111 and 111 are one complaint


def _check_terms(values: dict[str, str]) -> None:
    """What becomes a term of an event is one line of at most 200 characters, as the event asks (`ledger.event.Label`)."""
    for column in TERMS:
        if CONTROL.search(values.get(column, "")):
            raise _BadRow(f"a control character (a tab or a new line, for example) in {_title(column)!r}")
        length = len(values.get(column, ""))
        if length > TERM_CHARACTERS_MAX:
            raise _BadRow(f"{_title(column)!r} has {length} characters, {TERM_CHARACTERS_MAX} are allowed")


def facts_or_rejected(stated: Stated, customer_id: UUID, calendar: Calendar) -> list[ComplaintEvent] | Rejected:
    """The facts of a row, or why the record would not take them: by field, because a value may be personal."""
    try:
        return facts(stated, customer_id, calendar)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        fields = sorted({str(each["loc"][0]) if each["loc"] else "the row" for each in errors})
        return Rejected(stated.line, f"not of the form that the record asks for: {', '.join(fields)}")


def facts(stated: Stated, customer_id: UUID, calendar: Calendar) -> list[ComplaintEvent]:
    """The facts that a row states and no other; a day stands for its beginning in the calendar's time zone."""
    received_at, sent_at = calendar.day_begins_at(stated.received_on), calendar.day_begins_at(stated.sent_on)
    events: list[ComplaintEvent] = [
        ComplaintReceived(
            customer_id=customer_id,
            received_at=received_at,
            date_only=True,
            received_by=SOURCE,
            channel=stated.channel,
            content=None if stated.narrative is None else Personal.clear(stated.narrative),
            external_reference=stated.identifier,
        ),
        ComplaintClassified(
            customer_id=customer_id,
            scheme=SOURCE,
            category=stated.product,
            product=stated.product,
            sub_product=stated.sub_product,
            issue=stated.issue,
            sub_issue=stated.sub_issue,
            classified_by=SOURCE,
            classified_at=received_at,
        ),
        ComplaintAssigned(customer_id=customer_id, department=stated.company, assigned_by=SOURCE, assigned_at=sent_at),
    ]
    if stated.outcome is not None:
        events.append(_outcome(stated, stated.outcome, customer_id))
    if stated.disputed:
        events.append(OutcomeDisputed(customer_id=customer_id, source=SOURCE, noted_by=SOURCE))
    return events


def _outcome(stated: Stated, outcome: str, customer_id: UUID) -> OutcomeStated:
    return OutcomeStated(
        customer_id=customer_id,
        source=SOURCE,
        outcome=outcome,
        final=outcome.lower() != "in progress",
        timely=stated.timely,
        stated_by=SOURCE,
    )
