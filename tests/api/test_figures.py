"""The figures over HTTP: every number has an address, and the address opens it."""

import httpx

from api.examples import EXAMPLES
from ledger.complaint import commands as ask

RECEIPT = dict(EXAMPLES[ask.ReceiveComplaint])


def test_a_number_opens_into_complaints_and_events(client: httpx.Client) -> None:
    day = {"received_at": "2025-06-03T10:00:00+08:00"}
    written = [client.post("/complaints", json={**RECEIPT, **day}).json() for _ in range(3)]
    position = max(each["last_position"] for each in written)
    asked = {"period": "month", "from": "2025-06-01", "to": "2025-06-30", "position": position}
    answer = client.get("/figures/received", params=asked).json()
    (figure,) = answer["figures"]
    assert (figure["value"], figure["cases"], figure["before"]) == (3, 3, 0)
    opened = client.get(figure["cases_at"]).json()
    assert {each["complaint_id"] for each in opened["cases"]} == {each["complaint_id"] for each in written}
    assert sorted(event["position"] for each in opened["cases"] for event in each["events"]) == sorted(
        each["first_position"] for each in written
    )
    client.post("/complaints", json={**RECEIPT, **day})
    assert client.get(figure["cases_at"]).json() == opened, "later facts change no number"
    by_channel = client.get("/figures/received", params={**asked, "by": "channel"}).json()["figures"]
    assert [each["part"] for each in by_channel] == [RECEIPT["channel"]]


def test_definitions_are_served_with_their_queries(client: httpx.Client) -> None:
    answer = client.get("/figures").json()
    by_name = {each["name"]: each for each in answer["indicators"]}
    assert by_name["satisfaction"]["target"]["at_least"] == 0.9
    assert "SELECT" in by_name["satisfaction"]["query"]
    assert answer["not_computable"]


def test_what_cannot_be_asked_is_refused(client: httpx.Client) -> None:
    assert client.get("/figures/nonsense").json()["type"] == "/problems/no-such-indicator"
    for days in ({"from": "0001-01-01", "to": "0001-01-31"}, {"from": "9999-12-01", "to": "9999-12-31"}):
        refused = client.get("/figures/received", params=days)
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/day-out-of-range")
    assert client.get("/figures/received", params={"as_of": 0}).status_code == 200
    days = {"period": "day", "from": "2020-01-01", "to": "2026-01-01"}
    assert client.get("/figures/received", params=days).json()["type"] == "/problems/too-many-periods"
    assert client.get("/figures/received", params={"by": "name"}).status_code == 422
    assert client.get("/figures/received/cases").status_code == 422
