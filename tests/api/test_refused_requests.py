"""What is not of the form, too large, or asked of nobody: named, told what to do, and never repeated."""

import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from api.body import BODY_BYTES_MAX, DEPTH_MAX
from api.examples import EXAMPLES
from api.problems import problem_answer
from ledger.complaint import commands as ask
from ledger.complaint.refusals import AmendmentUnknown

RECEIPT = dict(EXAMPLES[ask.ReceiveComplaint])
BEYOND = "99999999999999999999"
"""More than 64 bits."""
SECRET = "王秀英六二二二零二一三八"


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"/problems/{kind}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    assert document["detail"]
    assert document["remedy"]
    return document


def fields(response: httpx.Response) -> dict[str, str]:
    document = problem(response, 422, "invalid-request")
    return {error["field"]: error["says"] for error in document["facts"]["errors"]}


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"received_at": None}, "received_at", "like 2025-09-30T16:05:00+08:00"),
        ({"received_at": SECRET}, "received_at", "like 2025-09-30T16:05:00+08:00"),
        ({"received_at": "2025-09-26T10:15:00"}, "received_at", "offset"),
        ({"received_at": 1758852900}, "received_at", "an instant is written"),
        ({"received_by": SECRET}, "received_by", "must be 1 to 64 letters"),
        ({"channel": ""}, "channel", "must be a code"),
        ({"content": SECRET + "\x00"}, "content", "NUL"),
        ({"content": "  "}, "content", "blanks"),
        ({"content": SECRET * 20_000}, "content", "at most 20000"),
        ({"customer_name": SECRET + "\n"}, "customer_name", "one line"),
        ({"amount_in_dispute_minor": "30000"}, "amount_in_dispute_minor", "whole number"),
        ({"amount_in_dispute_minor": True}, "amount_in_dispute_minor", "whole number"),
        ({"amount_in_dispute_minor": -1}, "amount_in_dispute_minor", "at least 0"),
        ({"amount_in_dispute_minor": 10**30}, "amount_in_dispute_minor", "too large"),
        ({"date_only": "yes"}, "date_only", "true or false"),
        ({"date_only": 1}, "date_only", "true or false"),
        ({"customer_id": SECRET}, "customer_id", "UUID"),
        ({"earlier_complaint_ids": [SECRET]}, "earlier_complaint_ids.0", "UUID"),
        ({"recieved_at": SECRET}, "recieved_at", "spelling"),
        ({SECRET: SECRET}, "(a field with a name that is not shown)", "spelling"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not_repeated(
    client: httpx.Client, size: Callable[[], int], change: dict[str, Any], field: str, says: str
) -> None:
    refused = client.post("/complaints", json={**RECEIPT, **change})
    assert says in fields(refused)[field]
    assert SECRET[:3] not in refused.text
    assert size() == 0


def test_a_missing_field_is_named(client: httpx.Client) -> None:
    assert fields(client.post("/complaints", json={"channel": "phone"})) == {
        "received_at": "is required",
        "received_by": "is required",
    }


def test_codes_that_no_table_has_are_refused_with_those_that_it_has(client: httpx.Client) -> None:
    refused = client.post("/complaints", json={**RECEIPT, "channel": "telepathy"})
    assert "phone" in problem(refused, 422, "unknown-code")["facts"]["known"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1,}',
        b'"\xff"',
        b'{"content": "\\ud800"}',
        b"[" * 100,
        f'{{"{SECRET}'.encode(),
    ],
)
def test_what_is_not_json_is_said_to_be_so(client: httpx.Client, body: bytes) -> None:
    refused = client.post("/complaints", content=body, headers={"Content-Type": "application/json"})
    problem(refused, 400, "malformed-json")
    assert SECRET not in refused.text


def within(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "body",
    [
        b'{"x": ' + within(DEPTH_MAX) + b"}",
        b'{"x": ' + within(900) + b"}",
        b'{"x": ' + within(1020) + b"}",
        b'{"x": ' + within(5000) + b"}",
        b'{"content": ' + within(1000) + b", " + orjson.dumps(RECEIPT)[1:],
        within(DEPTH_MAX + 1),
        b"[" * 5000,
    ],
    ids=["one-more", "900", "1020", "5000", "first-of-two", "list", "open"],
)
def test_a_body_too_deep_is_refused_and_says_what_to_do(client: httpx.Client, body: bytes) -> None:
    refused = client.post("/complaints", content=body, headers={"Content-Type": "application/json"})
    document = problem(refused, 400, "json-too-deep")
    assert document["facts"] == {"limit_levels": DEPTH_MAX}


def test_a_correction_too_deep_is_refused(client: httpx.Client) -> None:
    said = dict(EXAMPLES[ask.CorrectFact])
    headers = {"Content-Type": "application/json", "If-Match": '"1"'}
    for levels, status in ((900, 400), (DEPTH_MAX - 1, 400), (DEPTH_MAX - 2, 404)):
        changes = b'{"received_at": ' + within(levels) + b"}"
        body = orjson.dumps({**said, "changes": 0}).replace(b'"changes":0', b'"changes":' + changes)
        assert client.post(f"/complaints/{uuid4()}/corrections", content=body, headers=headers).status_code == status


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1"])
def test_a_body_is_an_object(client: httpx.Client, body: bytes) -> None:
    refused = client.post("/complaints", content=body, headers={"Content-Type": "application/json"})
    assert "JSON object" in fields(refused)["(the whole)"]


def test_a_name_given_twice_is_refused(client: httpx.Client) -> None:
    body = b'{"channel": "phone", "channel": "branch", "received_at": "2025-09-26T10:15:00+08:00", "received_by": "a"}'
    refused = client.post("/complaints", content=body, headers={"Content-Type": "application/json"})
    assert "twice" in fields(refused)["channel"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_says_that_it_is_json(client: httpx.Client, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    problem(client.post("/complaints", content=b"{}", headers=headers), 415, "content-type-not-json")


def test_a_body_has_a_limit_whether_or_not_it_says_its_length(client: httpx.Client) -> None:
    large = b'{"content": "' + b"x" * BODY_BYTES_MAX + b'"}'
    headers = {"Content-Type": "application/json"}
    problem(client.post("/complaints", content=large, headers=headers), 413, "body-too-large")
    pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
    problem(client.post("/complaints", content=pieces, headers=headers), 413, "body-too-large")
    assert client.get("/health").status_code == 200


def test_an_id_in_the_path_is_checked_and_not_given_twice(client: httpx.Client) -> None:
    refused = client.post("/complaints/not-a-uuid/first-reply", json=EXAMPLES[ask.SendFirstReply])
    document = problem(refused, 422, "invalid-request")
    assert document["facts"]["errors"][0] | {"says": ""} == {"place": "path", "field": "complaint_id", "says": ""}
    one = uuid4()
    refused = client.post(
        f"/complaints/{one}/first-reply", json={**EXAMPLES[ask.SendFirstReply], "complaint_id": str(one)}
    )
    assert "path" in fields(refused)["complaint_id"]
    assert "UUID" in fields(client.get("/complaints/not-a-uuid"))["complaint_id"]


def test_what_is_not_there_is_not_found(client: httpx.Client) -> None:
    one = uuid4()
    problem(client.get(f"/complaints/{one}"), 404, "complaint-not-found")
    problem(client.get(f"/complaints/{one}/history", params={"position": 0}), 404, "complaint-not-found")
    problem(
        client.post(f"/complaints/{one}/first-reply", json=EXAMPLES[ask.SendFirstReply]), 404, "complaint-not-found"
    )
    problem(client.get(f"/{SECRET}"), 404, "no-such-page")
    problem(client.get("/worklist/"), 404, "no-such-page")
    problem(client.get("/problems/no-such-problem"), 404, "no-such-page")


def test_a_method_that_is_not_served_says_which_are(client: httpx.Client) -> None:
    refused = client.delete("/complaints")
    problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == "GET, HEAD, POST"


def test_a_foreign_host_name_is_not_answered(client: httpx.Client) -> None:
    problem(client.get("/book", headers={"Host": "evil.example"}), 421, "host-not-served")
    assert client.get("/book", headers={"Host": "localhost:8000"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"Idempotency-Key": "x" * 201}, "Idempotency-Key"),
        ({"Idempotency-Key": ""}, "Idempotency-Key"),
    ],
)
def test_headers_are_checked(client: httpx.Client, headers: dict[str, str], field: str) -> None:
    assert field in fields(client.post("/complaints", json=RECEIPT, headers=headers))


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/worklist", {"limit": "0"}, "limit"),
        ("/worklist", {"limit": "501"}, "limit"),
        ("/worklist", {"department": "信用卡\x00中心"}, "department"),
        ("/worklist", {"position": "x"}, "position"),
        ("/worklist", {"cursor": "张"}, "cursor"),
        ("/sla", {"from": "2025-13-01"}, "from"),
        ("/sla", {"from": "0001-01-01"}, "from"),
        ("/sla", {"to": "9999-12-31"}, "to"),
        ("/sla", {"to": "2025-09-30T10:00:00"}, "to"),
        ("/sla", {"as_of": "-1"}, "as_of"),
        ("/sla", {"as_of": SECRET}, "as_of"),
        ("/sla", {"as_of": "2999-01-01T00:00:00+08:00"}, "as_of"),
        ("/sla", {"form": "2025-09-30"}, "form"),
        ("/worklist", {"departement": "信用卡中心"}, "departement"),
        ("/book", {"x": "1"}, "x"),
        ("/complaints", {"reference": "A-1", SECRET: "1"}, "(a field with a name that is not shown)"),
        ("/sla", {"now": "yesterday"}, "now"),
        ("/sla", {"by": "colour"}, "by"),
        ("/complaints", {}, "reference"),
        ("/complaints", {"reference": "a\x00b"}, "reference"),
    ],
)
def test_parameters_are_checked(client: httpx.Client, path: str, parameters: dict[str, str], field: str) -> None:
    refused = client.get(path, params=parameters)
    assert field in fields(refused)
    assert SECRET not in refused.text


def test_a_number_beyond_every_integer_is_refused_wherever_a_path_or_a_query_has_one(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    asked = 0
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            given = [resolved(described, each) for each in operation.get("parameters", [])]
            filled = path
            for each in given:
                if each["in"] == "path":
                    number = "integer" in str(each["schema"])
                    asked += number
                    filled = filled.replace(f"{{{each['name']}}}", BEYOND if number else str(uuid4()))
            in_query = [each["name"] for each in given if each["in"] == "query" and "integer" in str(each["schema"])]
            asked += len(in_query)
            bodies = [kind.get("examples", {}) for kind in operation.get("requestBody", {}).get("content", {}).values()]
            said = next((each["value"] for examples in bodies for each in examples.values()), None)
            for query in [{name: BEYOND} for name in in_query] or ([{}] if BEYOND in filled else []):
                answer = client.request(method, filled, params=query, json=said, headers={"If-Match": '"1"'})
                assert 400 <= answer.status_code < 500, (method, filled, query, answer.text)
    assert asked > 50


def resolved(described: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    name = parameter.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = described["components"]["parameters"][name] if name else parameter
    return found


def test_a_refusal_is_told_whatever_number_is_in_its_facts() -> None:
    for beyond in (2**63, -(2**63) - 1, 10**40):
        told = orjson.loads(problem_answer(AmendmentUnknown(beyond, (1, beyond)), "r").body)
        assert told["facts"] == {"proposed_version": str(beyond), "open": [1, str(beyond)]}


@pytest.mark.parametrize(
    "body",
    [
        {"\x00": 1},
        {"reason": "a\x00b"},
        {"customer_name": "a\x00b"},
        {"no_such_field": 1},
        {"channel": {"a": ["\x00"]}},
    ],
)
def test_a_correction_cannot_bring_in_what_a_command_could_not(
    client: httpx.Client, size: Callable[[], int], body: dict[str, Any]
) -> None:
    one = client.post("/complaints", json=RECEIPT).headers["location"]
    refused = client.post(
        f"{one}/corrections", json={**EXAMPLES[ask.CorrectFact], "changes": body}, headers={"If-Match": '"1"'}
    )
    assert refused.status_code == 422, refused.text
    assert size() == 1


def test_chinese_in_an_address_as_it_is_gets_told_to_encode_it(address: str) -> None:
    place = httpx.URL(address)
    with socket.create_connection((place.host, place.port or 80), timeout=20) as raw:
        raw.sendall("GET /worklist?department=信用卡中心 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: raw.recv(65_536), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head.lower()
    document = orjson.loads(body)
    assert document["type"] == "/problems/request-malformed"
    assert document["request_id"].encode() in head
    assert "--data-urlencode" in document["remedy"]
