"""Customers, interactions, improvement and leaks over HTTP, told with the examples of the description."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.asking_parties import PLURALS
from api.examples import EXAMPLES
from api.recording import COMMANDS
from ledger.audit import commands as audit
from ledger.command import Command
from ledger.complaint.commands import ReceiveComplaint
from ledger.customer import commands as customer
from ledger.improvement import commands as improve
from ledger.interaction import commands as interaction
from ledger.leak import commands as leak

PATHS = {route.command: route for route in COMMANDS}


class Kept:
    """One subject as somebody with a client keeps it: what was answered, its ids and its version."""

    def __init__(self, client: httpx.Client, ids: Mapping[str, str] | None = None) -> None:
        self.client = client
        self.ids: dict[str, str] = dict(ids or {})
        self.version = self.position = 0
        self.path = ""

    def record(self, command: type[Command], **other: Any) -> dict[str, Any]:
        route = PATHS[command]
        headers = {"If-Match": f'"{self.version}"'} if route.decides else {}
        body = {**EXAMPLES[command], **other}
        response = self.client.post(route.path.format(**self.ids), json=body, headers=headers)
        assert response.status_code in {200, 201}, f"{command.__name__}: {response.text}"
        receipt: dict[str, Any] = response.json()
        self.ids.update(receipt["assigned"])
        self.version, self.position = receipt["version"], receipt["last_position"]
        if response.status_code == 201:
            self.path = response.headers["location"]
        return receipt

    def get(self, path: str = "", **parameters: Any) -> dict[str, Any]:
        response = self.client.get(f"{self.path}{path}", params={"position": self.position, **parameters})
        assert response.status_code == 200, response.text
        answered: dict[str, Any] = response.json()
        return answered


def alike(kept: Kept) -> Any:
    """Who may be the same person as a customer."""
    response = kept.client.post(f"{kept.path}/duplicates", json={"purpose": "registration"})
    assert response.status_code == 200, response.text
    return response.json()["duplicates"]


LIVES: Mapping[str, tuple[type[Command], ...]] = {
    "customer": (
        *(customer.RegisterCustomer, customer.NoteVulnerability, customer.ChangeDetails, customer.SetTier),
        *(customer.RuleOutDuplicate, customer.EndVulnerability, customer.MergeCustomer, customer.SplitCustomer),
        *(customer.GiveConsent, customer.ShareData, customer.WithdrawConsent),
    ),
    "interaction": (
        *(interaction.RecordInteraction, interaction.AssignInteraction, interaction.PromiseCallBack),
        *(interaction.LookInto, interaction.DealWith, interaction.AnswerInteraction, interaction.RateInteraction),
        *(interaction.MakeCallBack, interaction.ReviewInteraction, interaction.TurnIntoComplaint),
    ),
    "indicator": (
        *(improve.DefineIndicator, improve.SetThresholds, improve.MeasureIndicator, improve.RaiseWarning),
        *(improve.AcknowledgeWarning, improve.MitigateWarning, improve.LiftWarning),
    ),
    "survey": (improve.OpenSurvey, improve.ConcludeSurvey, improve.ReportSurvey),
    "review": (improve.HoldReview, improve.ReportReview),
    "risk": (improve.ReportRisk, improve.TreatRisk, improve.ReassessRisk, improve.CloseRisk),
    "action": (
        *(improve.OpenAction, improve.NoteProgress, improve.HandOverAction, improve.PostponeAction),
        *(improve.CompleteAction, improve.MeasureEffect, improve.CloseAction, improve.ReopenAction),
    ),
    "finding": (audit.ReportAuditFinding, audit.ActOnAuditFinding, audit.CloseAuditFinding),
    "leak": (
        *(leak.ReportLeak, leak.IsolateLeak, leak.InvestigateLeak, leak.NameResponsible, leak.TellAffectedCustomers),
        *(leak.ProtectAffectedCustomers, leak.TellRegulator, leak.ReviewLeak, leak.CloseLeak),
    ),
}


@pytest.mark.parametrize("plural", PLURALS)
def test_a_whole_life_with_the_examples_of_the_description(client: httpx.Client, plural: str) -> None:
    subject = PLURALS[plural]
    kept = Kept(client)
    if subject == "finding":  # what it led to is there before it is linked
        Kept(client).record(improve.OpenAction, action_id=EXAMPLES[audit.ActOnAuditFinding]["action_ids"][0])
    for command in LIVES[subject]:
        kept.record(command)
    assert kept.path == f"/{plural}/{kept.ids[f'{subject}_id']}"
    now = client.get(kept.path)
    assert now.headers["etag"] == f'"{kept.version}"'
    assert now.json()["subject"] == subject
    lines = kept.get("/history")["lines"]
    assert [line["version"] for line in lines] == list(range(1, kept.version + 1))
    assert {line["subject"] for line in lines} == {subject}
    page = kept.get("/history", limit=1)
    assert [line["version"] for line in page["lines"]] == [1]
    rest = kept.get("/history", cursor=page["next_cursor"])
    assert [line["version"] for line in rest["lines"]] == list(range(2, kept.version + 1))


def test_the_lives_hold_every_command_but_annulments_and_alternatives() -> None:
    told = {command for life in LIVES.values() for command in life}
    rest = {route.command.__name__ for route in COMMANDS if route.subject in LIVES and route.command not in told}
    assert rest == {
        *("AnnulCustomerFact", "AnnulInteractionFact", "AnnulIndicatorFact", "AnnulSurveyFact", "AnnulReviewFact"),
        *(
            "AnnulRiskFact",
            "AnnulActionFact",
            "AnnulLeakFact",
            "AnnulAuditFindingFact",
            "AnswerSurvey",
            "DecideNotToTellRegulator",
        ),
    }


@pytest.mark.parametrize("plural", PLURALS)
def test_a_fact_is_annulled_and_stays_visible(client: httpx.Client, plural: str) -> None:
    subject = PLURALS[plural]
    annul = next(each.command for each in COMMANDS if each.path.startswith(f"/{plural}/") and "annul" in each.path)
    kept = Kept(client)
    kept.record(LIVES[subject][0])
    kept.record(annul, version=1)
    lines = kept.get("/history")["lines"]
    assert lines[0]["annulled_by_version"] == 2
    assert kept.get("/history", as_of=lines[0]["position"])["lines"][0]["annulled_by_version"] is None
    kept.record(LIVES[subject][0], **{f"{subject}_id": kept.ids[f"{subject}_id"]})
    assert kept.version == 3


@pytest.mark.parametrize("plural", PLURALS)
def test_what_is_not_there_is_not_found(client: httpx.Client, plural: str) -> None:
    for path in ("", "/history"):
        answered = client.get(f"/{plural}/{uuid4()}{path}")
        assert (answered.status_code, answered.json()["type"]) == (404, "/problems/subject-not-found")


def test_a_customer_is_found_twice_merged_and_told_in_one_line_of_time(client: httpx.Client) -> None:
    complainant = str(uuid4())
    complaint = Kept(client)
    complaint.record(
        ReceiveComplaint, customer_id=complainant, customer_name="王 小明", customer_contact="137 0013 7001"
    )
    one = Kept(client)
    one.record(customer.RegisterCustomer, name="王小明", contact="+8613700137001", identity_number=None)
    assert alike(one) == [{"subject_id": complainant, "kinds": ["contact", "name"]}]
    asked = Kept(client)
    asked.record(interaction.RecordInteraction, kind="enquiry", customer_id=one.ids["customer_id"])
    before = one.get("/timeline", position=asked.position)
    assert [line["name"] for line in before["lines"]] == ["customer-registered", "interaction-recorded"]

    other = Kept(client, {"customer_id": complainant})
    other.record(customer.RegisterCustomer, customer_id=complainant)
    other.record(customer.MergeCustomer, into_customer_id=one.ids["customer_id"])
    together = one.get("/timeline", position=other.position)
    assert together["same_person"] == [complainant]
    assert {line["name"] for line in together["lines"]} == {
        *("customer-registered", "interaction-recorded", "complaint-received", "customer-merged")
    }
    at = [line["at"] for line in together["lines"]]
    assert at == sorted(at)
    assert one.get("/timeline", as_of=asked.position)["lines"] == before["lines"]
    other.path = f"/customers/{complainant}"
    assert {line["position"] for line in other.get("/timeline")["lines"]} == {
        line["position"] for line in together["lines"]
    }
    other.record(customer.SplitCustomer)
    apart = one.get("/timeline", position=other.position)
    assert [line["name"] for line in apart["lines"]] == ["customer-registered", "interaction-recorded"]
    one.record(customer.RuleOutDuplicate, other_customer_id=complainant)
    assert alike(one) == []


def test_a_complaint_grows_from_an_interaction_and_leads_to_an_action(client: httpx.Client) -> None:
    asked = Kept(client)
    asked.record(interaction.RecordInteraction, kind="feedback")
    complaint = Kept(client)
    grown_from = asked.ids["interaction_id"]
    complaint.record(ReceiveComplaint, customer_id=asked.ids["customer_id"], interaction_id=grown_from)
    complaint_id = complaint.ids["complaint_id"]
    assert client.get(f"/complaints/{complaint_id}").json()["received"]["interaction_id"] == grown_from
    asked.record(interaction.TurnIntoComplaint, complaint_id=complaint_id)
    indicator, action = Kept(client), Kept(client)
    for command in (improve.DefineIndicator, improve.SetThresholds):
        indicator.record(command)
    indicator.record(improve.MeasureIndicator, complaint_ids=[complaint_id])
    action.record(improve.OpenAction, complaint_ids=[complaint_id], cause_ids=[indicator.ids["measurement_id"]])
    links = client.get(f"/complaints/{complaint_id}/links", params={"position": action.position}).json()
    assert [(line["subject"], line["name"]) for line in links["lines"]] == [
        ("interaction", "interaction-became-complaint"),
        ("indicator", "indicator-measured"),
        ("indicator", "warning-raised"),
        ("action", "action-opened"),
    ]
    timeline = client.get(
        f"/customers/{asked.ids['customer_id']}/timeline", params={"position": action.position}
    ).json()
    assert [line["subject"] for line in timeline["lines"]] == ["complaint", "interaction", "interaction"]


def test_what_somebody_has_to_do_is_listed_until_it_is_done(client: httpx.Client) -> None:
    department = f"部门 {uuid4()}"
    action = Kept(client)
    action.record(improve.OpenAction, department=department, due_on="2025-12-31")

    def open_now(**asked: Any) -> list[tuple[str, str, str | None]]:
        found = client.get("/duties", params={"position": action.position, "department": department, **asked})
        assert found.status_code == 200, found.text
        return [(duty["kind"], duty["waits_for"], duty["who"]) for duty in found.json()["duties"]]

    assert open_now() == [("action", "work", "handler.zhao")]
    action.record(improve.OpenAction, department=department, due_on="2025-11-30", owner="handler.zhou")
    assert open_now() == [("action", "work", "handler.zhou"), ("action", "work", "handler.zhao")]
    page = client.get("/duties", params={"department": department, "limit": 1, "position": action.position}).json()
    assert [duty["who"] for duty in page["duties"]] == ["handler.zhou"]
    assert open_now(cursor=page["next_cursor"]) == [("action", "work", "handler.zhao")]
    assert open_now(who="handler.zhao", kind="action") == [("action", "work", "handler.zhao")]
    assert open_now(kind="leak") == []
    action.record(improve.CompleteAction)
    assert open_now(limit=1) == [("action", "measurement", None)]
    action.record(improve.MeasureEffect)
    action.record(improve.CloseAction)
    assert open_now() == [("action", "work", "handler.zhao")]
    assert client.get("/duties", params={"kind": "dance"}).status_code == 422


def test_a_leaks_customers_find_it_in_their_timeline(client: httpx.Client) -> None:
    affected = str(uuid4())
    found = Kept(client)
    for command in LIVES["leak"]:
        more = {"customer_ids": [affected]} if "customer_ids" in EXAMPLES[command] else {}
        found.record(command, **more)
    lines = client.get(f"/customers/{affected}/timeline", params={"position": found.position}).json()["lines"]
    assert [line["name"] for line in lines] == ["affected-customers-told", "affected-customers-protected"]


def test_a_survey_is_answered_in_an_interaction(client: httpx.Client) -> None:
    survey = Kept(client)
    survey.record(improve.OpenSurvey)
    answered = Kept(client)
    answered.record(
        interaction.RecordInteraction, kind="survey", direction="outbound", survey_id=survey.ids["survey_id"]
    )
    answered.record(interaction.AnswerSurvey, survey_id=survey.ids["survey_id"])
    assert answered.get()["stands"]["survey_answered_at"] is not None
    scores = survey.get("/scores", position=answered.position)
    assert (scores["answers"], scores["overall_thousandths"], scores["openness_thousandths"]) == (1, 4000, 3000)
    assert scores["attitude_thousandths"] is None
    for overall in (5, 5):
        more = Kept(client)
        more.record(interaction.RecordInteraction, kind="survey", survey_id=survey.ids["survey_id"])
        more.record(interaction.AnswerSurvey, survey_id=survey.ids["survey_id"], overall=overall)
    more.record(interaction.AnnulInteractionFact, version=2)
    counted = survey.get("/scores", position=more.position)
    assert (counted["answers"], counted["overall_thousandths"]) == (2, 4500)
    then = survey.get("/scores", as_of=answered.position, position=more.position)
    assert then["overall_thousandths"] == 4000


def test_a_stale_decision_is_refused(client: httpx.Client) -> None:
    action = Kept(client)
    action.record(improve.OpenAction)
    action.record(improve.NoteProgress)
    route = PATHS[improve.PostponeAction]
    path = route.path.format(**action.ids)
    stale = client.post(path, json=EXAMPLES[improve.PostponeAction], headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert client.post(path, json=EXAMPLES[improve.PostponeAction]).status_code == 428
