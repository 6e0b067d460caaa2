"""Callers who work within departments: what is theirs, what they are listed, and what they are told of the rest."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.command.demo.texts import DEPARTMENTS
from api.examples import EXAMPLES
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.improvement.commands import OpenAction
from ledger.interaction.commands import AssignInteraction
from ledger.tables import commands as tables
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer
from tests.api.test_life import Complaint, received

MISSPELT = "信用卡中信"


@pytest.fixture
def own() -> list[str]:
    """Two departments that nobody else in the book works in."""
    return sorted(f"{name} {uuid4()}" for name in ("信用卡中心", "个人信贷部"))


@pytest.fixture
def zhao(client: httpx.Client, keys: SubjectKeys, ledger: Ledger, own: list[str]) -> Any:
    """What a handler of those two departments asks."""
    known = bearer(keys, ledger.book, "handler.zhao", "handler", departments=own)
    return partial(client.request, headers=known)


def given_to(client: httpx.Client, department: str, assignee: str | None) -> Complaint:
    complaint = received(client)
    complaint.record(ask.AssignComplaint, department=department, assignee=assignee)
    return complaint


def listed(page: httpx.Response) -> set[str]:
    assert page.status_code == 200, page.text
    return {task["complaint_id"] for task in page.json()["tasks"]}


def test_whom_it_was_given_to_reaches_it_whatever_department_is_written_there(client: httpx.Client, zhao: Any) -> None:
    mine, others = (given_to(client, MISSPELT, name) for name in ("Handler.Zhao", "handler.sun"))
    for complaint, status in ((mine, 200), (others, 403)):
        path = f"/complaints/{complaint.ids['complaint_id']}"
        assert zhao("GET", path).status_code == status
        assert zhao("POST", f"{path}/first-reply", json=EXAMPLES[ask.SendFirstReply]).status_code == status


def test_a_deputy_reaches_what_was_given_to_whom_he_stands_in_for_and_no_longer_than_he_does(
    client: httpx.Client, zhao: Any
) -> None:
    suns, others = (given_to(client, MISSPELT, name) for name in ("handler.sun", "handler.qian"))
    path, other = (f"/complaints/{each.ids['complaint_id']}" for each in (suns, others))
    at = {"position": others.position, "assignee": "handler.sun", "limit": 500}

    def reached() -> tuple[int, int, bool]:
        files = zhao("POST", "/searches", json={"words": "年费", "purpose": "handling"}).json()["files"]
        found = suns.ids["complaint_id"] in {each["stream_id"] for each in files}
        assert (suns.ids["complaint_id"] in listed(zhao("GET", "/worklist", params=at))) is found
        return zhao("GET", path).status_code, zhao("GET", other).status_code, found

    assert reached() == (403, 403, False)
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    named = {"deputy": "handler.zhao", "until": until, "reason": "休假"}
    assert client.post("/staff/handler.sun/deputies", json=named).status_code == 200
    assert reached() == (200, 403, True)
    assert zhao("POST", f"{path}/first-reply", json=EXAMPLES[ask.SendFirstReply]).status_code == 200
    assert client.post("/staff/handler.sun/deputies/end", json={"deputy": "handler.zhao"}).status_code == 200
    assert reached() == (403, 403, False)


def test_whoever_names_a_deputy_reaches_what_the_deputy_will(
    client: httpx.Client, keys: SubjectKeys, ledger: Ledger, own: list[str]
) -> None:
    person = f"handler.{uuid4().hex[:8]}"
    given_to(client, own[0], person)
    named = {"deputy": f"d.{person}", "until": (datetime.now(UTC) + timedelta(days=2)).isoformat(), "reason": "休假"}
    path = f"/staff/{person.title()}/deputies"
    chen = bearer(keys, ledger.book, "supervisor.chen", "supervisor", departments=own[:1])
    wait = {"position": client.get("/book").json()["size"], "assignee": person}
    assert len(listed(client.get("/worklist", params=wait))) == 1
    assert client.post(path, json=named, headers=chen).status_code == 200
    theirs = given_to(client, own[1], f"x.{person}")
    wait_for_it = {"position": theirs.position, "assignee": f"x.{person}"}
    assert len(listed(client.get("/worklist", params=wait_for_it))) == 1
    deputy = client.post(path, json=named | {"deputy": f"x.{person}"}, headers=chen)
    assert (deputy.status_code, deputy.json()["facts"]["department"]) == (403, own[1])
    others = given_to(client, own[1], person)
    assert len(listed(client.get("/worklist", params=wait | {"position": others.position}))) == 2
    refused = client.post(path, json=named | {"deputy": "handler.qian"}, headers=chen)
    assert (refused.status_code, refused.json()["facts"]["department"]) == (403, own[1])


def test_access_is_granted_by_the_department_that_has_the_complaint(
    client: httpx.Client, keys: SubjectKeys, ledger: Ledger, own: list[str]
) -> None:
    theirs = given_to(client, own[1], None)
    body = {
        "complaint_id": theirs.ids["complaint_id"],
        "tiers": ["core"],
        "purpose": "audit",
        "reason": "审计",
        "until": (datetime.now(UTC) + timedelta(days=2)).isoformat(),
    }
    made = client.post("/access-requests", json=body)
    path = f"/access-requests/{made.json()['assigned']['request_id']}/approval"
    for department, status in ((own[0], 403), (own[1], 200)):
        chen = bearer(keys, ledger.book, "supervisor.chen", "supervisor", departments=[department])
        assert client.post(path, json={}, headers=chen).status_code == status


def test_others_departments_are_refused_by_name(client: httpx.Client, zhao: Any, own: list[str]) -> None:
    others = given_to(client, MISSPELT, None)
    for path in (f"/complaints/{others.ids['complaint_id']}", f"/worklist?department={MISSPELT}"):
        refused = zhao("GET", path).json()
        assert (refused["type"], refused["facts"]["department"]) == ("/problems/department-not-yours", MISSPELT)
        assert refused["detail"] == f"This is an affair of {MISSPELT}. The caller's token is for {own[0]}, {own[1]}."


def test_a_list_is_of_the_callers_own_departments(client: httpx.Client, zhao: Any, own: list[str]) -> None:
    one, two = (given_to(client, name, "handler.zhao") for name in own)
    sun = given_to(client, own[0], "handler.sun")
    elsewhere = given_to(client, MISSPELT, "handler.sun")
    by_name = given_to(client, MISSPELT, "handler.zhao")
    ids = {each: each.ids["complaint_id"] for each in (one, two, sun, elsewhere, by_name)}
    ask_list = partial(zhao, "GET", "/worklist")
    at = {"position": by_name.position, "limit": 500}
    assert listed(ask_list(params=at)) & set(ids.values()) == {ids[one], ids[two], ids[sun]}
    assert listed(ask_list(params=at | {"department": own[0]})) == {ids[one], ids[sun]}
    assert listed(ask_list(params=at | {"assignee": "handler.sun"})) == {ids[sun]}
    his = listed(ask_list(params=at | {"assignee": "handler.zhao"}))
    assert his & set(ids.values()) == {ids[one], ids[two], ids[by_name]}, "his own work is listed whole"


def test_what_no_department_has_yet_is_listed_to_every_one_and_others_is_not(
    client: httpx.Client, keys: SubjectKeys, ledger: Ledger, own: list[str]
) -> None:
    nobodys, elsewhere = received(client), given_to(client, MISSPELT, None)
    ids = [each.ids["complaint_id"] for each in (nobodys, elsewhere)]
    for each in (nobodys, elsewhere):
        each.record(ask.CorrectFact)
    at = {"position": elsewhere.position, "limit": 500}
    for role in ("supervisor", "department-lead"):
        his = bearer(keys, ledger.book, f"{role}.chen", role, departments=own[:1])
        for only in ({}, {"to_do": "approve-amendment"}):
            found = listed(client.get("/worklist", params=at | only, headers=his))
            assert found & set(ids) == {ids[0]}
        assert listed(client.get("/worklist", params=at | {"department": own[0]}, headers=his)) == set()


def test_a_complaint_is_handed_over_to_departments_that_are_known(
    client: httpx.Client, keys: SubjectKeys, ledger: Ledger, own: list[str]
) -> None:
    chen = bearer(keys, ledger.book, "supervisor.chen", "supervisor", departments=own[:1])
    complaint, before = received(client), received(client)

    def assign(it: Complaint, department: str) -> httpx.Response:
        path = f"/complaints/{it.ids['complaint_id']}/assignment"
        body = EXAMPLES[ask.AssignComplaint] | {"department": department, "assigned_by": "supervisor.chen"}
        return client.post(path, json=body, headers=chen | {"If-Match": f'"{it.version}"'})

    assert not ledger.tables().routes, "no other test of this module publishes one"
    assert assign(before, MISSPELT).status_code == 200, "there is nothing to know departments by"
    routing = EXAMPLES[tables.PublishRouting] | {"routes": {"service": own[1]}}
    assert client.post("/codes/routing", json=routing).status_code == 200
    refused = assign(complaint, MISSPELT)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/department-unknown")
    assert refused.json()["facts"] == {"department": MISSPELT, "known": own}
    assert f"{own[0]}, {own[1]}." in refused.json()["detail"]
    assert assign(complaint, own[1]).status_code == 200, "another department's, which the routing names"

    mine = given_to(client, own[0], "handler.zhao")
    correction = EXAMPLES[ask.CorrectFact] | {"version": mine.version}

    def correct(**changes: str) -> httpx.Response:
        path = f"/complaints/{mine.ids['complaint_id']}/corrections"
        headers = chen | {"If-Match": f'"{mine.version}"'}
        return client.post(path, json=correction | {"changes": changes}, headers=headers)

    refused = correct(department=MISSPELT)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/department-unknown")
    assert correct(department=own[1]).status_code == 200
    assert given_to(client, MISSPELT, None).version == 2, "who has the whole book reaches every one"


def test_examples_give_work_to_departments_that_the_demo_has() -> None:
    demo = {name for name, _ in DEPARTMENTS.values()}
    given = {EXAMPLES[each]["department"] for each in (ask.AssignComplaint, AssignInteraction, OpenAction)}
    assert given | set(EXAMPLES[tables.PublishRouting]["routes"].values()) <= demo


def test_parameters_are_checked_before_whose_department_it_is(zhao: Any) -> None:
    for path in ("/worklist", "/duties"):
        assert zhao("GET", path, params={"department": MISSPELT, "limit": 0}).status_code == 422
        assert zhao("GET", path, params={"department": MISSPELT}).status_code == 403
        assert zhao("GET", path).status_code == 200
