"""Books to compute figures of: a piece of the made-up year, random stories with corrections, and CFPB rows."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from api.command import cfpb
from api.command.demo import fill
from api.command.demo.complaints import year
from api.command.demo.hours import OfficeHours
from api.command.demo.officers import branches
from ledger.application import Ledger, Receipt
from ledger.complaint.aftercare import ComplaintArchived
from ledger.complaint.events import (
    ComplaintClassified,
    ComplaintEvent,
    ComplaintReopened,
    OutcomeDisputed,
    ProposalAccepted,
    SatisfactionRated,
    SolutionProposed,
)
from ledger.complaint.moving import ComplaintMerged, ComplaintRuledOut, ComplaintTransferred, GroupRecognised
from ledger.complaint.settlement import ComplaintEscalated
from ledger.customer.events import (
    CustomerEvent,
    CustomerFactAnnulled,
    CustomerMerged,
    CustomerRegistered,
    CustomerSplit,
    CustomerTier,
    CustomerTiered,
)
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.interaction.events import (
    InteractionAnswered,
    InteractionAssigned,
    InteractionBecameComplaint,
    InteractionEvent,
    InteractionFactAnnulled,
    InteractionKind,
    InteractionRated,
    InteractionRecorded,
    InteractionReviewed,
)
from ledger.tables.commands import PublishCodeTables
from ledger.tables.table import Coded, built_in_tables
from projections.catalogue import PROJECTIONS
from projections.worker import catch_up
from tests.projections.stories import WORDS, Told, about, interleaved, received, record

CHINA = built_in_calendars()["china"]
END = datetime.fromisoformat("2026-11-20T00:00+08:00")
BRANCHES = PublishCodeTables(
    tables={"branch": (*branches(), Coded(code="b1", zh="一支行", en="Branch one", more={"region": "hubei"}))},
    published_by="li",
    published_at=datetime.fromisoformat("2026-01-01T00:00+08:00"),
)
"""The branches of the books and their regions; a branch that is not among them has none that is known."""


OWN = PublishCodeTables(
    tables={
        "channel": (
            *built_in_tables()["channel"].values(),
            Coded(code="own-counter", zh="本行柜台", en="Our counter", more={"jrt": "branch"}),
        ),
        "product": (
            *(
                row.model_copy(update={"more": {"jrt": "other-intermediary-business"}}) if row.code == "loan" else row
                for row in built_in_tables()["product"].values()
            ),
            Coded(code="own-account", zh="本行账户", en="Our account", more={"jrt": "rmb-savings"}),
            Coded(code="own-novelty", zh="本行新品", en="Our novelty"),
        ),
        "category": (
            *built_in_tables()["category"].values(),
            Coded(code="own-fees", zh="本行收费", en="Our fees", more={"jrt": "pricing-and-charges"}),
        ),
        "acme-product": (Coded(code="x1", zh="甲产品", en="Product X1", more={"jrt": "precious-metals"}),),
        "acme-category": (Coded(code="slow", zh="慢", en="Slow", more={"jrt": "rules-and-processes"}),),
    },
    published_by="li",
    published_at=datetime.fromisoformat("2026-01-01T00:00+08:00"),
)
"""An institution's own codes and scheme, some with a place in JR/T 0169-2018; one built-in code has another place."""


def made_up_year(ledger: Ledger, complaints: int) -> None:
    """The demo, of so many complaints, with its year's end fixed."""
    stories = year(fill.SEED, END, complaints, OfficeHours(CHINA))
    for _, answer in ledger.record_in_bulk(fill._request(story) for story in stories):
        assert isinstance(answer, Receipt), answer


def stories(database: Database, book: str, complaints: int, seed: int = 7) -> None:
    """Corrections and annulments among interleaved events, and what the made-up year has none of."""
    told = interleaved(seed, complaints)
    rng = random.Random(seed + 1)  # other ids than the stories have
    known = record(database, book, told)
    record(database, book, list(_rare(rng, [each for each, _ in told])), known)
    record(database, book, list(_coded(rng)))
    record(database, book, list(_customers(rng)))  # type: ignore[arg-type]  # the helper knows complaints by name only
    record(database, book, list(_contacts(rng)))  # type: ignore[arg-type]  # as above


def cfpb_rows(database: Database, book: str, rows: int) -> None:
    """What the importer makes of rows of the CFPB publication; the narrative left out, since it is personal."""
    told: list[Told] = []
    for stated in cfpb_stated(rows):
        complaint_id = UUID(int=stated.line)
        told += [(complaint_id, fact) for fact in cfpb.facts(stated, complaint_id, CHINA)]
    record(database, book, told)


def cfpb_stated(rows: int) -> Iterator[cfpb.Stated]:
    rng = random.Random(3)
    for number in range(1, rows + 1):
        received_on = date(2026, 1, 1) + timedelta(days=rng.randrange(300))
        yield cfpb.Stated(
            line=number,
            identifier=f"{number + 7_000_000}",
            received_on=received_on,
            sent_on=received_on + timedelta(days=rng.randrange(5)),
            product=rng.choice(["Mortgage", "Credit card", "Checking or savings account"]),
            sub_product=rng.choice([None, "FHA mortgage"]),
            issue=rng.choice([None, "Fees"]),
            sub_issue=None,
            narrative=None,
            channel=rng.choice(["web", "phone", "letter"]),
            company=rng.choice(["A BANK", "B BANK"]),
            outcome=rng.choice([None, "In progress", "Closed with explanation", "Closed with monetary relief"]),
            timely=rng.choice([None, True, True, False]),
            disputed=rng.random() < 0.2,
            row=b"",
        )


def caught_up(database: Database, book: str) -> int:
    """Works in everything; returns the position."""
    return {catch_up(database, book, name) for name in PROJECTIONS}.pop()


def _rare(rng: random.Random, complaints: list[UUID]) -> Iterator[Told]:
    """For some of the complaints, one more fact each; and a few that are ruled out, merged or of one customer."""
    first = complaints[0]
    for number, complaint_id in enumerate(dict.fromkeys(complaints)):
        at = datetime.fromisoformat("2026-03-01T10:00+08:00") + timedelta(hours=rng.randrange(2_000))
        yield from ((complaint_id, fact) for fact in _more(rng, number, complaint_id, at))
    for number in range(40):
        complaint_id = UUID(int=rng.getrandbits(128), version=4)
        at = datetime.fromisoformat("2026-01-01T10:00+08:00") + timedelta(days=rng.randrange(200))
        customer = {"customer_id": UUID(int=number % 7)}
        receipt = received(complaint_id, at, product="loan", branch="b1").model_copy(update=customer)
        yield complaint_id, receipt
        later = at + timedelta(days=9)
        if number % 3 == 0:
            yield (
                complaint_id,
                ComplaintRuledOut(**customer, nature="enquiry", reason=WORDS, ruled_out_by="li", ruled_out_at=later),
            )
        elif number % 3 == 1:
            yield complaint_id, ComplaintMerged(**customer, into_complaint_id=first, merged_by="li", merged_at=later)


def _coded(rng: random.Random) -> Iterator[Told]:
    """Complaints that state an institution's own codes (`OWN`): received with them, and classified by either scheme."""
    terms = [
        {"scheme": "house", "category": "own-fees"},
        {"scheme": "house", "category": "service", "product": "own-account", "issue": "bad-attitude"},
        {"scheme": "house", "category": "service", "product": "own-novelty"},
        {"scheme": "acme", "category": "slow", "product": "x1"},
        {"scheme": "acme", "category": "quick"},
        None,
    ]
    for number in range(24):
        complaint_id = UUID(int=rng.getrandbits(128), version=4)
        at = datetime.fromisoformat("2026-01-05T10:00+08:00") + timedelta(days=rng.randrange(120))
        product = rng.choice(["loan", "own-account", "own-novelty"])
        yield complaint_id, received(complaint_id, at, product=product).model_copy(update={"channel": "own-counter"})
        if stated := terms[number % len(terms)]:
            yield (
                complaint_id,
                ComplaintClassified(**about(complaint_id), **stated, classified_by="li", classified_at=at),
            )


def _customers(rng: random.Random) -> Iterator[tuple[UUID, CustomerEvent]]:
    """Those whose complaints are ruled out, merged or neither, with their tiers: given, changed, annulled, never given."""
    at = datetime.fromisoformat("2025-12-01T10:00+08:00")
    for number in range(7):
        who = UUID(int=number)
        tier = rng.choice([None, *CustomerTier])
        yield who, CustomerRegistered(customer_id=who, tier=tier, registered_by="li", registered_at=at)
        for _ in range(rng.randrange(3)):
            yield (
                who,
                CustomerTiered(customer_id=who, tier=rng.choice(list(CustomerTier)), tiered_by="li", tiered_at=at),
            )
        if number % 3 == 1:
            yield (
                who,
                CustomerFactAnnulled(
                    customer_id=who,
                    annulled_version=rng.choice([1, 2]),
                    reason=WORDS,
                    annulled_by="li",
                    approved_by="wang",
                    annulled_at=at,
                ),
            )
    yield from _mergings(at + timedelta(days=1))


def _mergings(at: datetime) -> Iterator[tuple[UUID, CustomerEvent]]:
    """Records of one person: a chain, a circle, a merging that was split again, and one that never was."""
    by = {"approved_by": "wang"}
    for one, into in ((6, 10), (10, 5), (3, 2), (2, 3), (0, 1), (4, 13), (13, 5)):
        who = UUID(int=one)
        if one >= 10:
            yield who, CustomerRegistered(customer_id=who, registered_by="li", registered_at=at)
        yield who, CustomerMerged(customer_id=who, into_customer_id=UUID(int=into), merged_by="li", merged_at=at, **by)
    later = at + timedelta(days=1)
    alone, never = UUID(int=0), UUID(int=13)
    yield alone, CustomerSplit(customer_id=alone, reason=WORDS, split_by="li", split_at=later, **by)
    annulment = {"annulled_version": 2, "reason": WORDS, "annulled_by": "li", "annulled_at": later}
    yield never, CustomerFactAnnulled(customer_id=never, **annulment, **by)


def _contacts(rng: random.Random) -> Iterator[tuple[UUID, InteractionEvent]]:
    """Contacts of every kind: answered in time, late or never, rated, reviewed, grown into complaints, taken back."""
    for number in range(60):
        contact_id = UUID(int=rng.getrandbits(128), version=4)
        who = {"customer_id": UUID(int=number % 9)}
        at = datetime.fromisoformat("2026-02-01T10:00+08:00") + timedelta(hours=rng.randrange(4_000))
        later = at + timedelta(hours=rng.choice([1, 24, 25, 90]))
        facts: list[InteractionEvent] = [
            InteractionRecorded(
                **who,
                kind=rng.choice(list(InteractionKind)),
                channel=rng.choice(["phone", "branch"]),
                direction="inbound",
                branch="b1" if number % 2 else None,
                taken_by="li",
                asked_at=at,
            )
        ]
        if rng.random() < 0.5:
            facts.append(InteractionAssigned(**who, department="cards", assigned_by="li", assigned_at=at))
        if rng.random() < 0.8:
            facts.append(
                InteractionAnswered(**who, channel="phone", outcome="answered", answered_by="li", answered_at=later)
            )
        if rng.random() < 0.5:
            facts.append(
                InteractionRated(**who, overall=rng.randint(1, 5), channel="phone", asked_by="li", rated_at=later)
            )
        if rng.random() < 0.3:
            facts.append(
                InteractionReviewed(**who, satisfactory=rng.random() < 0.7, reviewed_by="wang", reviewed_at=later)
            )
        if rng.random() < 0.2:
            facts.append(InteractionBecameComplaint(**who, complaint_id=contact_id, turned_by="li", turned_at=later))
        if rng.random() < 0.2:
            facts.append(
                InteractionFactAnnulled(
                    **who,
                    annulled_version=rng.randint(1, len(facts)),
                    reason=WORDS,
                    annulled_by="li",
                    approved_by="wang",
                    annulled_at=later,
                )
            )
        yield from ((contact_id, fact) for fact in facts)


def _more(rng: random.Random, number: int, complaint_id: UUID, at: datetime) -> list[ComplaintEvent]:
    who: dict[str, Any] = about(complaint_id)
    if number % 4 == 0:
        ratings = [_rating(rng, complaint_id, at + timedelta(days=each)) for each in range(rng.randrange(1, 4))]
        return [*ratings, ComplaintArchived(**who, archived_by="li", archived_at=at + timedelta(days=100))]
    if number % 4 == 1:
        return [
            ComplaintTransferred(**who, body="pboc", received_by="li", received_at=at),
            GroupRecognised(**who, complainants=25, recognised_by="li", recognised_at=at),
        ]
    if number % 4 == 2:
        proposal = SolutionProposed(
            **who,
            proposal_id=complaint_id,
            content=WORDS,
            compensation_kind=rng.choice(["refund", "apology-only"]),
            compensation_minor=rng.choice([None, 1200, 99]),
            currency=rng.choice(["CNY", "CNY", "USD"]),
            proposed_by="li",
            proposed_at=at,
        )
        return [proposal, ProposalAccepted(**who, proposal_id=complaint_id, accepted_at=at, noted_by="li")]
    return [
        ComplaintEscalated(
            **who, escalation_id=complaint_id, to="management", reason=WORDS, escalated_by="li", escalated_at=at
        ),
        OutcomeDisputed(**who, source="cfpb", noted_by="li"),
        ComplaintReopened(**who, reason=WORDS, new_facts=False, reopened_by="li", reopened_at=at),
    ]


def _rating(rng: random.Random, complaint_id: UUID, at: datetime) -> SatisfactionRated:
    return SatisfactionRated(
        **about(complaint_id),
        resolution_id=complaint_id,
        overall=rng.randint(1, 5),
        attitude=rng.choice([None, 1, 5]),
        channel="phone",
        asked_by="li",
        rated_at=at,
    )
