"""What the service logs: enough to follow a request, and nothing that anybody wrote."""

import io
import time

import httpx
import orjson
import pytest

from api.examples import EXAMPLES
from ledger.complaint import commands as ask

PERSONAL = ("欧阳若兰", "家住南京路八十八号", "13912345678", "320106199001011234")


def lines(log_lines: io.BytesIO) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in log_lines.getvalue().splitlines()]


def logged_of(log_lines: io.BytesIO, request_id: str) -> dict[str, object]:
    """The line of a request; it is written when the answer is on its way."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for line in lines(log_lines):
            if line.get("request_id") == request_id:
                return line
        time.sleep(0.01)
    raise AssertionError("the request was not logged")


def test_a_request_is_one_line_with_its_id_and_its_position(client: httpx.Client, log_lines: io.BytesIO) -> None:
    response = client.post(
        "/complaints", json=EXAMPLES[ask.ReceiveComplaint], headers={"X-Request-Id": "desk-7.req-000123"}
    )
    assert response.headers["x-request-id"] == "desk-7.req-000123"
    line = logged_of(log_lines, response.headers["x-request-id"])
    assert (line["event"], line["method"], line["route"], line["status"]) == ("request", "POST", "/complaints", 201)
    assert line["position"] == response.headers["ledger-position"]
    assert isinstance(line["duration_ms"], float)


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "张", "13812345678", "tel-13812345678", "123456"])
def test_a_request_id_that_is_none_is_replaced(client: httpx.Client, offered: str) -> None:
    response = client.get("/book", headers={"X-Request-Id": offered.encode()})
    assert len(response.headers["x-request-id"]) == 32


def test_nothing_personal_is_logged_whatever_becomes_of_the_request(
    client: httpx.Client, log_lines: io.BytesIO
) -> None:
    name, words, phone, number = PERSONAL
    body = {
        **EXAMPLES[ask.ReceiveComplaint],
        "content": f"{name}，{words}，电话{phone}。",
        "customer_name": name,
        "customer_contact": phone,
        "customer_identity_number": number,
    }
    one = client.post("/complaints", json=body).headers["location"]
    client.post(f"{one}/first-reply", json={**EXAMPLES[ask.SendFirstReply], "content": words})
    client.post(
        f"{one}/first-reply",
        json={**EXAMPLES[ask.SendFirstReply], "content": words, "sent_at": "2025-09-27T15:40:00+08:00"},
    )
    client.post(
        f"{one}/corrections",
        json={**EXAMPLES[ask.CorrectFact], "changes": {"customer_name": words}},
        headers={"If-Match": '"2"'},
    )
    client.post("/complaints", json={**body, "received_at": phone})
    client.post("/complaints", json={**body, name: words})
    client.post("/complaints", content=f'{{"content": "{words}"'.encode(), headers={"Content-Type": "application/json"})
    client.post("/complaints", content=words.encode(), headers={"Content-Type": "text/plain"})
    client.get("/complaints", params={"reference": phone})
    client.get("/worklist", params={"department": name})
    client.get(f"/complaints/{name}")
    client.get(f"/{name}/{phone}")
    last = client.get(f"{one}/history", params={"as_of": phone, "cursor": number})
    logged_of(log_lines, last.headers["x-request-id"])
    logged = log_lines.getvalue().decode()
    assert logged.count('"event":"request"') >= 13
    for value in PERSONAL:
        assert value not in logged
        assert httpx.URL(f"http://x/{value}").raw_path.decode()[1:] not in logged
    statuses = {line["status"] for line in lines(log_lines) if line["event"] == "request"}
    assert statuses >= {200, 201, 400, 404, 409, 415, 422}


def test_libraries_log_in_the_same_form(client: httpx.Client, log_lines: io.BytesIO) -> None:
    logged_of(log_lines, client.get("/health").headers["x-request-id"])
    loggers = {line.get("logger") for line in lines(log_lines)}
    assert "uvicorn.access" not in loggers
    assert all("timestamp" in line and "level" in line for line in lines(log_lines))
