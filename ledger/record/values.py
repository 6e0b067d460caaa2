"""Holds the digests in events against the vault's values, both ways, as part of a verification. Shows no value.

Digests are read from the stored JSON by the personal fields of the class that the stored name stands for.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from psycopg2.extensions import connection as Connection

from ledger.access.rules import subject_stream
from ledger.database.sql import queries
from ledger.event import DIGEST, Event, personal_fields
from ledger.names import UnknownStoredName, class_of
from ledger.record.book import book_id
from ledger.record.problems import Found, Kind, Values
from ledger.vault.keys import SubjectKeys
from ledger.vault.sealing import DisclosureBroken, opened_with

POSITION_MIN, POSITION_MAX = -(2**63), 2**63 - 1
VALUES_PER_QUESTION = 10_000

_QUERIES = queries(__file__)


class Digest(NamedTuple):
    """A digest as an event holds it. The subject stays text, as it stands in the JSON: most are only compared."""

    position: int
    path: str
    subject_id: str
    tier: str
    digest: str


class Value(NamedTuple):
    """A row of the vault."""

    position: int
    digest: str
    subject_id: str
    path: str
    tier: str
    ciphertext: bytes


class Where(NamedTuple):
    """The book that is verified, and how to ask for its values."""

    connection: Connection
    book: str
    origin: str


class PageOfDigests:
    """The digests of a page of events, and the positions whose states could not be read."""

    def __init__(self) -> None:
        self.digests: list[Digest] = []
        self.unread: set[int] = set()

    def read(self, position: int, name: str, state: bytes) -> None:
        """Takes in one event; raises UnknownStoredName, or ValueError for a state that is not that event."""
        try:
            found = _digests_in(_plan(name), orjson.loads(state)["event"], "")
        except (UnknownStoredName, ValueError):
            self.unread.add(position)
            raise
        except (KeyError, TypeError, AttributeError) as error:
            self.unread.add(position)
            raise ValueError(f"it has not the shape of one ({type(error).__name__})") from None
        for each in found:
            self.digests.append(Digest(position, *each))


def check_values(
    where: Where, after: int, last: int, page: PageOfDigests, keys: SubjectKeys | None, found: Found
) -> Values:
    """One page: every digest has its value or an erasure, every value its digest; with keys, each one opens.

    Says how many were opened, how many were not, and of how many an erasure is known: from the record itself, which
    whoever has no keys can read too, or from the key store.
    """
    asked = {"book": where.book, "after": after, "last": last}
    # who cannot open them has no use for the ciphertexts, which are most of the bytes
    values = _by_digest(_values(where.connection, "values" if keys else "values_unopened", asked), found)
    earlier = _carried_from_before(where.connection, where.book, page, values)
    placed: set[str] = set()
    lost: list[Digest] = []
    for digest in page.digests:
        value = values.get(digest.digest) or earlier.get(digest.digest)
        if value is None:
            lost.append(digest)
        elif value.position == digest.position:
            placed.add(digest.digest)
            _compare(digest, value, found)
        elif not _may_be_carried(digest, value):
            says = f"the value of {digest.path} stands with position {value.position} as {value.path}, which is not it"
            found.add(digest.position, Kind.VALUE, says)
    erased = _report_lost(where, lost, keys, found)
    for value in values.values():
        if value.digest not in placed and value.position not in page.unread:
            found.add(
                value.position, Kind.VALUE, f"the vault holds a value as {value.path} that the event does not have"
            )
    opened = 0 if keys is None else _open_all(values.values(), keys, found)
    return Values(opened, len(values) - opened, erased)


def check_values_outside(connection: Connection, book: str, found: Found) -> None:
    """Values whose position no event can have."""
    outside = {"book": book, "before_all": POSITION_MIN, "behind_all": POSITION_MAX, "values_max": VALUES_PER_QUESTION}
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["values_outside"], outside)
        for position, digest in cursor.fetchall():
            found.add(position, Kind.VALUE, f"the vault holds the value of {digest} outside the book")


class _Plan(NamedTuple):
    """Where the JSON of an event holds digests: field, its subject's field, tier; and the fields that are events themselves."""

    personal: tuple[tuple[str, str, str], ...]
    nested: tuple[str, ...]


def _digests_in(plan: _Plan, event: Mapping[str, Any], prefix: str) -> list[tuple[str, str, str, str]]:
    """Path, subject, tier and digest of each personal value in an event's JSON, nested facts included."""
    found = []
    for name, subject, tier in plan.personal:
        digest = event.get(name)
        if digest is not None:
            if not isinstance(digest, str) or DIGEST.fullmatch(digest) is None:
                raise ValueError(f"{prefix}{name} is no digest")
            found.append((prefix + name, str(event[subject]), tier, digest))
    for name in plan.nested:  # a fact inside a correction stands beside its stored name
        found += _digests_in(_plan(event["name"]), event[name], f"{prefix}{name}.")
    return found


@cache
def _plan(stored_name: str) -> _Plan:
    """The plan of a stored name; raises UnknownStoredName."""
    event_class = class_of(stored_name)
    nested = [
        name
        for name, field in event_class.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Event)
    ]
    personal = tuple((name, held.subject, str(held.tier)) for name, held in personal_fields(event_class))
    return _Plan(personal, tuple(nested))


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


def _carried_from_before(
    connection: Connection, book: str, page: PageOfDigests, values: Mapping[str, Value]
) -> dict[str, Value]:
    """Values of digests that do not stand with this page's events."""
    wanted = sorted({each.digest for each in page.digests} - values.keys())
    earlier: dict[str, Value] = {}
    for start in range(0, len(wanted), VALUES_PER_QUESTION):
        asked = {"book": book, "digests": wanted[start : start + VALUES_PER_QUESTION]}
        earlier |= {value.digest: value for value in _values(connection, "values_carried", asked)}
    return earlier


def _may_be_carried(digest: Digest, value: Value) -> bool:
    """Whether a correction can have kept this digest from an earlier event: the same field, as closely held."""
    same_field = digest.path.rpartition(".")[2] == value.path.rpartition(".")[2]
    return value.position < digest.position and same_field and value.tier == digest.tier and "." in digest.path


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


def _report_lost(where: Where, lost: list[Digest], keys: SubjectKeys | None, found: Found) -> int:
    """Names the values that are gone without an erasure; the number of those that were erased."""
    if not lost:
        return 0
    subjects = _uuids(digest.subject_id for digest in lost)
    gone = _erased_by_record(where, subjects.values())
    if keys is not None:
        gone |= keys.erased(set(subjects.values()) - gone).keys()
    erased = 0
    for digest in lost:
        if subjects.get(digest.subject_id) in gone:
            erased += 1
        else:
            found.add(digest.position, Kind.VALUE, f"the vault has no value for {digest.path}, and no erasure is known")
    return erased


def _erased_by_record(where: Where, subjects: Iterable[UUID]) -> set[UUID]:
    """Those of the data subjects of which an event says that they were erased: part of the tree, like every event."""
    own = book_id(where.origin)
    streams = {subject_stream(own, subject_id): subject_id for subject_id in subjects}
    erased: set[UUID] = set()
    wanted = list(streams)
    for start in range(0, len(wanted), VALUES_PER_QUESTION):
        asked = {"book": where.book, "streams": wanted[start : start + VALUES_PER_QUESTION]}
        with where.connection.cursor() as cursor:
            cursor.execute(_QUERIES["erased_streams"], asked)
            erased.update(streams[stream] for (stream,) in cursor.fetchall())
    return erased


def _open_all(values: Iterable[Value], keys: SubjectKeys, found: Found) -> int:
    """Opens what there is a key for; the number of those."""
    opened = 0
    subjects = _uuids(value.subject_id for value in values)
    held = keys.held(subjects.values())
    erased = keys.erased(set(subjects.values()) - held.keys())
    for value in values:
        subject_id = subjects[value.subject_id]
        if subject_id in held:
            _open(value, subject_id, held[subject_id], found)
            opened += 1
        elif subject_id not in erased:
            found.add(value.position, Kind.VALUE, f"there is no key for the data subject of {value.path}")
    return opened


def _open(value: Value, subject_id: UUID, key: bytes, found: Found) -> None:
    try:
        opened = opened_with(key, value.ciphertext, value.digest, subject_id)
    except DisclosureBroken as error:
        found.add(value.position, Kind.VALUE, f"{value.path}: {error}")
        return
    if opened.path != value.path:
        found.add(value.position, Kind.VALUE, f"the value of {value.path} was recorded as {opened.path}")


def _uuids(texts: Iterable[str]) -> dict[str, UUID]:
    """Those texts that are UUIDs; a changed event may state anything as its data subject."""
    found: dict[str, UUID] = {}
    for text in set(texts):
        with suppress(ValueError):
            found[text] = UUID(text)
    return found
