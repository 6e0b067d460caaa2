"""What else happens to a made-up complaint, beside its main way: draws it from a seed of its own, so that the main way stays.

Reads no clock, writes nothing. Each step is one fact, and comes where the rules let it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from api.command.demo.drawn import Step, drawing
from ledger.complaint import commands as ask
from ledger.complaint import ending_commands as end
from ledger.complaint import handling_commands as handle
from ledger.complaint.emergency import EmergencyStep
from ledger.complaint.events import Grade

Command = TypeVar("Command", bound=ask.ComplaintCommand)

FILED = timedelta(days=1)
"""From the closing to the archive."""

OFTEN, NOW_AND_THEN, SELDOM = 0.6, 0.2, 0.04


class Stages:
    """The further steps of one complaint, whose steps so far are given in any order."""

    def __init__(self, seed: int, number: int, steps: list[Step]) -> None:
        self.chance = drawing(seed, f"stages:{number}")
        self.steps = sorted(steps, key=lambda step: step.at)
        self.id = self.steps[0].command.complaint_id

    def all(self) -> Iterator[Step]:
        """Every further step; the caller sorts them in."""
        yield from self._receipt()
        yield from self._severity()
        yield from self._inquiry()
        yield from self._terms()
        yield from self._aftercare()

    def _of(self, kind: type[Command]) -> list[Command]:
        return [step.command for step in self.steps if isinstance(step.command, kind)]

    def _happens(self, likelihood: float) -> bool:
        return self.chance.random() < likelihood

    def _new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def _receipt(self) -> Iterator[Step]:
        for registered in self._of(ask.RegisterComplaint):
            at, clerk = registered.registered_at + timedelta(minutes=2), registered.registered_by
            if self._happens(SELDOM):
                yield Step(
                    at,
                    handle.NameRepresentative(
                        complaint_id=self.id,
                        representative_id=self._new_id(),
                        relation=self.chance.choice(("family", "guardian", "lawyer", "agent")),
                        representative_name=self.chance.choice(("王芳", "李强", "陈静", "刘洋")),
                        authorisation=self.chance.choice(("power-of-attorney", "recorded-consent")),
                        named_by=clerk,
                        named_at=at,
                    ),
                )
            if self._happens(SELDOM):
                yield Step(
                    at,
                    handle.NamePersonComplainedAbout(
                        complaint_id=self.id,
                        person_id=self._new_id(),
                        staff=f"gy{self.chance.randint(1, 999):04d}",
                        noted_by=clerk,
                        noted_at=at,
                    ),
                )

    def _severity(self) -> Iterator[Step]:
        graded = self._of(ask.GradeComplaint)
        if graded and graded[0].urgent:
            yield from self._emergency(graded[0].graded_at, graded[0].graded_by)
        grave = any(each.grade is Grade.MAJOR for each in graded)
        for started in self._of(ask.StartInvestigation)[:1]:
            if grave:
                at = started.started_at + timedelta(minutes=5)
                team = handle.FormInvestigationTeam(
                    complaint_id=self.id,
                    lead=started.lead,
                    members=("zj0002", "fw0001"),
                    formed_by=started.started_by,
                    formed_at=at,
                )
                yield Step(at, team)

    def _emergency(self, graded_at: datetime, by: str) -> Iterator[Step]:
        emergency_id, at = self._new_id(), graded_at + timedelta(minutes=1)
        plan = self.chance.choice(("funds-at-risk", "system-outage", "harm-threatened", "public-opinion"))
        yield Step(
            at,
            handle.StartEmergency(
                complaint_id=self.id, emergency_id=emergency_id, plan=plan, started_by=by, started_at=at
            ),
        )
        texts = ("发现账户仍在扣款。", "影响限于一户，金额可控。", "先行止付，再行核查。", "已止付并通知客户。")
        for step, content in zip(EmergencyStep, texts, strict=True):
            at += timedelta(minutes=self.chance.randint(3, 20))
            taken = handle.TakeEmergencyStep(
                complaint_id=self.id, emergency_id=emergency_id, step=step, content=content, taken_by=by, taken_at=at
            )
            yield Step(at, taken)
        at += timedelta(minutes=self.chance.randint(10, 90))
        yield Step(
            at,
            handle.EndEmergency(
                complaint_id=self.id, emergency_id=emergency_id, result="险情解除。", ended_by=by, ended_at=at
            ),
        )
        at += timedelta(days=3)
        yield Step(
            at,
            handle.ReviewEmergency(
                complaint_id=self.id,
                emergency_id=emergency_id,
                findings="预案适用，处置及时。",
                plan_to_be_changed=self._happens(NOW_AND_THEN),
                reviewed_by=by,
                reviewed_at=at,
            ),
        )

    def _inquiry(self) -> Iterator[Step]:
        for assigned in self._of(ask.AssignComplaint)[:1]:
            at = assigned.assigned_at + timedelta(minutes=45)
            yield Step(
                at,
                handle.MakePreliminaryCheck(
                    complaint_id=self.id,
                    borne_out=self._happens(OFTEN),
                    finding="业务记录与客户所述相符程度已核对。",
                    checked_by=assigned.assignee or assigned.assigned_by,
                    checked_at=at,
                ),
            )
        for found in self._of(ask.MakeFinding):
            if self._happens(OFTEN):
                at = found.made_at + timedelta(minutes=5)
                yield Step(
                    at,
                    handle.FindRootCause(
                        complaint_id=self.id,
                        root_cause=self.chance.choice(("process", "system", "training", "disclosure", "conduct")),
                        cause=found.cause,
                        found_by=found.made_by,
                        found_at=at,
                    ),
                )
        for started, closed in zip(self._of(ask.StartInvestigation), self._of(ask.CloseInvestigation), strict=False):
            if self._happens(NOW_AND_THEN):
                yield from self._assistance(started.started_at, closed.closed_at, started.lead)

    def _assistance(self, begin: datetime, ends: datetime, lead: str) -> Iterator[Step]:
        assistance_id, asked_at = self._new_id(), begin + (ends - begin) / 4
        yield Step(
            asked_at,
            handle.RequestAssistance(
                complaint_id=self.id,
                assistance_id=assistance_id,
                department="信息技术部",
                assistant="xx0007",
                question="请核对系统日志。",
                requested_by=lead,
                requested_at=asked_at,
            ),
        )
        at = begin + (ends - begin) * 3 / 4
        yield Step(
            at,
            handle.GiveAssistance(
                complaint_id=self.id,
                assistance_id=assistance_id,
                answer="日志显示批处理重跑。",
                given_by="xx0007",
                given_at=at,
            ),
        )

    def _terms(self) -> Iterator[Step]:
        for declined in self._of(ask.DeclineProposal):
            at = declined.declined_at + timedelta(minutes=1)
            negotiated = end.HoldNegotiation(
                complaint_id=self.id,
                proposal_id=declined.proposal_id,
                manner=self.chance.choice(("spoken", "written")),
                content="向客户说明方案依据。",
                customer_position="客户要求提高补偿。",
                agreed=False,
                held_by=declined.noted_by,
                held_at=at,
            )
            yield Step(at, negotiated)
            if self._happens(NOW_AND_THEN):
                yield from self._escalation(at + timedelta(minutes=2), declined.noted_by)
        accepted = {each.proposal_id: each for each in self._of(ask.AcceptProposal)}
        for proposed in self._of(ask.ProposeSolution):
            if proposed.proposal_id in accepted and proposed.compensation_minor is not None:
                yield from self._compensation(proposed, accepted[proposed.proposal_id].accepted_at)

    def _escalation(self, at: datetime, by: str) -> Iterator[Step]:
        escalation_id = self._new_id()
        yield Step(
            at,
            end.EscalateComplaint(
                complaint_id=self.id,
                escalation_id=escalation_id,
                to="management",
                reason="协商未达成一致。",
                escalated_by=by,
                escalated_at=at,
            ),
        )
        at += timedelta(minutes=3)
        yield Step(
            at,
            end.DecideEscalation(
                complaint_id=self.id,
                escalation_id=escalation_id,
                decision=self.chance.choice(("approved", "changed")),
                decided_by="ld0001",
                decided_at=at,
            ),
        )

    def _compensation(self, proposed: ask.ProposeSolution, accepted_at: datetime) -> Iterator[Step]:
        assert proposed.compensation_kind is not None, "an amount has a kind"
        compensation_id, at = self._new_id(), accepted_at + timedelta(minutes=2)
        yield Step(
            at,
            end.ApproveCompensation(
                complaint_id=self.id,
                compensation_id=compensation_id,
                proposal_id=proposed.proposal_id,
                kind=proposed.compensation_kind,
                amount_minor=proposed.compensation_minor,
                currency=proposed.currency,
                requested_by=proposed.proposed_by,
                approved_by="bm0001",
                approver_rank="department-head",
                approved_at=at,
            ),
        )
        at += timedelta(hours=3)
        yield Step(
            at,
            end.ProvideCompensation(
                complaint_id=self.id,
                compensation_id=compensation_id,
                payment_reference=f"PAY-{self.chance.randint(1, 10**8):08d}",
                provided_by=proposed.proposed_by,
                provided_at=at,
            ),
        )

    def _aftercare(self) -> Iterator[Step]:
        told = [
            (resolved.resolution_id, reply)
            for resolved, reply in zip(self._of(ask.ResolveComplaint), self._of(ask.SendReply), strict=False)
        ]
        for resolution_id, reply in told:
            if reply.channel != "letter" and self._happens(OFTEN):
                yield self._notice(resolution_id, reply)
        closings = self._of(ask.CloseComplaint)
        if not closings:
            return
        closed_at, by = closings[-1].closed_at, closings[-1].closed_by
        if told and self._happens(NOW_AND_THEN):
            yield self._follow_up_call(told[-1][0], closed_at + timedelta(hours=2))
        if told and self._happens(SELDOM):
            yield from self._repair_and_mediation(closed_at + timedelta(days=3), by)
        if self._happens(NOW_AND_THEN):
            at = closed_at + timedelta(hours=20)
            yield Step(
                at,
                end.ReviewHandling(
                    complaint_id=self.id,
                    defects=self.chance.choice(((), (), ("late",), ("poor-communication",), ("record-incomplete",))),
                    findings="按抽查要求复核。",
                    reviewed_by="zj0001",
                    reviewed_at=at,
                ),
            )
        yield from self._filing(closed_at + FILED)

    def _notice(self, resolution_id: UUID, reply: ask.SendReply) -> Step:
        at = reply.sent_at + timedelta(hours=self.chance.randint(1, 30))
        return Step(
            at,
            end.SendWrittenNotice(
                complaint_id=self.id,
                notice_id=self._new_id(),
                resolution_id=resolution_id,
                channel="letter",
                content="现将处理结果书面告知。",
                remedies=("mediation", "regulator", "court"),
                sent_by=reply.sent_by,
                sent_at=at,
            ),
        )

    def _follow_up_call(self, resolution_id: UUID, at: datetime) -> Step:
        reached = self._happens(OFTEN)
        return Step(
            at,
            end.MakeFollowUpCall(
                complaint_id=self.id,
                resolution_id=resolution_id,
                channel="phone",
                reached=reached,
                content_with_result=self._happens(0.8) if reached else None,
                called_by="kf0001",
                called_at=at,
            ),
        )

    def _repair_and_mediation(self, at: datetime, by: str) -> Iterator[Step]:
        proceedings_id = self._new_id()
        yield Step(
            at,
            end.OpenProceedings(
                complaint_id=self.id,
                proceedings_id=proceedings_id,
                route="mediation",
                body="金融消费纠纷调解中心",
                initiator="customer",
                noted_by=by,
                opened_at=at,
            ),
        )
        ended_at = at + timedelta(days=20)
        yield Step(
            ended_at,
            end.EndProceedings(
                complaint_id=self.id,
                proceedings_id=proceedings_id,
                outcome=self.chance.choice(("agreement", "agreement", "no-agreement")),
                noted_by=by,
                ended_at=ended_at,
            ),
        )
        repaired_at = ended_at + timedelta(days=1)
        yield Step(
            repaired_at,
            end.RepairRelationship(complaint_id=self.id, kind="apology", repaired_by=by, repaired_at=repaired_at),
        )

    def _filing(self, at: datetime) -> Iterator[Step]:
        """Checked and, where the record lacks nothing, archived."""
        yield Step(at, end.CheckCompleteness(complaint_id=self.id, checked_by="da0001", checked_at=at))
        graded = self._of(ask.GradeComplaint)
        grave = bool(graded) and graded[-1].grade is not Grade.GENERAL
        decided = bool(self._of(ask.SendReply))
        if grave and decided and not self._of(ask.StartInvestigation):
            return
        filed_at = at + timedelta(minutes=15)
        yield Step(filed_at, end.ArchiveComplaint(complaint_id=self.id, archived_by="da0001", archived_at=filed_at))
