"""Makes up a year of a bank's complaints as commands. Draws everything from a seed; reads no clock, writes nothing.

The same seed, end and number give the same commands, ids included.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from uuid import UUID

from api.command.demo import likelihoods as likely
from api.command.demo import texts
from api.command.demo.beginning import Beginning
from api.command.demo.drawn import Step, drawing
from api.command.demo.hours import OfficeHours
from api.command.demo.seldom import Seldom
from api.command.demo.stages import Stages
from ledger.complaint import commands as ask
from ledger.complaint.events import Outcome

YEAR = timedelta(days=365)


def receipts(seed: int, end: datetime, complaints: int, hours: OfficeHours) -> list[datetime]:
    """When the complaints of the year before `end` arrive, in order: by month, weekday, holiday and hour."""
    chance = drawing(seed, "receipts")
    first = hours.calendar.local_day(end - YEAR)
    days = [first + timedelta(days=n) for n in range(YEAR.days)]
    weights = [
        likely.MONTHS[day.month - 1]
        * (likely.WEEKDAYS[day.weekday()] if hours.calendar.is_working_day(day) else likely.NOT_WORKING)
        for day in days
    ]
    drawn = chance.choices(days, weights, k=complaints - 1)
    moments = [
        hours.on(day, time(0), 60 * chance.choices(range(24), likely.HOURS)[0] + chance.uniform(0, 60)) for day in drawn
    ]
    return [*sorted(moment for moment in moments), end - timedelta(minutes=1)]


def year(seed: int, end: datetime, complaints: int, hours: OfficeHours) -> Iterator[list[Step]]:
    """Each complaint of the year as its steps up to `end`, in the order of receipt.

    The last one arrived a minute before the end, so that it is the last thing that happens.
    """
    for number, received_at in enumerate(receipts(seed, end, complaints, hours), start=1):
        story = Story(seed, number, received_at, hours)
        story.tell(may_stay_open=end - received_at < likely.FINISHED_AFTER)
        story.steps += Stages(seed, number, story.steps).all()
        story.steps += Seldom(seed, number, story.steps).all()
        yield [step for step in story.in_order() if step.at < end]


class Story(Beginning):
    """One complaint on its way, from the receipt to the closed file."""

    def tell(self, *, may_stay_open: bool) -> None:
        self.receive()
        first_reply_at = self.first_reply()
        assigned_at = self.sort_out(first_reply_at)
        if self.fate.corrected:
            self.correct(assigned_at)
        replied_at = self.reply_day(max(first_reply_at, assigned_at) + timedelta(hours=4))
        if self.fate.withdrawn:
            return self.withdraw(max(first_reply_at, assigned_at + timedelta(hours=2.5)), replied_at)
        if self.fate.never_finished and may_stay_open:
            self.investigate(assigned_at, replied_at)
            return None
        resolution_id = self.handle(assigned_at, replied_at)
        self.after(resolution_id, replied_at)
        return None

    def reply_day(self, earliest: datetime) -> datetime:
        """When the customer is told the result: mostly within the limit of the grade, by working days."""
        in_time = likely.WORKING_DAYS_IN_TIME[self.grade]
        if self.fate.resolved_in_time:
            days = self.chance.choices(range(1, len(in_time) + 1), in_time)[0]
        else:
            days = len(in_time) + self.chance.randint(1, likely.WORKING_DAYS_LATE_MAX)
        at = self.hours.working_days_after(self.received_at, days, self.chance)
        while at < earliest:
            days += 1
            at = self.hours.working_days_after(self.received_at, days, self.chance)
        return at

    def between(self, begin: datetime, end: datetime, share: float) -> datetime:
        """A moment at that share of the way, when people are at work."""
        return self.hours.share_of_the_way(begin, end, share)

    def handle(self, begin: datetime, replied_at: datetime) -> UUID:
        """From the assignment to the reply; says which resolution the customer was told."""
        self.investigate(begin, replied_at)
        if self.fate.proposed:
            self.propose(begin, replied_at)
        return self.resolve(begin, replied_at)

    def investigate(self, begin: datetime, replied_at: datetime) -> None:
        if not self.fate.investigated:
            return
        investigation_id = self.new_id()
        at = self.between(begin, replied_at, 0.1)
        self.add(
            at,
            ask.StartInvestigation(
                complaint_id=self.id,
                investigation_id=investigation_id,
                lead=self.handler,
                started_by=self.handler,
                started_at=at,
            ),
        )
        for n in range(self.chance.choice((1, 1, 2, 3))):
            at = self.between(begin, replied_at, 0.2 + 0.06 * n)
            kind, description = self.one_of_evidence()
            self.add(
                at,
                ask.ProvideEvidence(
                    complaint_id=self.id,
                    evidence_id=self.new_id(),
                    kind=kind,
                    description=description,
                    sha256=f"{self.chance.getrandbits(256):064x}",
                    provided_by=self.handler,
                    provided_at=at,
                ),
            )
        self.find(investigation_id, self.between(begin, replied_at, 0.42), self.between(begin, replied_at, 0.5))

    def one_of_evidence(self) -> tuple[str, str]:
        return self.chance.choice(texts.EVIDENCE)

    def find(self, investigation_id: UUID, found_at: datetime, closed_at: datetime) -> None:
        self.add(
            found_at,
            ask.MakeFinding(
                complaint_id=self.id,
                investigation_id=investigation_id,
                finding=self.one_of(texts.FINDINGS),
                cause=self.one_of(self.reason.causes),
                made_by=self.handler,
                made_at=found_at,
            ),
        )
        self.add(
            closed_at,
            ask.CloseInvestigation(
                complaint_id=self.id,
                investigation_id=investigation_id,
                conclusion=self.one_of(texts.CONCLUSIONS),
                closed_by=self.handler,
                closed_at=closed_at,
            ),
        )

    def propose(self, begin: datetime, replied_at: datetime) -> None:
        """A solution is put to the customer, and another one when the first is declined."""
        if self.fate.declined:
            declined = self.put(self.between(begin, replied_at, 0.56))
            at = self.between(begin, replied_at, 0.62)
            self.add(
                at,
                ask.DeclineProposal(
                    complaint_id=self.id,
                    proposal_id=declined,
                    reason=self.one_of(texts.DECLINES),
                    declined_at=at,
                    noted_by=self.handler,
                ),
            )
        accepted = self.put(self.between(begin, replied_at, 0.68))
        at = self.between(begin, replied_at, 0.76)
        self.add(
            at,
            ask.AcceptProposal(complaint_id=self.id, proposal_id=accepted, accepted_at=at, noted_by=self.handler),
        )

    def put(self, at: datetime) -> UUID:
        proposal_id = self.new_id()
        kind = self.drawn(likely.COMPENSATIONS) if self.happens(likely.COMPENSATED) else None
        paid = kind in ("refund", "ex-gratia-payment")
        self.add(
            at,
            ask.ProposeSolution(
                complaint_id=self.id,
                proposal_id=proposal_id,
                content=self.one_of(texts.PROPOSALS),
                compensation_kind=kind,
                compensation_minor=self.amount * 100 if paid else None,
                currency="CNY" if paid else None,
                proposed_by=self.handler,
                proposed_at=at,
            ),
        )
        return proposal_id

    def resolve(self, begin: datetime, replied_at: datetime) -> UUID:
        resolution_id = self.new_id()
        outcome = self.drawn(likely.OUTCOMES)
        at = self.between(begin, replied_at, 0.88)
        self.add(
            at,
            ask.ResolveComplaint(
                complaint_id=self.id,
                resolution_id=resolution_id,
                outcome=Outcome(outcome),
                reasons=self.one_of(texts.REASONS_OF_OUTCOME[outcome]),
                measures=self.one_of(texts.MEASURES) if outcome in ("upheld", "partly-upheld") else None,
                resolved_by=self.supervisor,
                resolved_at=at,
            ),
        )
        self.add(
            replied_at,
            ask.SendReply(
                complaint_id=self.id,
                reply_id=self.new_id(),
                channel="letter" if self.grade == "major" else "phone",
                content=self.one_of(texts.REPLIES),
                sent_by=self.handler,
                sent_at=replied_at,
            ),
        )
        return resolution_id

    def after(self, resolution_id: UUID, replied_at: datetime) -> None:
        """The customer is content, or comes back; in the end the file is closed."""
        if self.fate.reopened:
            reopened_at = self.hours.at_work(self.minutes_after(replied_at, 1440, 15 * 1440), self.chance)
            self.reopen(reopened_at)
            replied_at = self.hours.working_days_after(reopened_at, self.chance.randint(2, 6), self.chance)
            resolution_id = self.resolve(reopened_at, replied_at)
        closed_at = self.hours.at_work(self.minutes_after(replied_at, 2 * 1440, 9 * 1440), self.chance)
        if self.fate.rated:
            self.rate(resolution_id, self.between(replied_at, closed_at, self.chance.uniform(0.1, 0.9)))
        self.add(closed_at, ask.CloseComplaint(complaint_id=self.id, closed_by=self.supervisor, closed_at=closed_at))

    def reopen(self, at: datetime) -> None:
        new_facts, reason = self.chance.choice(texts.REOPENINGS)
        self.add(
            at,
            ask.ReopenComplaint(
                complaint_id=self.id, reason=reason, new_facts=new_facts, reopened_by=self.clerk, reopened_at=at
            ),
        )

    def rate(self, resolution_id: UUID, at: datetime) -> None:
        quick = at - self.received_at < timedelta(days=16)
        scores = likely.SCORES if quick else likely.SCORES_OF_THE_LATE
        overall = self.drawn(scores)
        attitude, efficiency, ability, openness = (
            max(1, min(5, overall + self.chance.choice((-1, 0, 0, 0, 1)))) for _ in range(4)
        )
        mood = "good" if overall >= 4 else "middling" if overall == 3 else "bad"
        self.add(
            at,
            ask.RateSatisfaction(
                complaint_id=self.id,
                resolution_id=resolution_id,
                overall=overall,
                attitude=attitude,
                efficiency=efficiency,
                ability=ability,
                openness=openness,
                comment=self.one_of(texts.COMMENTS[mood]) if self.happens(0.3) else None,
                channel="phone" if self.happens(0.7) else "sms",
                asked_by=self.clerk,
                rated_at=at,
            ),
        )

    def withdraw(self, begin: datetime, replied_at: datetime) -> None:
        """After the investigation, if there was one, and before anything is proposed."""
        self.investigate(begin, replied_at)
        at = self.between(begin, replied_at, self.chance.uniform(0.55, 0.8))
        self.add(
            at,
            ask.WithdrawComplaint(
                complaint_id=self.id, reason=self.one_of(texts.WITHDRAWALS), received_by=self.clerk, withdrawn_at=at
            ),
        )
        closed_at = self.hours.at_work(self.minutes_after(at, 60, 2000), self.chance)
        self.add(closed_at, ask.CloseComplaint(complaint_id=self.id, closed_by=self.supervisor, closed_at=closed_at))
