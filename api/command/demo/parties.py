"""Makes up the bank's year besides complaints: customers, contacts, surveys, indicators, risks, actions, a leak. Nobody in it exists.

Every fact is decided by the rules of its subject at its own time, as a real one would be. Draws everything from a seed;
reads no clock, writes nothing. The same seed and end give the same facts, ids included.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson

from api.command.demo.drawn import customer_of, drawing
from api.command.demo.hours import OfficeHours
from api.command.demo.improving import action_told, indicator_told, leak_told, review_told, risk_told, survey_told
from api.command.demo.party_texts import ACTIONS, INDICATORS, RISKS, TALKS, Talk
from api.command.demo.party_year import AGENTS, CHIEF, QUALITY, REGISTERED_EVERY, Told, Year
from api.command.demo.seldom_parties import seldom_told
from ledger.application import BulkRequest
from ledger.customer import commands as customer
from ledger.customer.events import CustomerTier, SharingGround
from ledger.event import Event
from ledger.given import Given
from ledger.interaction import commands as interaction
from ledger.interaction.events import InteractionKind
from ledger.subjects import subject_of

PRINCIPAL = "demo"
CONTACTS = 420


def party_requests(seed: int, end: datetime, complaints: int, hours: OfficeHours) -> Iterator[BulkRequest]:
    """The year besides complaints, each subject as one request, in the order in which they are made up."""
    year = Year(seed, end, complaints, hours)
    for what, told in _subjects(year):
        yield _request(seed, what, [each for each in told if each.at < end])


def decided(told: Sequence[Told]) -> tuple[UUID, list[Event]]:
    """The stream and the events that the rules make of a story, each decided when it happened; raises a Refusal of the rules."""
    subject = subject_of(type(told[0].command))
    state, events = subject.nothing, list[Event]()
    for each in told:
        for event in subject.decide(state, each.command, Given(each.at)):
            state = subject.evolve(state, event)
            events.append(event)
    return subject.stream(told[0].command, UUID(int=0)), events


def _request(seed: int, what: str, told: Sequence[Told]) -> BulkRequest:
    stream_id, events = decided(told)
    commands = [each.command.model_dump(mode="json") for each in told]
    return BulkRequest(
        stream_id=stream_id,
        events=events,
        principal=PRINCIPAL,
        key=f"demo:{seed}:{what}",
        given=orjson.dumps(commands, option=orjson.OPT_SORT_KEYS),
        command="make-up-party",
    )


def _subjects(year: Year) -> Iterator[tuple[str, list[Told]]]:
    for number in range(1, year.complaints + 1, REGISTERED_EVERY):
        yield f"customer:{number}", _customer(year, number)
    for number in range(1, 6):
        yield f"twin:{number}", _twin(year, 1 + number * REGISTERED_EVERY)
    for number in range(CONTACTS):
        yield f"contact:{number}", _contact(year, number)
    for quarter in range(4):
        yield f"survey:{quarter}", survey_told(year, quarter)
        yield f"review:{quarter}", review_told(year, quarter)
    for name in INDICATORS:
        yield f"indicator:{name}", indicator_told(year, name)
    for number in range(len(RISKS)):
        yield f"risk:{number}", risk_told(year, number)
    for number in range(len(ACTIONS)):
        yield f"action:{number}", action_told(year, number)
    yield "leak:closed", leak_told(year, 120, closed=True)
    yield "leak:open", leak_told(year, 6, closed=False)
    yield from seldom_told(year)


def _customer(year: Year, number: int) -> list[Told]:
    who = customer_of(year.seed, number)
    chance = drawing(year.seed, f"party-customer:{number}")
    first = year.at(360 - chance.random() * 20)
    one: dict[str, Any] = {"customer_id": who.customer_id}
    told = [
        Told(
            first,
            customer.RegisterCustomer(
                **one,
                name=who.name,
                contact=who.contact,
                account=who.account,
                tier=chance.choices(list(CustomerTier), (4, 16, 80))[0],
                registered_by=chance.choice(AGENTS),
                registered_at=first,
            ),
        )
    ]
    if chance.random() < 0.12:
        at = first + timedelta(hours=1)
        kind = chance.choice(("elderly", "disabled", "low-income", "rural"))
        told.append(Told(at, customer.NoteVulnerability(**one, kind=kind, noted_by=chance.choice(AGENTS), noted_at=at)))
    if chance.random() < 0.25:
        told += _consent(year, who.customer_id, number, chance, first + timedelta(days=chance.randint(10, 200)))
    return told


def _consent(year: Year, customer_id: UUID, number: int, chance: Random, given_at: datetime) -> list[Told]:
    one: dict[str, Any] = {"customer_id": customer_id, "consent_id": year.id(f"consent:{number}")}
    kinds = ("identity", "contact", "complaint-content")
    body = "某市银行业纠纷调解中心"
    told = [
        Told(
            given_at,
            customer.GiveConsent(
                **one,
                purpose="mediation",
                data_kinds=kinds,
                recipient=body,
                channel="branch",
                noted_by=chance.choice(AGENTS),
                given_at=given_at,
            ),
        )
    ]
    shared_at = given_at + timedelta(days=3)
    told.append(
        Told(
            shared_at,
            customer.ShareData(
                **one,
                share_id=year.id(f"share:{number}"),
                recipient=body,
                purpose="mediation",
                data_kinds=kinds,
                ground=SharingGround.CONSENT,
                shared_by=chance.choice(AGENTS),
                shared_at=shared_at,
            ),
        )
    )
    if chance.random() < 0.3:
        at = given_at + timedelta(days=40)
        withdrawn = customer.WithdrawConsent(**one, channel="phone", noted_by=chance.choice(AGENTS), withdrawn_at=at)
        told.append(Told(at, withdrawn))
    return told


def _twin(year: Year, number: int) -> list[Told]:
    """A second record of a registered customer, found by the same contact and merged; one of them wrongly."""
    who = customer_of(year.seed, number)
    one: dict[str, Any] = {"customer_id": year.id(f"twin:{number}")}
    first, merged_at = year.at(200), year.at(190)
    told = [
        Told(
            first,
            customer.RegisterCustomer(
                **one, name=who.name, contact=who.contact, registered_by=AGENTS[0], registered_at=first
            ),
        ),
        Told(
            merged_at,
            customer.MergeCustomer(
                **one,
                into_customer_id=who.customer_id,
                matched=("contact", "name"),
                reason="姓名与电话一致，经电话核实为同一人。",
                merged_by=AGENTS[1],
                approved_by=CHIEF,
                merged_at=merged_at,
            ),
        ),
    ]
    if number == 1 + REGISTERED_EVERY:
        at = year.at(150)
        reason = "同住亲属共用电话，重名，核实为两人。"
        split = customer.SplitCustomer(**one, reason=reason, split_by=AGENTS[1], approved_by=CHIEF, split_at=at)
        told.append(Told(at, split))
    return told


def _contact(year: Year, number: int) -> list[Told]:
    chance = drawing(year.seed, f"contact:{number}")
    talk = chance.choices(TALKS, [each.weight for each in TALKS])[0]
    who = customer_of(year.seed, 1 + REGISTERED_EVERY * chance.randrange(year.complaints // REGISTERED_EVERY))
    asked_at = year.at(chance.uniform(0.5, 340), chance.randint(9, 16))
    about: dict[str, Any] = (
        {"complaint_id": year.complaint()} if talk.kind in ("complaint-contact", "call-back") else {}
    )
    if talk.kind == "survey":
        about = {"survey_id": year.id(f"survey:{chance.randrange(4)}")}
    one: dict[str, Any] = {"interaction_id": year.id(f"contact:{number}")}
    agent = chance.choice(AGENTS)
    told = [
        Told(
            asked_at,
            interaction.RecordInteraction(
                **one,
                customer_id=who.customer_id,
                kind=InteractionKind(talk.kind),
                channel=chance.choices(("phone", "mobile-app", "branch", "online-chat"), (60, 20, 12, 8))[0],
                direction="outbound" if talk.outbound else "inbound",
                content=chance.choice(talk.words),
                length_seconds=chance.randint(40, 900),
                **about,
                taken_by=agent,
                asked_at=asked_at,
            ),
        )
    ]
    return told + _handled(talk, one, about, agent, asked_at, chance)


def _handled(
    talk: Talk, one: dict[str, Any], about: dict[str, Any], agent: str, asked_at: datetime, chance: Random
) -> list[Told]:
    if talk.kind == "survey":
        at = asked_at + timedelta(minutes=5)
        scores: dict[str, Any] = {
            "overall": chance.choices((5, 4, 3, 2), (45, 35, 15, 5))[0],
            "openness": chance.randint(2, 5),
        }
        return [Told(at, interaction.AnswerSurvey(**one, **about, **scores, noted_by=agent, answered_at=at))]
    if talk.outbound:
        return []
    told: list[Told] = []
    answered_at = asked_at + timedelta(hours=chance.choices((0.1, 2, 20, 40), (55, 20, 18, 7))[0])
    if talk.kind in ("suggestion", "feedback"):
        at = asked_at + timedelta(hours=3)
        answered_at = asked_at + timedelta(hours=chance.choice((20, 44)))
        finding = interaction.LookInto(**one, finding=talk.finding, looked_into_by=QUALITY, looked_into_at=at)
        told.append(Told(at, finding))
    outcome = chance.choices(talk.outcomes, (90, 10)[: len(talk.outcomes)])[0]
    answer = interaction.AnswerInteraction(
        **one, channel="phone", outcome=outcome, content=talk.answer, answered_by=agent, answered_at=answered_at
    )
    told.append(Told(answered_at, answer))
    if talk.kind in ("suggestion", "feedback") and chance.random() < 0.9:
        at = answered_at + timedelta(days=2)
        review = interaction.ReviewInteraction(**one, satisfactory=True, reviewed_by=CHIEF, reviewed_at=at)
        told.append(Told(at, review))
    if chance.random() < 0.4:
        at = answered_at + timedelta(hours=4)
        overall = chance.choices((5, 4, 3, 1), (50, 33, 13, 4))[0]
        rated = interaction.RateInteraction(**one, overall=overall, channel="sms", asked_by=agent, rated_at=at)
        told.append(Told(at, rated))
    return told
