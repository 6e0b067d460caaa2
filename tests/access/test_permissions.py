"""The report of a permission review: every role, grant and use of a period, and its signature as a fact."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ledger.access import commands as ask
from ledger.access.refusals import PeriodNotOver
from ledger.access.roles import roles
from ledger.application import Ledger
from ledger.event import Tier
from ledger.vault.permissions import permissions
from ledger.vault.searching import Searcher, search
from ledger.vault.service import Look, Vault
from tests.access.conftest import receive


def test_roles_grants_and_uses_are_counted_and_signed_for(ledger: Ledger, vault: Vault) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    one, _ = receive(ledger)
    used, unused, declined, waiting = uuid4(), uuid4(), uuid4(), uuid4()
    until = datetime.now(UTC) + timedelta(days=1)
    for request in (used, unused, declined, waiting):
        asked = ask.RequestAccess(
            request_id=request,
            complaint_id=one,
            tiers=(Tier.CORE,),
            purpose="audit",
            reason="抽查",
            until=until,
            requested_by="auditor.sun",
        )
        ledger.handle(asked, principal="auditor.sun")
    for request in (used, unused):
        ledger.handle(ask.ApproveAccess(request_id=request, approved_by="chen.jing"), principal="chen.jing")
    refusal = ask.DeclineAccess(request_id=declined, reason="过宽", declined_by="chen.jing")
    ledger.handle(refusal, principal="chen.jing")
    vault.look(Look(one, "audit", ("customer_account",), used), "auditor.sun")
    search(ledger, vault, ask.SearchFiles(words="收益", purpose="audit"), Searcher("auditor.sun", None))
    now = datetime.now(UTC)

    told = permissions(ledger, began, now)
    standing = {grant.request_id: (grant.standing, grant.looks, grant.unused) for grant in told.grants}
    assert standing == {
        used: ("granted", 1, False),
        unused: ("granted", 0, True),
        declined: ("declined", 0, False),
        waiting: ("asked", 0, False),
    }
    later = permissions(ledger, began, until + timedelta(days=1))
    assert {grant.request_id for grant in later.grants if grant.standing == "expired"} == {used, unused, waiting}
    assert permissions(ledger, until + timedelta(days=1), until + timedelta(days=2)).grants == []

    sun = next(each for each in told.people if each.person == "auditor.sun")
    assert sun.commands == {"request-access": 4, "see-personal-data": 1, "record-search": 1}
    assert (sun.looks, sun.values_in_clear, sun.searches) == (1, 1, 1)
    assert {each.role for each in told.roles} == set(roles().roles)
    assert {each.role: each.unused for each in told.roles}["registrar"] is False
    assert {each.role: each.unused for each in told.roles}["regulator"] is True

    receive(ledger)
    assert permissions(ledger, began, now) == told, "what is recorded later changes nothing in it"
    assert permissions(ledger, began, datetime.now(UTC)).digest != told.digest
    sign = ask.SignPermissionReview(
        review_id=uuid4(),
        since=began,
        until=now,
        position=told.position,
        digest=told.digest,
        finding="一项授权未使用",
        reviewed_by="compliance.he",
    )
    assert ledger.handle(sign, principal="compliance.he").last_position
    assert ledger.handle(sign, principal="compliance.he").last_position is None, "signed once"
    early = sign.model_copy(update={"review_id": uuid4(), "until": until})
    with pytest.raises(PeriodNotOver):
        ledger.handle(early, principal="compliance.he")
