"""What the rules of a customer allow, what they refuse, and when they stay quiet."""

from uuid import UUID

import pytest

from ledger.complaint.refusals import (
    AmendmentIsFinal,
    ApproverIsAuthor,
    FactIsAnnulled,
    IdTaken,
    InTheFuture,
    LaterFactsStandOnIt,
    OutOfOrder,
)
from ledger.customer import commands as c
from ledger.customer import events as e
from ledger.customer import refusals as r
from ledger.standing import AlreadyBegun, SubjectNotFound, VersionUnknown
from ledger.tables.refusals import UnknownCode
from tests.parties.telling import ANOTHER, FIXED, ID, OTHER_CUSTOMER, ask, at, given, nothing

REGISTERED = c.RegisterCustomer
CONSENT = {"ground": "consent", "consent_id": ID, "legal_basis": None, "purpose": "mediation"}
SHARED = {**CONSENT, "recipient": "某银行业消费者权益保护促进会", "data_kinds": ["contact"]}


def test_a_customer_is_registered_once() -> None:
    nothing(REGISTERED).when(ask(REGISTERED)).then(e.CustomerRegistered, tier="ordinary")
    given(REGISTERED).when(ask(REGISTERED)).refused(AlreadyBegun, subject="customer")
    plain = ask(REGISTERED, name=None, contact=None, identity_number=None)
    given(plain).when(plain).quiet()
    nothing(REGISTERED).when(ask(REGISTERED, registered_at="2030-01-01T00:00:00Z")).refused(InTheFuture)


def test_nothing_is_said_of_a_customer_who_is_not_registered() -> None:
    nothing(REGISTERED).when(ask(c.SetTier)).refused(SubjectNotFound, subject_id=FIXED["customer_id"])


def test_details_change_one_by_one() -> None:
    given(REGISTERED).when(ask(c.ChangeDetails)).then(e.CustomerDetailsChanged, name=None)
    given(REGISTERED).when(ask(c.ChangeDetails, contact=None)).refused(r.NoDetailGiven)
    given(REGISTERED, c.MergeCustomer).when(ask(c.ChangeDetails)).refused(r.CustomerIsMerged)


def test_a_tier_is_set_when_it_is_another() -> None:
    given(REGISTERED).when(ask(c.SetTier)).then(e.CustomerTiered, tier="middle")
    given(REGISTERED).when(ask(c.SetTier, tier="ordinary")).quiet()
    given(REGISTERED, c.SetTier).when(ask(c.SetTier, tier="high-net-worth", tiered_at=at(26, 12, 9))).refused(
        OutOfOrder
    )


def test_particular_care_begins_and_ends() -> None:
    given(REGISTERED).when(ask(c.NoteVulnerability)).then(e.VulnerabilityNoted, kind="elderly")
    given(REGISTERED, c.NoteVulnerability).when(ask(c.NoteVulnerability)).quiet()
    given(REGISTERED).when(ask(c.NoteVulnerability, kind="sad")).refused(UnknownCode, table="vulnerability")
    given(REGISTERED, c.NoteVulnerability).when(ask(c.EndVulnerability)).then(e.VulnerabilityEnded)
    given(REGISTERED).when(ask(c.EndVulnerability)).refused(r.VulnerabilityNotNoted, vulnerability="elderly")
    again = given(REGISTERED, c.NoteVulnerability, c.EndVulnerability)
    again.when(ask(c.NoteVulnerability, noted_at=at(3))).then(e.VulnerabilityNoted)


def test_records_of_one_person_are_merged_and_split() -> None:
    given(REGISTERED).when(ask(c.MergeCustomer)).then(e.CustomerMerged, into_customer_id=UUID(OTHER_CUSTOMER))
    given(REGISTERED).when(ask(c.MergeCustomer, into_customer_id=FIXED["customer_id"])).refused(
        r.CustomerMergedIntoItself
    )
    given(REGISTERED).when(ask(c.MergeCustomer, approved_by="Registrar.Li")).refused(ApproverIsAuthor)
    given(REGISTERED).when(ask(c.MergeCustomer, matched=["smell"])).refused(UnknownCode, table="match-kind")
    merged = given(REGISTERED, ask(c.MergeCustomer, reason=None))
    merged.when(ask(c.MergeCustomer, reason=None)).quiet()
    merged.when(ask(c.MergeCustomer, into_customer_id=ANOTHER)).refused(r.CustomerIsMerged)
    merged.when(ask(c.SplitCustomer)).then(e.CustomerSplit)
    merged.when(ask(c.SplitCustomer, split_at=at(27, 12, 9))).refused(OutOfOrder)
    given(REGISTERED).when(ask(c.SplitCustomer)).refused(r.NothingToSplit)
    apart = given(REGISTERED, c.MergeCustomer, c.SplitCustomer)
    apart.when(ask(c.ChangeDetails)).then(e.CustomerDetailsChanged)
    apart.when(ask(c.MergeCustomer, merged_at=at(5))).then(e.CustomerMerged)


def test_two_people_with_one_name_are_told_apart_once() -> None:
    given(REGISTERED).when(ask(c.RuleOutDuplicate)).then(e.DuplicateRuledOut)
    given(REGISTERED, c.RuleOutDuplicate).when(ask(c.RuleOutDuplicate)).quiet()
    given(REGISTERED).when(ask(c.RuleOutDuplicate, other_customer_id=FIXED["customer_id"])).refused(
        r.CustomerMergedIntoItself
    )


def test_consent_is_given_and_withdrawn() -> None:
    given(REGISTERED).when(ask(c.GiveConsent)).then(e.ConsentGiven, consent_id=ID)
    given(REGISTERED, c.GiveConsent).when(ask(c.GiveConsent)).quiet()
    given(REGISTERED, c.GiveConsent).when(ask(c.GiveConsent, purpose="service")).refused(IdTaken)
    given(REGISTERED).when(ask(c.GiveConsent, data_kinds=["contact", "shoes"])).refused(UnknownCode, table="data-kind")
    given(REGISTERED, c.GiveConsent).when(ask(c.WithdrawConsent)).then(e.ConsentWithdrawn)
    given(REGISTERED, c.GiveConsent, c.WithdrawConsent).when(ask(c.WithdrawConsent)).quiet()
    given(REGISTERED, c.GiveConsent, c.WithdrawConsent).when(ask(c.WithdrawConsent, channel="letter")).refused(
        r.ConsentIsWithdrawn
    )
    given(REGISTERED).when(ask(c.WithdrawConsent)).refused(r.ConsentUnknown, known=())
    given(REGISTERED, c.GiveConsent).when(ask(c.WithdrawConsent, withdrawn_at=at(1, 12, 9))).refused(OutOfOrder)
    given(REGISTERED, c.MergeCustomer, c.GiveConsent).when(ask(c.WithdrawConsent)).then(e.ConsentWithdrawn)


def test_data_are_shared_by_consent_while_and_as_far_as_it_holds() -> None:
    agreed = given(REGISTERED, c.GiveConsent)
    agreed.when(ask(c.ShareData, **SHARED)).then(e.DataShared, ground="consent")
    given(REGISTERED, c.GiveConsent, ask(c.ShareData, **SHARED)).when(ask(c.ShareData, **SHARED)).quiet()
    agreed.when(ask(c.ShareData, **{**SHARED, "consent_id": None})).refused(r.GroundIncomplete, missing="consent_id")
    agreed.when(ask(c.ShareData, **{**SHARED, "consent_id": ANOTHER})).refused(r.ConsentUnknown)
    agreed.when(ask(c.ShareData, **SHARED, shared_at=at(28, 12, 9))).refused(OutOfOrder)
    beyond = {"recipient": "somebody else", "data_kinds": ["transactions"], "purpose": "marketing"}
    agreed.when(ask(c.ShareData, **{**SHARED, **beyond})).refused(
        r.ConsentDoesNotCover, fields=("purpose", "recipient", "data_kinds")
    )
    withdrawn = given(REGISTERED, c.GiveConsent, c.WithdrawConsent)
    withdrawn.when(ask(c.ShareData, **SHARED, shared_at=at(14))).then(e.DataShared)
    withdrawn.when(ask(c.ShareData, **SHARED, shared_at=at(16))).refused(r.ConsentIsWithdrawn)
    short = given(REGISTERED, ask(c.GiveConsent, until_on="2025-10-09"))
    short.when(ask(c.ShareData, **SHARED, shared_at=at(9))).then(e.DataShared)
    short.when(ask(c.ShareData, **SHARED, shared_at=at(10))).refused(r.ConsentHasEnded)


def test_data_are_shared_on_a_legal_ground_that_is_named() -> None:
    given(REGISTERED).when(ask(c.ShareData)).then(e.DataShared, ground="legal-duty")
    given(REGISTERED).when(ask(c.ShareData, legal_basis=None)).refused(r.GroundIncomplete, missing="legal_basis")
    given(REGISTERED, c.ShareData).when(ask(c.ShareData)).quiet()
    given(REGISTERED, c.ShareData).when(ask(c.ShareData, recipient="another")).refused(IdTaken, field="share_id")


def test_a_fact_is_annulled_by_two_people_unless_others_stand_on_it() -> None:
    agreed = given(REGISTERED, c.GiveConsent)
    agreed.when(ask(c.AnnulCustomerFact)).then(e.CustomerFactAnnulled, annulled_version=2)
    agreed.when(ask(c.AnnulCustomerFact, approved_by="handler.wang")).refused(ApproverIsAuthor)
    agreed.when(ask(c.AnnulCustomerFact, version=3)).refused(VersionUnknown, last_version=2)
    agreed.when(ask(c.AnnulCustomerFact, annulled_at=at(1, 12, 9))).refused(OutOfOrder)
    agreed.when(ask(c.AnnulCustomerFact, version=1)).refused(LaterFactsStandOnIt, later=(2,))
    shared = given(REGISTERED, c.GiveConsent, ask(c.ShareData, **SHARED))
    shared.when(ask(c.AnnulCustomerFact)).refused(LaterFactsStandOnIt, later=(3,))
    taken_back = given(REGISTERED, c.GiveConsent, c.AnnulCustomerFact)
    taken_back.when(ask(c.AnnulCustomerFact)).refused(FactIsAnnulled)
    taken_back.when(ask(c.AnnulCustomerFact, version=3)).refused(AmendmentIsFinal)
    taken_back.when(ask(c.WithdrawConsent)).refused(r.ConsentUnknown)
    taken_back.when(ask(c.GiveConsent)).then(e.ConsentGiven)


def test_a_registration_that_was_annulled_can_be_made_anew() -> None:
    gone = given(REGISTERED, ask(c.AnnulCustomerFact, version=1))
    gone.when(ask(c.SetTier)).refused(SubjectNotFound)
    gone.when(ask(REGISTERED)).then(e.CustomerRegistered)


@pytest.mark.parametrize("kind", list(e.CustomerTier))
def test_every_tier_has_a_label(kind: e.CustomerTier) -> None:
    from ledger.complaint.codes import code_tables

    assert kind in code_tables()["customer-tier"]
