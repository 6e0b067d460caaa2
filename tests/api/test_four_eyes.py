"""Four eyes by tokens: who approves or reviews is who asks, and was not the first pair."""

from typing import Any

import httpx
import pytest

from api.examples import EXAMPLES
from ledger.access import four_eyes
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.complaint import ending_commands as end
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer
from tests.api.test_life import Complaint, received

KIND = "/problems/"


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
    correction = {
        **EXAMPLES[ask.CorrectFact],
        "version": approved.json()["version"],
        "changes": {"amount_minor": 990_000},
        "corrected_by": "lead.zhou",
        "approved_by": "supervisor.chen",
    }
    path = f"/complaints/{proposed.ids['complaint_id']}/corrections"
    headers = {**chen, "If-Match": f'"{approved.json()["version"]}"'}
    refused = proposed.client.post(path, json=correction, headers=headers)
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
    version = approved.json()["version"]
    correction = {
        **EXAMPLES[ask.CorrectFact],
        "version": version,
        "changes": {"approver_rank": "institution-head", "amount_minor": 5_000_000_00},
        "approved_by": "supervisor.lin",
    }
    headers = {**lin, "If-Match": f'"{version}"'}
    path = f"/complaints/{proposed.ids['complaint_id']}"
    refused = proposed.client.post(f"{path}/corrections", json=correction, headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, KIND + "rank-not-yours")
    extension = {**EXAMPLES[ask.ExtendDeadline], "approved_by": "supervisor.lin"}
    refused = proposed.client.post(f"{path}/extensions", json=extension, headers=headers)
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


def test_a_correction_is_approved_by_who_asks(proposed: Complaint, keys: SubjectKeys, ledger: Ledger) -> None:
    path = f"/complaints/{proposed.ids['complaint_id']}/annulments"
    body = {**EXAMPLES[ask.AnnulFact], "approved_by": "supervisor.chen", "version": proposed.version}
    chen = bearer(keys, ledger.book, "lead.zhou", "department-lead", departments=["信用卡中心 Credit Card Centre"])
    refused = proposed.client.post(path, json=body, headers={**chen, "If-Match": f'"{proposed.version}"'})
    assert refused.json()["type"] == KIND + "not-in-anothers-name"


def test_every_command_that_names_a_second_person_is_held_by_it() -> None:
    commands = [command for command in EXAMPLES if set(four_eyes.SECOND_EYES) & set(command.model_fields)]
    assert len(commands) > 20


def test_who_records_does_not_approve_a_change_of_the_grade_and_corrects_nothing_alone(
    client: httpx.Client, keys: SubjectKeys, ledger: Ledger
) -> None:
    it = received(client)
    it.record(ask.GradeComplaint)
    department = EXAMPLES[ask.AssignComplaint]["department"]
    path = f"/complaints/{it.ids['complaint_id']}"

    def send(what: str, body: dict[str, Any], role: str) -> httpx.Response:
        known = bearer(keys, ledger.book, "supervisor.chen", role, departments=[department])
        return client.post(f"{path}/{what}", json=body, headers=known | {"If-Match": f'"{it.version}"'})

    approved = {"grade": "major", "reason": "金额较大", "approved_by": "supervisor.chen"}
    regrade = {**EXAMPLES[ask.GradeComplaint], **approved}
    correction = {
        **EXAMPLES[ask.CorrectFact],
        "version": 1,
        "changes": {"channel": "letter"},
        "approved_by": "supervisor.chen",
    }
    for role in ("handler", "registrar"):
        for what, body in (("grade", regrade), ("corrections", correction)):
            refused = send(what, body, role)
            assert (refused.status_code, refused.json()["type"]) == (403, KIND + "not-allowed"), f"{role} {what}"
    regraded = send("grade", regrade, "supervisor")
    assert regraded.status_code == 200, regraded.text
    it.version = regraded.json()["version"]
    assert send("corrections", correction, "supervisor").status_code == 200
