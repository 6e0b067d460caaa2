"""The rules of the stages beyond one fact after another: who may not, by which tables, and when a file is complete."""

from uuid import UUID

import pytest

from ledger.complaint import refusals as no
from ledger.complaint.events import ComplaintEvent
from ledger.given import StoredFile
from ledger.tables.refusals import UnknownCode
from ledger.tables.state import Tables
from ledger.tables.table import built_in_tables
from tests.complaint import story
from tests.complaint.story import (
    ACCEPTED,
    ANOTHER,
    ASSIGNED,
    CLASSIFIED,
    CLOSED,
    COMPLAINT_ID,
    CUSTOMER,
    GRADED,
    OTHER_CUSTOMER,
    PROPOSED,
    RECEIVED,
    REGISTERED,
    REOPENED,
    REPLIED,
    RESOLVED,
    WITHDRAWN,
    ask,
    at,
    fact,
    fact_annulled,
    given,
)

ROUTED = Tables(version=3, routes={"fees-and-charges": "fees"})
LIMITED = Tables(version=4, limits={("supervisor", "CNY"): 100_000})


class TestConflictOfInterest:
    """Whoever is complained about or has an interest is given nothing to handle, and refused by name."""

    PLACES: tuple[tuple[tuple[ComplaintEvent, ...], str, str], ...] = (
        ((), "assign-complaint", "assignee"),
        ((), "start-investigation", "lead"),
        ((), "form-investigation-team", "lead"),
        ((), "request-assistance", "assistant"),
        ((PROPOSED,), "approve-compensation", "approved_by"),
        ((story.ESCALATED,), "decide-escalation", "decided_by"),
        ((RESOLVED, REPLIED), "review-handling", "reviewed_by"),
    )

    @pytest.mark.parametrize(("facts", "command", "field"), PLACES)
    @pytest.mark.parametrize(
        ("concern", "staff", "interest"),
        [
            (story.ABOUT_A_PERSON, "QIAN.wei", "complained-about"),
            (story.INTERESTED, "sun.hao", "dealt-with-the-matter"),
        ],
    )
    def test_it_is_checked_wherever_somebody_is_given_a_part(
        self,
        facts: tuple[ComplaintEvent, ...],
        command: str,
        field: str,
        concern: ComplaintEvent,
        staff: str,
        interest: str,
    ) -> None:
        given(RECEIVED, concern, *facts).when(ask(command, **{field: staff})).refused(
            no.ConflictOfInterest, field=field, staff=staff, interest=interest
        )

    def test_a_member_of_a_team_too(self) -> None:
        team = ask("form-investigation-team", members=["zhou.ye", "qian.wei"])
        refused = given(RECEIVED, story.ABOUT_A_PERSON).when(team)
        refused.refused(no.ConflictOfInterest, field="members")
        assert "qian.wei" in str(refused.refusal)

    def test_others_and_what_was_annulled_are_no_matter(self) -> None:
        given(RECEIVED, story.ABOUT_A_PERSON).when(ask("assign-complaint")).then(ASSIGNED)
        taken_back = (RECEIVED, story.ABOUT_A_PERSON, fact_annulled(2))
        given(*taken_back).when(ask("assign-complaint", assignee="qian.wei")).then(
            fact("complaint-assigned", assignee="qian.wei")
        )

    def test_an_outsider_complained_about_is_nobody_of_ours(self) -> None:
        outsider = fact("person-complained-about", staff=None)
        given(RECEIVED, outsider).when(ask("assign-complaint")).then(ASSIGNED)


class TestRouting:
    """The department follows from the category, as far as a routing was published."""

    def test_without_a_department_it_goes_where_the_routing_says(self) -> None:
        routed = ask("assign-complaint", department=None)
        given(RECEIVED, CLASSIFIED).when(routed, tables=ROUTED).then(
            fact("complaint-assigned", department="fees", routing_version=3)
        )

    def test_elsewhere_only_with_a_reason(self) -> None:
        given(RECEIVED, CLASSIFIED).when(ask("assign-complaint"), tables=ROUTED).refused(
            no.RoutedElsewhere, category="fees-and-charges", department="fees", routing_version=3
        )
        reasoned = ask("assign-complaint", reason="客户为信用卡中心员工")
        given(RECEIVED, CLASSIFIED).when(reasoned, tables=ROUTED).then(
            fact("complaint-assigned", reason="客户为信用卡中心员工", routing_version=3)
        )

    def test_it_says_nothing_where_nothing_is_routed(self) -> None:
        given(RECEIVED, CLASSIFIED).when(ask("assign-complaint")).then(ASSIGNED)
        given(RECEIVED).when(ask("assign-complaint"), tables=ROUTED).then(ASSIGNED)
        given(RECEIVED).when(ask("assign-complaint", department=None), tables=ROUTED).refused(
            no.DepartmentMissing, category=None
        )

    def test_a_retry_records_nothing(self) -> None:
        routed = fact("complaint-assigned", department="fees", routing_version=3)
        again = ask("assign-complaint", department=None)
        given(RECEIVED, CLASSIFIED, routed).when(again, tables=ROUTED).then()


class TestLimitOfApproval:
    """A compensation stays within what its approver's rank may approve, as far as limits were published."""

    def approve(self, amount: int, tables: Tables, rank: str | None = "supervisor") -> story.Outcome:
        command = ask("approve-compensation", amount_minor=amount, approver_rank=rank)
        return given(RECEIVED, PROPOSED).when(command, tables=tables)

    def test_up_to_the_limit(self) -> None:
        self.approve(100_000, LIMITED).then(fact("compensation-approved", amount_minor=100_000, tables_version=4))
        self.approve(100_001, LIMITED).refused(no.BeyondTheLimit, amount_minor_max=100_000)

    def test_a_rank_without_a_limit_approves_nothing(self) -> None:
        self.approve(1, LIMITED, "department-head").refused(no.BeyondTheLimit, amount_minor_max=0)
        self.approve(1, LIMITED, None).refused(no.BeyondTheLimit, approver_rank=None)

    def test_without_limits_none_is_checked(self) -> None:
        self.approve(10**9, Tables()).then(fact("compensation-approved", amount_minor=10**9))

    def test_a_correction_does_not_get_around_it(self) -> None:
        approved = (RECEIVED, PROPOSED, story.APPROVED)
        raised = ask("correct-fact", version=3, changes={"amount_minor": 100_001})
        given(*approved).when(raised, tables=LIMITED).refused(no.BeyondTheLimit)

    def test_nobody_approves_what_he_asked_for(self) -> None:
        himself = ask("approve-compensation", approved_by="ZHAO.min")
        given(RECEIVED, PROPOSED).when(himself).refused(no.ApproverIsAuthor, field="requested_by")


class TestFiles:
    """A fact cites a file that was taken in for this complaint, and says of it what the store knows."""

    FILE = StoredFile(ANOTHER, COMPLAINT_ID, CUSTOMER, "cd" * 32, 1234, "application/pdf")

    def test_the_fact_states_digest_size_and_type(self) -> None:
        cited = ask("provide-evidence", file_id=ANOTHER)
        given(RECEIVED).when(cited, files={ANOTHER: self.FILE}).then(
            fact(
                "evidence-provided",
                file_id=ANOTHER,
                file_digest="cd" * 32,
                size_bytes=1234,
                content_type="application/pdf",
            )
        )

    @pytest.mark.parametrize("other", [{"complaint_id": ANOTHER}, {"subject_id": OTHER_CUSTOMER}])
    def test_a_file_of_another_complaint_or_customer_is_none(self, other: dict[str, UUID]) -> None:
        stranger = StoredFile(**{**vars(self.FILE), **other})
        given(RECEIVED).when(ask("provide-evidence", file_id=ANOTHER), files={ANOTHER: stranger}).refused(
            no.FileUnknown, file_id=ANOTHER
        )

    def test_what_the_store_said_is_not_corrected_by_hand(self) -> None:
        on_file = fact("evidence-provided", file_id=ANOTHER, file_digest="cd" * 32, size_bytes=1, content_type="a/b")
        for field, value in (("size_bytes", 2), ("file_digest", "00" * 32), ("file_id", str(COMPLAINT_ID))):
            given(RECEIVED, on_file).when(ask("correct-fact", version=2, changes={field: value})).refused(
                no.FieldFixed, field=field
            )

    def test_evidence_answers_the_request_for_it(self) -> None:
        wanted = story.EVIDENCE_REQUEST
        answer = ask("provide-evidence", evidence_request_id=wanted)
        given(RECEIVED, story.EVIDENCE_ASKED).when(answer).then(fact("evidence-provided", evidence_request_id=wanted))
        given(RECEIVED).when(answer).refused(no.NothingOpen, field="evidence_request_id")


class TestEmergency:
    """The procedure goes step by step, once at a time, for an urgent complaint."""

    def test_a_step_may_be_taken_again_and_none_left_out(self) -> None:
        running = (RECEIVED, story.URGENT, story.EMERGENCY_STARTED, *story.EMERGENCY_STEPS[:2])
        given(*running).when(ask("take-emergency-step", step="risk-assessed")).then(story.EMERGENCY_STEPS[1])
        given(*running).when(ask("take-emergency-step", step="measures-taken")).refused(
            no.EmergencyStepMissing, step="measures-taken", before="decided"
        )
        given(*running).when(ask("end-emergency")).refused(no.EmergencyStepMissing)

    def test_after_the_end_another_may_begin(self) -> None:
        again = ask("start-emergency", emergency_id=ANOTHER, started_at=at(7))
        given(RECEIVED, *story.EMERGENCY_OVER).when(again).then(
            fact("emergency-started", emergency_id=ANOTHER, started_at=at(7))
        )

    def test_a_regrade_that_is_urgent_opens_the_way(self) -> None:
        urgent = fact("complaint-regraded", grade="major", urgent=True)
        given(RECEIVED, GRADED, urgent).when(ask("start-emergency")).then(story.EMERGENCY_STARTED)

    def test_its_steps_do_not_come_before_its_start(self) -> None:
        given(RECEIVED, story.URGENT, story.EMERGENCY_STARTED).when(ask("take-emergency-step", taken_at=at(3))).refused(
            no.OutOfOrder
        )


class TestArchive:
    """A file goes to the archive closed, checked after the closing, and complete."""

    WHOLE = (RECEIVED, REGISTERED, CLASSIFIED, GRADED, ASSIGNED, RESOLVED, REPLIED, CLOSED)

    def test_what_the_record_lacks_the_check_says(self) -> None:
        given(RECEIVED, RESOLVED, REPLIED, CLOSED).when(ask("check-completeness", missing=["evidence"])).then(
            fact(
                "completeness-checked",
                missing=("evidence",),
                lacking=("registration", "classification", "grade", "assignment"),
            )
        )
        given(*self.WHOLE).when(ask("check-completeness")).then(story.CHECKED)

    def test_a_compensation_that_was_approved_and_not_provided_is_missed(self) -> None:
        owing = (*self.WHOLE[:-1], PROPOSED, ACCEPTED, story.APPROVED, CLOSED)
        given(*owing).when(ask("check-completeness")).then(fact("completeness-checked", lacking=("compensation",)))

    def test_a_grave_one_is_investigated(self) -> None:
        grave = [fact("complaint-graded", grade="major") if each == GRADED else each for each in self.WHOLE]
        given(*grave).when(ask("check-completeness")).then(fact("completeness-checked", lacking=("investigation",)))

    def test_complete_it_is_archived_once(self) -> None:
        given(*self.WHOLE, story.CHECKED).when(ask("archive-complaint")).then(story.ARCHIVED)
        given(*self.WHOLE, story.CHECKED, story.ARCHIVED).when(ask("archive-complaint")).then()

    def test_a_check_before_the_closing_does_not_do(self) -> None:
        early = fact("completeness-checked", checked_at=at(14))
        given(*self.WHOLE, early).when(ask("archive-complaint")).refused(no.FileNotChecked)

    def test_a_reopening_takes_it_out_again(self) -> None:
        out = (*self.WHOLE, story.CHECKED, story.ARCHIVED, fact("complaint-reopened", reopened_at=at(30)))
        given(*out).when(ask("archive-complaint", archived_at=at(31))).refused(no.NotClosedYet)

    def test_what_ended_without_a_decision_needs_its_registration(self) -> None:
        given(RECEIVED, REGISTERED, WITHDRAWN, CLOSED).when(ask("check-completeness")).then(story.CHECKED)


class TestTables:
    """A fact states codes of the tables in force, and a classification keeps their version."""

    def test_a_classification_keeps_the_version(self) -> None:
        published = Tables(version=2)
        given(RECEIVED).when(ask("classify-complaint"), tables=published).then(
            fact("complaint-classified", tables_version=2)
        )
        again = ask("classify-complaint", issue="charges-unclear", reason="看错了")
        given(RECEIVED, CLASSIFIED).when(again, tables=published).then(
            fact("complaint-reclassified", issue="charges-unclear", reason="看错了", tables_version=2)
        )

    def test_a_retired_code_is_refused_with_those_that_exist(self) -> None:
        rows = {
            code: row.model_copy(update={"retired": code == "price"})
            for code, row in built_in_tables()["category"].items()
        }
        tables = Tables(version=2, codes={**built_in_tables(), "category": rows})
        refused = given(RECEIVED).when(ask("classify-complaint", category="price"), tables=tables)
        refused.refused(UnknownCode, field="category")
        assert isinstance(refused.refusal, UnknownCode)
        assert "service" in refused.refusal.known
        assert "price" not in refused.refusal.known

    def test_each_of_several_codes_is_checked(self) -> None:
        told = (RECEIVED, RESOLVED, REPLIED)
        given(*told).when(ask("review-handling", defects=["late", "nonsense"])).refused(UnknownCode, field="defects")

    def test_a_scheme_of_its_own_has_tables_of_its_own(self) -> None:
        scheme = {**built_in_tables()["scheme"]}
        scheme["ours"] = scheme["house"].model_copy(update={"code": "ours"})
        own = {"mobile": built_in_tables()["category"]["service"].model_copy(update={"code": "mobile"})}
        tables = Tables(version=2, codes={**built_in_tables(), "scheme": scheme, "ours-category": own})
        terms = {"scheme": "ours", "category": "mobile", "issue": "anything at all"}
        given(RECEIVED).when(ask("classify-complaint", **terms), tables=tables).then(
            fact("complaint-classified", **terms, tables_version=2)
        )
        given(RECEIVED).when(ask("classify-complaint", **terms | {"category": "price"}), tables=tables).refused(
            UnknownCode, table="ours-category"
        )


def test_a_reviewer_had_no_part_in_the_handling() -> None:
    for part, staff in (
        (ASSIGNED, "zhao.min"),
        (story.TEAM, "wu.fan"),
        (story.ASKED_FOR_HELP, "zheng.kai"),
        (story.INVESTIGATING, "zhao.min"),
    ):
        told = (RECEIVED, part, RESOLVED, REPLIED)
        given(*told).when(ask("review-handling", reviewed_by=staff)).refused(no.ReviewerHandledIt, staff=staff)


def test_proceedings_may_follow_the_closing_and_end_once() -> None:
    closed = (RECEIVED, RESOLVED, REPLIED, CLOSED)
    given(*closed).when(ask("open-proceedings", opened_at=at(400))).then(fact("proceedings-opened", opened_at=at(400)))
    given(*closed, REOPENED, story.PROCEEDING).when(ask("end-proceedings", awarded_minor=None)).refused(
        no.AmountIncomplete, field="currency"
    )


def test_what_is_named_must_be_there() -> None:
    given(RECEIVED).when(ask("give-assistance", evidence_ids=None)).refused(no.NothingOpen, field="assistance_id")
    helped = ask("give-assistance", evidence_ids=[ANOTHER])
    given(RECEIVED, story.ASKED_FOR_HELP).when(helped).refused(no.EvidenceUnknown, field="evidence_ids")
    given(RECEIVED).when(ask("hold-negotiation")).refused(no.ProposalUnknown)
    given(RECEIVED).when(ask("form-investigation-team", investigation_id=ANOTHER)).refused(no.InvestigationUnknown)
