"""The ledger of one book as callers use it: a command goes in, a receipt comes out.

It joins the pure rules to the record and the vault, and makes the values that rules may not make themselves: the time.
It reads no HTTP and prints nothing.
"""

import hashlib
import hmac
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, cast
from uuid import UUID

import orjson
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper
from psycopg2.extensions import connection as Connection

from ledger.access.rules import DataSubject, subject_stream
from ledger.circumstances import Circumstances
from ledger.command import Command, assigned_fields
from ledger.complaint.refusals import ComplaintNotFound
from ledger.complaint.state import Complaint
from ledger.database.faults import RoleNotGranted
from ledger.database.pool import Pool
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.event import Event
from ledger.evidence.store import EvidenceStore
from ledger.given import Given
from ledger.names import NAME_OF, class_of
from ledger.proof.guard import check_against_last
from ledger.record.append import Appender, NewDisclosure, NewEvent, Outcome, Request, answered_under
from ledger.record.book import book_id, claim_keys, keys_of
from ledger.record.envelope import Recorded, RecordedMapper, opened
from ledger.record.reading import head, stream_events
from ledger.recorder import BookRecorder, KeyReused, VersionConflict, as_the_library_says
from ledger.refusal import Refusal
from ledger.standing import IdOfAnother
from ledger.states import States
from ledger.subject import Subject
from ledger.subjects import subject_named, subject_of
from ledger.tables.built_in import tables_stream
from ledger.tables.state import Tables
from ledger.vault.index import BlindIndex
from ledger.vault.keys import SubjectKeys, fingerprint_secret, mark_of
from ledger.vault.master import KeysUnusable
from ledger.vault.sealing import Disclosure, seal_all
from ledger.vault.words import WordIndex

DECISIONS_MAX = 12
"""How often a command without an expected version is decided anew after somebody else was faster."""

PAUSE_SECONDS = 0.003
"""How long a loser waits at first, so that those who meet do not meet again; it grows with each loss."""

BULK_CHUNK_REQUESTS = 64
"""How many bulk requests share one look at the keys and one durable write of new subject keys."""


@dataclass(eq=False)
class ExpectedVersionStale(Refusal):
    """The caller decided on the ground of a version that is no longer the last."""

    says: ClassVar[str] = "The {subject} {stream_id} is at version {version}, not at {expected_version}."
    remedy: ClassVar[str] = "Read it again, decide again, and send the version that you read."

    subject: str
    stream_id: UUID
    expected_version: int
    version: int


@dataclass(eq=False)
class SubjectBusy(Refusal):
    """Others kept recording in this complaint, customer or other subject while the command was decided."""

    says: ClassVar[str] = "The {subject} {stream_id} was changed by others {decisions} times while this was decided."
    remedy: ClassVar[str] = "Nothing was recorded. Send it again."

    subject: str
    stream_id: UUID
    decisions: int = DECISIONS_MAX


@dataclass(eq=False)
class IdempotencyKeyReused(Refusal):
    """The same key came with another request."""

    says: ClassVar[str] = "The idempotency key {key} was used for another request."
    remedy: ClassVar[str] = "Nothing was recorded. Use a new key for each request, and the same one only to repeat it."

    key: str


class KeysOfAnotherBook(KeysUnusable):
    """The key store at hand is not the one that this book was written with."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a caller gets for an accepted command. Positions are None where everything was so already.

    `root` is the tree's root in hex at `tree_size`, which covers the events of this receipt.
    """

    book: str
    stream_id: UUID
    version: int
    first_position: int | None
    last_position: int | None
    tree_size: int
    root: str
    recorded_at: datetime | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """Events of one stream that no caller commands: an import, a demo, the passing of time. Personal values are clear.

    They follow `after_version`, 0 in a new stream. `given` is what the identity of the request is judged by: the same
    key with other bytes is refused.
    """

    stream_id: UUID
    events: Sequence[Event]
    principal: str
    key: str
    given: bytes
    command: str
    after_version: int = 0


class Ledger(Application[UUID]):
    """One book. Safe for many threads: their commands share durable commits."""

    def __init__(
        self,
        database: Database,
        book: str,
        keys: SubjectKeys,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(
            env={
                "PERSISTENCE_MODULE": "ledger.recorder",
                "LEDGER_DATABASE_URL": database.dsn(Role.APPLICATION),
                "LEDGER_BOOK": book,
            }
        )
        self.book = book
        self._database = database
        self._keys = keys
        self.keys_folder = keys.folder
        self._clock = clock
        self._fingerprint_key = keys.secret(fingerprint_secret(book))
        self._keys_are_the_books = False
        self._states = States()
        self.record.check_first(self._check_before_recording)

    @property
    def keys(self) -> SubjectKeys:
        """The store of keys that this book is written with."""
        return self._keys

    @property
    def record(self) -> BookRecorder:
        """The recorder that all commands of this book go through."""
        return cast("BookRecorder", self.recorder)

    def handle(
        self,
        command: Command,
        *,
        principal: str,
        key: str | None = None,
        given: bytes | None = None,
        expected_version: int | None = None,
    ) -> Receipt:
        """Decides the command and records what follows from it, durably; returns its receipt.

        `given` is the request as the caller gave it, without what the program made for it; a repeat under the same
        `key` gets the first receipt, whatever has happened since. Raises a Refusal, and nothing was recorded, or
        `eventsourcing.persistence.OperationalError` while the database is away.
        Costs one read of the stream and a share of one commit.
        """
        self._refuse_other_keys()
        fingerprint = self._fingerprint(given if given is not None else as_given(command))
        if key is not None:
            earlier = self._earlier(principal, key, fingerprint)
            if earlier is not None:
                return earlier
        try:
            return self._decided(command, principal, key, fingerprint, expected_version)
        except Refusal:
            # the same request may have been stored by a twin since the look above: then that is the answer
            earlier = None if key is None else self._earlier(principal, key, fingerprint)
            if earlier is None:
                raise
            return earlier

    def _decided(
        self,
        command: Command,
        principal: str,
        key: str | None,
        fingerprint: bytes,
        expected_version: int | None,
    ) -> Receipt:
        subject = subject_of(type(command))
        stream_id = subject.stream(command, self.id)
        for decision in range(DECISIONS_MAX):
            if decision:
                time.sleep(random.uniform(0, PAUSE_SECONDS * decision))  # noqa: S311 - nothing rests on its secrecy
            state, last_version = self._folded(subject, stream_id)
            if not last_version and not subject.derived and stream_id.version == 5:
                raise IdOfAnother(subject.name, stream_id)  # of a stream that the ledger makes when it is first needed
            if expected_version is not None and last_version != expected_version:
                if not last_version:  # the rules say that there is none, unless the command is to begin it
                    subject.decide(state, command, self._given(command, state, principal))
                raise ExpectedVersionStale(subject.name, stream_id, expected_version, last_version)
            given = self._given(command, state, principal)
            own = subject.decide(state, command, given)
            beside, places = self._beside(subject, command, given) if own else ([], [])
            events = [*beside, *own]  # its own last: the receipt and the request's row name the last event's stream
            places += [(stream_id, version) for version, _ in enumerate(own, last_version + 1)]
            sealed, disclosures = seal_all(events, self._keys)
            self._add_to_index([(stream_id, event) for event in events])
            request = Request(
                events=(),  # the mapper makes their stored form on the way
                principal=principal,
                fingerprint=fingerprint,
                stream_id=stream_id,
                version=last_version + len(own),
                disclosures=[_to_vault(disclosure) for disclosure in disclosures],
            )
            if key is not None:
                request.key = key
            envelopes = (
                Recorded(place, version, event, principal, command.command_name())
                for (place, version), event in zip(places, sealed, strict=True)
            )
            try:
                self.save(*envelopes, request=request)
            except VersionConflict:
                if decision:  # once, somebody was faster; twice, the state that was kept may be of another database
                    for place in {stream_id, *(each for each, _ in places)}:
                        self._states.forget(subject, place)
                continue
            except KeyReused:
                raise IdempotencyKeyReused(request.key) from None
            assert request.outcome is not None
            return self._receipt(request.outcome)
        raise SubjectBusy(subject.name, stream_id)

    def _beside(
        self, subject: Subject[Any], command: Command, given: Given
    ) -> tuple[Sequence[Event], list[tuple[UUID, int]]]:
        """What the command leads to in the other stream that it is recorded in too, each fact with its place there."""
        found = subject.counterpart(command)
        if found is None:
            return [], []
        other_id, counterpart = found
        state, last_version = self._folded(subject, other_id)
        second = counterpart(state)
        events = [] if second is None else subject.decide(state, second, given)
        return events, [(other_id, version) for version, _ in enumerate(events, last_version + 1)]

    @cached_property
    def id(self) -> UUID:
        """An id of the book's own, derived from its origin: what a book has one of, has its stream under it."""
        with as_the_library_says(), self.record.pool.connection() as connection:
            return book_id(head(connection, self.book).origin)

    def state(self, subject: str, stream_id: UUID) -> tuple[Any, int]:
        """A subject of the name as it is now, and its version; 0 where nothing is recorded. Costs one read of its stream."""
        kind = subject_named(subject)
        try:
            return self._folded(kind, stream_id)
        except IdOfAnother:
            return kind.nothing, 0

    def complaint(self, complaint_id: UUID) -> Complaint:
        """The complaint as it is now; raises ComplaintNotFound. Costs one read of its stream."""
        complaint, version = self.state("complaint", complaint_id)
        if version == 0:
            raise ComplaintNotFound(complaint_id)
        return cast("Complaint", complaint)

    @cached_property
    def index(self) -> BlindIndex:
        """Finds data subjects of this book by values that stand nowhere in clear."""
        return BlindIndex(self._keys, self.book)

    def restricted_since(self, subject_id: UUID) -> datetime | None:
        """From when on a person's values are stored and secured, and no more; None where they are not restricted."""
        subject = cast("DataSubject", self.state("data-subject", subject_stream(self.id, subject_id))[0])
        return subject.restricted_since

    @cached_property
    def words(self) -> WordIndex:
        """Finds files of this book by words that stand nowhere in clear."""
        return WordIndex(self._keys, self.book)

    def index_again(self, facts: Sequence[tuple[UUID, Event]]) -> None:
        """Indexes what is recorded already, each fact with its stream and its values in clear; what is there stays."""
        self._add_to_index(facts, events_follow=False)

    def _add_to_index(self, facts: Sequence[tuple[UUID, Event]], *, events_follow: bool = True) -> None:
        """Before the events are stored: a row too many is harmless, a row too few is a customer who is not found."""
        rows, texts = self.index.rows_of(event for _, event in facts), self.words.rows_of(facts)
        if rows or texts:
            with as_the_library_says(), self.record.pool.connection() as connection:
                self.index.add(connection, rows, events_follow=events_follow)
                self.words.add(connection, texts, events_follow=events_follow)

    def record_in_bulk(self, requests: Iterable[BulkRequest]) -> Iterator[tuple[BulkRequest, Receipt | Exception]]:
        """Records in many streams, many to a commit, in constant memory; yields each with its receipt or its error.

        What a key already has is answered from the record without being sealed anew. The rules are not asked: the
        events were decided by who hands them over. Errors are IdempotencyKeyReused, VersionConflict, or what the
        database says of that one request; a fault of the whole (the database away) is raised.
        """
        self._refuse_other_keys()
        appender = Appender(self._connect_checked, self.book)
        waiting = iter(requests)
        try:
            while chunk := list(islice(waiting, BULK_CHUNK_REQUESTS)):
                yield from self._record_chunk(appender, chunk)
        finally:
            appender.close()

    def _check_before_recording(self, connection: Connection) -> None:
        """Each connection that will record is held against what was signed: the server behind it may be another now."""
        check_against_last(connection, self.book, self.keys_folder)

    def _connect_checked(self) -> Connection:
        connection = self._database.connect(Role.APPLICATION, autocommit=True)
        try:
            self._check_before_recording(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_other_keys(self) -> None:
        """A book and its keys belong together from the first time that they meet; looked up once.

        Another store would seal values that nobody can open again, and would take repeats for new requests.
        """
        if self._keys_are_the_books:
            return
        mark = mark_of(self._keys, self.book)
        with as_the_library_says(), self.record.pool.connection() as connection:
            found = keys_of(connection, self.book)
        if found is None:
            found = self._joined_to(mark)
        if found not in (None, mark):
            raise KeysOfAnotherBook(
                f"these are not the keys with which the book {self.book} was written: put the folder `keys` back "
                "from its backup, or name the right one; nothing was recorded"
            )
        self._keys_are_the_books = True

    def _joined_to(self, mark: str) -> str | None:
        """The owner joins a book to its keys, not the role that records: that one could name a store that is nowhere."""
        try:
            with closing(self._database.connect(Role.OWNER)) as owner:
                return claim_keys(owner, self.book, mark)
        except RoleNotGranted as not_granted:
            raise KeysOfAnotherBook(
                f"the book {self.book} belongs to no keys yet, and this login may not join them: run "
                "`complaint-ledger migrate --join-keys` once with these keys and a login that may act as ledger_owner"
            ) from not_granted

    def _record_chunk(
        self, appender: Appender, chunk: Sequence[BulkRequest]
    ) -> Iterator[tuple[BulkRequest, Receipt | Exception]]:
        answered = self._answered(chunk)
        new: list[tuple[BulkRequest, Request]] = []
        for bulk, fingerprint in zip(chunk, map(self._fingerprint, (bulk.given for bulk in chunk)), strict=True):
            earlier = answered.get((bulk.principal, bulk.key))
            if earlier is None:
                new.append((bulk, self._bulk_request(bulk, fingerprint)))
            elif hmac.compare_digest(earlier[0], fingerprint):
                yield bulk, self._receipt(earlier[1])
            else:
                yield bulk, IdempotencyKeyReused(bulk.key)
        self._seal_together(new)
        for (bulk, _), (_, result) in zip(new, appender.append_all(request for _, request in new), strict=True):
            yield bulk, self._bulk_result(bulk, result)

    def _answered(self, chunk: Sequence[BulkRequest]) -> dict[tuple[str, str], tuple[bytes, Outcome]]:
        found: dict[tuple[str, str], tuple[bytes, Outcome]] = {}
        with self.record.pool.connection() as connection:
            for principal in {bulk.principal for bulk in chunk}:
                keys = [bulk.key for bulk in chunk if bulk.principal == principal]
                for key, answer in answered_under(connection, self.book, principal, keys).items():
                    found[principal, key] = answer
        return found

    def _bulk_request(self, bulk: BulkRequest, fingerprint: bytes) -> Request:
        return Request(
            events=(),
            principal=bulk.principal,
            key=bulk.key,
            fingerprint=fingerprint,
            stream_id=bulk.stream_id,
            version=bulk.after_version + len(bulk.events),
        )

    def _seal_together(self, new: Sequence[tuple[BulkRequest, Request]]) -> None:
        """One durable write of new subject keys for all of them, before any of them is stored."""
        events = [event for bulk, _ in new for event in bulk.events]
        sealed, disclosures = seal_all(events, self._keys)
        self._add_to_index([(bulk.stream_id, event) for bulk, _ in new for event in bulk.events])
        disclosed: dict[int, list[Disclosure]] = defaultdict(list)
        for disclosure in disclosures:
            disclosed[disclosure.event_index].append(disclosure)
        first = 0
        for bulk, request in new:
            own = range(first, first + len(bulk.events))
            envelopes = [
                Recorded(bulk.stream_id, version, sealed[index], bulk.principal, bulk.command)
                for version, index in enumerate(own, bulk.after_version + 1)
            ]
            request.events = [
                NewEvent(each.originator_id, each.originator_version, NAME_OF[type(each.event)], each.state())
                for each in envelopes
            ]
            request.disclosures = [_to_vault(each, first) for index in own for each in disclosed[index]]
            first += len(bulk.events)

    def _bulk_result(self, bulk: BulkRequest, result: Outcome | Exception) -> Receipt | Exception:
        if isinstance(result, Exception):
            return result
        match result.kind:
            case "stored" | "replayed":
                return self._receipt(result)
            case "key-reused":
                return IdempotencyKeyReused(bulk.key)
            case "version-conflict" | "tracking-conflict":
                return VersionConflict(f"the stream {bulk.stream_id} is not at version {bulk.after_version}")

    def tables(self) -> Tables:
        """The code tables in force. Costs one read, of no row where nothing was published since."""
        with as_the_library_says(), self.record.pool.connection() as connection:
            return self._circumstances.tables(connection)

    def evidence_store(self) -> EvidenceStore:
        """The files of evidence of this book, over connections of its own: whoever asks for it closes it."""
        writing = Pool(lambda: self._database.connect(Role.APPLICATION, autocommit=True))
        reading = Pool(lambda: self._database.connect(Role.VAULT, autocommit=True))
        return EvidenceStore(self.book, self._keys, writing, reading)

    @cached_property
    def _circumstances(self) -> Circumstances:
        return Circumstances(self.book, tables_stream(self.id))

    def _given(self, command: Command, state: object, principal: str) -> Given:
        with as_the_library_says(), self.record.pool.connection() as connection:
            return self._circumstances.given(connection, command, self._clock, state, principal)

    def _folded(self, subject: Subject[Any], stream_id: UUID) -> tuple[Any, int]:
        """The state now, from the one that was kept and what was recorded since. Raises IdOfAnother."""
        state, version = self._states.get(subject, stream_id)
        with as_the_library_says(), self.record.pool.connection() as connection:
            rows = stream_events(connection, self.book, stream_id, after_version=version or None)
        if rows:
            if not version and not issubclass(class_of(rows[0].name), subject.events):
                raise IdOfAnother(subject.name, stream_id)
            state = subject.folded(state, [opened(row).event for row in rows])
            version = rows[-1].version
            self._states.keep(subject, stream_id, state, version)
        return state, version

    def _earlier(self, principal: str, key: str, fingerprint: bytes) -> Receipt | None:
        with as_the_library_says(), self.record.pool.connection() as connection:
            answered = answered_under(connection, self.book, principal, [key]).get(key)
        if answered is None:
            return None
        if not hmac.compare_digest(answered[0], fingerprint):
            raise IdempotencyKeyReused(key)
        return self._receipt(answered[1])

    def _receipt(self, outcome: Outcome) -> Receipt:
        assert outcome.stream_id is not None
        assert outcome.version is not None
        assert outcome.tree_size is not None
        assert outcome.root is not None
        return Receipt(
            book=self.book,
            stream_id=outcome.stream_id,
            version=outcome.version,
            first_position=outcome.first_position,
            last_position=outcome.last_position,
            tree_size=outcome.tree_size,
            root=outcome.root.hex(),
            recorded_at=outcome.recorded_at,
            replayed=outcome.kind == "replayed",
        )

    def _fingerprint(self, given: bytes) -> bytes:
        """HMAC-SHA-256: what was asked cannot be guessed from it without the key."""
        return hmac.digest(self._fingerprint_key, given, hashlib.sha256)

    def construct_mapper(self) -> Mapper[UUID]:
        return self.factory.mapper(transcoder=self.construct_transcoder(), mapper_class=RecordedMapper)


def as_given(command: Command) -> bytes:
    """A command as it was given: what the caller set, without the ids that the program made."""
    made = set(assigned_fields(type(command)))
    content = command.model_dump(mode="json", exclude_unset=True, exclude=made)
    return orjson.dumps([command.command_name(), content], option=orjson.OPT_SORT_KEYS)


def _to_vault(disclosure: Disclosure, first: int = 0) -> NewDisclosure:
    return NewDisclosure(
        disclosure.event_index - first,
        disclosure.digest,
        disclosure.subject_id,
        disclosure.path,
        disclosure.tier,
        disclosure.ciphertext,
    )
