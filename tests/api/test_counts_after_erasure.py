"""What every report and indicator says before a person is erased, it says afterwards: the counts have no person in them.

The list of questions comes from the running service: one that is new is asked here, or is said not to count.
"""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from api.examples import EXAMPLES
from ledger.application import Ledger
from ledger.complaint import commands as complaint
from ledger.database.target import Database
from ledger.vault.erasing import erase
from ledger.vault.service import Vault
from projections.sla import PARTS
from tests.access.conftest import ask_to_erase, assign, receive
from tests.api.conftest import Described

LONG_AGO = datetime(2015, 3, 2, 2, tzinfo=UTC)
PERIOD = {"from": "2015-01-01", "to": "2026-12-31", "now": "2026-12-31T00:00:00Z"}

RETURN = "/returns/{name}/{receiver}/{begins_on}/{ends_on}"

HISTORIES = {f"/complaints/{{complaint_id}}{what}" for what in ("", "/history", "/clocks", "/deadlines", "/links")} | {
    "/customers/{customer_id}/timeline"
}
"""What is told of the complaint itself, in which digests stand for values."""

NOT_COUNTING = {
    "/", "/health", "/problems", "/problems/{kind}", "/book", "/projections", "/keys",  # of the service
    "/feed", "/checkpoint", "/checkpoints", "/checkpoints/{size}", "/consistency",  # the record, which grew by the erasure
    "/positions/{position}/proof", "/positions/{position}/entry", "/tile/entries/{tile}", "/tile/{level}/{tile}",
    "/permissions", "/data-subjects/{subject_id}/looks", "/erasure-requests",  # tell of looks and of the erasure itself
    "/complaints",  # finds one by its reference
    "/regimes", "/regimes/{name}", "/calendars", "/calendars/{name}", "/codes", "/returns/forms",  # what was published
    "/returns/{name}/{receiver}/{begins_on}/{ends_on}",  # documents that were sent stand in the record
    "/returns/{name}/{receiver}/{begins_on}/{ends_on}/submissions/{submission_id}",
    "/returns/{name}/{receiver}/{begins_on}/{ends_on}/submissions/{submission_id}/cell",
    "/regulator/{receiver}/complaints", "/regulator/{receiver}/seal",  # rows of the regulator's own database
}  # fmt: skip
"""Questions that no number of a report is in, or whose numbers are of the record itself."""

OF_OTHERS = re.compile(r"/(?!complaints)[a-z-]+/{\w+_id}(/history|/scores)?")
"""The state and the history of a subject that is no complaint: one each, and nobody counts in them."""

PLACES = {
    *("position", "digest", "as_of", "known_at", "now", "judged_at"),
    *("prepared_at", "root", "tree_size", "cases_at", "classified"),
}
"""Fields that tell as of when an answer stands."""


def told(client: httpx.Client, path: str, position: int, **asked: Any) -> Any:
    answered = client.get(path, params={**asked, "position": position})
    assert answered.status_code == 200, f"{path} {asked}: {answered.text}"
    return counted(answered.json())


def counted(part: Any) -> Any:
    """An answer without what says as of when it stands."""
    if isinstance(part, dict):
        return {name: counted(value) for name, value in part.items() if name not in PLACES}
    return [counted(each) for each in part] if isinstance(part, list) else part


def reports(client: httpx.Client, ids: dict[str, str], asked: set[str]) -> dict[str, Any]:
    """Every report, by its question; the templates of the paths are added to `asked`."""
    position = client.get("/book").json()["size"]
    found: dict[str, Any] = {}

    def ask(template: str, path: str | None = None, **parameters: Any) -> None:
        asked.add(template)
        key = f"{path or template} {parameters.get('by')}"
        found[key] = told(client, path or template, position, **parameters)

    for path in ("/worklist", "/duties", "/returns", "/returns/calendar"):
        ask(path)
    for part in (None, *PARTS):
        ask("/sla", **PERIOD, **({} if part is None else {"by": part}))
    ask("/sla/overdue", **PERIOD)
    asked.add("/figures")
    for figure in client.get("/figures").json()["indicators"]:
        ask("/figures/{name}", f"/figures/{figure['name']}", period="year", **PERIOD)
        ask("/figures/{name}/cases", f"/figures/{figure['name']}/cases", as_of=position, **PERIOD)
    for form in client.get("/returns/forms").json()["forms"]:
        ask(f"{RETURN}/draft", f"/returns/{form['name']}/nfra/2015-01-01/2015-12-31/draft")
    for template in sorted(HISTORIES):
        ask(template, template.format(**ids))
    return found


def test_every_report_counts_as_before(
    client: httpx.Client, described: Described, ledger: Ledger, database: Database
) -> None:
    one, customer = receive(ledger, LONG_AGO)
    assign(ledger, one, "wang.fang")
    withdrawn = LONG_AGO + timedelta(days=3)
    ledger.handle(
        complaint.WithdrawComplaint(complaint_id=one, withdrawn_at=withdrawn, received_by="li.wei"), principal="li.wei"
    )
    client.post("/complaints", json=EXAMPLES[complaint.ReceiveComplaint])
    asked: set[str] = set()
    ids = {"complaint_id": str(one), "customer_id": str(customer)}
    ask_to_erase(ledger, customer)
    before = reports(client, ids, asked)
    assert any(str(one) in str(each) for each in before.values())
    with closing(Vault(ledger, database)) as vault:
        erased = erase(ledger, vault, customer, "customer-request", "archivist.he")
    assert erased.values
    after = reports(client, ids, asked)
    for question, said in after.items():
        assert said == before[question], question
    questions = {path for path, operations in described.document["paths"].items() if "get" in operations}
    assert {each for each in questions - asked - NOT_COUNTING if not OF_OTHERS.fullmatch(each)} == set()
