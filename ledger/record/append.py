"""The one way in, as the program sees it: requests, their outcomes, and group commit.

A caller hands over a `Request` and returns only after the commit that stored it is durable. Nothing here
decides anything about complaints, and nothing here holds a personal value in clear.
"""

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4

import psycopg2
from psycopg2.extensions import connection as Connection

from ledger.database.faults import DatabaseUnavailable, RoleNotGranted, ServerUnsuitable
from ledger.database.sql import queries
from ledger.event import Tier
from ledger.refusal import Refusal

EVENTS_PER_CALL_MAX = 256
"""How many events one call carries, so that the book's lock is held for some 25 ms at most.

A single request may carry more (up to `EVENTS_PER_REQUEST_MAX`); it then has a call of its own.
"""

EVENTS_PER_REQUEST_MAX = 10_000
STATE_BYTES_MAX = 1024 * 1024
ATTEMPTS_MAX = 8
"""How often a call is tried when the connection is lost or the database asks for another try."""

STORED_NAME = re.compile(r"[A-Za-z0-9_.:<>-]{1,200}")
PRINTABLE_ASCII = re.compile(r"[ -~]{1,200}")
DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
WITHOUT_NULL = re.compile(r"[^\x00\ud800-\udfff]*")
BIGINT_MAX = 2**63 - 1
NO_FINGERPRINT = bytes(32)

NO_LITERAL = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
"""How a field fails that cannot be written as a literal: a null character, for one, or another type than its own."""

RETRIED = {"40001", "40P01", "55P03"}
OF_THE_WHOLE_CALL = {"CL001", "CL002", "CL003", "CL006", "57014"}

_QUERIES = queries(__file__)


_STARTED_AT = datetime.now(UTC)
_STARTED = time.clock_gettime(time.CLOCK_BOOTTIME)


def program_clock() -> datetime:
    """The time since this program began, added to the time at which it began.

    So a system clock that is set while the program runs is noticed: it then disagrees with the database's, though both
    may be one machine's. After the clock is right again, or where it was wrong at the start, begin the program anew.
    """
    return _STARTED_AT + timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME) - _STARTED)


class NewEvent(NamedTuple):
    """An event as it's to be stored: `state` is the bytes that will be hashed."""

    stream_id: UUID
    version: int
    name: str
    state: bytes


class NewDisclosure(NamedTuple):
    """A personal value on its way to the vault. `event` is the index of its event in the request, from 0."""

    event: int
    digest: str
    subject_id: UUID
    path: str
    tier: Tier
    ciphertext: bytes


class Outcome(NamedTuple):
    """What became of a request. Positions are None where it recorded nothing."""

    kind: Literal["stored", "replayed", "key-reused", "version-conflict", "tracking-conflict"]
    stream_id: UUID | None
    version: int | None
    first_position: int | None
    last_position: int | None
    tree_size: int | None
    root: bytes | None
    recorded_at: datetime | None


@dataclass(slots=True)
class Request:
    """What is stored whole or not at all.

    `key` is scoped by book and `principal`; one is made where the caller gave none, so that a retry after a commit
    whose answer was lost finds what was stored. `stream_id` and `version` are what the answer will say.
    """

    events: Sequence[NewEvent]
    principal: str = "library"
    key: str = field(default_factory=lambda: f"made:{uuid4()}")
    fingerprint: bytes = NO_FINGERPRINT
    stream_id: UUID | None = None
    version: int | None = None
    tracking: tuple[str, int] | None = None
    disclosures: Sequence[NewDisclosure] = ()
    outcome: "Outcome | None" = None

    def touches(self) -> set[object]:
        """What no other request of the same call may touch."""
        touched: set[object] = {event.stream_id for event in self.events}
        touched.add((self.principal, self.key))
        if self.tracking is not None:
            touched.add(self.tracking[0])
        return touched


class UnfitRequest(ValueError):
    """A request that cannot be stored as it is; its message says what to change."""


def check_fit(request: Request) -> None:
    """Raises UnfitRequest for what the database would refuse, before a neighbour has to wait for it.

    Types too: a field of another one would end the call of all those who share it.
    """
    if len(request.events) > EVENTS_PER_REQUEST_MAX:
        raise UnfitRequest(f"a request carries at most {EVENTS_PER_REQUEST_MAX} events, this one {len(request.events)}")
    for text, what in ((request.principal, "principal"), (request.key, "idempotency key")):
        if not _is_text(text, PRINTABLE_ASCII):
            raise UnfitRequest(f"the {what} must be 1 to 200 printable ASCII characters")
    if not _is_bytes(request.fingerprint, 32, 32):
        raise UnfitRequest("a fingerprint has 32 bytes")
    if request.stream_id is not None:
        _check_place(request.stream_id, request.version or 0)
    if request.tracking is not None:
        application, notification = request.tracking
        if not _is_text(application, PRINTABLE_ASCII) or not _is_count(notification):
            raise UnfitRequest("a tracked application must be 1 to 200 printable ASCII characters, and a whole number")
    for event in request.events:
        _check_place(event.stream_id, event.version)
        _check_event(event)
    for disclosure in request.disclosures:
        _check_disclosure(disclosure, len(request.events))


def _check_place(stream_id: object, version: object) -> None:
    if not isinstance(stream_id, UUID) or not _is_count(version):
        raise UnfitRequest(f"a stream's id must be a UUID, and its version a whole number from 0 to {BIGINT_MAX}")


def _check_event(event: NewEvent) -> None:
    if not _is_text(event.name, STORED_NAME):
        raise UnfitRequest("a stored name must be 1 to 200 of the characters A-Z a-z 0-9 _ . : < > -")
    if not _is_bytes(event.state):
        raise UnfitRequest("a state must be bytes")
    if len(event.state) > STATE_BYTES_MAX:
        raise UnfitRequest(
            f"a state has at most {STATE_BYTES_MAX} bytes, this one {len(event.state)}: put large content elsewhere and record its digest"
        )


def _check_disclosure(disclosure: NewDisclosure, events: int) -> None:
    if not _is_count(disclosure.event) or disclosure.event >= events:
        raise UnfitRequest(f"a disclosure must be of one of its request's {events} events, counted from 0")
    if not _is_text(disclosure.digest, DIGEST):
        raise UnfitRequest("a digest must be 43 characters of base64url")
    _check_place(disclosure.subject_id, 0)
    if not _is_text(disclosure.path, WITHOUT_NULL) or disclosure.tier not in tuple(Tier):
        raise UnfitRequest(f"a path must be a text without a null character, and a tier one of {', '.join(Tier)}")
    if not _is_bytes(disclosure.ciphertext, 1):
        raise UnfitRequest("a ciphertext must be bytes, at least one")


def _is_text(value: object, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _is_bytes(value: object, shortest: int = 0, longest: int | None = None) -> bool:
    return isinstance(value, bytes) and len(value) >= shortest and (longest is None or len(value) <= longest)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= BIGINT_MAX


class Appender:
    """Makes the calls of one book on one connection. Not for several threads at once: see `GroupCommit`."""

    def __init__(self, connect: Callable[[], Connection], book: str) -> None:
        self._connect = connect
        self._book = book
        self._connection: Connection | None = None

    def append(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
        """Stores the requests in one durable commit; when that fails, finds the culprit by halving.

        Requests must not meet in a stream, a key or a tracked application. Returns for each its outcome, or the error
        that is its own. Raises psycopg2.Error where none of them can be stored (no such book, clock, connection).
        """
        try:
            return list(self._call(requests))
        except psycopg2.Error as error:
            if error.pgcode in OF_THE_WHOLE_CALL or is_connection_lost(error):
                raise
            if len(requests) == 1:
                return [error]
        except NO_LITERAL as error:
            if len(requests) == 1:
                return [error]
        middle = len(requests) // 2
        return self.append(requests[:middle]) + self.append(requests[middle:])

    def append_all(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Outcome | Exception]]:
        """Stores a stream of requests, as many in a call as fit; in constant memory, in the order given."""
        batch: list[Request] = []
        touched: set[object] = set()
        events = 0
        for request in requests:
            try:
                check_fit(request)
            except UnfitRequest as unfit:
                yield from zip(batch, self.append(batch), strict=True) if batch else ()
                yield request, unfit
                batch, touched, events = [], set(), 0
                continue
            touches = request.touches()
            if batch and (events + len(request.events) > EVENTS_PER_CALL_MAX or touched & touches):
                yield from zip(batch, self.append(batch), strict=True)
                batch, touched, events = [], set(), 0
            batch.append(request)
            touched |= touches
            events += len(request.events)
        if batch:
            yield from zip(batch, self.append(batch), strict=True)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _call(self, requests: Sequence[Request]) -> list[Outcome]:
        """One call, tried again while the fault is the connection's or a deadlock; keys make that safe."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                if self._connection is None:
                    self._connection = self._connect()
                with self._connection.cursor() as cursor:
                    cursor.execute(_QUERIES["append"], parameters(self._book, requests))
                    rows = cursor.fetchall()
                    return [outcome_of(row, request.stream_id) for row, request in zip(rows, requests, strict=True)]
            except psycopg2.Error as error:
                lost = is_connection_lost(error)
                if lost:
                    self.close()
                if attempt == ATTEMPTS_MAX or not (lost or error.pgcode in RETRIED):
                    raise
            except DatabaseUnavailable as away:
                if attempt == ATTEMPTS_MAX or isinstance(away, RoleNotGranted | ServerUnsuitable):
                    raise psycopg2.OperationalError(str(away)) from away
            time.sleep(min(0.02 * 2**attempt, 1.0))
        raise AssertionError("the last attempt returned or raised")


def is_connection_lost(error: psycopg2.Error) -> bool:
    """Whether the fault lies with the connection and not with what was asked."""
    code = error.pgcode
    if code is None:
        # a server that went away in mid-sentence comes as a bare DatabaseError without a code
        bare = type(error) is psycopg2.DatabaseError
        return bare or isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    return code.startswith("08") or code in {"57P01", "57P02", "57P03", "53300"}


def outcome_of(row: tuple[Any, ...], stream_id: UUID | None = None) -> Outcome:
    """What `ledger.append` says of one request; of a stream it says nothing where that is the request's own."""
    _, kind, stream, version, first, last, size, root, at = row
    return Outcome(kind, stream or stream_id, version, first, last, size, None if root is None else bytes(root), at)


def parameters(book: str, requests: Sequence[Request]) -> dict[str, object]:
    """The arguments of `ledger.append`. Arrays are written as literals, byte strings packed into one."""
    events = [(n, event) for n, request in enumerate(requests, 1) for event in request.events]
    disclosures = []
    offset = 1
    for request in requests:
        disclosures += [(offset + disclosure.event, disclosure) for disclosure in request.disclosures]
        offset += len(request.events)
    return {
        "book": book,
        "now": program_clock(),
        "principals": texts(request.principal for request in requests),
        "keys": texts(request.key for request in requests),
        "fingerprints": psycopg2.Binary(b"".join(request.fingerprint for request in requests)),
        "streams": plain(request.stream_id for request in requests),
        "versions": plain(request.version for request in requests),
        "applications": texts(None if request.tracking is None else request.tracking[0] for request in requests),
        "notifications": plain(None if request.tracking is None else request.tracking[1] for request in requests),
        "event_requests": plain(n for n, _ in events),
        "event_streams": plain(event.stream_id for _, event in events),
        "event_versions": plain(event.version for _, event in events),
        "event_names": texts(event.name for _, event in events),
        "event_lengths": plain(len(event.state) for _, event in events),
        "event_states": packed([event.state for _, event in events]),
        "disclosure_events": plain(n for n, _ in disclosures),
        "disclosure_digests": texts(disclosure.digest for _, disclosure in disclosures),
        "disclosure_subjects": plain(disclosure.subject_id for _, disclosure in disclosures),
        "disclosure_paths": texts(disclosure.path for _, disclosure in disclosures),
        "disclosure_tiers": texts(disclosure.tier for _, disclosure in disclosures),
        "disclosure_lengths": plain(len(disclosure.ciphertext) for _, disclosure in disclosures),
        "disclosure_ciphertexts": psycopg2.Binary(b"".join(disclosure.ciphertext for _, disclosure in disclosures)),
    }


class _Utf8:
    """Bytes that are UTF-8, written as a text: half as long as in hexadecimal, and twice as fast to read."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __conform__(self, _: object) -> "_Utf8":
        return self

    def getquoted(self) -> bytes:
        return b"convert_to(E'" + self._content.replace(b"\\", b"\\\\").replace(b"'", b"''") + b"', 'UTF8')"


def packed(pieces: Sequence[bytes]) -> object:
    """Byte strings as one argument."""
    content = b"".join(pieces)
    try:
        content.decode()
    except UnicodeDecodeError:
        return psycopg2.Binary(content)
    return psycopg2.Binary(content) if b"\0" in content else _Utf8(content)


def plain(values: Iterable[UUID | int | None]) -> str:
    """An array literal of what needs no quotes."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """An array literal of texts."""
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def answered_under(
    connection: Connection, book: str, principal: str, keys: Sequence[str]
) -> dict[str, tuple[bytes, Outcome]]:
    """The fingerprint and first outcome of those keys under which something was stored."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["requests_under"], {"book": book, "principal": principal, "keys": texts(keys)})
        rows = cursor.fetchall()
    return {key: (bytes(fingerprint), outcome_of((None, "replayed", *rest))) for key, fingerprint, *rest in rows}


class _Caller:
    """A thread that waits for its request. `turn` is released once it is done or is to lead the next call."""

    __slots__ = ("error", "events", "gone", "leads", "outcome", "request", "touches", "turn")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.touches = request.touches()
        self.events = len(request.events)
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self.leads = False
        self.gone = False
        self.turn = threading.Lock()
        self.turn.acquire()

    @property
    def done(self) -> bool:
        return self.outcome is not None or self.error is not None


class GroupCommit:
    """Gathers the requests of many threads into one call and one durable commit.

    There is no thread of its own: the first caller that finds nobody leading makes the next call for all who wait by
    then, and hands the lead to the first of those who came meanwhile. Two requests of one call never meet in a stream,
    a key or a tracked application: the second waits for the next call.

    Those whose call is done are woken once the next leader has all it needs, and one after the other: each wakes the next.
    All at once they would take the interpreter's lock from one another and from the leader, and the server would have
    nothing to do meanwhile.
    """

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._lock = threading.Lock()
        self._waiting: deque[_Caller] = deque()
        self._finished: deque[_Caller] = deque()
        self._led = False

    def append(self, request: Request) -> Outcome:
        """Returns once the request is durably stored, or refused alone.

        Raises UnfitRequest, or psycopg2.Error where the database is away or refuses the call.
        """
        check_fit(request)
        caller = _Caller(request)
        try:
            with self._lock:
                self._waiting.append(caller)
                if not self._led:
                    self._led = caller.leads = True
            if not caller.leads:
                caller.turn.acquire()
            if not caller.done:
                self._lead(caller)
        finally:  # after an interrupt too: whoever waits behind this caller must not wait for ever
            if caller.leads or not caller.done:
                self._leave(caller)
            else:
                self._wake_next(caller)
        if caller.error is not None:
            raise caller.error
        assert caller.outcome is not None
        return caller.outcome

    def close(self) -> None:
        self._appender.close()

    def _leave(self, caller: _Caller) -> None:
        """Takes a caller out, and hands its lead to the first of those who wait; where nobody does, wakes who is done."""
        with self._lock:
            if caller in self._waiting:
                self._waiting.remove(caller)
            led, caller.leads = caller.leads, False
            if led and self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].turn.release()
            elif led:
                self._led = False
                self._wake()

    def _wake_next(self, caller: _Caller) -> None:
        """Called by each who was woken, or was interrupted before."""
        with self._lock:
            caller.gone = True
            self._wake()

    def _wake(self) -> None:
        """Wakes the first of those whose call is done, and who still wait for it."""
        while self._finished:
            caller = self._finished.popleft()
            if not caller.gone:
                caller.turn.release()
                return

    def _lead(self, leader: _Caller) -> None:
        with self._lock:
            batch = self._gather()
            self._wake()
        try:
            self._commit(batch)
        finally:
            for caller in batch:
                if not caller.done:
                    caller.error = psycopg2.OperationalError("the call was interrupted; ask again with the same key")
            with self._lock:
                self._finished.extend(caller for caller in batch if caller is not leader)
            self._leave(leader)

    def _gather(self) -> list[_Caller]:
        batch: list[_Caller] = []
        left: list[_Caller] = []
        touched: set[object] = set()
        events = 0
        while self._waiting and events < EVENTS_PER_CALL_MAX:
            caller = self._waiting.popleft()
            if batch and (events + caller.events > EVENTS_PER_CALL_MAX or touched & caller.touches):
                left.append(caller)
                touched |= caller.touches  # nobody overtakes in a stream
                continue
            batch.append(caller)
            touched |= caller.touches
            events += max(caller.events, 1)
        self._waiting.extendleft(reversed(left))
        return batch

    def _commit(self, batch: Sequence[_Caller]) -> None:
        try:
            results = self._appender.append([caller.request for caller in batch])
        except (psycopg2.Error, Refusal) as error:  # a Refusal is of the whole book, as the fork guard raises it
            for caller in batch:
                caller.error = error
            return
        for caller, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                caller.error = result
            else:
                caller.outcome = result
