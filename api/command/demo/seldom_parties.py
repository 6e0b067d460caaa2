"""What is seldom in the made-up year besides complaints: one story for each kind of subject, which ends with a mistake taken back.

Every fact is decided by the rules of its subject at its own time. Reads no clock, writes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from api.command.demo.drawn import customer_of
from api.command.demo.party_year import AGENTS, CHIEF, QUALITY, REGISTERED_EVERY, RISK_HEAD, SECURITY, Told, Year
from ledger.command import Command
from ledger.customer import commands as customer
from ledger.customer.events import CustomerTier
from ledger.improvement import commands as improve
from ledger.improvement.events import Better, RiskLevel
from ledger.interaction import commands as interaction
from ledger.interaction.events import InteractionKind
from ledger.leak import commands as leak


def seldom_told(year: Year) -> Iterator[tuple[str, list[Told]]]:
    """Each story with a name of its own."""
    at = [year.at(100) + timedelta(hours=hour) for hour in range(8)]
    yield "seldom:customer", _customer(year, at)
    yield "seldom:contact", _contact(year, at)
    yield "seldom:indicator", _indicator(year, at)
    yield "seldom:survey", _survey(year, at)
    yield "seldom:review", _review(year, at)
    yield "seldom:risk", _risk(year, at)
    yield "seldom:action", _action(year, at)
    yield "seldom:leak", _leak(year, at)


def _taken_back(told: list[Told], annul: Callable[..., Command], one: dict[str, Any]) -> list[Told]:
    """The story, and that its last fact was recorded by mistake: two people say so."""
    at = told[-1].at + timedelta(minutes=30)
    mistake = annul(
        **one,
        version=len(told),
        reason="录入有误，已核对。",
        annulled_by=QUALITY,
        approved_by=CHIEF,
        annulled_at=at,
    )
    return [*told, Told(at, mistake)]


def _customer(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"customer_id": year.id("seldom:customer")}
    agent = AGENTS[0]
    other = customer_of(year.seed, 1 + 3 * REGISTERED_EVERY)
    told = [
        Told(
            at[0],
            customer.RegisterCustomer(
                **one, name="欧阳静", contact="13800000000", registered_by=agent, registered_at=at[0]
            ),
        ),
        Told(at[1], customer.ChangeDetails(**one, contact=other.contact, changed_by=agent, changed_at=at[1])),
        Told(at[2], customer.SetTier(**one, tier=next(iter(CustomerTier)), tiered_by=agent, tiered_at=at[2])),
        Told(at[3], customer.NoteVulnerability(**one, kind="elderly", noted_by=agent, noted_at=at[3])),
        Told(at[4], customer.EndVulnerability(**one, kind="elderly", ended_by=agent, ended_at=at[4])),
        Told(
            at[5],
            customer.RuleOutDuplicate(
                **one, other_customer_id=other.customer_id, ruled_out_by=agent, ruled_out_at=at[5]
            ),
        ),
    ]
    return _taken_back(told, customer.AnnulCustomerFact, one)


def _contact(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"interaction_id": year.id("seldom:contact")}
    agent = AGENTS[1]
    told = [
        Told(
            at[0],
            interaction.RecordInteraction(
                **one,
                customer_id=year.id("seldom:customer"),
                kind=InteractionKind("suggestion"),
                channel="phone",
                direction="inbound",
                content="建议优化账单说明。",
                taken_by=agent,
                asked_at=at[0],
            ),
        ),
        Told(
            at[1],
            interaction.AssignInteraction(
                **one, department="运营管理部", assignee="yy0031", assigned_by=agent, assigned_at=at[1]
            ),
        ),
        Told(
            at[2],
            interaction.LookInto(**one, finding="账单字段说明不清。", looked_into_by="yy0031", looked_into_at=at[2]),
        ),
        Told(
            at[3],
            interaction.DealWith(**one, measures="修订账单说明。", dealt_with_by="yy0031", dealt_with_at=at[3]),
        ),
        Told(
            at[4],
            interaction.PromiseCallBack(
                **one, due_on=year.day(90), assignee=agent, promised_by=agent, promised_at=at[4]
            ),
        ),
        Told(at[5], interaction.MakeCallBack(**one, reached=True, satisfied=False, called_by=agent, called_at=at[5])),
        Told(
            at[6],
            interaction.TurnIntoComplaint(**one, complaint_id=year.complaint(), turned_by=agent, turned_at=at[6]),
        ),
    ]
    return _taken_back(told, interaction.AnnulInteractionFact, one)


def _indicator(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"indicator_id": year.id("seldom:indicator")}
    told = [
        Told(
            at[0],
            improve.DefineIndicator(
                **one,
                indicator="retention",
                better=Better.HIGHER,
                defined_by=QUALITY,
                defined_at=at[0],
            ),
        ),
        Told(
            at[1],
            improve.MeasureIndicator(
                **one,
                measurement_id=year.id("seldom:measurement"),
                value_thousandths=96_000,
                period_from=year.day(130),
                period_to=year.day(101),
                source="客户关系系统",
                measured_by=QUALITY,
                measured_at=at[1],
            ),
        ),
    ]
    return _taken_back(told, improve.AnnulIndicatorFact, one)


def _survey(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"survey_id": year.id("seldom:survey")}
    opened = improve.OpenSurvey(
        **one,
        title="网点排队专项调查",
        population="到店客户",
        opens_on=year.day(99),
        closes_on=year.day(80),
        opened_by=QUALITY,
        opened_at=at[0],
    )
    return _taken_back([Told(at[0], opened)], improve.AnnulSurveyFact, one)


def _review(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"review_id": year.id("seldom:review")}
    held = improve.HoldReview(
        **one,
        kind="quarterly",
        period_from=year.day(190),
        period_to=year.day(101),
        breakdowns=("category",),
        findings="与季度例会重复。",
        held_by=QUALITY,
        held_at=at[0],
    )
    return _taken_back([Told(at[0], held)], improve.AnnulReviewFact, one)


def _risk(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"risk_id": year.id("seldom:risk")}
    found = improve.ReportRisk(
        **one,
        title="网点改造期分流",
        description="改造期间排队时间变长。",
        likelihood=2,
        effect=2,
        level=RiskLevel.LOW,
        owner=RISK_HEAD,
        found_by=QUALITY,
        found_at=at[0],
    )
    return _taken_back([Told(at[0], found)], improve.AnnulRiskFact, one)


def _action(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"action_id": year.id("seldom:action")}
    told = [
        Told(
            at[0],
            improve.OpenAction(
                **one,
                title="账单说明修订",
                goal="账单字段人人看得懂。",
                acceptance_test="抽样访谈二十人，均能说明费用来源。",
                owner="yy0031",
                due_on=year.day(40),
                complaint_ids=(year.complaint(),),
                opened_by=QUALITY,
                opened_at=at[0],
            ),
        ),
        Told(
            at[1],
            improve.HandOverAction(**one, owner="yy0040", department="运营管理部", handed_by="yy0031", handed_at=at[1]),
        ),
        Told(
            at[2],
            improve.PostponeAction(
                **one,
                due_on=year.day(-20),
                reason="系统排期调整。",
                postponed_by="yy0040",
                approved_by=CHIEF,
                postponed_at=at[2],
            ),
        ),
        Told(
            at[3],
            improve.NoteProgress(**one, progress="误记在本项。", percent_done=90, noted_by="yy0040", noted_at=at[3]),
        ),
    ]
    return _taken_back(told, improve.AnnulActionFact, one)


def _leak(year: Year, at: Sequence[Any]) -> list[Told]:
    one: dict[str, Any] = {"leak_id": year.id("seldom:leak")}
    told = [
        Told(
            at[0],
            leak.ReportLeak(
                **one,
                title="打印件遗留在网点",
                description="一份申请表遗留在打印机。",
                data_kinds=("identity",),
                found_by=AGENTS[2],
                found_at=at[0],
            ),
        ),
        Told(at[1], leak.IsolateLeak(**one, measures="当场收回。", isolated_by=SECURITY, isolated_at=at[1])),
        Told(
            at[2],
            leak.InvestigateLeak(
                **one,
                cause="staff-error",
                findings="无外人接触。",
                customers_affected=1,
                investigated_by=SECURITY,
                investigated_at=at[2],
            ),
        ),
        Told(
            at[3],
            leak.DecideNotToTellRegulator(
                **one, reason="未造成外泄。", decided_by=SECURITY, approved_by=CHIEF, decided_at=at[3]
            ),
        ),
    ]
    return _taken_back(told, leak.AnnulLeakFact, one)
