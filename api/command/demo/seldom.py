"""What happens to few complaints of the made-up year, each fact to some: drawn from a seed of its own, so that all else stays.

Reads no clock, writes nothing. Each step is one fact, and comes where the rules let it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from api.command.demo.drawn import Step, drawing
from ledger.complaint import commands as ask
from ledger.complaint import handling_commands as handle
from ledger.complaint.moving import Unit

Command = TypeVar("Command", bound=ask.ComplaintCommand)

SELDOM = 0.006
"""Of some 2,600 complaints, each fact comes to about 15; to fewer where it belongs to an investigation."""


class Seldom:
    """The seldom steps of one complaint, whose steps so far are given in any order."""

    def __init__(self, seed: int, number: int, steps: Sequence[Step]) -> None:
        self.seed, self.number = seed, number
        self.chance = drawing(seed, f"seldom:{number}")
        self.steps = sorted(steps, key=lambda step: step.at)
        self.id = self.steps[0].command.complaint_id

    def all(self) -> Iterator[Step]:
        """Every seldom step; the caller sorts them in."""
        for registered in self._of(ask.RegisterComplaint):
            yield from self._at_the_receipt(registered)
        for started, closed in zip(self._of(ask.StartInvestigation), self._of(ask.CloseInvestigation), strict=False):
            yield from self._while_looked_into(started, closed)
            yield from self._mistaken(closed)
        goes_on = not any(isinstance(step.command, ask.ResolveComplaint | ask.WithdrawComplaint) for step in self.steps)
        if goes_on and self.chance.random() < 0.2:
            yield from self._no_complaint()

    def _of(self, kind: type[Command]) -> list[Command]:
        return [step.command for step in self.steps if isinstance(step.command, kind)]

    def _happens(self) -> bool:
        return self.chance.random() < SELDOM

    def _new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def _at_the_receipt(self, registered: ask.RegisterComplaint) -> Iterator[Step]:
        by, at = registered.registered_by, registered.registered_at + timedelta(minutes=1)
        if self._happens():
            number = self.chance.randint(5, 40)
            group = ask.RecogniseGroup(complaint_id=self.id, complainants=number, recognised_by=by, recognised_at=at)
            yield Step(at, group)
        if self._happens():
            transferred = ask.ReceiveTransfer(complaint_id=self.id, body="pboc", received_by=by, received_at=at)
            yield Step(at, transferred)
        if self._happens():
            interest = handle.DeclareInterest(
                complaint_id=self.id, staff="gy0999", interest="dealt-with-the-matter", declared_by=by, declared_at=at
            )
            yield Step(at, interest)
        for named in self._of(handle.NameRepresentative)[: self.chance.randint(0, 1)]:
            at = named.named_at + timedelta(minutes=40)
            ended = handle.EndRepresentation(
                complaint_id=self.id, representative_id=named.representative_id, noted_by=by, ended_at=at
            )
            yield Step(at, ended)

    def _while_looked_into(self, started: ask.StartInvestigation, closed: ask.CloseInvestigation) -> Iterator[Step]:
        lead, whole = started.lead, closed.closed_at - started.started_at
        asked_at, told_at, later = (started.started_at + whole * share for share in (0.15, 0.3, 0.9))
        if self._happens():
            wanted = handle.RequestEvidence(
                complaint_id=self.id,
                evidence_request_id=self._new_id(),
                asked_of="institution",
                department="客户服务部",
                wanted="受理当日的通话录音。",
                requested_by=lead,
                requested_at=asked_at,
            )
            yield Step(asked_at, wanted)
        if self._happens():
            yield Step(
                asked_at,
                ask.ReceiveNewFacts(
                    complaint_id=self.id, content="客户补交通话录音。", received_by=lead, received_at=asked_at
                ),
            )
        if self._happens():
            appraisal_id = self._new_id()
            begun = ask.StartAppraisal(
                complaint_id=self.id,
                appraisal_id=appraisal_id,
                appraiser="司法鉴定中心",
                subject="合同签名笔迹鉴定。",
                started_by=lead,
                started_at=asked_at,
            )
            ended = ask.EndAppraisal(
                complaint_id=self.id, appraisal_id=appraisal_id, result="为本人所签。", ended_by=lead, ended_at=later
            )
            yield from (Step(asked_at, begun), Step(later, ended))
        if self._happens():
            holding = ask.SendHoldingResponse(
                complaint_id=self.id, channel="letter", reasons="尚待核实，暂不能答复。", sent_by=lead, sent_at=told_at
            )
            extended = ask.ExtendDeadline(
                complaint_id=self.id,
                regime="house",
                clock="resolution",
                limit_amount=20,
                limit_unit=Unit.WORKING_DAYS,
                reason="需向发卡机构调取凭证。",
                extended_by=lead,
                complainant_told_at=told_at,
                extended_at=told_at,
                to_be_approved=True,
            )
            yield from (Step(told_at, holding), Step(told_at, extended, lead, "bm0001"))

    def _mistaken(self, closed: ask.CloseInvestigation) -> Iterator[Step]:
        """Somebody asks for a correction that is none. Drawn apart, so that the rest of the year is as it was."""
        chance = drawing(self.seed, f"mistaken:{self.number}")
        if chance.random() < SELDOM:
            at = closed.closed_at - timedelta(minutes=20)
            wanted = ask.CorrectFact(
                complaint_id=self.id,
                version=1,
                changes={"external_reference": f"KH-{chance.randint(1000, 9999)}"},
                reason="客户称另有受理编号。",
                proposed_at=at,
            )
            yield Step(at, wanted, closed.closed_by, "bm0001", "该编号属另一投诉。")

    def _no_complaint(self) -> Iterator[Step]:
        at = self.steps[-1].at + timedelta(hours=30)
        ruled_out = ask.RuleOutComplaint(
            complaint_id=self.id,
            nature="enquiry",
            reason="客户仅询问收费标准。",
            ruled_out_by="bm0001",
            ruled_out_at=at,
        )
        closed_at = at + timedelta(hours=2)
        closed = ask.CloseComplaint(complaint_id=self.id, closed_by="bm0001", closed_at=closed_at)
        yield from (Step(at, ruled_out), Step(closed_at, closed))
