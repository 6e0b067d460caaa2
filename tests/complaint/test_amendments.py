"""Taking back and correcting: a second person, nothing left hanging, and what was known before kept."""

from typing import Any

import pytest

from ledger.complaint import refusals as no
from ledger.complaint.amendments import AMENDING, OWN_ID, STATED_BY
from ledger.complaint.events import COMPLAINT_NAMES, ComplaintEvent
from ledger.complaint.further_rules import COMPUTED
from ledger.complaint.state import effective, fold
from ledger.event import Personal
from ledger.tables.refusals import UnknownCode
from tests.complaint.story import (
    ACCEPTED,
    ANOTHER,
    CLASSIFIED,
    CLOSED,
    CONTACT,
    CUSTOMER,
    FINDING,
    FIRST_REPLY,
    GRADED,
    INVESTIGATED,
    INVESTIGATING,
    OTHER_CUSTOMER,
    PROPOSED,
    RATED,
    RECEIVED,
    RECEIVED_AT,
    REGISTERED,
    REOPENED,
    REPLIED,
    RESOLVED,
    WITHDRAWN,
    Given,
    amendment_proposed,
    ask,
    at,
    fact,
    fact_annulled,
    fact_corrected,
    given,
    recorded,
)

WHOLE = (RECEIVED, REGISTERED, RESOLVED, REPLIED, RATED, CLOSED)


# annulling


def test_a_fact_is_annulled_by_two_people() -> None:
    given(RECEIVED, CONTACT).when(ask("annul-fact")).then(amendment_proposed())
    given(RECEIVED, CONTACT).amended(ask("annul-fact")).then(fact_annulled(2))


def test_what_is_annulled_stays_annulled() -> None:
    annulled = (RECEIVED, CONTACT, fact_annulled(2))
    given(*annulled).amended(ask("annul-fact")).refused(no.FactIsAnnulled, version=2)
    given(*annulled).amended(ask("annul-fact", reason="另有原因")).refused(no.FactIsAnnulled, version=2)
    given(*annulled).amended(ask("annul-fact", proposed_at=at(41))).refused(no.FactIsAnnulled, version=2)
    given(*annulled).amended(ask("correct-fact", version=2, changes={"channel": "email"})).refused(no.FactIsAnnulled)


def test_only_a_fact_of_this_complaint_is_annulled() -> None:
    given(RECEIVED).amended(ask("annul-fact", version=2)).refused(no.NoSuchFact, version=2, last_version=1)


def test_the_receipt_is_not_annulled() -> None:
    given(RECEIVED).amended(ask("annul-fact", version=1)).refused(no.ReceiptStays)


def test_an_amendment_is_not_amended() -> None:
    given(RECEIVED, CONTACT, fact_annulled(2)).amended(ask("annul-fact", version=3)).refused(
        no.AmendmentIsFinal, version=3
    )
    given(RECEIVED, CONTACT, fact_annulled(2)).amended(
        ask("correct-fact", version=3, changes={"annulled_by": "li.na"})
    ).refused(no.AmendmentIsFinal, version=3)


def test_an_annulment_does_not_come_from_the_future() -> None:
    given(RECEIVED, CONTACT).amended(ask("annul-fact"), at(30)).refused(no.InTheFuture, field="proposed_at")


@pytest.mark.parametrize(
    ("facts", "version", "later"),
    [
        ((RECEIVED, RESOLVED, REPLIED), 2, (3,)),
        ((RECEIVED, RESOLVED, REPLIED, RATED, CLOSED), 2, (3, 4, 5)),
        ((RECEIVED, RESOLVED, REPLIED, RATED, CLOSED), 3, (4, 5)),
        ((RECEIVED, INVESTIGATING, FINDING, INVESTIGATED), 2, (3, 4)),
        ((RECEIVED, PROPOSED, ACCEPTED), 2, (3,)),
        ((RECEIVED, GRADED, fact("complaint-regraded", grade="major", graded_at=at(30))), 2, (3,)),
        ((RECEIVED, CLASSIFIED, fact("complaint-reclassified", category="service")), 2, (3,)),
        ((RECEIVED, fact("complaint-assigned"), fact("complaint-reassigned", department="legal")), 2, (3,)),
        ((RECEIVED, WITHDRAWN, CLOSED), 2, (3,)),
        ((RECEIVED, fact("outcome-stated"), fact("outcome-disputed")), 2, (3,)),
    ],
)
def test_what_later_facts_stand_on_is_not_annulled(
    facts: tuple[ComplaintEvent, ...], version: int, later: tuple[int, ...]
) -> None:
    given(*facts).amended(ask("annul-fact", version=version)).refused(
        no.LaterFactsStandOnIt, version=version, later=later
    )
    annulled = map(fact_annulled, reversed(later))  # the newest first, as the remedy says
    given(*facts, *annulled).amended(ask("annul-fact", version=version)).then(fact_annulled(version))


def test_annulling_takes_the_effect_back() -> None:
    given(*WHOLE, fact_annulled(6)).when(ask("close-complaint", closed_at=at(16))).then(
        fact("complaint-closed", closed_at=at(16))
    )
    given(RECEIVED, WITHDRAWN, fact_annulled(2)).when(ask("resolve-complaint", resolved_at=at(13))).then(
        fact("complaint-resolved", resolved_at=at(13))
    )


def test_a_fact_that_broke_a_rule_before_hinders_nothing() -> None:
    """An import may have recorded a closing without a reply."""
    given(RECEIVED, CLOSED, CONTACT).amended(ask("annul-fact", version=3)).then(fact_annulled(3))
    given(RECEIVED, CLOSED).amended(ask("correct-fact", version=2, changes={"closed_by": "li.na"})).then(
        fact_corrected(2, recorded(fact("complaint-closed", closed_by="li.na")))
    )


# correcting


def test_a_field_is_corrected_and_unchanged_words_keep_their_digests() -> None:
    was = recorded(RECEIVED)
    expected = was.model_copy(update={"branch": "shanghai-pudong-02"})
    given(RECEIVED).amended(ask("correct-fact")).then(fact_corrected(1, expected))


def test_changed_words_are_given_in_clear() -> None:
    outcome = given(RECEIVED).amended(ask("correct-fact", changes={"customer_name": "张山", "content": None}))
    assert outcome.proposed is not None
    assert outcome.proposed.fact == recorded(RECEIVED).model_copy(
        update={"customer_name": Personal.clear("张山"), "content": None}
    )


def test_a_mistyped_receipt_time_is_corrected() -> None:
    changes = {"received_at": "2025-09-01T08:00:00+08:00"}
    outcome = given(RECEIVED, FIRST_REPLY).amended(ask("correct-fact", changes=changes))
    outcome.then(fact_corrected(1, recorded(RECEIVED).model_copy(update={"received_at": at(-1)})))
    assert outcome.facts is not None
    assert outcome.proposed is not None
    events = [recorded(each) for each in (RECEIVED, FIRST_REPLY, outcome.proposed, *outcome.facts)]
    assert fold(events).received_at == at(-1)
    assert [version for version, _ in effective(events)] == [1, 2]
    assert fold(events[:2]).received_at == RECEIVED_AT  # what was known before stays answerable


def test_a_receipt_is_not_moved_behind_its_handling() -> None:
    given(RECEIVED, REGISTERED, FIRST_REPLY).amended(
        ask("correct-fact", changes={"received_at": at(1.5).isoformat()})
    ).refused(no.LaterFactsStandOnIt, version=1, later=(2,))


def test_the_new_fact_obeys_the_rules_where_it_stands() -> None:
    def corrected(version: int, **changes: Any) -> Any:
        return given(*WHOLE).amended(ask("correct-fact", version=version, changes=changes))

    corrected(2, registered_at=at(-1).isoformat()).refused(no.BeforeTheReceipt, field="registered_at")
    corrected(4, sent_at=at(11).isoformat()).refused(no.OutOfOrder, field="sent_at")
    corrected(4, sent_at=at(14.5).isoformat()).refused(no.LaterFactsStandOnIt, later=(5,))
    corrected(4, channel="pigeon").refused(UnknownCode, field="channel")
    corrected(5, resolution_id=str(ANOTHER)).refused(no.ResolutionUnknown)
    corrected(2, registered_at="2031-01-01T00:00:00Z").refused(no.InTheFuture, field="registered_at")
    corrected(1, currency=None).refused(no.AmountIncomplete)


def test_a_code_that_was_there_before_hinders_no_other_correction() -> None:
    imported = fact("complaint-received", channel="referral")
    given(imported).amended(ask("correct-fact")).then(
        fact_corrected(1, recorded(imported).model_copy(update={"branch": "shanghai-pudong-02"}))
    )


def test_by_whose_leave_a_fact_is_is_not_corrected() -> None:
    regraded = fact("complaint-regraded", grade="major", graded_at=at(30))
    for changes in ({"approved_by": "li.na"}, {"proposed_version": 2}):
        given(RECEIVED, GRADED, regraded).when(ask("correct-fact", version=3, changes=changes)).refused(no.FieldFixed)
    given(RECEIVED, GRADED, regraded).when(ask("correct-fact", version=3, changes={"graded_by": "Chen.Jing"})).refused(
        no.ApproverIsAuthor, field="graded_by"
    )


def test_a_correction_to_what_it_is_changes_nothing() -> None:
    given(RECEIVED).amended(ask("correct-fact", changes={"branch": "shanghai-pudong-01"})).then()


def corrected_in_turn(*changes: dict[str, Any]) -> list[ComplaintEvent]:
    """What stands in the record after these corrections of the receipt, all of one instant."""
    events = [recorded(RECEIVED)]
    for each in changes:
        outcome = Given(fold(events)).amended(ask("correct-fact", changes=each))
        events += [recorded(new) for new in (outcome.proposed, *(outcome.facts or ())) if new is not None]
    return events


def test_a_retried_correction_without_words_records_nothing() -> None:
    assert len(corrected_in_turn({"branch": "shanghai-pudong-02"}, {"branch": "shanghai-pudong-02"})) == 3
    assert len(corrected_in_turn({"content": None}, {"content": None})) == 3


def test_corrections_of_one_instant_are_all_recorded() -> None:
    there, back = {"branch": "shanghai-pudong-02"}, {"branch": "shanghai-pudong-01"}
    events = corrected_in_turn(there, back, there)
    assert len(events) == 7
    assert dict(effective(events))[1] == recorded(fact("complaint-received", **there))


def test_corrected_words_are_never_taken_for_a_retry() -> None:
    events = corrected_in_turn({"customer_name": "李"}, {"customer_name": "赵"})
    assert len(events) == 5
    assert dict(effective(events))[1] == recorded(fact("complaint-received", customer_name="赵"))
    assert len(corrected_in_turn({"customer_name": "李"}, {"customer_name": "李"})) == 5


def test_nothing_is_amended_before_it_happened() -> None:
    before_the_receipt, before_the_contact = at(-1), at(4.9)
    given(RECEIVED, CONTACT).amended(ask("annul-fact", proposed_at=before_the_receipt)).refused(
        no.BeforeTheReceipt, field="proposed_at", received_at=RECEIVED_AT
    )
    given(RECEIVED, CONTACT).amended(ask("annul-fact", proposed_at=before_the_contact)).refused(
        no.OutOfOrder, field="proposed_at", before_at=at(5)
    )
    given(RECEIVED, CONTACT).amended(ask("annul-fact", proposed_at=at(5))).then(fact_annulled(2, annulled_at=at(5)))
    given(RECEIVED).amended(ask("correct-fact", proposed_at=before_the_receipt)).refused(
        no.BeforeTheReceipt, field="proposed_at", received_at=RECEIVED_AT
    )
    later = {"version": 2, "changes": {"channel": "email"}}
    given(RECEIVED, CONTACT).amended(ask("correct-fact", **later, proposed_at=before_the_contact)).refused(
        no.OutOfOrder, field="proposed_at", before_at=at(5)
    )


def test_no_fact_is_corrected_to_have_happened_after_the_correction() -> None:
    later = {"version": 2, "changes": {"occurred_at": at(41).isoformat()}}
    given(RECEIVED, CONTACT).amended(ask("correct-fact", **later, proposed_at=at(40))).refused(
        no.OutOfOrder, field="proposed_at", before_at=at(41)
    )


def test_a_contact_before_the_receipt_and_a_fact_without_a_time_are_amended() -> None:
    early = fact("contact-noted", occurred_at=at(-48))
    given(RECEIVED, early).amended(ask("annul-fact")).then(fact_annulled(2))
    given(RECEIVED, early).amended(ask("annul-fact", proposed_at=at(-1))).refused(no.BeforeTheReceipt)
    given(RECEIVED, fact("outcome-stated")).amended(ask("annul-fact")).then(fact_annulled(2))


def test_a_correction_may_be_corrected_by_naming_the_fact_again() -> None:
    first = fact_corrected(1, recorded(fact("complaint-received", branch="shanghai-pudong-02")))
    again = ask("correct-fact", changes={"branch": "shanghai-pudong-03"}, proposed_at=at(41))
    given(RECEIVED, first).amended(again).then(
        fact_corrected(1, recorded(fact("complaint-received", branch="shanghai-pudong-03")), corrected_at=at(41))
    )


def test_ids_and_unknown_fields_are_not_corrected() -> None:
    given(RECEIVED, RESOLVED).amended(ask("correct-fact", version=2, changes={"resolution_id": str(ANOTHER)})).refused(
        no.FieldFixed, field="resolution_id"
    )
    given(RECEIVED, CONTACT).amended(ask("correct-fact", version=2, changes={"customer_id": str(ANOTHER)})).refused(
        no.FieldFixed, field="customer_id"
    )
    given(RECEIVED, CONTACT).amended(ask("correct-fact", version=2, changes={"张三": 1})).refused(
        no.FieldUnknown, known=("channel", "content", "direction", "noted_by", "occurred_at")
    )


@pytest.mark.parametrize(
    ("version", "changes", "field"),
    [
        (1, {"received_at": 1735689600}, "received_at"),
        (1, {"received_at": "2025-09-01T08:00:00"}, "received_at"),
        (1, {"channel": "Not A Slug"}, "channel"),
        (1, {"content": "   "}, "content"),
        (1, {"content": {"a": "secret words"}}, "content"),
        (1, {"customer_id": None}, "customer_id"),
        (1, {"amount_in_dispute_minor": -1}, "amount_in_dispute_minor"),
        (2, {"reason": None}, "reason"),
        (2, {"grade": "huge"}, "grade"),
    ],
)
def test_a_new_value_is_read_as_the_command_reads_it(version: int, changes: dict[str, Any], field: str) -> None:
    outcome = given(RECEIVED, fact("complaint-regraded", grade="major")).amended(
        ask("correct-fact", version=version, changes=changes)
    )
    outcome.refused(no.ValueNotUnderstood, field=field)
    assert "secret" not in str(outcome.refusal)


# the wrong customer


WORDS = {"customer_name": "李四", "customer_account": None, "content": "年费多收了一次。"}


def test_a_wrong_customer_is_corrected_with_the_words_anew() -> None:
    """The words were sealed under the wrong customer's key: they must pass to the right one's."""
    wrong = {"customer_id": str(OTHER_CUSTOMER)}
    given(RECEIVED).amended(ask("correct-fact", changes=wrong)).refused(
        no.ValuesToGiveAgain, fields=("content", "customer_account", "customer_name")
    )
    outcome = given(RECEIVED).amended(ask("correct-fact", changes=wrong | WORDS))
    outcome.then(fact_corrected(1, fact("complaint-received", customer_id=OTHER_CUSTOMER, **WORDS)))


def test_later_facts_are_of_the_right_customer_and_earlier_ones_pass_when_corrected() -> None:
    right = fact("complaint-received", customer_id=OTHER_CUSTOMER, **WORDS)
    story = (RECEIVED, CONTACT, fact_corrected(1, right))
    given(*story).when(ask("register-complaint")).then(fact("complaint-registered", customer_id=OTHER_CUSTOMER))
    given(*story).amended(ask("correct-fact", version=2, changes={"channel": "email"})).refused(
        no.ValuesToGiveAgain, fields=("content",)
    )
    changes = {"channel": "email", "content": "客户来电。"}
    given(*story).amended(ask("correct-fact", version=2, changes=changes)).then(
        fact_corrected(2, fact("contact-noted", customer_id=OTHER_CUSTOMER, **changes))
    )
    standing = dict(effective([recorded(each) for each in story]))
    assert standing[2].customer_id == CUSTOMER  # under whom its words are still held


def test_a_fact_without_words_passes_to_the_right_customer_as_it_is() -> None:
    right = fact("complaint-received", customer_id=OTHER_CUSTOMER, **WORDS)
    story = (RECEIVED, REGISTERED, fact_corrected(1, right))
    given(*story).amended(ask("correct-fact", version=2, changes={"registered_by": "li.na"})).then(
        fact_corrected(2, fact("complaint-registered", customer_id=OTHER_CUSTOMER, registered_by="li.na"))
    )


# the tables


def test_every_fact_but_an_amendment_is_stated_by_a_command() -> None:
    assert set(STATED_BY) == set(COMPLAINT_NAMES.values()) - set(AMENDING)
    for event, command in STATED_BY.items():
        missing = set(event.model_fields) - set(command.model_fields) - {"customer_id"} - COMPUTED.get(event, set())
        assert missing <= {"resolution_id"}, event  # a reply tells the resolution that stands


def test_every_id_that_a_command_lets_the_program_make_is_fixed() -> None:
    made = {
        name
        for command in STATED_BY.values()
        for name, field in command.model_fields.items()
        if name.endswith("_id") and field.metadata
    }
    assert made - {"complaint_id", "customer_id"} == set(OWN_ID.values())


def test_reopening_is_not_annulled_under_a_new_resolution() -> None:
    second = fact("complaint-resolved", resolution_id=ANOTHER, resolved_at=at(25))
    given(*WHOLE, REOPENED, second).amended(ask("annul-fact", version=7)).refused(no.LaterFactsStandOnIt, later=(8,))
