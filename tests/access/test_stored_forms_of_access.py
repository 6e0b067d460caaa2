"""Every stored form that ever was of a fact about access is read for ever, as the same fact.

`stored_forms.json` is never edited, only added to: a form that is in it may be in somebody's book.
"""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from ledger.access import events as fact
from ledger.event import Event, Tier
from ledger.names import NAME_OF, STORED_NAMES

FORMS = orjson.loads(Path(__file__).with_name("stored_forms.json").read_bytes())
AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
UNTIL = datetime(2026, 3, 30, 4, tzinfo=UTC)
REQUEST, ONE, PERSON, HOLD = (UUID(f"00000000-0000-4000-8000-00000000000{n}") for n in range(1, 5))
DIGEST = "A" * 43

ALL: list[Event] = [
    fact.AccessRequested(
        request_id=REQUEST,
        complaint_id=ONE,
        tiers=(Tier.CORE, Tier.IMPORTANT),
        purpose="audit",
        reason="年度抽查",
        until=UNTIL,
        requested_by="auditor.sun",
        requested_at=AT,
    ),
    fact.AccessApproved(request_id=REQUEST, until=UNTIL, approved_by="chen.jing", approved_at=AT),
    fact.AccessDeclined(request_id=REQUEST, reason="过宽", declined_by="chen.jing", declined_at=AT),
    fact.AccessUseReported(request_id=REQUEST, report="已核对", reported_by="auditor.sun", reported_at=AT),
    fact.PersonalDataSeen(
        subject_id=PERSON,
        complaint_id=ONE,
        paths=("customer_name",),
        digests=(DIGEST,),
        revealed=(DIGEST,),
        purpose="audit",
        request_id=REQUEST,
        seen_by="auditor.sun",
        seen_at=AT,
    ),
    fact.EvidenceFileSeen(
        subject_id=PERSON,
        complaint_id=ONE,
        file_id=HOLD,
        file_digest="cd" * 32,
        purpose="handling",
        seen_by="wang.fang",
        seen_at=AT,
    ),
    fact.ErasureRequested(subject_id=PERSON, ground="customer-request", requested_by="li.wei", requested_at=AT),
    fact.ErasureApproved(subject_id=PERSON, ground="customer-request", approved_by="archivist.he", approved_at=AT),
    fact.ErasureRequestEnded(subject_id=PERSON, reason="客户撤回", ended_by="he.lan", ended_at=AT),
    fact.LegalHoldPlaced(subject_id=PERSON, hold_id=HOLD, reason="诉讼", placed_by="risk.wu", placed_at=AT),
    fact.LegalHoldLifted(subject_id=PERSON, hold_id=HOLD, reason="结案", lifted_by="he.lan", lifted_at=AT),
    fact.SubjectErased(subject_id=PERSON, ground="customer-request", erased_by="archivist.he", erased_at=AT),
    fact.PersonalDataSearched(
        search_id=REQUEST,
        kind="words",
        purpose="handling",
        found_ids=(ONE,),
        subject_ids=(PERSON,),
        searched_by="wang.fang",
        searched_at=AT,
    ),
    fact.DeputyNamed(
        person="wang.fang", deputy="zhao.min", until=UNTIL, reason="休假", named_by="chen.jing", named_at=AT
    ),
    fact.DeputyEnded(person="wang.fang", deputy="zhao.min", ended_by="chen.jing", ended_at=AT),
    fact.PermissionsReviewed(
        review_id=REQUEST,
        since=AT,
        until=UNTIL,
        position=7,
        digest="ab" * 32,
        finding="无异常",
        reviewed_by="he.lan",
        reviewed_at=UNTIL,
    ),
]


def test_every_fact_about_access_has_its_form() -> None:
    assert {type(event) for event in ALL} == set(fact.ACCESS_NAMES.values())
    assert set(FORMS) == set(fact.ACCESS_NAMES)


@pytest.mark.parametrize("event", ALL, ids=lambda event: NAME_OF[type(event)])
def test_a_fact_is_written_and_read_as_it_always_was(event: Event) -> None:
    form = FORMS[NAME_OF[type(event)]]
    assert event.model_dump(mode="json", exclude_none=True) == form
    assert STORED_NAMES[NAME_OF[type(event)]].model_validate_json(orjson.dumps(form)) == event
