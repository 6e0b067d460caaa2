"""Four eyes by tokens: who approves or reviews is who asks, and was not the first pair."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.examples import EXAMPLES
from ledger.access import four_eyes
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.complaint import ending_commands as end
from ledger.database.target import Database
from ledger.record.verify import verify
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer
from tests.api.test_life import Complaint, received

KIND = "/problems/"

LATER = "2025-09-29T16:00:00+08:00"
"""After the compensation of the examples was approved."""


@pytest.fixture
def proposed(client: httpx.Client, keys: SubjectKeys, ledger: Ledger) -> Complaint:
    """A complaint for which somebody who may approve too has proposed a solution, with a token of his own."""
    it = received(client)
    it.record(ask.RegisterComplaint)
    body = EXAMPLES[ask.ProposeSolution] | {"proposed_by": "supervisor.chen"}
    known = bearer(keys, ledger.book, "supervisor.chen", "customer-service-head")
    made = client.post(f"/complaints/{it.ids['complaint_id']}/proposals", json=body, headers=known)
    assert made.status_code == 200, made.text
    it.ids |= made.json()["assigned"]
    it.version = made.json()["version"]
    return it


def approve(it: Complaint, headers: dict[str, str], approved_by: str, **other: Any) -> httpx.Response:
    body: dict[str, Any] = {**EXAMPLES[end.ApproveCompensation], "proposal_id": it.ids["proposal_id"], **other}
    body = {field: value for field, value in body.items() if value is not None}
    path = f"/complaints/{it.ids['complaint_id']}/compensations"
    given = {**headers, "If-Match": f'"{it.version}"'}
    return it.client.post(path, json={**body, "approved_by": approved_by}, headers=given)


def test_a_compensation_is_approved_by_who_asks_and_did_not_propose_it(
    proposed: Complaint, keys: SubjectKeys, ledger: Ledger
) -> None:
    chen = bearer(keys, ledger.book, "supervisor.chen", "customer-service-head")
    zhou = bearer(keys, ledger.book, "Lead.Zhou", "management")
    borrowed = approve(proposed, chen, "lead.zhou")
    assert (borrowed.status_code, borrowed.json()["type"]) == (403, KIND + "not-in-anothers-name")
    own = approve(proposed, chen, "supervisor.chen")
    assert (own.status_code, own.json()["type"]) == (403, KIND + "approver-is-requester")
    assert approve(proposed, zhou, "lead.zhou").status_code == 200


def test_without_the_proposals_id_a_compensation_may_rest_on_each_of_them(
    proposed: Complaint, keys: SubjectKeys, ledger: Ledger
) -> None:
    chen = bearer(keys, ledger.book, "Supervisor.Chen", "customer-service-head")
    zhou = bearer(keys, ledger.book, "lead.zhou", "management")
    alone = approve(proposed, chen, "supervisor.chen", proposal_id=None)
    assert (alone.status_code, alone.json()["type"]) == (403, KIND + "approver-is-requester")
    approved = approve(proposed, zhou, "lead.zhou", proposal_id=None)
    assert approved.status_code == 200, approved.text
    proposed.version = approved.json()["version"]
    proposed.record(ask.CorrectFact, version=proposed.version, changes={"amount_minor": 990_000}, proposed_at=LATER)
    refused = answer(proposed, chen)
    assert (refused.status_code, refused.json()["type"]) == (403, KIND + "approver-is-requester")


def test_who_approves_has_the_rank_by_the_token(proposed: Complaint, keys: SubjectKeys, ledger: Ledger) -> None:
    department = EXAMPLES[ask.AssignComplaint]["department"]
    lin = bearer(keys, ledger.book, "supervisor.lin", "supervisor", departments=[department])
    for rank in ("department-head", "institution-head", "head-office-senior-management"):
        refused = approve(proposed, lin, "supervisor.lin", approver_rank=rank)
        assert (refused.status_code, refused.json()["type"]) == (403, KIND + "rank-not-yours")
        assert "management" in refused.json()["facts"]["roles"]
    approved = approve(proposed, lin, "supervisor.lin", approver_rank="supervisor")
    assert approved.status_code == 200, approved.text
    proposed.version = approved.json()["version"]
    changes = {"approver_rank": "institution-head", "amount_minor": 5_000_000_00}
    proposed.record(ask.CorrectFact, version=proposed.version, changes=changes, proposed_at=LATER)
    refused = answer(proposed, lin)
    assert (refused.status_code, refused.json()["type"]) == (403, KIND + "rank-not-yours")
    proposed.record(ask.ExtendDeadline, to_be_approved=True)
    refused = answer(proposed, lin, approver_rank="department-head", approved_at="2025-09-29T16:30:00+08:00")
    assert (refused.status_code, refused.json()["type"]) == (403, KIND + "rank-not-yours")


def test_who_gives_a_complaint_to_somebody_does_it_in_his_own_name(
    client: httpx.Client, keys: SubjectKeys, ledger: Ledger
) -> None:
    it = Complaint(client)
    it.record(ask.ReceiveComplaint, customer_identity_number="110101199001011234")
    reg = bearer(keys, ledger.book, "registrar.wu", "registrar")
    path = f"/complaints/{it.ids['complaint_id']}"
    body = {**EXAMPLES[ask.AssignComplaint], "assignee": "registrar.wu"}
    headers = {**reg, "If-Match": f'"{it.version}"'}
    refused = client.post(f"{path}/assignment", json=body, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, KIND + "not-in-anothers-name")
    own = client.post(f"{path}/assignment", json=body | {"assigned_by": "registrar.wu"}, headers=headers)
    assert own.status_code == 200, own.text
    look = {"purpose": "handling", "reveal": ["customer_identity_number"]}
    kept = client.post(f"{path}/looks", json=look, headers=reg)
    assert (kept.status_code, kept.json()["type"]) == (403, KIND + "look-not-allowed"), kept.text


def test_who_submits_an_escalation_does_not_decide_it(
    proposed: Complaint, keys: SubjectKeys, ledger: Ledger, client: httpx.Client
) -> None:
    chen, he = (bearer(keys, ledger.book, name, "customer-service-head") for name in ("supervisor.chen", "director.he"))
    path = f"/complaints/{proposed.ids['complaint_id']}/escalations"
    body = {**EXAMPLES[end.EscalateComplaint], "escalated_by": "director.he"}
    submitted = client.post(path, json=body, headers=chen)
    assert submitted.status_code == 200, submitted.text
    path = f"{path}/{submitted.json()['assigned']['escalation_id']}/decision"
    version = {"If-Match": f'"{submitted.json()["version"]}"'}
    for token, decided_by in ((chen, "lead.zhou"), (he, "lead.zhou"), (client.headers, "Director.He")):
        body = {**EXAMPLES[end.DecideEscalation], "decided_by": decided_by}
        refused = client.post(path, json=body, headers={**token, **version})
        assert (refused.status_code, refused.json()["type"]) == (403, KIND + "decider-is-escalator"), refused.text
    wang = bearer(keys, ledger.book, "lead.wang", "management")
    body = {**EXAMPLES[end.DecideEscalation], "decided_by": "lead.wang"}
    assert client.post(path, json=body, headers={**wang, **version}).status_code == 200


def test_who_handled_does_not_review_under_any_name(
    proposed: Complaint, keys: SubjectKeys, ledger: Ledger, client: httpx.Client
) -> None:
    proposed.record(ask.WithdrawComplaint)
    path = f"/complaints/{proposed.ids['complaint_id']}/reviews"
    chen = bearer(keys, ledger.book, "supervisor.chen", "customer-service-head")
    body = {**EXAMPLES[end.ReviewHandling], "reviewed_at": "2025-10-20T10:00:00+08:00"}
    for named, kind, status in (
        ("auditor.lin", "not-in-anothers-name", 403),
        ("supervisor.chen", "reviewer-handled-it", 409),
    ):
        refused = client.post(path, json={**body, "reviewed_by": named}, headers=chen)
        assert (refused.status_code, refused.json()["type"]) == (status, KIND + kind)
    lin = bearer(keys, ledger.book, "auditor.lin", "quality")
    assert client.post(path, json={**body, "reviewed_by": "auditor.lin"}, headers=lin).status_code == 200


def test_every_command_that_names_a_second_person_is_held_by_it() -> None:
    commands = [command for command in EXAMPLES if set(four_eyes.SECOND_EYES) & set(command.model_fields)]
    assert len(commands) > 20


AMENDMENTS: dict[type[ask.ComplaintCommand], dict[str, Any]] = {
    ask.AnnulFact: {"version": 3},
    ask.CorrectFact: {"changes": {"content": "理财产品收益未达到预期，且未告知风险。"}},
    ask.GradeComplaint: {"grade": "major", "graded_by": "handler.sun", "graded_at": "2025-09-27T10:00:00+08:00"},
    ask.ExtendDeadline: {
        "to_be_approved": True,
        "extended_at": "2025-09-27T10:00:00+08:00",
        "complainant_told_at": None,
    },
}
"""What takes two people in a complaint."""


def answer(it: Complaint, headers: dict[str, str], what: str = "approval", **said: Any) -> httpx.Response:
    """The last fact of a complaint, which proposes something, approved or declined by somebody."""
    said = {"approved_at": "2025-09-27T11:00:00+08:00", **said} if what == "approval" else said
    path = f"/complaints/{it.ids['complaint_id']}/amendments/{it.ids['proposed_version']}/{what}"
    return it.client.post(path, json=said, headers={**headers, "If-Match": f'"{it.version}"'})


@pytest.fixture
def handled(client: httpx.Client) -> Complaint:
    it = received(client)
    it.record(ask.GradeComplaint)
    it.record(ask.NoteContact)
    it.record(ask.AssignComplaint)
    return it


@pytest.mark.parametrize("command", AMENDMENTS, ids=lambda command: command.command_name())
def test_one_token_alone_amends_nothing(
    handled: Complaint, command: type[ask.ComplaintCommand], keys: SubjectKeys, ledger: Ledger
) -> None:
    it = handled
    chen = bearer(keys, ledger.book, "supervisor.chen", "customer-service-head")
    it.record(command, chen, **AMENDMENTS[command])
    before = it.get().json()
    for himself in ("supervisor.chen", "Supervisor.Chen"):
        own = answer(it, bearer(keys, ledger.book, himself, "customer-service-head", "management"))
        assert (own.status_code, own.json()["type"]) == (403, KIND + "approver-proposed-it")
    handler = bearer(
        keys, ledger.book, "handler.zhao", "handler", departments=[EXAMPLES[ask.AssignComplaint]["department"]]
    )
    for role in (handler, bearer(keys, ledger.book, "core-banking", "service")):
        assert answer(it, role).json()["type"] == KIND + "not-allowed"
    for field in ("approved_by", "proposed_by"):
        named = answer(it, chen, **{field: "lead.zhou"})
        assert (named.status_code, named.json()["type"]) == (422, KIND + "invalid-request")
    assert it.get().json() == before
    approved = answer(it, bearer(keys, ledger.book, "Lead.Zhou", "management"))
    assert approved.status_code == 200, approved.text
    it.version, it.position = approved.json()["version"], approved.json()["last_position"]
    proposal, fact = it.get("/history").json()["lines"][-2:]
    assert (proposal["name"], proposal["recorded_by"]) == ("amendment-proposed", "supervisor.chen")
    assert (fact["recorded_by"], fact["details"]["approved_by"]) == ("Lead.Zhou", "Lead.Zhou")
    assert fact["details"]["proposed_version"] == proposal["version"]
    again = answer(it, bearer(keys, ledger.book, "head.qian", "management"))
    assert (again.status_code, again.json()["type"]) == (409, KIND + "amendment-settled")


def test_a_proposal_is_approved_in_its_own_complaint_and_not_by_who_lost_sight_of_it(
    handled: Complaint, client: httpx.Client, second_eyes: dict[str, str]
) -> None:
    other = received(client)
    handled.record(ask.AnnulFact, version=3)
    other.ids["proposed_version"] = handled.ids["proposed_version"]
    elsewhere = answer(other, second_eyes)
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (404, KIND + "amendment-unknown")
    stale = handled.version
    handled.record(ask.NoteContact)
    handled.ids["proposed_version"] = str(stale)
    handled.version = stale
    assert answer(handled, second_eyes).status_code == 412
    handled.version = stale + 1
    path = f"/complaints/{handled.ids['complaint_id']}/amendments/nine/approval"
    assert (
        client.post(path, json={"approved_at": "2025-09-27T11:00:00+08:00"}, headers={"If-Match": '"9"'}).status_code
        == 422
    )
    declined = answer(handled, second_eyes, "decline", **EXAMPLES[ask.DeclineAmendment])
    assert declined.status_code == 200, declined.text
    handled.version = declined.json()["version"]
    assert answer(handled, second_eyes).json()["type"] == KIND + "amendment-settled"


def test_a_deputy_is_somebody_else_and_gets_no_role_by_it(
    handled: Complaint, keys: SubjectKeys, ledger: Ledger
) -> None:
    chen = bearer(keys, ledger.book, "supervisor.chen", "customer-service-head")
    absent = {"until": (datetime.now(UTC) + timedelta(days=1)).isoformat(), "reason": "休假"}
    for deputy in ("supervisor.chen", "SUPERVISOR.chen"):
        refused = handled.client.post("/staff/lead.zhou/deputies", json={**absent, "deputy": deputy}, headers=chen)
        assert refused.json()["type"] == KIND + "deputy-names-himself"
    qian = bearer(keys, ledger.book, "head.qian", "management")
    made = handled.client.post(
        "/staff/supervisor.chen/deputies", json={**absent, "deputy": "handler.zhao"}, headers=qian
    )
    assert made.status_code == 200, made.text
    handled.record(ask.AnnulFact, chen, version=3)
    deputy_of_himself = bearer(keys, ledger.book, "handler.zhao", "handler", departments=["别的部门"])
    assert answer(handled, deputy_of_himself).json()["type"] == KIND + "not-allowed"


def test_what_a_correction_proposes_is_masked_and_seen_by_a_recorded_look(
    handled: Complaint, second_eyes: dict[str, str], database: Database, ledger: Ledger
) -> None:
    words, it = "客户改称张山，卡号另附。", handled
    it.record(ask.CorrectFact, changes={"content": words}, reason="客户来电更正。")
    told = it.get("/history").text
    assert words not in told
    assert "客户来电更正" not in told
    look = f"/complaints/{it.ids['complaint_id']}/looks"
    shown = it.client.post(look, json={"purpose": "quality-review"}, headers=second_eyes)
    masked = {each["path"]: each["value"] for each in shown.json()["values"]}
    assert masked["fact.content"] == f"({len(words)} characters 字)"
    seen = it.client.post(look, json={"purpose": "quality-review", "reveal": ["fact.content"]}, headers=second_eyes)
    assert words in [each["value"] for each in seen.json()["values"]]
    assert answer(it, second_eyes).status_code == 200
    assert verify(database, ledger.book).ok


def test_who_records_proposes_and_does_not_approve(handled: Complaint, keys: SubjectKeys, ledger: Ledger) -> None:
    department = EXAMPLES[ask.AssignComplaint]["department"]
    for role in ("handler", "registrar"):
        known = bearer(keys, ledger.book, f"{role}.wu", role, departments=[department])
        for command in (ask.AnnulFact, ask.CorrectFact, ask.GradeComplaint):
            handled.record(command, known, **AMENDMENTS[command])
            refused = answer(handled, known)
            assert (refused.status_code, refused.json()["type"]) == (403, KIND + "not-allowed"), role
        assert "supervisor" in refused.json()["facts"]["roles"]
