"""Retries, reused keys, versions that were rested on, and callers that meet in one complaint."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from api.examples import EXAMPLES
from api.recording import COMMANDS
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer, referred


@pytest.fixture
def key() -> str:
    """An idempotency key that nobody used."""
    return uuid4().hex


RECEIPT = dict(EXAMPLES[ask.ReceiveComplaint])
CLASSIFICATION = dict(EXAMPLES[ask.ClassifyComplaint])


def receive(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/complaints", json=RECEIPT, headers=headers)


def test_the_same_request_under_the_same_key_is_recorded_once(
    client: httpx.Client, key: str, size: Callable[[], int]
) -> None:
    first = receive(client, **{"Idempotency-Key": key})
    again = receive(client, **{"Idempotency-Key": key})
    assert first.status_code == again.status_code == 201
    assert not first.json()["replayed"]
    assert again.json()["replayed"]
    # the ids that the program made the first time, not those it would have made now
    assert {**again.json(), "replayed": False} == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert size() == 1


def test_the_order_of_fields_and_blanks_do_not_make_another_request(client: httpx.Client, key: str) -> None:
    receive(client, **{"Idempotency-Key": key})
    body = "{\n " + ", ".join(f'"{name}" : {httpx_json(value)}' for name, value in reversed(RECEIPT.items())) + "}"
    again = client.post(
        "/complaints", content=body.encode(), headers={"Idempotency-Key": key, "Content-Type": "application/json"}
    )
    assert again.json()["replayed"], again.text


def httpx_json(value: object) -> str:
    return httpx.Request("POST", "http://x", json=value).content.decode()


def test_a_key_is_not_used_for_another_request(client: httpx.Client, key: str, size: Callable[[], int]) -> None:
    receive(client, **{"Idempotency-Key": key})
    other = client.post("/complaints", json={**RECEIPT, "content": "另一件事。"}, headers={"Idempotency-Key": key})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert size() == 1


def test_a_key_belongs_to_its_principal(
    client: httpx.Client, key: str, size: Callable[[], int], keys: SubjectKeys, ledger: Ledger
) -> None:
    received = [
        receive(client, **{"Idempotency-Key": key, **bearer(keys, ledger.book, name)})
        for name in ("registrar.li", "registrar.wang")
    ]
    assert size() == 2
    recorders = {
        client.get(f"{each.headers['location']}/history", params={"position": each.headers["ledger-position"]}).json()[
            "lines"
        ][0]["recorded_by"]
        for each in received
    }
    assert recorders == {"registrar.li", "registrar.wang"}


def test_a_repeat_gets_the_ids_of_its_first_time_for_every_made_id(client: httpx.Client, key: str) -> None:
    one = receive(client).headers["location"]
    for path, command in (
        ("registration", ask.RegisterComplaint),
        ("investigations", ask.StartInvestigation),
        ("evidence", ask.ProvideEvidence),
    ):
        answers = [
            client.post(f"{one}/{path}", json=EXAMPLES[command], headers={"Idempotency-Key": f"{path}-{key}"}).json()
            for _ in range(2)
        ]
        assert answers[0]["assigned"] == answers[1]["assigned"] != {}


def test_what_is_so_already_is_answered_and_not_recorded(client: httpx.Client) -> None:
    one = receive(client).headers["location"]
    body = {**EXAMPLES[ask.StartInvestigation], "investigation_id": str(uuid4())}
    first, again = (client.post(f"{one}/investigations", json=body) for _ in range(2))
    assert first.json()["last_position"] is not None
    assert (again.json()["first_position"], again.json()["last_position"]) == (None, None)
    assert again.json()["assigned"] == {}
    assert again.headers["ledger-position"] == str(again.json()["tree_size"])


def test_a_decision_says_which_version_it_rests_on(client: httpx.Client) -> None:
    one = receive(client).headers["location"]
    without = client.post(f"{one}/classification", json=CLASSIFICATION)
    assert (without.status_code, without.json()["type"]) == (428, "/problems/precondition-required")
    stale = client.post(f"{one}/classification", json=CLASSIFICATION, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/expected-version-stale")
    assert stale.json()["facts"]["version"] == 1
    read = client.get(one).headers["etag"]
    assert client.post(f"{one}/classification", json=CLASSIFICATION, headers={"If-Match": read}).status_code == 200


@pytest.mark.parametrize("tag", ['W/"1"', "1", '"1", "2"', "*", '"-1"', '"01"', ""])
def test_if_match_takes_one_version_as_it_was_read(client: httpx.Client, tag: str) -> None:
    one = receive(client).headers["location"]
    refused = client.post(f"{one}/classification", json=CLASSIFICATION, headers={"If-Match": tag})
    assert refused.status_code == 422
    assert refused.json()["facts"]["errors"][0]["field"].lower() == "if-match"


def test_a_repeat_whose_version_is_stale_by_now_gets_its_first_outcome(client: httpx.Client, key: str) -> None:
    one = receive(client).headers["location"]
    headers = {"If-Match": '"1"', "Idempotency-Key": key}
    first = client.post(f"{one}/classification", json=CLASSIFICATION, headers=headers)
    client.post(f"{one}/first-reply", json=EXAMPLES[ask.SendFirstReply])
    again = client.post(f"{one}/classification", json=CLASSIFICATION, headers=headers)
    assert again.status_code == 200
    assert {**again.json(), "replayed": False} == first.json()


def test_where_it_is_not_required_if_match_is_kept_all_the_same(client: httpx.Client) -> None:
    one = receive(client).headers["location"]
    stale = client.post(f"{one}/first-reply", json=EXAMPLES[ask.SendFirstReply], headers={"If-Match": '"2"'})
    assert stale.status_code == 412


def test_of_callers_who_decide_at_once_one_wins_and_the_others_are_told(
    client: httpx.Client, size: Callable[[], int]
) -> None:
    one = receive(client).headers["location"]

    def decide(_: int) -> int:
        body = {**CLASSIFICATION, "reason": "再次分类"} if _ < 0 else CLASSIFICATION
        return client.post(f"{one}/classification", json=body, headers={"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(16) as callers:
        statuses = list(callers.map(decide, range(16)))
    assert sorted(set(statuses)) == [200, 412]
    assert statuses.count(200) == 1
    assert size() == 2


def test_which_commands_need_a_version_is_described(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    for route in COMMANDS:
        operation = document["paths"][route.path]["post"]
        parameters = [referred(document, each) for each in operation["parameters"]]
        header = next(each for each in parameters if each["name"].lower() == "if-match")
        assert header["required"] is route.decides if route.decides else not header.get("required")
        assert ("428" in operation["responses"]) is route.decides
