"""A complaint's whole life over HTTP, told with the examples of the description, and what the questions then say."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx

from api import evidence, looking
from api.examples import EXAMPLES
from api.recording import COMMANDS
from ledger.complaint import commands as ask
from ledger.complaint import ending_commands as end
from ledger.database.target import Database
from ledger.deadlines.regime import Regime
from ledger.policy import commands as policies
from ledger.policy.commands import POLICY_COMMANDS
from ledger.record.verify import verify
from ledger.tables import commands as tables
from ledger.tables.commands import TABLES_COMMANDS

PATHS = {route.command: route for route in COMMANDS}


class Complaint:
    """One complaint, as somebody with a client handles it: reads, decides, and sends the version that was read."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.ids: dict[str, str] = {}
        self.version = 0
        self.position = 0

    def amend(
        self,
        command: type[ask.ComplaintCommand],
        second_eyes: dict[str, str],
        approved_at: str | None = None,
        **other: Any,
    ) -> httpx.Response:
        """Proposes something, and has somebody else approve it."""
        self.record(command, **other)
        when = {} if approved_at is None else {"approved_at": approved_at}
        return self.record(ask.ApproveAmendment, second_eyes, **when)

    def record(
        self, command: type[ask.ComplaintCommand], by: dict[str, str] | None = None, **other: Any
    ) -> httpx.Response:
        route = PATHS[command]
        headers = {"If-Match": f'"{self.version}"'} if route.decides else {}
        headers |= by or {}
        response = self.client.post(route.path.format(**self.ids), json={**EXAMPLES[command], **other}, headers=headers)
        assert response.status_code in {200, 201}, f"{command.__name__}: {response.text}"
        receipt = response.json()
        self.ids.update(receipt["assigned"])
        self.version = receipt["version"]
        self.ids["proposed_version"] = str(self.version)  # of a proposal, if that was one
        self.position = receipt["last_position"]
        assert response.headers["etag"] == f'"{self.version}"'
        assert response.headers["ledger-position"] == str(self.position)
        return response

    def get(self, path: str = "", **parameters: Any) -> httpx.Response:
        response = self.client.get(
            f"/complaints/{self.ids['complaint_id']}{path}", params={"position": self.position, **parameters}
        )
        assert response.status_code == 200, response.text
        return response


def received(client: httpx.Client) -> Complaint:
    complaint = Complaint(client)
    complaint.record(ask.ReceiveComplaint)
    return complaint


def test_a_whole_life_with_the_examples_of_the_description(client: httpx.Client, second_eyes: dict[str, str]) -> None:
    complaint = Complaint(client)
    first = complaint.record(ask.ReceiveComplaint)
    assert first.status_code == 201
    assert first.headers["location"] == f"/complaints/{complaint.ids['complaint_id']}"
    assert client.get(first.headers["location"]).json()["version"] == 1
    complaint.amend(ask.CorrectFact, second_eyes)
    for command in (
        ask.RegisterComplaint,
        ask.NoteAutomaticReply,
        ask.SendFirstReply,
        ask.ClassifyComplaint,
        ask.GradeComplaint,
        ask.AssignComplaint,
        ask.NoteContact,
        ask.StartInvestigation,
        ask.ProvideEvidence,
        ask.MakeFinding,
        ask.CloseInvestigation,
        ask.ProposeSolution,
        ask.DeclineProposal,
        ask.ProposeSolution,
        ask.AcceptProposal,
        ask.ResolveComplaint,
        ask.SendReply,
    ):
        complaint.record(command)
    complaint.record(ask.RateSatisfaction, resolution_id=complaint.ids["resolution_id"])
    complaint.record(ask.CloseComplaint)
    now = complaint.get().json()
    assert now["closed_at"] == "2025-09-30T03:00:00Z"
    assert now["registered"]["reference"] == complaint.ids["reference"]
    assert [clock["verdict"] for clock in now["clocks"] if clock["regime"] == "house"] == ["met", "met"]
    complaint.record(ask.ReopenComplaint)
    complaint.record(ask.WithdrawComplaint)
    lines = complaint.get("/history").json()["lines"]
    assert [line["version"] for line in lines] == list(range(1, complaint.version + 1))
    assert lines[0]["corrected_by_version"] == 3
    found = client.get("/complaints", params={"reference": complaint.ids["reference"], "position": complaint.position})
    assert found.json() == {"complaint_ids": [complaint.ids["complaint_id"]]}


def test_the_facts_of_another_body_and_an_annulment(client: httpx.Client, second_eyes: dict[str, str]) -> None:
    complaint = received(client)
    complaint.record(ask.StateOutcome)
    complaint.record(ask.DisputeOutcome)
    complaint.amend(ask.AnnulFact, second_eyes, version=3, reason="争议登记有误。")
    history = complaint.get("/history").json()
    assert history["lines"][2]["annulled_by_version"] == 5


def test_the_facts_that_move_a_deadline(client: httpx.Client) -> None:
    complaint = received(client)
    for command in (
        ask.ReceiveTransfer,
        ask.RecogniseGroup,
        ask.StartAppraisal,
        ask.ReceiveNewFacts,
        ask.EndAppraisal,
        ask.SendHoldingResponse,
        ask.ExtendDeadline,
    ):
        complaint.record(command)
    first = received(client)
    complaint.record(ask.MergeComplaint, into_complaint_id=first.ids["complaint_id"])
    complaint.record(ask.RuleOutComplaint)
    complaint.record(ask.CloseComplaint)
    assert len(complaint.get("/history").json()["lines"]) == 11
    first.position = complaint.position
    taken_in = first.get("/history").json()["lines"][-1]
    assert (taken_in["name"], taken_in["details"]["repeat_complaint_id"]) == (
        "repeat-taken-in",
        complaint.ids["complaint_id"],
    ), "one command, and it stands in the histories of both"


def test_a_complaint_is_merged_with_one_that_is_there(
    client: httpx.Client, size: Callable[[], int], database: Database, book: str
) -> None:
    repeat, nowhere = received(client), str(uuid4())
    for command, field in ((ask.MergeComplaint, "into_complaint_id"), (end.TakeInRepeat, "repeat_complaint_id")):
        refused = client.post(
            PATHS[command].path.format(**repeat.ids),
            json={**EXAMPLES[command], field: nowhere},
            headers={"If-Match": f'"{repeat.version}"'},
        )
        assert (refused.status_code, refused.json()["type"]) == (404, "/problems/complaint-not-found")
        assert refused.json()["facts"] == {"complaint_id": nowhere}
    assert size() == 1, "the receipt, and no half of a merging"
    main = received(client)
    repeat.record(ask.MergeComplaint, into_complaint_id=main.ids["complaint_id"])
    assert size() == 4
    main.version += 1
    already = client.post(
        PATHS[end.TakeInRepeat].path.format(**main.ids),
        json={**EXAMPLES[end.TakeInRepeat], "repeat_complaint_id": repeat.ids["complaint_id"]},
        headers={"If-Match": f'"{main.version}"'},
    )
    assert (already.status_code, already.json()["type"]) == (409, "/problems/id-taken")
    assert size() == 4
    assert verify(database, book).ok, "two streams under one request"


def test_every_command_of_the_rules_has_an_address_and_an_example() -> None:
    assert (
        {
            *PATHS,
            *looking.SERVED,
            *evidence.SERVED,
        }  # by the one table, or by a route that gives out or erases before it answers
        == set(EXAMPLES)
        >= {
            *ask.COMPLAINT_COMMANDS.values(),
            *POLICY_COMMANDS.values(),
            *TABLES_COMMANDS.values(),
        }
    )


def test_an_institution_publishes_its_own_calendar_and_regime(client: httpx.Client) -> None:
    for command in (policies.PublishCalendar, policies.PublishRegime):
        told = client.post(PATHS[command].path, json=EXAMPLES[command])
        assert told.status_code == 200, told.text
    listed = client.get("/regimes")
    assert [(each["name"], each["in_force"]) for each in listed.json()["regimes"]] == [("card-centre", [])]
    force = "/regimes/card-centre/force"
    assert client.post(force, json=EXAMPLES[policies.PutRegimeInForce]).status_code == 428
    early = {**EXAMPLES[policies.PutRegimeInForce], "in_force_from": "2020-01-01"}
    refused = client.post(force, json=early, headers={"If-Match": listed.headers["etag"]})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/in-force-too-early")
    put = client.post(force, json=EXAMPLES[policies.PutRegimeInForce], headers={"If-Match": listed.headers["etag"]})
    assert put.status_code == 200, put.text
    ended = client.post(
        "/regimes/card-centre/retirement",
        json=EXAMPLES[policies.RetireRegime],
        headers={"If-Match": put.headers["etag"]},
    )
    assert ended.status_code == 200, ended.text
    (now,) = client.get("/regimes").json()["regimes"]
    assert now["in_force"] == [{"since": "2100-01-01", "version": 1}, {"since": "2100-07-01", "version": None}]
    (then,) = client.get("/regimes", params={"as_of": put.json()["last_position"]}).json()["regimes"]
    assert then["in_force"] == [{"since": "2100-01-01", "version": 1}]
    published = client.get("/regimes/card-centre").json()["regime"]
    assert Regime.model_validate(published) == Regime.model_validate(EXAMPLES[policies.PublishRegime]["regime"])
    assert client.get("/calendars").json()["calendars"][0]["settled_through"] == "2025-12-31"
    assert client.get("/calendars/shanghai-exchange", params={"version": 1}).status_code == 200
    for path in ("/regimes/mars", "/calendars/mars", "/regimes/card-centre?version=2"):
        assert client.get(path).status_code == 404


def test_a_deadline_is_derived_day_by_day_and_the_same_again(client: httpx.Client) -> None:
    complaint = received(client)
    as_of = complaint.position
    told = complaint.get("/deadlines", as_of=as_of, now="2025-10-09T12:00:00+08:00").json()
    (resolution,) = [each for each in told["deadlines"] if each["clock"] == "resolution"]
    assert (resolution["verdict"], resolution["limit"], resolution["due_at"]) == (
        "running",
        "5 working days",
        "2025-10-10T15:59:59.999999Z",
    )
    assert [day["on"] for day in resolution["days"] if day["why"] == "make-up-working-day"] == ["2025-09-28"]
    assert "2025-09-28 Sun     day 1  make-up working day" in told["text"]
    complaint.record(ask.GradeComplaint)
    complaint.record(ask.SendFirstReply)
    assert complaint.get("/deadlines", as_of=as_of, now="2025-10-09T12:00:00+08:00").json() == told
    later = complaint.get("/deadlines").json()
    assert [each["limit"] for each in later["deadlines"]] == ["24 hours", "10 working days"]
    assert [step["did"] for step in later["deadlines"][1]["steps"]] == ["start", "limit"]
    (state,) = [
        each
        for each in complaint.get("/clocks").json()["clocks"]
        if each["known_to"] is None and each["clock"] == "resolution"
    ]
    assert (state["limit"], state["first_limit"]) == ("10 working days", "5 working days")
    assert client.get(f"/complaints/{uuid4()}/deadlines").status_code == 404


def test_a_report_by_period_and_by_the_classification_as_first_set(client: httpx.Client) -> None:
    complaint = Complaint(client)
    complaint.record(ask.ReceiveComplaint, received_at="2024-02-29T10:00:00+08:00")
    complaint.record(ask.ClassifyComplaint, category="price", classified_at="2024-02-29T11:00:00+08:00")
    then = complaint.position
    complaint.record(
        ask.ClassifyComplaint, category="service", classified_at="2024-03-01T11:00:00+08:00", reason="改判。"
    )
    asked = {"from": "2024-02-29", "to": "2024-02-29", "position": complaint.position, "by": "category"}
    for classified, category in ((None, "service"), ("first", "price"), (str(then), "price")):
        parameters = asked | ({} if classified is None else {"classified": classified})
        for period, first in (
            ("day", "2024-02-29"),
            ("month", "2024-02-01"),
            ("quarter", "2024-01-01"),
            ("year", "2024-01-01"),
        ):
            report = client.get("/sla", params={**parameters, "period": period}).json()
            assert {(line["part"], line["period"]) for line in report["lines"]} == {(category, first)}


def test_an_institution_publishes_its_own_tables_and_a_retired_code_is_refused(client: httpx.Client) -> None:
    before = client.get("/codes").json()
    manners = [{**row, "retired": row["code"] == "fax"} for row in before["tables"]["channel"]]
    told = client.post("/codes", json={**EXAMPLES[tables.PublishCodeTables], "tables": {"channel": manners}})
    assert told.status_code == 200, told.text
    for command in (tables.PublishRouting, tables.PublishApprovalLimits, tables.ExerciseEmergencyPlan):
        answered = client.post(PATHS[command].path, json=EXAMPLES[command])
        assert answered.status_code == 200, answered.text
    now = client.get("/codes").json()
    assert now["version"] == before["version"] + 4
    assert now["routes"]["price"] == "信用卡中心 Credit Card Centre"
    assert now["emergency_plans_exercised"] == {"funds-at-risk": "2025-08-20"}
    refused = client.post("/complaints", json={**EXAMPLES[ask.ReceiveComplaint], "channel": "fax"})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/unknown-code")
    then = client.get("/codes", params={"as_of": told.json()["last_position"] - 1}).json()
    assert then == before, "a fact is read by the tables that stood at its position"
    beyond = client.get("/codes", params={"as_of": 10**9})
    assert (beyond.status_code, beyond.json()["type"]) == (422, "/problems/beyond-the-book")
    assert "fax" not in refused.json()["facts"]["known"]
    assert "phone" in refused.json()["facts"]["known"]


def test_history_as_of_any_position_is_what_was_answered_then(client: httpx.Client) -> None:
    complaint = received(client)
    answered = [(complaint.position, complaint.get("/history").json())]
    for command in (ask.RegisterComplaint, ask.SendFirstReply, ask.ClassifyComplaint, ask.GradeComplaint):
        complaint.record(command)
        answered.append((complaint.position, complaint.get("/history").json()))
    for position, then in answered:
        assert complaint.get("/history", as_of=position).json() == then
    instant = answered[2][1]["lines"][-1]["recorded_at"]
    assert complaint.get("/history", as_of=instant).json() == answered[2][1]


def test_ids_that_the_caller_made_are_kept(client: httpx.Client, size: Callable[[], int]) -> None:
    complaint_id, customer_id = uuid4(), uuid4()
    complaint = Complaint(client)
    receipt = complaint.record(
        ask.ReceiveComplaint, complaint_id=str(complaint_id), customer_id=str(customer_id)
    ).json()
    assert UUID(receipt["complaint_id"]) == complaint_id
    assert receipt["assigned"] == {}
    again = client.post(
        "/complaints",
        json={**EXAMPLES[ask.ReceiveComplaint], "complaint_id": str(complaint_id), "customer_id": str(customer_id)},
    )
    assert again.status_code in {200, 201, 409}
    assert size() == 1


def test_what_was_found_open_is_on_the_worklist_and_counted(client: httpx.Client) -> None:
    complaint = Complaint(client)
    complaint.record(ask.ReceiveComplaint, received_at="2025-03-03T23:59:00+08:00")
    complaint.record(ask.AssignComplaint, department="贷款部", assigned_at="2025-03-04T09:00:00+08:00")
    page = client.get("/worklist", params={"position": complaint.position, "department": "贷款部"}).json()
    assert [task["complaint_id"] for task in page["tasks"]] == [complaint.ids["complaint_id"]]
    report = client.get(
        "/sla", params={"from": "2025-03-03", "to": "2025-03-03", "position": complaint.position}
    ).json()
    assert {(line["clock"], line["missed"], line["overdue"]) for line in report["lines"]} >= {("first-reply", 1, 1)}
    assert report["starts_from"] == "2025-03-02T16:00:00Z"
    for day in ("2025-03-02", "2025-03-04"):
        nothing = client.get("/sla", params={"from": day, "to": day, "position": complaint.position}).json()
        assert nothing["lines"] == []
    past = client.get(
        "/sla", params={"from": "2025-03-03", "now": "2025-03-04T12:00:00+08:00", "to": "2025-03-03"}
    ).json()
    assert {(line["clock"], line["running"]) for line in past["lines"]} >= {("first-reply", 1)}
    overdue = client.get("/sla/overdue", params={"position": complaint.position, "limit": 1})
    assert len(overdue.json()["rows"]) == 1
    clocks = complaint.get("/clocks").json()["clocks"]
    assert {clock["clock"] for clock in clocks} >= {"first-reply"}
