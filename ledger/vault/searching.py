"""Searching for files and persons without opening a value: what is found is recorded, and only then told.

Who may search at all stands in the table of roles; which of the found files a searcher may be told of is decided here.
"""

from collections.abc import Iterable
from typing import NamedTuple, cast
from uuid import UUID, uuid4

from ledger.access import commands as ask
from ledger.access.events import FOUND_MAX, VALUES_MAX
from ledger.access.refusals import NoSuchPerson, TooFewCharacters
from ledger.access.rules import DataSubject, subject_stream
from ledger.application import Ledger
from ledger.complaint.grounds import same_person
from ledger.complaint.state import Complaint
from ledger.names import class_of
from ledger.record.envelope import opened
from ledger.record.reading import stream_events
from ledger.subjects import SUBJECTS
from ledger.vault.index import Alike
from ledger.vault.persons import streams_of
from ledger.vault.reach import reaches
from ledger.vault.service import Vault

CHARACTERS_MIN = 2
COMPLAINT = "complaint"
DUPLICATES = "duplicates"
"""The kind of search that is recorded where somebody asked who may be the same person."""


class Searcher(NamedTuple):
    """Who searches, and the departments that are theirs; None for who sees the whole book."""

    principal: str
    departments: frozenset[str] | None


class File(NamedTuple):
    """A file that was found."""

    stream_id: UUID
    subject: str
    subject_ids: list[UUID]


class Files(NamedTuple):
    """A page of what was found; `next_after` None where there is no more."""

    files: list[File]
    next_after: UUID | None


class Person(NamedTuple):
    """A data subject that was looked up, with its complaints that the searcher may see."""

    subject_id: UUID
    complaint_ids: list[UUID]


def search(ledger: Ledger, vault: Vault, asked: ask.SearchFiles, who: Searcher) -> Files:
    """The files that have the words, by id, without those of others' departments and of restricted persons.

    A page may hold less than its limit, and be followed by another. Raises TooFewCharacters or UnknownCode
    (of the purpose), and nothing is recorded.
    Costs one look-up, the folding of what is found, and one commit.
    """
    if not ledger.words.terms(asked.words):
        raise TooFewCharacters(CHARACTERS_MIN)
    with vault.connection() as connection:
        found = ledger.words.find(connection, asked.words, asked.after or UUID(int=0), asked.limit)
    seen = _not_restricted(ledger, {each for file in found for each in file.subject_ids})
    files: list[File] = []
    for stream_id, subject_ids in found:
        mine = [each for each in subject_ids if each in seen]
        subject = _subject_of(ledger, stream_id)
        if mine and subject is not None and _reached(ledger, subject, stream_id, who):
            files.append(File(stream_id, subject, mine))
    told = {each for file in files for each in file.subject_ids}
    _record(ledger, "words", asked.purpose, (file.stream_id for file in files), told, who)
    return Files(files, found[-1].stream_id if len(found) == asked.limit else None)


def look_up(ledger: Ledger, vault: Vault, asked: ask.LookUpPerson, who: Searcher) -> list[Person]:
    """The persons who have exactly this value. Costs one look-up, the folding of what is found, and one commit.

    A searcher who works within departments is told of persons who stand in a complaint that he may see, or in none.
    """
    with ledger.record.pool.connection() as connection:
        found = ledger.index.find(connection, asked.kind, asked.value, FOUND_MAX)
    persons: list[Person] = []
    for subject_id in sorted(_not_restricted(ledger, found)):
        mine = complaints_of(ledger, vault, subject_id, who)
        if mine is not None:
            persons.append(Person(subject_id, mine))
    files = [each for person in persons for each in person.complaint_ids][:FOUND_MAX]
    _record(ledger, asked.kind, asked.purpose, files, {each.subject_id for each in persons}, who)
    return persons


def duplicates(ledger: Ledger, vault: Vault, asked: ask.FindDuplicates, who: Searcher) -> list[Alike]:
    """Who may be the same person as a customer by the blind index, and is not known to be another one; who shares most first.

    Nobody is told of who was erased, for whom an erasure was asked for, or of whom the searcher may not know, and nobody is
    told to be like such a one. Raises NoSuchPerson for a customer of whom he may not know, or UnknownCode (of the purpose), and
    nothing is recorded. Costs one look-up, the folding of who is found, and one commit.
    """
    customer_id = asked.customer_id
    if complaints_of(ledger, vault, customer_id, who) is None:
        raise NoSuchPerson(customer_id)
    found: list[Alike] = []
    if ledger.restricted_since(customer_id) is None:
        with ledger.record.pool.connection() as connection:
            found = ledger.index.alike(connection, customer_id, FOUND_MAX)
    others = _not_restricted(ledger, {each.subject_id for each in found})
    told = [
        each
        for each in found
        if each.subject_id in others
        and not _ruled_out(ledger, customer_id, each.subject_id)
        and complaints_of(ledger, vault, each.subject_id, who) is not None
    ]
    _record(ledger, DUPLICATES, asked.purpose, (), {each.subject_id for each in told}, who, alike_id=customer_id)
    return told


def _ruled_out(ledger: Ledger, one: UUID, other: UUID) -> bool:
    """Whether it was recorded of either of two customers that the other is another person."""
    return any(each in ledger.state("customer", of)[0].ruled_out for of, each in ((one, other), (other, one)))


def complaints_of(ledger: Ledger, vault: Vault, subject_id: UUID, who: Searcher) -> list[UUID] | None:
    """The complaints of a person that somebody may see; None where nothing is kept of the person, or only what is others'.

    A complaint that somebody filed himself about a person whom others know makes the person no more his than before.
    """
    streams = streams_of(ledger, vault, subject_id)
    complaints = [each for each in streams if _subject_of(ledger, each) == COMPLAINT]
    mine = [each for each in complaints if _reached(ledger, COMPLAINT, each, who)]
    if who.departments is None or not complaints:
        return mine if streams else None
    opens_nothing = len(mine) < len(complaints) and all(_is_only_filed(ledger, each, who) for each in mine)
    return None if opens_nothing else mine


def _is_only_filed(ledger: Ledger, complaint_id: UUID, who: Searcher) -> bool:
    """Whether the searcher filed a complaint that nobody was given yet: else a made-up one would open others' customers."""
    if cast("Complaint", ledger.state(COMPLAINT, complaint_id)[0]).assignment is not None:
        return False
    with ledger.record.pool.connection() as connection:
        (first,) = stream_events(connection, ledger.book, complaint_id, events_max=1)
    return same_person(opened(first).recorded_by, who.principal)


def refuse_others_person(ledger: Ledger, vault: Vault, subject_id: UUID, who: Searcher) -> None:
    """Raises NoSuchPerson for one that somebody may not know of. Costs a folding of each of his complaints.

    Whether there is such a person at all, the rules of access ask.
    """
    if who.departments is not None and complaints_of(ledger, vault, subject_id, who) is None:
        raise NoSuchPerson(subject_id)


def _record(
    ledger: Ledger,
    kind: str,
    purpose: str,
    found: Iterable[UUID],
    subjects: Iterable[UUID],
    who: Searcher,
    alike_id: UUID | None = None,
) -> None:
    """The search is durable before anything of it is told."""
    command = ask.RecordSearch(
        search_id=uuid4(),
        kind=kind,
        purpose=purpose,
        found_ids=tuple(found),
        subject_ids=tuple(sorted(subjects))[:VALUES_MAX],
        alike_id=alike_id,
        searched_by=who.principal,
    )
    ledger.handle(command, principal=who.principal)


def _not_restricted(ledger: Ledger, subjects: Iterable[UUID]) -> set[UUID]:
    """Those that are not erased, and for whom no erasure was asked for: a legal claim names its complaint, and asks for access."""
    found = set(subjects)
    found -= set(ledger.keys.erased(found))
    states = {each: ledger.state("data-subject", subject_stream(ledger.id, each))[0] for each in found}
    return {each for each, state in states.items() if cast("DataSubject", state).restricted_since is None}


def _subject_of(ledger: Ledger, stream_id: UUID) -> str | None:
    """What kind of file a stream is; None where a row of the index is of a fact that was then not recorded."""
    with ledger.record.pool.connection() as connection:
        first = stream_events(connection, ledger.book, stream_id, events_max=1)
    if not first:
        return None
    module = class_of(first[0].name).__module__
    return next(
        (each.name for each in SUBJECTS if each.commands.__module__.split(".")[1] == module.split(".")[1]), "other"
    )


def _reached(ledger: Ledger, subject: str, stream_id: UUID, who: Searcher) -> bool:
    """Whether a file is the searcher's to know of: of the departments it is only complaints that are kept apart."""
    if who.departments is None or subject != COMPLAINT:
        return True
    complaint = cast("Complaint", ledger.state(COMPLAINT, stream_id)[0])
    return reaches(ledger, complaint, who.principal, who.departments)
