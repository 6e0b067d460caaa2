"""Files of evidence over HTTP: taken in, cited by a fact, given out as they came."""

import hashlib
from uuid import uuid4

import httpx

from api.examples import EXAMPLES
from ledger.application import Ledger
from ledger.complaint import commands as ask
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import bearer

PDF = b"%PDF-1.7\n" + b"x" * 3_000_000


def received(client: httpx.Client) -> str:
    complaint_id: str = client.post("/complaints", json=EXAMPLES[ask.ReceiveComplaint]).json()["complaint_id"]
    return complaint_id


def cited_customer(client: httpx.Client, at: str) -> str:
    customer: str = client.get(f"{at}/history").json()["lines"][0]["details"]["customer_id"]
    return customer


def test_a_file_is_taken_in_put_on_file_and_given_out(client: httpx.Client, keys: SubjectKeys, ledger: Ledger) -> None:
    at = f"/complaints/{received(client)}"
    taken = client.post(f"{at}/files", content=PDF, headers={"Content-Type": "application/pdf"})
    assert taken.status_code == 201, taken.text
    told = taken.json()
    told_by = {**EXAMPLES[ask.ProvideEvidence], "sha256": None, "kind": "contract", "origin": "customer"}
    cited = client.post(f"{at}/evidence", json={**told_by, "file_id": told["file_id"]})
    assert cited.status_code == 200, cited.text
    line = client.get(f"{at}/history", params={"position": cited.json()["last_position"]}).json()["lines"][-1]
    stated = {name: line["details"][name] for name in ("file_digest", "size_bytes", "content_type", "origin")}
    assert stated == {
        "file_digest": told["digest"],
        "size_bytes": len(PDF),
        "content_type": "application/pdf",
        "origin": "customer",
    }
    looks = f"{at}/files/{told['file_id']}/looks"
    stranger = client.post(looks, json={"purpose": "handling"})
    assert (stranger.status_code, stranger.json()["type"]) == (403, "/problems/look-not-allowed")
    to_me = {**EXAMPLES[ask.AssignComplaint], "assignee": "registrar.li"}
    by_another = bearer(keys, ledger.book, "supervisor.chen", "customer-service-head")
    headers = by_another | {"If-Match": cited.headers["etag"]}
    assigned = client.post(f"{at}/assignment", json=to_me, headers=headers)
    assert assigned.status_code == 200, assigned.text
    customer = cited_customer(client, at)
    before = client.get(f"/data-subjects/{customer}/looks").json()["looks"]
    curious = client.post(looks, json={"purpose": "curiosity"})
    assert (curious.status_code, curious.json()["type"]) == (422, "/problems/unknown-code")
    given = client.post(looks, json={"purpose": "handling"})
    assert given.content == PDF
    (look,) = client.get(f"/data-subjects/{customer}/looks").json()["looks"][len(before) :]
    assert (look["file_id"], look["seen_by"], look["purpose"]) == (told["file_id"], "registrar.li", "handling")
    assert given.headers["ledger-position"] == str(look["position"]), "the look stands before the bytes go out"
    salt = bytes.fromhex(given.headers["evidence-salt"])
    assert hashlib.sha256(salt + PDF).hexdigest() == given.headers["evidence-digest"] == told["digest"]
    assert given.headers["content-disposition"].startswith("attachment")


def test_a_file_of_another_complaint_is_not_put_on_file(client: httpx.Client) -> None:
    one, other = (f"/complaints/{received(client)}" for _ in range(2))
    taken = client.post(f"{one}/files", content=PDF[:100], headers={"Content-Type": "application/pdf"}).json()
    cited = client.post(f"{other}/evidence", json={**EXAMPLES[ask.ProvideEvidence], "file_id": taken["file_id"]})
    assert (cited.status_code, cited.json()["type"]) == (422, "/problems/file-unknown")
    elsewhere = client.post(f"{other}/files/{taken['file_id']}/looks", json={"purpose": "handling"})
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (404, "/problems/no-such-file")


def test_what_is_not_taken_is_a_problem_that_says_so(client: httpx.Client) -> None:
    at = f"/complaints/{received(client)}"
    program = client.post(f"{at}/files", content=b"MZ", headers={"Content-Type": "application/pdf"})
    assert (program.status_code, program.json()["type"]) == (415, "/problems/content-is-of-another-type")
    page = client.post(f"{at}/files", content=b"<html>", headers={"Content-Type": "text/html"})
    assert (page.status_code, page.json()["type"]) == (415, "/problems/content-type-not-taken")
    nothing = client.post(f"{at}/files", content=b"", headers={"Content-Type": "application/pdf"})
    assert (nothing.status_code, nothing.json()["type"]) == (422, "/problems/file-empty")
    nowhere = client.post(f"/complaints/{uuid4()}/files", content=PDF[:9], headers={"Content-Type": "application/pdf"})
    assert nowhere.status_code == 404
