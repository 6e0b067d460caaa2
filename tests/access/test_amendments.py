"""Four eyes by the library on a real book: one principal alone never amends, and what two agreed on happens once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import pytest

from ledger.application import Ledger, Receipt
from ledger.complaint import refusals as no
from ledger.complaint.commands import AnnulFact, ApproveAmendment, CorrectFact, NoteContact
from ledger.complaint.events import FactAnnulled, FactCorrected
from ledger.database.roles import Role
from ledger.database.target import Database
from ledger.record.book import create_book
from ledger.record.verify import verify
from ledger.refusal import Refusal
from ledger.vault.keys import SubjectKeys
from ledger.vault.service import Look, Vault
from tests.access.conftest import receive

FIRST, SECOND = "zhao.min", "chen.jing"


def now() -> datetime:
    return datetime.now(UTC)


def contacted(ledger: Ledger) -> UUID:
    """A complaint with a contact as its version 2."""
    one, _ = receive(ledger)
    said = NoteContact(
        complaint_id=one, channel="phone", direction="inbound", content="来电。", noted_by=FIRST, occurred_at=now()
    )
    ledger.handle(said, principal=FIRST)
    return one


def propose(ledger: Ledger, one: UUID, by: str = FIRST) -> int:
    wanted = AnnulFact(complaint_id=one, version=2, reason="录错了投诉", proposed_at=now())
    return ledger.handle(wanted, principal=by).version


def approval(one: UUID, proposed: int) -> ApproveAmendment:
    return ApproveAmendment(complaint_id=one, proposed_version=proposed, approved_at=now())


@pytest.fixture
def elsewhere(database: Database, book: str, keys: SubjectKeys) -> Iterator[Ledger]:
    """The ledger of another book with the same keys."""
    with closing(database.connect(Role.OWNER)) as owner:
        create_book(owner, f"{book}-b")
    with closing(Ledger(database, f"{book}-b", keys)) as opened:
        yield opened


def test_one_principal_alone_annuls_nothing(ledger: Ledger) -> None:
    one = contacted(ledger)
    proposed = propose(ledger, one)
    for himself in (FIRST, "Zhao.Min", "ZHAO.MIN"):
        with pytest.raises(no.ApproverProposedIt):
            ledger.handle(approval(one, proposed), principal=himself)
    again = propose(ledger, one, SECOND)
    assert ledger.handle(approval(one, proposed), principal=SECOND).version == again + 1
    with pytest.raises(no.AmendmentOutdated):
        ledger.handle(approval(one, again), principal=FIRST)
    annulled = ledger.complaint(one).recorded[-1]
    assert isinstance(annulled, FactAnnulled)
    assert (annulled.annulled_by, annulled.approved_by, annulled.proposed_version) == (FIRST, SECOND, proposed)


def test_a_proposal_is_of_its_complaint_and_its_book(ledger: Ledger, elsewhere: Ledger) -> None:
    one, other = contacted(ledger), contacted(ledger)
    proposed = propose(ledger, one)
    with pytest.raises(no.AmendmentUnknown):
        ledger.handle(approval(other, proposed), principal=SECOND)
    with pytest.raises(no.ComplaintNotFound):
        elsewhere.handle(approval(one, proposed), principal=SECOND)
    with pytest.raises(no.AmendmentUnknown):
        elsewhere.handle(approval(contacted(elsewhere), proposed), principal=SECOND)


def test_of_many_who_approve_at_once_one_does(ledger: Ledger) -> None:
    one = contacted(ledger)
    proposed = propose(ledger, one)

    def tried(number: int) -> Receipt | Refusal:
        try:
            return ledger.handle(approval(one, proposed), principal=f"lead.{number}")
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(8) as many:
        told = list(many.map(tried, range(8)))
    assert sorted(type(each).__name__ for each in told) == ["AmendmentSettled"] * 7 + ["Receipt"]
    assert sum(isinstance(each, FactAnnulled) for each in ledger.complaint(one).recorded) == 1


def test_words_of_a_correction_stay_in_the_vault_from_the_proposal_on(
    ledger: Ledger, vault: Vault, database: Database
) -> None:
    one, words = contacted(ledger), "客户改称来信。"
    wanted = CorrectFact(complaint_id=one, version=2, changes={"content": words}, reason="来电更正", proposed_at=now())
    proposed = ledger.handle(wanted, principal=FIRST)
    assert proposed.first_position is not None
    ledger.handle(approval(one, proposed.version), principal=SECOND)
    *_, proposal, corrected = ledger.complaint(one).recorded
    assert isinstance(corrected, FactCorrected)
    assert words not in repr((proposal, corrected))
    shown = vault.look(Look(one, "quality-review", ("fact.content",)), SECOND)
    (seen,) = [each for each in shown if each.in_clear]
    assert (seen.value, seen.position) == (words, proposed.first_position), "held once, with the proposal"
    assert verify(database, ledger.book, ledger.keys).ok
