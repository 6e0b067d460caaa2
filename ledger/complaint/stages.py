"""Which stage of the manuals' process each fact of a complaint serves. Nothing is decided by it."""

from collections.abc import Mapping
from typing import NamedTuple


class Stage(NamedTuple):
    """A stage, in the words of the manuals, and the stored names of its facts."""

    en: str
    zh: str
    names: tuple[str, ...]


STAGES: Mapping[str, Stage] = {
    "receipt": Stage(
        "Receipt and registration",
        "投诉接收、登记",
        (
            *("complaint-received", "complaint-registered", "complaint-transferred", "group-recognised"),
            *("representative-named", "representation-ended", "person-complained-about"),
        ),
    ),
    "first-reply": Stage(
        "First reply and contact", "首次回复、联系", ("automatic-reply-sent", "first-reply-sent", "contact-noted")
    ),
    "classification": Stage(
        "Classification", "分类", ("complaint-classified", "complaint-reclassified", "complaint-ruled-out")
    ),
    "severity": Stage("Severity", "分级", ("complaint-graded", "complaint-regraded")),
    "emergency": Stage(
        "Emergency procedure",
        "应急处理",
        ("emergency-started", "emergency-step-taken", "emergency-ended", "emergency-reviewed"),
    ),
    "assignment": Stage(
        "Assignment",
        "分配、回避",
        ("complaint-assigned", "complaint-reassigned", "interest-declared", "investigation-team-formed"),
    ),
    "investigation": Stage(
        "Check and investigation",
        "初步调查、调查",
        (
            *("preliminary-check-made", "investigation-started", "evidence-requested", "evidence-provided"),
            *("assistance-requested", "assistance-given", "finding-made", "root-cause-found", "investigation-closed"),
            *("appraisal-started", "appraisal-ended", "new-facts-received"),
        ),
    ),
    "solution": Stage(
        "Solution",
        "处理方案、协商",
        (
            *("solution-proposed", "negotiation-held", "proposal-accepted", "proposal-declined"),
            *("compensation-approved", "compensation-provided"),
        ),
    ),
    "escalation": Stage("Escalation", "上报", ("complaint-escalated", "escalation-decided")),
    "resolution": Stage(
        "Decision and reply",
        "处理完毕、回复",
        (
            *("complaint-resolved", "reply-sent", "written-notice-sent", "holding-response-sent", "deadline-extended"),
            *("outcome-stated", "complaint-withdrawn"),
        ),
    ),
    "satisfaction": Stage(
        "Satisfaction, follow-up and review",
        "满意度、回访、复核",
        ("satisfaction-rated", "follow-up-call-made", "handling-reviewed"),
    ),
    "dispute": Stage("Dispute", "调解、仲裁、诉讼", ("outcome-disputed", "proceedings-opened", "proceedings-ended")),
    "reopening": Stage(
        "Reopening and repeats", "重新处理、合并", ("complaint-reopened", "complaint-merged", "repeat-taken-in")
    ),
    "repair": Stage("Relationship repair", "关系修复", ("relationship-repaired",)),
    "archive": Stage(
        "Closing and archive", "结案、归档", ("complaint-closed", "completeness-checked", "complaint-archived")
    ),
    "amendment": Stage(
        "Amendment", "更正", ("amendment-proposed", "amendment-declined", "fact-annulled", "fact-corrected")
    ),
}
"""Every stage, in the order of the process; each fact stands in one."""


def stage_of(name: str) -> Stage:
    """The stage of a stored name of a complaint; raises StopIteration for a name that is none: a bug of the caller."""
    return next(stage for stage in STAGES.values() if name in stage.names)
