"""The one way in: positions, clock, tree, idempotency, group commit and what a bad request may cost its neighbours."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from ledger.database.faults import DatabaseUnavailable, RoleNotGranted
from ledger.database.roles import Role
from ledger.database.sql import queries
from ledger.database.target import Database
from ledger.event import Tier
from ledger.record import append as append_module
from ledger.record import reading, tree
from ledger.record.append import (
    EVENTS_PER_CALL_MAX,
    STATE_BYTES_MAX,
    Appender,
    GroupCommit,
    NewDisclosure,
    NewEvent,
    Outcome,
    Request,
    UnfitRequest,
    _Caller,
    parameters,
)
from ledger.record.entry import entry_bytes
from ledger.recorder import BookRecorder, BookUnavailable, ClockUnfit, KeyReused, VersionConflict

pytestmark = pytest.mark.every_postgres

FINGERPRINT = bytes(range(32))


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    connection = database.connect(Role.OWNER, autocommit=True)
    yield connection
    connection.close()


@pytest.fixture
def appender(database: Database, book: str) -> Iterator[Appender]:
    appender = Appender(lambda: database.connect(Role.APPLICATION, autocommit=True), book)
    yield appender
    appender.close()


@pytest.fixture
def recorder(database: Database, book: str) -> Iterator[BookRecorder]:
    recorder = BookRecorder(database, book)
    yield recorder
    recorder.close()


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    connection = database.connect(Role.AUDITOR, autocommit=True)
    yield connection
    connection.close()


def event(stream: UUID | None = None, version: int = 1, state: bytes = b"{}", name: str = "noted") -> NewEvent:
    return NewEvent(stream or uuid4(), version, name, state)


def stored(result: Outcome | Exception) -> Outcome:
    assert isinstance(result, Outcome), result
    assert result.kind == "stored"
    return result


def all_rows(reader: Connection, book: str) -> list[reading.StoredRow]:
    return reading.events_after(reader, book, 0, reading.EVENTS_PER_PAGE_MAX)


def recomputed_root(rows: list[reading.StoredRow], origin: str) -> bytes:
    return tree.tree_root(
        tree.leaf_hash(
            entry_bytes(origin, row.position, row.stream_id, row.version, row.name, row.recorded_at, row.state)
        )
        for row in rows
    )


def test_positions_clock_and_tree(appender: Appender, reader: Connection, book: str) -> None:
    """Calls of every size up to 40: positions count from 1, time rises, and the root is RFC 6962's over the entries."""
    for size in range(1, 41):
        stream = uuid4()
        [outcome] = map(stored, appender.append([Request([event(stream, v, b"x" * v) for v in range(1, size + 1)])]))
        rows = all_rows(reader, book)
        end = reading.head(reader, book)
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        assert outcome.last_position == outcome.tree_size == end.size == len(rows)
        assert outcome.first_position == end.size - size + 1
        assert outcome.root == end.root == recomputed_root(rows, end.origin)
        assert end.recorded_at == outcome.recorded_at == rows[-1].recorded_at
    times = [row.recorded_at for row in rows]
    assert all(later - earlier >= timedelta(microseconds=1) for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize(
    "state",
    [
        "客户说：“不行”".encode(),
        b"it's \\' \\\\ ''; E'\\n' -- $1 %s %(x)s",
        b"\x00",
        b"\xff\xfe\x80",
        b"",
        "\u2028\U0001f600".encode() * 1000,
    ],
)
def test_a_state_is_stored_as_the_bytes_it_is(appender: Appender, reader: Connection, book: str, state: bytes) -> None:
    """Text or not: what is hashed is what was given, alone and beside others."""
    for states in ([state], [b"{}", state, b"\xff"], [b"{}", state, b"[]"]):
        stored(appender.append([Request([event(state=each) for each in states])])[0])
        assert [row.state for row in all_rows(reader, book)][-len(states) :] == states


def test_the_leaves_are_kept_call_by_call(appender: Appender, owner: Connection, reader: Connection, book: str) -> None:
    appender.append([Request([event()]), Request([event(), event()])])
    appender.append([Request([event()])])
    origin = reading.head(reader, book).origin
    expected = [
        tree.leaf_hash(entry_bytes(origin, r.position, r.stream_id, r.version, r.name, r.recorded_at, r.state))
        for r in all_rows(reader, book)
    ]
    with owner.cursor() as cursor:
        cursor.execute(
            "SELECT first_position, last_position, hashes FROM ledger.leaves WHERE book = %s ORDER BY 1", (book,)
        )
        kept = [(first, last, bytes(hashes)) for first, last, hashes in cursor.fetchall()]
    assert [(first, last) for first, last, _ in kept] == [(1, 3), (4, 4)]
    assert b"".join(hashes for _, _, hashes in kept) == b"".join(expected)


def test_a_lost_race_costs_its_neighbours_nothing(appender: Appender, reader: Connection, book: str) -> None:
    contested = uuid4()
    stored(appender.append([Request([event(contested, 1)])])[0])
    late, hole, zero = event(contested, 1), event(contested, 3), event(uuid4(), 2)
    for lost in (late, hole, zero):
        before, refused, after = appender.append(
            [Request([event()]), Request([lost], key=f"k{lost.version}"), Request([event()])]
        )
        assert isinstance(refused, Outcome)
        assert refused.kind == "version-conflict"
        first, second = stored(before), stored(after)
        assert first.first_position is not None
        assert second.first_position == first.first_position + 1
    assert len(all_rows(reader, book)) == 7
    again = appender.append([Request([event(contested, 2)], key="k1")])[0]
    assert stored(again).version is None, "a refusal is not kept under its key"


def test_a_request_with_a_hole_inside_is_refused_whole(appender: Appender, reader: Connection, book: str) -> None:
    stream = uuid4()
    for versions in ((1, 3), (2, 1), (1, 1), (0, 2)):
        [refused] = appender.append([Request([event(stream, version) for version in versions])])
        assert isinstance(refused, Outcome)
        assert refused.kind == "version-conflict", versions
    assert all_rows(reader, book) == []


def test_the_same_key_gives_the_first_outcome(recorder: BookRecorder, reader: Connection, book: str) -> None:
    stream = uuid4()

    def request(fingerprint: bytes = FINGERPRINT, principal: str = "li.wei") -> Request:
        return Request([event(stream)], principal, "key-1", fingerprint, stream, 1)

    first = recorder.record(request())
    recorder.record(Request([event(stream, 2)]))
    again = recorder.record(request())
    assert again == first._replace(kind="replayed")
    with pytest.raises(KeyReused):
        recorder.record(request(fingerprint=bytes(32)))
    with pytest.raises(VersionConflict):  # another principal's key is another key, so this one is decided on its merits
        recorder.record(request(principal="wang.fang"))
    assert len(all_rows(reader, book)) == 2


def test_nothing_to_record_is_remembered_too(recorder: BookRecorder, reader: Connection, book: str) -> None:
    stream = uuid4()
    first = recorder.record(Request([], "li.wei", "key-1", FINGERPRINT, stream, 7))
    assert (first.kind, first.version, first.first_position, first.tree_size) == ("stored", 7, None, 0)
    assert recorder.record(Request([], "li.wei", "key-1", FINGERPRINT, stream, 9)).version == 7
    assert all_rows(reader, book) == []


@pytest.mark.parametrize("meeting", ["stream", "key", "application"])
def test_two_requests_of_one_call_may_not_meet(appender: Appender, reader: Connection, book: str, meeting: str) -> None:
    """The gatherer keeps them apart; the database refuses the call if it ever does not."""
    stream = uuid4()
    pairs = {
        "stream": [Request([event(stream, 1)]), Request([event(stream, 2)])],
        "key": [Request([event()], key="same"), Request([event()], key="same")],
        "application": [Request([event()], tracking=("up", 1)), Request([event()], tracking=("up", 2))],
    }
    with pytest.raises(psycopg2.Error) as raised:
        appender._call(pairs[meeting])
    assert raised.value.pgcode == "CL004"
    assert all_rows(reader, book) == []


POISON: dict[str, Callable[[], Request]] = {
    "a name out of the alphabet": lambda: Request([event(name="no spaces")]),
    "a null character": lambda: Request([event(name="null\x00")]),
    "a state over the limit": lambda: Request([event(state=b"x" * (STATE_BYTES_MAX + 1))]),
    "a key out of the alphabet": lambda: Request([event()], key="schlüssel"),
    "a fingerprint of another length": lambda: Request([event()], fingerprint=b"short"),
    "a disclosure of no event": lambda: Request(
        [event()], disclosures=[NewDisclosure(0, "A" * 43, uuid4(), "content", Tier.ORDINARY, b"c")]
    ),
    "a disclosure beyond its events": lambda: Request(
        [event(state=b"A" * 43)], disclosures=[NewDisclosure(500, "A" * 43, uuid4(), "content", Tier.ORDINARY, b"c")]
    ),
    "a disclosure with a null character": lambda: Request(
        [event(state=b"A" * 43)], disclosures=[NewDisclosure(0, "A" * 43, uuid4(), "con\x00", Tier.ORDINARY, b"c")]
    ),
    "a path that is a number": lambda: disclosing(path=5),
    "a ciphertext that is text": lambda: disclosing(ciphertext="x"),
    "a digest that is too short": lambda: disclosing(digest="A"),
    "a tier of its own": lambda: disclosing(tier="secret"),
    "a fingerprint that is text": lambda: Request([event()], fingerprint="a" * 32),  # type: ignore[arg-type] # on purpose
    "a name that is nothing": lambda: Request([event(name=None)]),  # type: ignore[arg-type] # on purpose
    "a stream that is nothing": lambda: Request([NewEvent(None, 1, "noted", b"{}")]),  # type: ignore[arg-type] # on purpose
    "a version without end": lambda: Request([event(version=2**70)]),
    "a tracked application with a null character": lambda: Request([event()], tracking=("a\x00b", 1)),
    "a tracked place that is nothing": lambda: Request([event()], tracking=("app", None)),  # type: ignore[arg-type] # on purpose
}


def disclosing(**other: object) -> Request:
    disclosure = NewDisclosure(0, "A" * 43, uuid4(), "content", Tier.ORDINARY, b"c")._replace(**other)
    return Request([event(state=b"A" * 43)], disclosures=[disclosure])


@pytest.mark.parametrize("poison", POISON)
def test_a_poisonous_request_fails_alone(appender: Appender, reader: Connection, book: str, poison: str) -> None:
    """As the database sees it: what `check_fit` would have caught is let through here."""
    good = [Request([event()]) for _ in range(9)]
    results = appender.append([*good[:4], POISON[poison](), *good[4:]])
    assert isinstance(results[4], Exception)
    assert [stored(result).kind for n, result in enumerate(results) if n != 4] == ["stored"] * 9
    rows = all_rows(reader, book)
    assert [row.position for row in rows] == list(range(1, 10))
    end = reading.head(reader, book)
    assert end.root == recomputed_root(rows, end.origin)


@pytest.mark.parametrize("poison", [poison for poison in POISON if poison != "a disclosure of no event"])
def test_a_poisonous_request_is_named_before_anybody_waits_for_it(recorder: BookRecorder, poison: str) -> None:
    with pytest.raises(Exception, match="must be|at most|has 32|is a") as raised:
        recorder.record(POISON[poison]())
    assert isinstance(raised.value.__cause__, UnfitRequest)


def test_in_bulk_too_an_unfit_request_costs_its_neighbours_nothing(appender: Appender) -> None:
    good = [Request([event()]) for _ in range(4)]
    given = [*good[:2], disclosing(ciphertext="x"), *good[2:]]
    answers = list(appender.append_all(given))
    assert [request for request, _ in answers] == given
    assert [isinstance(answer, UnfitRequest) for _, answer in answers] == [False, False, True, False, False]


def test_group_commit_gathers_and_isolates(
    database: Database, owner: Connection, reader: Connection, book: str
) -> None:
    """64 callers at once, one of them refused by the database itself: he alone fails, and calls are shared."""
    calls: list[int] = []

    class Counting(Appender):
        def _call(self, requests: list[Request]) -> list[Outcome]:  # type: ignore[override] # a narrower Sequence
            calls.append(len(requests))
            return super()._call(requests)

    commits = GroupCommit(Counting(lambda: database.connect(Role.APPLICATION, autocommit=True), book))
    results: list[Outcome | Exception] = []

    def call(number: int) -> None:
        name = "poison" if number == 13 else "noted"
        try:
            results.append(commits.append(Request([event(name=name)])))
        except psycopg2.Error as error:
            results.append(error)

    constraint = "poison_" + book.replace("-", "_")
    with owner.cursor() as cursor:
        cursor.execute(f"ALTER TABLE ledger.event ADD CONSTRAINT {constraint} CHECK (name <> 'poison') NOT VALID")
    try:
        threads = [threading.Thread(target=call, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        with owner.cursor() as cursor:
            cursor.execute(f"ALTER TABLE ledger.event DROP CONSTRAINT {constraint}")
        commits.close()
    assert sorted(isinstance(result, Outcome) for result in results) == [False] + [True] * 63
    assert [row.position for row in all_rows(reader, book)] == list(range(1, 64))
    assert max(calls) > 1, "callers that wait share a commit"


def test_group_commit_keeps_the_order_within_a_stream(database: Database, reader: Connection, book: str) -> None:
    """Many callers extend few streams blindly: each version is stored by exactly one of them."""
    streams = [uuid4() for _ in range(3)]
    recorder = BookRecorder(database, book)
    won: list[tuple[UUID, int]] = []

    def call() -> None:
        for version in range(1, 11):
            for stream in streams:
                try:
                    recorder.record(Request([event(stream, version)]))
                except VersionConflict:
                    continue
                won.append((stream, version))

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    rows = all_rows(reader, book)
    assert sorted(won) == sorted((row.stream_id, row.version) for row in rows)
    assert sorted(won) == sorted((stream, version) for stream in streams for version in range(1, 11))


def test_a_lost_connection_loses_and_doubles_nothing(
    database: Database, owner: Connection, reader: Connection, book: str
) -> None:
    """The server ends our session again and again while callers record: each answer is in the book exactly once."""
    recorder = BookRecorder(database, book)
    answered: list[Outcome] = []
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            answered.append(recorder.record(Request([event()])))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    with owner.cursor() as cursor:
        for _ in range(20):
            stop.wait(0.05)
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND query LIKE %s",
                (Role.APPLICATION, f"%ledger.append(%{book}%"),
            )
    stop.set()
    for thread in threads:
        thread.join()
    recorder.close()
    positions = sorted(outcome.first_position or 0 for outcome in answered)
    assert positions == [row.position for row in all_rows(reader, book)] == list(range(1, len(answered) + 1))


def test_a_caller_who_is_interrupted_leaves_the_others_to_it(database: Database, book: str) -> None:
    """Ctrl-C reaches a caller that waits, and then one that leads: those behind it are answered all the same."""
    holding, release = threading.Event(), threading.Event()

    class Slow(Appender):
        def append(self, requests: Sequence[Request]) -> list[Outcome | Exception]:
            if not release.is_set():
                holding.set()
                release.wait(timeout=30)
            if any(request.key == "interrupted" for request in requests):
                raise KeyboardInterrupt
            return super().append(requests)

    commits = GroupCommit(Slow(lambda: database.connect(Role.APPLICATION, autocommit=True), book))
    answered: list[str] = []

    def call(key: str) -> None:
        try:
            commits.append(Request([event()], key=key))
        except (KeyboardInterrupt, psycopg2.OperationalError):
            answered.append(f"{key} was told")
        else:
            answered.append(key)

    class Interrupted:
        def acquire(self) -> bool:
            raise KeyboardInterrupt

        def release(self) -> None:
            """Nobody waits for it."""

    first = threading.Thread(target=call, args=("first",))
    first.start()
    assert holding.wait(timeout=30)
    waiting = _Caller(Request([event()], key="waiting"))
    waiting.turn = Interrupted()  # type: ignore[assignment] # the interrupt comes while it waits
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ledger.record.append._Caller", lambda _: waiting)
        with pytest.raises(KeyboardInterrupt):
            commits.append(waiting.request)
    second = threading.Thread(target=call, args=("interrupted",))
    second.start()
    release.set()
    for thread in (first, second):
        thread.join(timeout=30)
    third = threading.Thread(target=call, args=("third",))
    third.start()
    third.join(timeout=30)
    assert answered == ["first", "interrupted was told", "third"]
    commits.close()


def test_a_server_that_is_away_for_a_moment_is_waited_for(database: Database, book: str) -> None:
    away = iter([DatabaseUnavailable("restarting"), DatabaseUnavailable("restarting")])

    def connect() -> Connection:
        for error in away:
            raise error
        return database.connect(Role.APPLICATION, autocommit=True)

    appender = Appender(connect, book)
    assert stored(appender.append([Request([event()])])[0]).first_position == 1
    appender.close()
    never = Appender(lambda: (_ for _ in ()).throw(RoleNotGranted("not yours")), book)
    with pytest.raises(psycopg2.OperationalError, match="not yours"):
        never.append([Request([event()])])


ILL_FORMED: dict[str, dict[str, object]] = {
    "lengths of two dimensions": {"event_lengths": "{{2}}"},
    "lengths counted from five": {"event_lengths": "[5:5]={2}"},
    "a length beyond the bytes": {"event_lengths": "{3}"},
    "a length below them": {"event_lengths": "{1}"},
    "no length": {"event_lengths": "{NULL}"},
    "an event of no request": {"event_requests": "{2}"},
    "an event of request NULL": {"event_requests": "{NULL}"},
    "more streams than events": {"event_streams": "{00000000-0000-4000-8000-000000000000,NULL}"},
    "more keys than principals": {"keys": '{"a","b"}'},
    "a fingerprint too long": {"fingerprints": psycopg2.Binary(bytes(33))},
    "no clock": {"now": None},
    "a disclosure of nothing": {"disclosure_events": "{1}"},
}


@pytest.mark.parametrize("wrong", ILL_FORMED)
def test_lists_that_do_not_fit_together_store_nothing(
    database: Database, reader: Connection, book: str, wrong: str
) -> None:
    given = {**parameters(book, [Request([event()])]), **ILL_FORMED[wrong]}
    connection = database.connect(Role.APPLICATION, autocommit=True)
    with closing(connection), connection.cursor() as cursor, pytest.raises(psycopg2.Error) as raised:
        cursor.execute(queries(append_module.__file__)["append"], given)
    assert raised.value.pgcode in {"CL003", "CL007"}
    assert all_rows(reader, book) == []


@pytest.mark.parametrize(
    "setting", ["synchronous_commit = off", "SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ"]
)
def test_a_session_that_would_not_commit_durably_records_nothing(
    database: Database, reader: Connection, book: str, setting: str
) -> None:
    def connect() -> Connection:
        connection = database.connect(Role.APPLICATION, autocommit=True)
        with connection.cursor() as cursor:
            cursor.execute(f"SET {setting}")
        return connection

    appender = Appender(connect, book)
    with pytest.raises(psycopg2.Error) as raised:
        appender.append([Request([event()]), Request([event()])])
    assert raised.value.pgcode == "CL006"
    assert all_rows(reader, book) == []
    appender.close()


def test_a_clock_that_runs_behind_stops_the_book(
    recorder: BookRecorder, owner: Connection, reader: Connection, book: str
) -> None:
    recorder.record(Request([event()]))

    def set_clock_ahead(seconds: int) -> None:
        with owner.cursor() as cursor:
            cursor.execute(
                "UPDATE ledger.head SET recorded_at = clock_timestamp() + make_interval(secs => %s) WHERE book = %s",
                (seconds, book),
            )

    set_clock_ahead(3)
    last = reading.head(reader, book).recorded_at
    outcome = recorder.record(Request([event()]))
    assert last is not None
    assert outcome.recorded_at == last + timedelta(microseconds=1), "a small step back is bridged"
    set_clock_ahead(60)
    with pytest.raises(ClockUnfit, match="behind the last entry"):
        recorder.record(Request([event()]))
    assert len(all_rows(reader, book)) == 2


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_that_disagree_stop_the_book(appender: Appender, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """As when the system's clock is set while the program runs."""
    monkeypatch.setattr(append_module, "_STARTED_AT", append_module._STARTED_AT + timedelta(hours=hours))
    with pytest.raises(psycopg2.Error, match="disagree"):
        appender.append([Request([event()])])


def test_an_edge_can_not_be_shifted(appender: Appender, owner: Connection, book: str) -> None:
    """The same hashes counted from zero would make the next root a wrong one."""
    appender.append([Request([event(), event()])])
    with owner.cursor() as cursor, pytest.raises(psycopg2.errors.CheckViolation):
        cursor.execute(
            "UPDATE ledger.head SET edge = ('[0:' || cardinality(edge) - 1 || ']=' || edge::text)::bytea[]"
            " WHERE book = %s",
            (book,),
        )


def test_a_book_that_is_not_there_is_named(database: Database) -> None:
    recorder = BookRecorder(database, "no-such-book")
    with pytest.raises(BookUnavailable, match="no book no-such-book for role ledger_application"):
        recorder.record(Request([event()]))
    recorder.close()


def test_bulk_keeps_the_order_and_the_limit(appender: Appender, reader: Connection, book: str) -> None:
    requests = [Request([event(state=b"%d" % n)] * 1) for n in range(3 * EVENTS_PER_CALL_MAX + 5)]
    results = [stored(outcome).first_position for _, outcome in appender.append_all(iter(requests))]
    assert results == list(range(1, len(requests) + 1))
    assert [row.state for row in all_rows(reader, book)] == [b"%d" % n for n in range(len(requests))]


def test_books_do_not_mix(database: Database, reader: Connection, new_book: Callable[[], str]) -> None:
    books = [new_book(), new_book()]
    recorders = [BookRecorder(database, book) for book in books]
    stream = uuid4()
    for recorder in recorders:
        recorder.record(Request([event(stream)], "li.wei", "same-key"))
    for book in books:
        assert [row.position for row in all_rows(reader, book)] == [1]
    for recorder in recorders:
        recorder.close()
