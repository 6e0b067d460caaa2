"""What a person met who tried the service by hand: words instead of patterns, days, positions, HEAD, host names."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from api.examples import EXAMPLES
from ledger.complaint import commands as ask

RECEIPT = dict(EXAMPLES[ask.ReceiveComplaint])


def says(refused: httpx.Response) -> str:
    (error,) = refused.json()["facts"]["errors"]
    return str(error["says"])


def test_head_is_answered_like_get_without_the_content(client: httpx.Client) -> None:
    one = client.post("/complaints", json=RECEIPT).headers["location"]
    for path in ("/", "/book", "/worklist", one, "/openapi.json"):
        got, asked = client.get(path), client.head(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["content-type"] == got.headers["content-type"]
        assert asked.headers.get("etag") == got.headers.get("etag")
    assert client.head(f"/complaints/{uuid4()}").status_code == 404


def test_a_position_beyond_the_book_is_no_outage(client: httpx.Client) -> None:
    written = client.post("/complaints", json=RECEIPT)
    for path in (written.headers["location"], "/worklist", "/sla"):
        refused = client.get(path, params={"position": 10_000_000})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/beyond-the-book")
    assert client.get("/sla", params={"as_of": 10_000_000}).json()["type"] == "/problems/beyond-the-book"


def test_a_complaint_says_as_of_which_position_it_stands(client: httpx.Client) -> None:
    written = client.post("/complaints", json=RECEIPT)
    found = client.get(written.headers["location"], params={"position": written.headers["ledger-position"]})
    assert int(found.headers["ledger-position"]) >= int(written.headers["ledger-position"])


def test_as_of_takes_a_day_and_today_is_now(client: httpx.Client) -> None:
    position = client.post("/complaints", json=RECEIPT).headers["ledger-position"]
    today = (datetime.now(UTC) + timedelta(hours=8)).date()
    assert client.get("/sla", params={"as_of": str(today), "position": position}).json()["position"] >= int(position)
    assert client.get("/sla", params={"as_of": str(today - timedelta(days=400))}).json()["position"] == 0
    refused = client.get("/sla", params={"as_of": str(today + timedelta(days=1))})
    assert refused.status_code == 422
    assert "has not come yet" in says(refused)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"received_by": "李 伟"}, "must be 1 to 64 letters, digits"),
        ({"channel": "By Phone"}, "must be a code of its table"),
        ({"amount_in_dispute_minor": 5, "currency": "yuan"}, "must be three capital letters of ISO 4217"),
        ({"amount_in_dispute_minor": 5, "currency": "RMB"}, "CNY for the renminbi"),
    ],
)
def test_a_form_is_told_in_words(client: httpx.Client, body: dict[str, object], sentence: str) -> None:
    refused = client.post("/complaints", json={**RECEIPT, **body})
    assert refused.status_code == 422
    assert sentence in says(refused)
    assert sentence in refused.json()["detail"], "the sentence of the case says what is wrong"
    assert "^" not in refused.text


def test_a_version_without_its_quotes_is_told_in_words(client: httpx.Client) -> None:
    one = client.post("/complaints", json=RECEIPT).headers["location"]
    refused = client.post(f"{one}/grade", json=dict(EXAMPLES[ask.GradeComplaint]), headers={"If-Match": "3"})
    assert refused.status_code == 422
    assert 'such as "3"' in says(refused)


def test_a_reference_in_a_path_is_told_where_to_ask_by_it(client: httpx.Client) -> None:
    assert "/complaints?reference=" in says(client.get("/complaints/TS2026-00001"))
    assert "/complaints?reference=" in client.post("/complaints/TS2026-00001/contacts", json={}).text


def test_times_in_a_refusal_are_the_institutions_and_to_the_second(client: httpx.Client) -> None:
    refused = client.post("/complaints", json={**RECEIPT, "received_at": "2099-01-01T00:00:00+00:00"})
    assert refused.json()["detail"].startswith("received_at is 2099-01-01T08:00:00+08:00, and it is only ")


def test_only_names_that_are_served_are_recommended(address: str) -> None:
    refused = httpx.get(f"{address}/book", headers={"Host": "ledger.bank.example"})
    assert refused.status_code == 421
    assert refused.json()["remedy"] == "Use `127.0.0.1` or `localhost`."
