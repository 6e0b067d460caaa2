"""An id that something of another kind has: no question and no command fails on it, and nothing is recorded under it.

The streams of a book are told apart by their ids alone, which a caller may choose: facts of two kinds in one stream would
leave both unreadable, and nothing is ever taken out again.
"""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.examples import EXAMPLES
from api.recording import COMMANDS
from ledger.application import Ledger
from ledger.complaint.commands import ReceiveComplaint
from ledger.customer.commands import RegisterCustomer
from ledger.policy.built_in import policies_stream
from ledger.tables.built_in import tables_stream


@pytest.fixture(scope="module")
def ids(client: httpx.Client) -> dict[str, str]:
    """One complaint and one customer."""
    made = {}
    for path, command, name in (
        ("/complaints", ReceiveComplaint, "complaint_id"),
        ("/customers", RegisterCustomer, "customer_id"),
    ):
        made[name] = client.post(path, json=EXAMPLES[command]).json()[name]
    return made


def test_no_question_fails_on_an_id_of_another_kind(client: httpx.Client, ids: dict[str, str], described: Any) -> None:
    asked = 0
    for path, operations in described.document["paths"].items():
        begins = path.partition("}")[0].rpartition("{")[2]
        if "get" in operations and begins.endswith("_id") and path.startswith("/") and path.count("{") == 1:
            other = ids["customer_id" if begins == "complaint_id" else "complaint_id"]
            answered = client.get(path.replace(f"{{{begins}}}", other))
            assert answered.status_code in {200, 404}, f"{path}: {answered.text}"
            asked += 1
    assert asked > 20


def test_no_command_records_under_an_id_of_another_kind(client: httpx.Client, ids: dict[str, str]) -> None:
    before = client.get("/book").json()["size"]
    for route in COMMANDS:
        first = next(iter(route.path_ids), f"{route.subject.replace('-', '_')}_id")
        if first not in route.command.model_fields or first in {"subject_id", "person", "name"}:
            continue  # those name no stream of their own
        other = ids["customer_id" if first == "complaint_id" else "complaint_id"]
        body = dict(EXAMPLES[route.command])
        path = route.path
        if route.path_ids:
            path = path.format(**{name: other if name == first else uuid4() for name in route.path_ids})
        else:
            body[first] = other
        answered = client.post(path, json=body, headers={"If-Match": '"1"'} if route.decides else {})
        assert answered.is_client_error, f"{path}: {answered.text}"
    assert client.get("/book").json()["size"] == before


@pytest.mark.parametrize("own", [policies_stream, tables_stream])
def test_what_a_book_has_one_of_cannot_be_taken_for_a_complaint(client: httpx.Client, ledger: Ledger, own: Any) -> None:
    body = {**EXAMPLES[ReceiveComplaint], "complaint_id": str(own(ledger.id))}
    refused = client.post("/complaints", json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/id-of-another")
