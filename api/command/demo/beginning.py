"""How a made-up complaint begins: received, answered for the first time, registered, classified, graded, assigned."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from api.command.demo import likelihoods as likely
from api.command.demo import texts
from api.command.demo.drawn import Fate, Step, complaint_id, customer_of, drawing
from api.command.demo.hours import OfficeHours
from ledger.complaint import commands as ask
from ledger.complaint.codes import code_tables
from ledger.complaint.events import Grade

T = TypeVar("T")


class Beginning:
    """One complaint up to its assignment: each method adds what happens next, by chance."""

    def __init__(self, seed: int, number: int, received_at: datetime, hours: OfficeHours) -> None:
        self.chance = drawing(seed, f"story:{number}")
        self.seed, self.number, self.hours = seed, number, hours
        self.id = complaint_id(seed, number)
        self.customer = customer_of(seed, number)
        self.received_at = received_at
        self.business = self.drawn([(business, business.weight) for business in likely.BUSINESS])
        self.reason = self.drawn([(reason, reason.weight) for reason in likely.REASONS])
        self.channel = self.drawn(likely.CHANNELS)
        self.grade = self.drawn(likely.GRADES)
        self.fate = Fate.drawn(seed, number, self.grade)
        self.product = self.chance.choice(self.business.products)
        self.branch, self.branch_name = self.chance.choice(texts.BRANCHES)
        self.amount = round(self.chance.lognormvariate(6.5, 1.3))
        self.department, self.letters = texts.DEPARTMENTS[self.business.department]
        self.handler = f"{self.letters}{self.chance.randint(1, 24):04d}"
        self.supervisor = f"{self.letters}-zg{self.chance.randint(1, 3):02d}"
        self.clerk = f"kf{self.chance.randint(1, 60):04d}"
        self.steps: list[Step] = []

    def drawn(self, weighted: Sequence[tuple[T, float]]) -> T:
        return self.chance.choices([item for item, _ in weighted], [weight for _, weight in weighted])[0]

    def happens(self, likelihood: float) -> bool:
        return self.chance.random() < likelihood

    def one_of(self, sentences: Sequence[str]) -> str:
        return self.chance.choice(sentences)

    def new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def minutes_after(self, moment: datetime, least: float, most: float) -> datetime:
        return moment + timedelta(seconds=round(60 * self.chance.uniform(least, most)))

    def add(self, at: datetime, command: ask.ComplaintCommand) -> None:
        self.steps.append(Step(at, command))

    def add_amendment(self, at: datetime, command: ask.ComplaintCommand) -> None:
        """What the handler asks for, and the supervisor approves."""
        self.steps.append(Step(at, command, self.handler, self.supervisor))

    def in_order(self) -> list[Step]:
        """The steps by time; a note that was annulled is annulled by its place, so this comes last."""
        ordered = sorted(self.steps, key=lambda step: step.at)
        noted = next((place for place, step in enumerate(ordered) if isinstance(step.command, ask.NoteContact)), None)
        if noted is not None and self.happens(likely.ANNULLED / likely.CONTACTED):
            at = self.minutes_after(ordered[noted].at, 60, 600)
            annulment = ask.AnnulFact(
                complaint_id=self.id,
                version=noted + 1 + sum(step.answered_by is not None for step in ordered[:noted]),
                reason=self.one_of(texts.ANNULMENTS),
                proposed_at=at,
            )
            annulled = Step(at, annulment, self.handler, self.supervisor)
            ordered = sorted([*ordered, annulled], key=lambda step: step.at)
        return ordered

    def receive(self) -> None:
        amount_minor = (
            self.amount * 100 if self.reason.text in ("pricing", "funds") or self.happens(likely.AMOUNT_KNOWN) else None
        )
        said = self.one_of(texts.COMPLAINTS[self.reason.text])
        self.add(
            self.received_at,
            ask.ReceiveComplaint(
                complaint_id=self.id,
                customer_id=self.customer.customer_id,
                received_at=self.received_at,
                received_by=self.clerk,
                channel=self.channel,
                customer_name=self.customer.name,
                customer_contact=self.customer.contact,
                customer_account=self.customer.account if self.business.department in ("debit", "credit") else None,
                content=said.format(product=self.product, branch=self.branch_name, amount=self.amount),
                remedy_wanted=self.one_of(texts.DEMANDS),
                amount_in_dispute_minor=amount_minor,
                currency=None if amount_minor is None else "CNY",
                product=self.business.code,
                branch=self.branch,
            ),
        )
        if self.channel in texts.AUTOMATIC_CHANNELS:
            at = self.minutes_after(self.received_at, 0.1, 2)
            self.add(at, ask.NoteAutomaticReply(complaint_id=self.id, channel=self.channel, sent_at=at))

    def first_reply(self) -> datetime:
        """Within 24 hours mostly, since the service centre never sleeps."""
        if self.fate.first_reply_in_time:
            at = self.minutes_after(self.received_at, 0, 1) + timedelta(
                minutes=min(15 + self.chance.lognormvariate(4.6, 1.1), self.chance.uniform(1080, 1430))
            )
        else:
            at = self.minutes_after(self.received_at, 1450, 4200)
        at = at.replace(microsecond=0)
        self.add(
            at,
            ask.SendFirstReply(
                complaint_id=self.id,
                channel="phone" if self.channel in ("letter", "branch", "regulator-transfer") else self.channel,
                content=self.one_of(texts.FIRST_REPLIES),
                sent_by=self.clerk,
                sent_at=at,
            ),
        )
        return at

    def sort_out(self, first_reply_at: datetime) -> datetime:
        """Registered, classified, graded and assigned; says when."""
        soonest = self.minutes_after(self.received_at, 3, 15)
        if self.channel in ("letter", "regulator-transfer"):  # these lie in a tray first
            soonest = self.hours.at_work(self.minutes_after(self.received_at, 60, 2000), self.chance)
        self.add(
            soonest,
            ask.RegisterComplaint(
                complaint_id=self.id,
                reference=f"TS{self.received_at:%Y}-{self.number:05d}",
                registered_at=soonest,
                registered_by=self.clerk,
            ),
        )
        classified_at = self.minutes_after(soonest, 2, 90)
        self.classify(classified_at)
        graded_at = self.minutes_after(classified_at, 1, 10)
        self.set_grade(graded_at)
        assigned_at = self.minutes_after(graded_at, 1, 45)
        self.assign(assigned_at)
        if self.fate.contacted:
            self.note_contact(self.minutes_after(max(assigned_at, first_reply_at), 30, 1500))
        return assigned_at

    def classify(self, at: datetime) -> None:
        wrongly = self.fate.reclassified
        right = self.reason
        self.reason = (
            self.chance.choice([reason for reason in likely.REASONS if reason is not right]) if wrongly else right
        )
        self.classify_as(at, None)
        self.reason = right
        if wrongly:
            self.classify_as(self.minutes_after(at, 60, 120), self.one_of(texts.RECLASSIFICATIONS))

    def classify_as(self, at: datetime, reason: str | None) -> None:
        self.add(
            at,
            ask.ClassifyComplaint(
                complaint_id=self.id,
                scheme="jrt-0169-2018",
                category=self.reason.code,
                product=code_tables()["product"][self.business.code].more["jrt"],
                issue=self.reason.issue,
                reason=reason,
                classified_by=self.clerk,
                classified_at=at,
            ),
        )

    def set_grade(self, at: datetime) -> None:
        first = Grade(self.grade)
        raised = first is Grade.GENERAL and self.fate.regraded
        urgent = self.happens(likely.URGENT)
        self.add(
            at, ask.GradeComplaint(complaint_id=self.id, grade=first, urgent=urgent, graded_by=self.clerk, graded_at=at)
        )
        if raised:
            self.grade = Grade.COMPLEX.value
            later = self.minutes_after(at, 50, 150)
            self.add_amendment(
                later,
                ask.GradeComplaint(
                    complaint_id=self.id,
                    grade=Grade.COMPLEX,
                    urgent=urgent,
                    reason=self.one_of(texts.REGRADES),
                    graded_by=self.handler,
                    graded_at=later,
                ),
            )

    def assign(self, at: datetime) -> None:
        self.add(
            at,
            ask.AssignComplaint(
                complaint_id=self.id,
                department=self.department,
                assignee=self.handler,
                assigned_by=self.clerk,
                assigned_at=at,
            ),
        )
        if self.fate.reassigned:
            department, letters = self.chance.choice(
                [other for other in texts.DEPARTMENTS.values() if other[1] != self.letters]
            )
            self.handler = f"{letters}{self.chance.randint(1, 24):04d}"
            later = self.minutes_after(at, 20, 120)
            self.add(
                later,
                ask.AssignComplaint(
                    complaint_id=self.id,
                    department=department,
                    assignee=self.handler,
                    reason=self.one_of(texts.REASSIGNMENTS),
                    assigned_by=self.supervisor,
                    assigned_at=later,
                ),
            )

    def note_contact(self, at: datetime) -> None:
        self.add(
            at,
            ask.NoteContact(
                complaint_id=self.id,
                channel="phone",
                direction="inbound" if self.happens(0.6) else "outbound",
                content=self.one_of(texts.CONTACTS),
                noted_by=self.clerk,
                occurred_at=at,
            ),
        )

    def correct(self, assigned_at: datetime) -> None:
        """The branch was mistyped in the first fact; two people put it right."""
        at = self.hours.at_work(self.minutes_after(assigned_at, 60, 2000), self.chance)
        right = self.chance.choice([code for code, _ in texts.BRANCHES if code != self.branch])
        self.add_amendment(
            at,
            ask.CorrectFact(
                complaint_id=self.id,
                version=1,
                changes={"branch": right},
                reason=self.one_of(texts.CORRECTIONS),
                proposed_at=at,
            ),
        )
