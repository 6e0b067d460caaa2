"""Makes up how the bank of the demo judges and improves itself in its year: surveys, reviews, indicators, risks, actions, leaks."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from api.command.demo.drawn import customer_of
from api.command.demo.party_texts import ACTIONS, INDICATORS, MONTHS_BAD, RISKS
from api.command.demo.party_year import AGENTS, CHIEF, QUALITY, REGISTERED_EVERY, RISK_HEAD, SECURITY, Told, Year
from ledger.improvement import commands as improve
from ledger.improvement.events import Audience, Better, Effect, RiskLevel
from ledger.leak import commands as leak


def survey_told(year: Year, quarter: int) -> list[Told]:
    one: dict[str, Any] = {"survey_id": year.id(f"survey:{quarter}")}
    begun = 345 - 91 * quarter
    opened_at, concluded_at, reported_at = year.at(begun), year.at(begun - 20), year.at(begun - 25)
    opened = improve.OpenSurvey(
        **one,
        title=f"第 {quarter + 1} 季度客户满意度调查",
        population="当季有业务往来的个人客户",
        invited=1500,
        opens_on=year.day(begun),
        closes_on=year.day(begun - 14),
        opened_by=QUALITY,
        opened_at=opened_at,
    )
    concluded = improve.ConcludeSurvey(
        **one,
        answered=380 + 40 * quarter,
        mean_thousandths=4050 + 60 * quarter,
        conclusions="收费透明度得分最低，其次为等候时间。",
        concluded_by=QUALITY,
        concluded_at=concluded_at,
    )
    reported = improve.ReportSurvey(
        **one, audience=Audience.MANAGEMENT, in_part=False, reported_by=QUALITY, reported_at=reported_at
    )
    return [Told(opened_at, opened), Told(concluded_at, concluded), Told(reported_at, reported)]


def review_told(year: Year, quarter: int) -> list[Told]:
    one: dict[str, Any] = {"review_id": year.id(f"review:{quarter}")}
    begun = 91 * (4 - quarter)
    held_at, reported_at = (
        year.at(begun - 91 - 5 if quarter < 3 else 1),
        year.at(begun - 91 - 8 if quarter < 3 else 0.5),
    )
    held = improve.HoldReview(
        **one,
        kind="quarterly",
        period_from=year.day(begun),
        period_to=year.day(begun - 90),
        breakdowns=("category", "cause", "product", "channel", "branch", "department", "customer-tier"),
        findings="管理制度与业务流程类投诉占比最高，口头承诺未登记为主要原因之一。",
        complaint_ids=tuple(dict.fromkeys(year.complaint() for _ in range(3))),
        action_ids=(year.id(f"action:{quarter}"),),
        held_by=QUALITY,
        held_at=held_at,
    )
    reported = improve.ReportReview(
        **one, audience=Audience.MANAGEMENT, in_part=False, reported_by=QUALITY, reported_at=max(held_at, reported_at)
    )
    return [Told(held_at, held), Told(max(held_at, reported_at), reported)]


def indicator_told(year: Year, name: str) -> list[Told]:
    better, thresholds, usual, bad = INDICATORS[name]
    one: dict[str, Any] = {"indicator_id": year.id(f"indicator:{name}")}
    begun = year.at(364)
    told = [
        Told(
            begun,
            improve.DefineIndicator(**one, indicator=name, better=Better(better), defined_by=QUALITY, defined_at=begun),
        ),
        Told(
            begun + timedelta(hours=1),
            improve.SetThresholds(
                **one,
                thresholds_version=1,
                low_thousandths=thresholds[0],
                medium_thousandths=thresholds[1],
                high_thousandths=thresholds[2],
                set_by=QUALITY,
                approved_by=CHIEF,
                set_at=begun + timedelta(hours=1),
            ),
        ),
    ]
    for month in range(12):
        is_bad = month in MONTHS_BAD.get(name, ())
        told += _month(year, name, one, month, bad if is_bad else usual, is_bad=is_bad)
    return told


def _month(year: Year, name: str, one: dict[str, Any], month: int, value: int, *, is_bad: bool) -> list[Told]:
    measured_at = year.at(364 - 30 * month - 32)
    measurement_id = year.id(f"measurement:{name}:{month}")
    measured = improve.MeasureIndicator(
        **one,
        measurement_id=measurement_id,
        value_thousandths=value,
        period_from=year.day(364 - 30 * month),
        period_to=year.day(364 - 30 * month - 29),
        source="月度服务质量报表",
        complaint_ids=(year.complaint(),) if is_bad else (),
        measured_by=QUALITY,
        measured_at=measured_at,
    )
    told = [Told(measured_at, measured)]
    if is_bad and month < 11:
        warned: dict[str, Any] = {**one, "warning_id": measurement_id}
        acknowledged, met, lifted = (measured_at + timedelta(days=days) for days in (1, 4, 20))
        measures = "增开人工坐席，逐件回访，按预案每日通报。"
        told += [
            Told(
                acknowledged,
                improve.AcknowledgeWarning(**warned, acknowledged_by=CHIEF, acknowledged_at=acknowledged),
            ),
            Told(
                met,
                improve.MitigateWarning(
                    **warned,
                    measures=measures,
                    emergency_plan="public-opinion",
                    action_ids=(year.id("action:0"),),
                    mitigated_by=CHIEF,
                    mitigated_at=met,
                ),
            ),
            Told(lifted, improve.LiftWarning(**warned, reason="指标已恢复。", lifted_by=CHIEF, lifted_at=lifted)),
        ]
    return told


def risk_told(year: Year, number: int) -> list[Told]:
    title, description, level, begun = RISKS[number]
    one: dict[str, Any] = {"risk_id": year.id(f"risk:{number}")}
    found_at, treated_at, weighed_at, closed_at = (year.at(begun - days) for days in (0, 15, 45, 60))
    found = improve.ReportRisk(
        **one,
        title=title,
        description=description,
        likelihood=4 if level == "high" else 2,
        effect=3,
        level=RiskLevel(level),
        owner=RISK_HEAD,
        complaint_ids=(year.complaint(),),
        found_by=QUALITY,
        found_at=found_at,
    )
    told = [Told(found_at, found)]
    if begun < 70:  # still being treated
        return told
    treated = improve.TreatRisk(
        **one,
        measures="调整流程并加强复核。",
        action_ids=(year.id(f"action:{number}"),),
        treated_by=RISK_HEAD,
        treated_at=treated_at,
    )
    weighed = improve.ReassessRisk(
        **one,
        likelihood=1,
        effect=3,
        level=RiskLevel.RESIDUAL,
        reason="措施落实后复评。",
        reassessed_by=QUALITY,
        reassessed_at=weighed_at,
    )
    closed = improve.CloseRisk(
        **one, reason="剩余风险可接受。", closed_by=RISK_HEAD, approved_by=CHIEF, closed_at=closed_at
    )
    return [*told, Told(treated_at, treated), Told(weighed_at, weighed), Told(closed_at, closed)]


def action_told(year: Year, number: int) -> list[Told]:
    title, goal, test, owner, begun, fate = ACTIONS[number]
    one: dict[str, Any] = {"action_id": year.id(f"action:{number}")}
    opened_at, noted_at, completed_at, measured_at, closed_at = (year.at(begun - days) for days in (0, 10, 25, 55, 70))
    opened = improve.OpenAction(
        **one,
        title=title,
        goal=goal,
        acceptance_test=test,
        owner=owner,
        due_on=year.day(begun - 30),
        complaint_ids=(year.complaint(), year.complaint()),
        opened_by=QUALITY,
        opened_at=opened_at,
    )
    told = [
        Told(opened_at, opened),
        Told(
            noted_at,
            improve.NoteProgress(**one, progress="方案已评审。", percent_done=40, noted_by=owner, noted_at=noted_at),
        ),
    ]
    if fate == "open":
        return told
    result = "已上线并完成培训。"
    done = improve.CompleteAction(**one, result=result, completed_by=owner, completed_at=completed_at)
    told.append(Told(completed_at, done))
    if fate == "completed":
        return told
    effect = Effect.NOT_REACHED if fate == "reopened" else Effect.REACHED
    measured = improve.MeasureEffect(
        **one, effect=effect, findings="对照验收标准逐项核对。", measured_by=QUALITY, measured_at=measured_at
    )
    told.append(Told(measured_at, measured))
    if fate == "reopened":
        again = improve.ReopenAction(
            **one,
            reason="同类投诉仍有发生。",
            due_on=year.day(-30),
            reopened_by=QUALITY,
            reopened_at=closed_at,
        )
        return [*told, Told(closed_at, again)]
    return [*told, Told(closed_at, improve.CloseAction(**one, closed_by=QUALITY, closed_at=closed_at))]


def leak_told(year: Year, begun: int, *, closed: bool) -> list[Told]:
    one: dict[str, Any] = {"leak_id": year.id(f"leak:{begun}")}
    found_at = year.at(begun, 9)
    isolated_at = found_at + timedelta(minutes=50)
    affected = tuple(customer_of(year.seed, 1 + REGISTERED_EVERY * number).customer_id for number in (2, 3))
    found = leak.ReportLeak(
        **one,
        title="账单邮件误发" if closed else "外包坐席截屏外传",
        description="客户来电称收到他人账单。" if closed else "巡检发现坐席截屏含客户联系方式。",
        data_kinds=("identity", "contact", "transactions") if closed else ("contact",),
        complaint_ids=(year.complaint(),),
        found_by=AGENTS[2],
        found_at=found_at,
    )
    isolated = leak.IsolateLeak(
        **one, measures="停止发送，撤回未读邮件，冻结权限。", isolated_by=SECURITY, isolated_at=isolated_at
    )
    told = [Told(found_at, found), Told(isolated_at, isolated)]
    return [*told, *_leak_closed(year, one, affected, found_at)] if closed else told


def _leak_closed(year: Year, one: dict[str, Any], affected: tuple[UUID, ...], found_at: datetime) -> list[Told]:
    """What happened from the investigation to the end."""
    investigated_at = found_at + timedelta(hours=5)
    steps = [(investigated_at + timedelta(hours=2 * step)) for step in range(5)]
    reviewed_at, closed_at = found_at + timedelta(days=10), found_at + timedelta(days=12)
    return [
        Told(
            steps[0],
            leak.InvestigateLeak(
                **one,
                cause="staff-error",
                findings="合并收件人清单时错行。",
                customers_affected=len(affected),
                investigated_by=SECURITY,
                investigated_at=steps[0],
            ),
        ),
        Told(
            steps[1],
            leak.NameResponsible(
                **one, responsible="yy0031", department="运营管理部", named_by=SECURITY, named_at=steps[1]
            ),
        ),
        Told(
            steps[2],
            leak.TellAffectedCustomers(
                **one,
                customer_ids=affected,
                channel="phone",
                content="告知泄露情况、可能影响与防范建议。",
                told_by=AGENTS[2],
                told_at=steps[2],
            ),
        ),
        Told(
            steps[3],
            leak.ProtectAffectedCustomers(
                **one,
                customer_ids=affected,
                measure="account-watched",
                protected_by=SECURITY,
                protected_at=steps[3],
            ),
        ),
        Told(
            steps[4],
            leak.TellRegulator(
                **one, body="nfra", content="报告泄露情况与处置措施。", told_by=SECURITY, told_at=steps[4]
            ),
        ),
        Told(
            reviewed_at,
            leak.ReviewLeak(
                **one,
                lessons="批量发送须双人复核。",
                action_ids=(year.id("action:3"),),
                reviewed_by=CHIEF,
                reviewed_at=reviewed_at,
            ),
        ),
        Told(closed_at, leak.CloseLeak(**one, closed_by=CHIEF, closed_at=closed_at)),
    ]
