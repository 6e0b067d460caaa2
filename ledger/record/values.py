"""Holds the digests in events against the vault's values, both ways, as part of a verification. Shows no value.

Where it needs the event classes or the ciphers it brings them in by itself: a process that only compares does without.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from psycopg2.extensions import connection as Connection

from ledger.database.sql import queries
from ledger.record.book import book_id
from ledger.record.digests import Digest
from ledger.record.problems import Found, Kind, Values
from ledger.record.vault_row import Value, uuids

if TYPE_CHECKING:
    from ledger.vault.keys import SubjectKeys

POSITION_MIN, POSITION_MAX = -(2**63), 2**63 - 1
VALUES_PER_QUESTION = 10_000

_QUERIES = queries(__file__)


class Where(NamedTuple):
    """The book that is verified, and how to ask for its values."""

    connection: Connection
    book: str
    origin: str


def check_values(
    where: Where,
    after: int,
    last: int,
    digests: Sequence[Digest],
    unread: Container[int],
    keys: "SubjectKeys | None",
    found: Found,
) -> Values:
    """One page: every digest has its value or an erasure, every value its digest; with keys, each one opens.

    Says how many were opened, how many were not, and of how many an erasure is known: from the record itself alone, as a key
    store forgets a data subject whenever somebody takes the key out of it.
    """
    asked = {"book": where.book, "after": after, "last": last}
    # who cannot open them has no use for the ciphertexts, which are most of the bytes
    values = _by_digest(_values(where.connection, "values" if keys else "values_unopened", asked), found)
    earlier = _carried_from_before(where, digests, values)
    placed: set[str] = set()
    lost: list[Digest] = []
    for digest in digests:
        value = values.get(digest.digest) or earlier.get(digest.digest)
        if value is None:
            lost.append(digest)
        elif value.position == digest.position:
            placed.add(digest.digest)
            _compare(digest, value, found)
        else:
            _compare_carried(digest, value, found)
    erased = _report_lost(where, lost, found)
    for value in values.values():
        if value.digest not in placed and value.position not in unread:
            found.add(
                value.position, Kind.VALUE, f"the vault holds a value as {value.path} that the event does not have"
            )
    opened = 0
    if keys is not None:
        from ledger.record.opening import open_all  # noqa: PLC0415 - who only compares needs no ciphers

        opened = open_all(where, values.values(), keys, found)
    return Values(opened, len(values) - opened, erased)


def check_carried(where: Where, digests: Sequence[Digest], found: Found) -> int:
    """Digests whose values do not stand with their events: carried over from before, erased or lost. How many were erased.

    For whoever has no keys, and after all other values of a page were found in their places.
    """
    if not digests:
        return 0
    earlier = _carried_from_before(where, digests, {})
    lost: list[Digest] = []
    for digest in digests:
        value = earlier.get(digest.digest)
        if value is None:
            lost.append(digest)
        else:
            _compare_carried(digest, value, found)
    return _report_lost(where, lost, found)


def check_values_outside(connection: Connection, book: str, found: Found) -> None:
    """Values whose position no event can have."""
    outside = {"book": book, "before_all": POSITION_MIN, "behind_all": POSITION_MAX, "values_max": VALUES_PER_QUESTION}
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["values_outside"], outside)
        for position, digest in cursor.fetchall():
            found.add(position, Kind.VALUE, f"the vault holds the value of {digest} outside the book")


def _values(connection: Connection, query: str, parameters: Mapping[str, object]) -> list[Value]:
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES[query], parameters)
        return [Value(p, d, s, path, tier, bytes(c)) for p, d, s, path, tier, c in cursor.fetchall()]


def _by_digest(values: Iterable[Value], found: Found) -> dict[str, Value]:
    by_digest: dict[str, Value] = {}
    for value in values:
        if value.digest in by_digest:
            found.add(value.position, Kind.VALUE, f"the vault holds the value of {value.digest} more than once")
        by_digest[value.digest] = value
    return by_digest


def _carried_from_before(where: Where, digests: Iterable[Digest], values: Mapping[str, Value]) -> dict[str, Value]:
    """Values of digests that do not stand with this page's events."""
    wanted = sorted({each.digest for each in digests} - values.keys())
    earlier: dict[str, Value] = {}
    for start in range(0, len(wanted), VALUES_PER_QUESTION):
        asked = {"book": where.book, "digests": wanted[start : start + VALUES_PER_QUESTION]}
        earlier |= {value.digest: value for value in _values(where.connection, "values_carried", asked)}
    return earlier


def _compare_carried(digest: Digest, value: Value, found: Found) -> None:
    """Whether an event can have this digest from an earlier one: the same field, as closely held.

    A correction keeps the digests of the fact that it corrects, and the approval of an amendment the reason of its proposal.
    """
    same_field = digest.path.rpartition(".")[2] == value.path.rpartition(".")[2]
    carries = "." in digest.path or digest.path == "reason"
    if value.position < digest.position and same_field and value.tier == digest.tier and carries:
        return
    says = f"the value of {digest.path} stands with position {value.position} as {value.path}, which is not it"
    found.add(digest.position, Kind.VALUE, says)


def _compare(digest: Digest, value: Value, found: Found) -> None:
    if digest.subject_id == value.subject_id and digest.path == value.path and digest.tier == value.tier:
        return
    for what, stated, held in (
        ("path", digest.path, value.path),
        ("data subject", digest.subject_id, value.subject_id),
        ("tier", digest.tier, value.tier),
    ):
        if stated != held:
            says = f"the value of {digest.path} is held under another {what} than its event states"
            found.add(digest.position, Kind.VALUE, says)


def _report_lost(where: Where, lost: list[Digest], found: Found) -> int:
    """Names the values that are gone without an erasure; the number of those that were erased."""
    if not lost:
        return 0
    subjects = uuids(digest.subject_id for digest in lost)
    gone = erased_by_record(where, subjects.values())
    erased = 0
    for digest in lost:
        if subjects.get(digest.subject_id) in gone:
            erased += 1
        else:
            found.add(digest.position, Kind.VALUE, f"the vault has no value for {digest.path}, and no erasure is known")
    return erased


def erased_by_record(where: Where, subjects: Iterable[UUID]) -> set[UUID]:
    """Those of the data subjects of which an event says that they were erased: part of the tree, like every event."""
    from ledger.access.rules import subject_stream  # noqa: PLC0415 - it brings event classes: half a second in a process

    own = book_id(where.origin)
    streams = {
        str(subject_stream(own, subject_id)): subject_id for subject_id in subjects
    }  # text: any connection knows it
    erased: set[UUID] = set()
    wanted = list(streams)
    for start in range(0, len(wanted), VALUES_PER_QUESTION):
        asked = {"book": where.book, "streams": wanted[start : start + VALUES_PER_QUESTION]}
        with where.connection.cursor() as cursor:
            cursor.execute(_QUERIES["erased_streams"], asked)
            erased.update(streams[stream] for (stream,) in cursor.fetchall())
    return erased
