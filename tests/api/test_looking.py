"""Looks, requests for access and erasure over HTTP: who asks is who the token says."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.access_examples import ACCESS_EXAMPLES
from api.examples import EXAMPLES
from api.party_examples import PARTY_EXAMPLES
from ledger.access import commands as ask
from ledger.application import Ledger
from ledger.complaint import commands as complaint
from ledger.leak.commands import ReportLeak
from ledger.vault.keys import SubjectKeys
from tests.access.conftest import assign
from tests.api.conftest import bearer

IDENTITY = "320106199001011234"


@pytest.fixture
def one(client: httpx.Client) -> str:
    body = {**EXAMPLES[complaint.ReceiveComplaint], "customer_identity_number": IDENTITY}
    return str(client.post("/complaints", json=body).headers["location"])


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{kind}"), response.text
    document: dict[str, Any] = response.json()
    return document


def test_apply_approve_look_report(one: str, client: httpx.Client, keys: SubjectKeys, ledger: Ledger) -> None:
    auditor = bearer(keys, ledger.book, "auditor.sun", "internal-auditor")
    lead = bearer(keys, ledger.book, "lead.zhao", "customer-service-head")
    masked = client.post(f"{one}/looks", json={"purpose": "audit"}, headers=auditor).json()["values"]
    assert "138****8000" in {each["value"] for each in masked}
    assert IDENTITY not in str(masked)
    curious = problem(client.post(f"{one}/looks", json={"purpose": "curiosity"}, headers=auditor), 422, "unknown-code")
    codes = client.get("/codes").json()["tables"]["look-purpose"]
    assert curious["facts"]["known"] == [each["code"] for each in codes]
    look = {"purpose": "audit", "reveal": ["customer_identity_number"]}
    problem(client.post(f"{one}/looks", json=look, headers=auditor), 403, "look-not-allowed")

    asked = {**ACCESS_EXAMPLES[ask.RequestAccess], "complaint_id": one.rpartition("/")[2]}
    problem(client.post("/access-requests", json=asked, headers=auditor), 422, "access-too-long")
    body = {**asked, "until": soon()}
    problem(
        client.post("/access-requests", json={**body, "requested_by": "lead.zhao"}, headers=auditor),
        422,
        "invalid-request",
    )
    made = client.post("/access-requests", json=body, headers=auditor)
    request = made.headers["location"]
    problem(client.post(f"{request}/approval", json={}, headers=auditor), 403, "not-allowed")
    own = bearer(keys, ledger.book, "auditor.sun", "internal-auditor", "compliance")
    problem(client.post(f"{request}/approval", json={}, headers=own), 403, "approver-is-requester")
    assert client.post(f"{request}/approval", json={}, headers=lead).status_code == 200
    granted = {**look, "request_id": request.rpartition("/")[2]}
    shown = client.post(f"{one}/looks", json=granted, headers=auditor).json()["values"]
    assert [each["value"] for each in shown if each["in_clear"]] == [IDENTITY]
    assert {each["superseded_by_version"] for each in shown} == {None}
    at = {"position": shown[0]["position"]}
    assert client.post(f"{one}/looks", json=granted | at, headers=auditor).json()["values"] == shown
    beside = {"position": at["position"] + 1}
    problem(client.post(f"{one}/looks", json=granted | beside, headers=auditor), 422, "no-such-value")
    problem(client.post(f"{one}/looks", json=granted, headers=lead), 403, "look-not-allowed")
    assert client.post(f"{request}/use-report", json={"report": "已核对"}, headers=auditor).status_code == 200
    problem(client.post(f"{one}/looks", json=granted, headers=auditor), 403, "look-not-allowed")

    customer = shown[0]["subject_id"]
    looks = client.get(f"/data-subjects/{customer}/looks", headers=auditor).json()["looks"]
    assert [(each["seen_by"], each["revealed"]) for each in looks] == [
        ("auditor.sun", 0),
        ("auditor.sun", 1),
        ("auditor.sun", 1),
    ]
    problem(client.get(f"/data-subjects/{customer}/looks", headers=lead), 403, "not-allowed")


def test_an_erasure_waits_for_retention_and_restricts_meanwhile(
    one: str, client: httpx.Client, keys: SubjectKeys, ledger: Ledger
) -> None:
    archivist = bearer(keys, ledger.book, "archivist.he", "archivist")
    customer = client.post(f"{one}/looks", json={"purpose": "handling"}).json()["values"][0]["subject_id"]
    ground = {"ground": "customer-request"}
    assert client.get(one).json()["restricted_since"] is None
    assert client.post(f"/data-subjects/{customer}/erasure-requests", json=ground).status_code == 200
    assert client.get(one).json()["restricted_since"] is not None
    problem(client.post(f"/data-subjects/{customer}/erasure", json=ground, headers=archivist), 409, "still-retained")
    other = {"ground": "consent-withdrawn"}
    refused = client.post(f"/data-subjects/{customer}/erasure", json=other, headers=archivist)
    assert problem(refused, 409, "erasure-on-another-ground")["facts"]["requested"] == "customer-request"
    approval = f"/data-subjects/{customer}/erasure-requests/approval"
    problem(client.post(approval, json={}), 403, "approver-is-requester")
    assert client.post(approval, json={}, headers=archivist).status_code == 200
    (waits,) = client.get("/erasure-requests", headers=archivist).json()["waiting"]
    assert (waits["subject_id"], waits["approved_by"], waits["holds"]) == (customer, "archivist.he", 0)
    assert waits["waits_for"] == ["open-complaint", "retention"]
    assert client.get("/erasure-requests", params={"after": waits["position"]}).json()["waiting"] == []
    problem(client.get("/erasure-requests", params={"behind": 1}), 422, "invalid-request")
    look = {"purpose": "handling", "reveal": ["customer_name"]}
    problem(client.post(f"{one}/looks", json=look), 403, "processing-restricted")
    held = client.post(f"/data-subjects/{customer}/holds", json={"reason": "诉讼"}).json()["assigned"]["hold_id"]
    lifting = client.post(f"/data-subjects/{customer}/holds/{held}/lifting", json={"reason": "结案"})
    problem(lifting, 403, "approver-is-requester")


def test_an_erasure_is_asked_for_of_persons_whom_the_caller_may_know_of(
    one: str, client: httpx.Client, keys: SubjectKeys, ledger: Ledger
) -> None:
    compliance = bearer(keys, ledger.book, "compliance.he", "compliance")
    handler = bearer(keys, ledger.book, "zhao.min", "handler", departments=["个人信贷部"])
    customer = client.post(f"{one}/looks", json={"purpose": "handling"}).json()["values"][0]["subject_id"]
    assign(ledger, UUID(one.rpartition("/")[2]), "wang.fang")
    ground = {"ground": "customer-request"}
    odd = client.post(f"/data-subjects/{customer}/erasure-requests", json={"ground": "curiosity"})
    assert "consent-withdrawn" in problem(odd, 422, "unknown-code")["facts"]["known"]
    problem(client.post(f"/data-subjects/{uuid4()}/erasure-requests", json=ground), 404, "no-such-person")
    wanted = f"/data-subjects/{customer}/erasure-requests"
    problem(client.post(wanted, json=ground, headers=handler), 404, "no-such-person")
    problem(
        client.post(f"/data-subjects/{customer}/erasure", json=ground, headers=compliance), 409, "erasure-not-requested"
    )

    leak = client.post("/leaks", json=PARTY_EXAMPLES[ReportLeak], headers=compliance)
    leak_id = leak.headers["location"].rpartition("/")[2]
    for what in ("erasure-requests", "erasure"):
        asked = client.post(f"/data-subjects/{leak_id}/{what}", json=ground, headers=compliance)
        assert problem(asked, 409, "no-person")["facts"]["subject"] == "leak"

    assert client.post(wanted, json=ground, headers=compliance).status_code == 200
    refused = client.post(f"/data-subjects/{customer}/erasure", json=ground, headers=compliance)
    problem(refused, 403, "approver-is-requester")
    problem(client.post(f"{wanted}/end", json={"reason": "客户撤回"}, headers=handler), 403, "not-allowed")
    assert client.post(f"{wanted}/end", json={"reason": "客户撤回"}, headers=compliance).status_code == 200
    look = {"purpose": "handling", "reveal": ["customer_name"]}
    assert client.post(f"{one}/looks", json=look).status_code == 200


def soon() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def test_files_and_persons_are_found_over_http(client: httpx.Client, keys: SubjectKeys, ledger: Ledger) -> None:
    body = EXAMPLES[complaint.ReceiveComplaint] | {"content": "存折遗失无法补办"}
    one = client.post("/complaints", json=body).json()
    asked = {"words": "存折遗失", "purpose": "handling"}
    (found,) = client.post("/searches", json=asked).json()["files"]
    assert (found["stream_id"], found["subject"]) == (one["complaint_id"], "complaint")
    assert len(found["subject_ids"]) == 1
    regulator = bearer(keys, ledger.book, "a.regulator", "regulator")
    problem(client.post("/searches", json=asked, headers=regulator), 403, "not-allowed")
    problem(client.post("/searches", json=asked | {"words": "存"}), 422, "too-few-characters")
    number = {"kind": "contact", "value": "18800001111", "purpose": "registration"}
    assert client.post("/look-ups", json=number).json() == {"persons": []}
    problem(client.post("/look-ups", json=number | {"kind": "address"}), 422, "invalid-request")
    handler = bearer(keys, ledger.book, "wang.fang", "handler", departments=["信用卡中心 Credit Card Centre"])
    assert client.post("/searches", json=asked, headers=handler).json()["files"] == [found]
