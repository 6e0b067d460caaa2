"""Free text that stands in events in clear, field by field, each with the reason why it may: all else goes into the vault.

An event stands for ever, and so does what it holds in clear; a personal value is erased by destroying its key.
"""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import StringConstraints, TypeAdapter, ValidationError

from ledger.command import StaffId, Term
from ledger.event import Label, personal_fields
from ledger.names import STORED_NAMES

UNIT = "a unit of the institution, not a person"
SCHEME = "a term of a code table or of another body's scheme"
BODY = "an institution outside: a firm, an authority, a court"
TITLE = "what something is called by who works on it: one line, no address, telephone or number of a person"
WHY = "why an officer decided about the program itself: one line, as for a title"
TECHNICAL = "made by a program"

PLAIN = {
    **dict.fromkeys(
        (
            *("action-handed-over.department", "action-opened.department", "assistance-requested.department"),
            *("complaint-assigned.department", "complaint-escalated.department", "complaint-reassigned.department"),
            *("evidence-requested.department", "interaction-assigned.department", "root-cause-found.department"),
            *("person-complained-about.department", "responsible-named.department", "routing-published.routes"),
            *("indicator-defined.scope", "survey-opened.population"),
        ),
        UNIT,
    ),
    **{
        f"{event}.{field}": SCHEME
        for event in ("complaint-classified", "complaint-reclassified")
        for field in ("category", "product", "sub_product", "issue", "sub_issue", "cause")
    },
    "finding-made.cause": SCHEME,
    "outcome-stated.outcome": SCHEME,
    "data-shared.legal_basis": SCHEME,
    **dict.fromkeys(
        ("appraisal-started.appraiser", "consent-given.recipient", "data-shared.recipient", "proceedings-opened.body"),
        BODY,
    ),
    **dict.fromkeys(("action-opened.title", "leak-found.title", "risk-found.title", "survey-opened.title"), TITLE),
    "audit-finding-reported.title": TITLE,
    "indicator-measured.source": TITLE,
    "return-due-set.source": SCHEME,
    "emergency-plan-exercised.result": TITLE,
    **dict.fromkeys(
        (
            *("access-requested.reason", "access-declined.reason", "access-use-reported.report", "deputy-named.reason"),
            *(
                "legal-hold-placed.reason",
                "legal-hold-lifted.reason",
                "erasure-request-ended.reason",
                "permissions-reviewed.finding",
                "regime-retired.reason",
                "return-restated.reason",
            ),
            *("book-succeeded.reason", "verifier-key-retired.reason"),
        ),
        WHY,
    ),
    "return-acknowledged.receiver_reference": "the receiving authority's number of the return",
    "return-questioned.question": "an authority's question about a return, which holds counts and no person",
    "return-question-answered.answer": "the answer to it",
    "return-sent.document": "a return, which holds counts and no person",
    "return-restated.document": "a return, which holds counts and no person",
    **dict.fromkeys(
        (
            "book-succeeded.predecessor_origin",
            "book-succeeded.checkpoint",
            "fact-corrected.name",
            "amendment-proposed.name",
            "audit-finding-reported.seed",
        ),
        TECHNICAL,
    ),
    "evidence-provided.content_type": "one of those that are taken in",
}


def free_text() -> Iterator[str]:
    """Every field of an event that holds text in clear which no code table, pattern of ids or digest bounds."""
    for name, event in STORED_NAMES.items():
        personal = {field for field, _ in personal_fields(event)}
        for field, stated in event.model_fields.items():
            patterns = set(_patterns(stated.annotation, stated.metadata))
            if field not in personal and patterns & {None, _LABEL}:
                yield f"{name}.{field}"


_LABEL = next(mark.pattern for mark in get_args(Label) if isinstance(mark, StringConstraints))


def _patterns(annotation: Any, metadata: Any = ()) -> Iterator[Any]:
    if annotation is str:
        marks = [mark.pattern for mark in metadata if isinstance(mark, StringConstraints)]
        yield marks[0] if marks else None
    elif hasattr(annotation, "__metadata__"):
        yield from _patterns(annotation.__origin__, annotation.__metadata__)
    else:
        for part in get_args(annotation):
            yield from _patterns(part)


def test_what_stands_in_clear_is_listed_with_its_reason() -> None:
    assert set(free_text()) == set(PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        "零售 li.na@bank.example",
        "电话 13912345678",
        "+8613912345678",
        "证件 32010619900101123X",
        "卡 6222020200112233445",
    ],
)
def test_a_term_holds_no_address_or_number_of_a_person(text: str) -> None:
    with pytest.raises(ValidationError, match="kept in the vault"):
        TypeAdapter(Term).validate_python(text)


@pytest.mark.parametrize(
    "text", ["信用卡中心", "个人金融部 2 组", "Rule 1.6.2", "京银保监发〔2020〕12号", "2026 Q3", "400-820"]
)
def test_a_term_may_be_what_terms_are(text: str) -> None:
    assert TypeAdapter(Term).validate_python(text) == text


@pytest.mark.parametrize("staff", ["li.na@bank.example", "李娜", "li na", ""])
def test_a_member_of_staff_is_named_by_an_id_and_no_address(staff: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(StaffId).validate_python(staff)
    assert TypeAdapter(StaffId).validate_python("kf0012") == "kf0012"
