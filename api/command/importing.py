"""Records the complaints of other bodies' files: streams rows into the book in bulk and counts what became of them.

What a row means stands in `cfpb`; what may be recorded is decided by the record, by idempotency key.
"""

import hmac
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from api.command import cfpb
from ledger.application import BulkRequest, IdempotencyKeyReused, Ledger, Receipt
from ledger.deadlines.calendar import Calendar
from ledger.ids import new_id
from ledger.record.append import UnfitRequest
from ledger.vault.keys import SubjectKeys

PRINCIPAL = "import.cfpb"

REASONS_LISTED_MAX = 1_000
"""Rejected rows of which the report keeps line and reason; every one is told as it is found, so memory stays constant."""


@dataclass
class Report:
    """What became of the rows of one import; every number counts complaints."""

    rows: int = 0
    recorded: int = 0
    already: int = 0
    rejected: int = 0
    reasons: list[dict[str, object]] = field(default_factory=list)
    sent_before_received: int = 0

    @property
    def reasons_left_out(self) -> int:
        """Rejected rows whose reason was told and not kept."""
        return self.rejected - len(self.reasons)

    def reject(self, file: str, line: int, reason: str) -> None:
        self.rejected += 1
        if len(self.reasons) < REASONS_LISTED_MAX:
            self.reasons.append({"file": file, "line": line, "reason": reason})


class EqualRows:
    """Counts equal rows of one file in a temporary file of its own, so that memory does not grow with the rows."""

    def __init__(self) -> None:
        self._store = sqlite3.connect("", isolation_level=None)  # a private file that goes away with the connection
        self._store.execute("PRAGMA journal_mode = OFF")
        self._store.execute("PRAGMA cache_size = -8192")
        self._store.execute("CREATE TABLE row (digest BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID")
        self._store.execute("BEGIN")

    def next_count(self, digest: bytes) -> int:
        """How many rows of this digest there were, this one included."""
        (count,) = self._store.execute(
            "INSERT INTO row VALUES (?, 1) ON CONFLICT (digest) DO UPDATE SET count = count + 1 RETURNING count",
            (digest,),
        ).fetchone()
        return int(count)

    def close(self) -> None:
        self._store.close()


class CfpbImport:
    """Imports files of the CFPB publication into one book. A row that was imported before records nothing.

    `tell` hears a line about every rejected row.
    """

    def __init__(
        self, ledger: Ledger, keys: SubjectKeys, calendar: Calendar, today: date, tell: Callable[[str], None]
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._today = today
        self._tell = tell
        self._row_key = keys.secret(f"cfpb-row/{ledger.book}")
        self._lines: dict[str, deque[int]] = {}
        self.report = Report()

    def file(self, path: Path, advance: Callable[[int, int], None]) -> None:
        """Imports one file; `advance` hears how many of its bytes are read. Raises NotComplaints, OSError."""
        with path.open("rb") as raw, cfpb.text_of(raw) as handle, closing(EqualRows()) as equal:
            size = path.stat().st_size
            requests = self._requests(path.name, cfpb.read(handle, self._today), equal)
            for request, answer in self._ledger.record_in_bulk(requests):
                self._count(path.name, request, answer)
                advance(raw.tell(), size)
        self._lines.clear()

    def _requests(
        self, file: str, rows: Iterator[cfpb.Stated | cfpb.Rejected], equal: EqualRows
    ) -> Iterator[BulkRequest]:
        for row in rows:
            self.report.rows += 1
            if isinstance(row, cfpb.Rejected):
                self._reject(file, row.line, row.reason)
                continue
            events = cfpb.facts_or_rejected(row, new_id(), self._calendar)
            if isinstance(events, cfpb.Rejected):
                self._reject(file, events.line, events.reason)
                continue
            self.report.sent_before_received += row.sent_before_received
            key = self._key(row, equal)
            self._lines.setdefault(key, deque()).append(row.line)
            yield BulkRequest(
                stream_id=new_id(),
                events=events,
                principal=PRINCIPAL,
                key=key,
                given=row.fingerprint(),
                command="import-complaint",
            )

    def _key(self, row: cfpb.Stated, equal: EqualRows) -> str:
        """What makes a row the same complaint as before: its id, else its content and its count among equal rows.

        The content is hashed under a key of the vault: a postcode could be guessed from a bare digest.
        """
        if row.identifier is not None:
            return f"cfpb:id:{row.identifier}"
        digest = hmac.digest(self._row_key, row.row, "sha256")
        return f"cfpb:row:{digest.hex()}:{equal.next_count(digest)}"

    def _reject(self, file: str, line: int, reason: str) -> None:
        self.report.reject(file, line, reason)
        self._tell(f"{file} line {line}: {reason}")

    def _count(self, file: str, request: BulkRequest, answer: Receipt | Exception) -> None:
        lines = self._lines[request.key]
        line = lines.popleft()
        if not lines:
            del self._lines[request.key]
        if isinstance(answer, Receipt):
            if answer.replayed:
                self.report.already += 1
            else:
                self.report.recorded += 1
        elif isinstance(answer, IdempotencyKeyReused):
            self._reject(
                file,
                line,
                "this complaint was imported before with other facts, which stay as they are: "
                "record what changed as a fact of that complaint",
            )
        elif isinstance(answer, UnfitRequest):
            self._reject(file, line, str(answer))
        else:  # what a database says may quote values
            self._reject(file, line, f"the database refused it ({type(answer).__name__})")
