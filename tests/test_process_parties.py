"""The process of the manuals besides complaints, line by line: what serves each line, and that it is there.

Told in our own words. A line that names no event, code table or question fails, and so does a name that is none.
"""

from typing import NamedTuple, cast

import pytest

from api.asking import Asker
from api.asking_parties import PLURALS, router
from ledger.improvement.events import RiskLevel, WarningLevel
from ledger.interaction.events import InteractionKind
from ledger.names import STORED_NAMES
from ledger.tables.table import built_in_tables
from projections.duties import Kind


class Line(NamedTuple):
    """A line of the process, and what serves it: stored names, fields of them, code tables, questions."""

    says: str
    events: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


CONTACTS = (
    Line("every contact is a fact, of eight kinds", ("interaction-recorded",), tables=("interaction-kind",)),
    Line(
        "a suggestion is taken, looked into, dealt with, answered and reviewed",
        (
            *("interaction-recorded", "interaction-looked-into", "interaction-dealt-with", "interaction-answered"),
            "interaction-reviewed",
        ),
    ),
    Line(
        "when it was asked and answered, and so how long the customer waited",
        fields=("interaction-recorded.asked_at", "interaction-answered.answered_at"),
        questions=("/interactions/{interaction_id}",),
    ),
    Line(
        "length, channel, staff, content, outcome",
        fields=(
            *("interaction-recorded.length_seconds", "interaction-recorded.channel", "interaction-recorded.taken_by"),
            *("interaction-recorded.content", "interaction-answered.outcome", "interaction-answered.length_seconds"),
        ),
        tables=("channel", "interaction-outcome"),
    ),
    Line("the customer rates the service 服务评价记录", ("interaction-rated",)),
    Line("what was improved because of a contact 服务改进记录", ("interaction-dealt-with", "action-opened")),
    Line(
        "a complaint grew from it, and both know of each other",
        ("interaction-became-complaint",),
        questions=("/complaints/{complaint_id}/links", "/customers/{customer_id}/timeline"),
    ),
    Line("a call-back is promised, owed, and made", ("call-back-promised", "call-back-made"), questions=("/duties",)),
    Line("who takes care of a request", ("interaction-assigned",), questions=("/duties",)),
    Line("a customer's whole history in one line of time", questions=("/customers/{customer_id}/timeline",)),
)

CUSTOMERS = (
    Line("a customer is registered by a random id", ("customer-registered", "customer-details-changed")),
    Line("a tier 客户分级", ("customer-tiered",), tables=("customer-tier",)),
    Line(
        "a vulnerable customer 特殊群体, and of which kind",
        ("vulnerability-noted", "vulnerability-ended"),
        tables=("vulnerability",),
    ),
    Line(
        "two records of one person are found, merged, told apart, and split again",
        ("customer-merged", "customer-split", "duplicate-ruled-out"),
        tables=("match-kind",),
        questions=("/customers/{customer_id}/duplicates",),
    ),
)

JUDGING = (
    Line(
        "handling and service are judged by named figures, with the house's targets",
        ("indicator-defined", "indicator-measured"),
        ("indicator-defined.target_thousandths",),
        ("indicator",),
    ),
    Line("thresholds are versions", ("thresholds-set",), ("thresholds-set.thresholds_version",)),
    Line(
        "warnings of three levels 三级预警, raised when a figure crosses one, acknowledged, met and lifted",
        ("warning-raised", "warning-acknowledged", "warning-mitigated", "warning-lifted"),
        ("warning-raised.crossed_thousandths", "warning-mitigated.emergency_plan"),
        ("warning-level", "emergency-plan"),
        ("/duties",),
    ),
    Line(
        "satisfaction is surveyed each quarter",
        ("survey-opened", "survey-answered", "survey-concluded"),
        ("survey-concluded.mean_thousandths",),
    ),
    Line(
        "the satisfaction report goes to management, and in part to customers",
        ("survey-reported", "review-reported"),
        ("survey-reported.audience", "survey-reported.in_part"),
        ("audience",),
    ),
    Line(
        "complaints are summed up and analysed by category, cause, product, channel, branch, department and tier",
        ("review-held",),
        ("review-held.breakdowns",),
        ("breakdown",),
    ),
    Line("reviews each quarter or half-year", ("review-held",), ("review-held.kind",), ("review-kind",)),
    Line(
        "a finding opens a corrective action with owner, goal, date and acceptance test",
        ("action-opened",),
        ("action-opened.owner", "action-opened.goal", "action-opened.due_on", "action-opened.acceptance_test"),
        (),
        ("/duties",),
    ),
    Line("its progress, its owner, its day", ("action-progressed", "action-handed-over", "action-postponed")),
    Line(
        "its effect is checked later; it is closed, or reopened",
        ("action-completed", "action-effect-measured", "action-closed", "action-reopened"),
        ("action-effect-measured.effect",),
        ("effect",),
    ),
    Line(
        "risks with likelihood, effect and level: high, medium, low, acceptable, residual",
        ("risk-found", "risk-reassessed", "risk-treated", "risk-closed"),
        ("risk-found.likelihood", "risk-found.effect", "risk-found.level"),
        ("risk-level",),
        ("/duties",),
    ),
    Line(
        "all of it names the complaints that caused it",
        fields=(
            *("indicator-measured.complaint_ids", "warning-raised.complaint_ids", "risk-found.complaint_ids"),
            *("action-opened.complaint_ids", "review-held.complaint_ids", "leak-found.complaint_ids"),
        ),
        questions=("/complaints/{complaint_id}/links",),
    ),
)

PERSONAL = (
    Line("kinds of personal data, each with its tier", tables=("data-kind",)),
    Line(
        "consent is given and withdrawn, for a purpose",
        ("consent-given", "consent-withdrawn"),
        ("consent-given.purpose", "consent-given.recipient", "consent-given.until_on"),
        ("data-purpose",),
    ),
    Line(
        "data go to third parties on consent or a legal ground: what, to whom, why",
        ("data-shared",),
        ("data-shared.recipient", "data-shared.purpose", "data-shared.ground", "data-shared.legal_basis"),
        ("sharing-ground",),
    ),
    Line(
        "a leak is found, isolated and investigated, each with its time",
        ("leak-found", "leak-isolated", "leak-investigated"),
        ("leak-found.found_at", "leak-isolated.isolated_at", "leak-investigated.investigated_at"),
        ("leak-cause",),
    ),
    Line("who answers for it 责任人", ("responsible-named",)),
    Line(
        "customers are told, and protected",
        ("affected-customers-told", "affected-customers-protected"),
        (),
        ("protection",),
        ("/customers/{customer_id}/timeline",),
    ),
    Line("the regulator is told, or by leave not", ("regulator-told", "regulator-not-to-be-told"), tables=("body",)),
    Line("it is reviewed afterwards, and closed", ("leak-reviewed", "leak-closed"), questions=("/duties",)),
)

LINES = (*CONTACTS, *CUSTOMERS, *JUDGING, *PERSONAL)
ASKED = {
    *("/customers/{customer_id}/timeline", "/customers/{customer_id}/duplicates", "/complaints/{complaint_id}/links"),
    *("/duties", *(f"/{plural}/{{{subject}_id}}" for plural, subject in PLURALS.items())),
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.says)
def test_each_line_of_the_process_is_served(line: Line) -> None:
    assert line.events or line.fields or line.tables or line.questions
    for event in line.events:
        assert event in STORED_NAMES
    for field in line.fields:
        event, _, name = field.partition(".")
        assert name in STORED_NAMES[event].model_fields, field
    for table in line.tables:
        assert built_in_tables()[table]
    for question in line.questions:
        assert question in ASKED


def test_every_fact_of_these_subjects_serves_a_line() -> None:
    ours = {name for name, kind in STORED_NAMES.items() if kind.__module__.split(".")[1] in OURS}
    served = {event for line in LINES for event in line.events}
    assert {name for name in ours - served if not name.endswith("-fact-annulled")} == set()


OURS = {"customer", "interaction", "improvement", "leak"}


def test_the_tables_have_what_the_lines_count() -> None:
    tables = built_in_tables()
    assert len(InteractionKind) == len(tables["interaction-kind"]) == 8
    assert len(WarningLevel) == len(tables["warning-level"]) == 3
    assert len(RiskLevel) == len(tables["risk-level"]) == 5
    assert len(tables["breakdown"]) == 7
    assert {"satisfaction", "first-reply-24h", "request-24h", "service-error-rate"} <= set(tables["indicator"])
    targets = [row.more["target"] for row in tables["indicator"].values() if "target" in row.more]
    assert len(targets) == 12
    assert set(Kind) >= {"action", "warning", "risk", "leak"}
    assert {row.more["tier"] for row in tables["data-kind"].values()} == {"core", "important", "ordinary"}


def test_each_question_is_served_over_http() -> None:
    served = {getattr(route, "path", None) for route in router(cast("Asker", None)).routes}
    assert served >= ASKED
