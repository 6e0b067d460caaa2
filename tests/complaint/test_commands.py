"""Commands: what they take, and that they never show what was written."""

import re
from typing import get_args
from uuid import UUID

import pytest
from pydantic import ValidationError

from ledger.command import assigned_fields
from ledger.complaint.commands import (
    COMPLAINT_COMMANDS,
    AnyComplaintCommand,
    ComplaintCommand,
    reference_number,
)
from tests.complaint.story import RECEIVED_AT, USUAL, ask


def all_commands(kind: type[ComplaintCommand] = ComplaintCommand) -> set[type[ComplaintCommand]]:
    return {each for sub in kind.__subclasses__() for each in (sub, *all_commands(sub))}


def test_the_union_and_the_names_hold_every_command() -> None:
    assert set(COMPLAINT_COMMANDS.values()) == set(get_args(AnyComplaintCommand)) == all_commands()
    assert COMPLAINT_COMMANDS.keys() == USUAL.keys()


@pytest.mark.parametrize("name", COMPLAINT_COMMANDS)
def test_a_command_comes_back_from_its_json_and_shows_nothing(name: str) -> None:
    command = ask(name)
    assert type(command).model_validate_json(command.model_dump_json()) == command
    words = [said for said in USUAL[name].values() if isinstance(said, str) and re.search("[一-龥]", said)]
    assert not [said for said in words if said in repr(command) or said in str(command)]
    with pytest.raises(ValidationError) as refused:
        ask(name, **dict.fromkeys(USUAL[name], "\x00 秘密"), surprise="秘密")
    assert "秘密" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        "2025-09-01",
        "1735689600",
        1735689600,
        "2025-09-01T09:00:00",
        "1960-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "",
        None,
    ],
)
def test_an_instant_has_its_offset(given: object) -> None:
    with pytest.raises(ValidationError):
        ask("register-complaint", registered_at=given)


def test_an_instant_becomes_utc() -> None:
    command = ask("receive-complaint", received_at="2025-09-01T09:00:00+08:00")
    assert command.model_dump()["received_at"] == RECEIVED_AT
    assert command.model_dump()["received_at"].utcoffset().total_seconds() == 0


@pytest.mark.parametrize("given", ["2025-10-14T00:00:00", "14.10.2025", 20375, "1735689600", ""])
def test_a_day_is_written_as_a_day(given: object) -> None:
    with pytest.raises(ValidationError):
        ask("send-holding-response", final_response_by_on=given)


@pytest.mark.parametrize("given", ["", "  \n ", "a\x00b", "字" * 20_001, 5, "\ud800"])
def test_words_are_words(given: object) -> None:
    with pytest.raises(ValidationError):
        ask("withdraw-complaint", reason=given)


def test_words_are_kept_as_they_were_written() -> None:
    given = "  第一行\n\t第二行  "
    assert ask("withdraw-complaint", reason=given).model_dump()["reason"] == given
    ask("withdraw-complaint", reason="字" * 20_000)


@pytest.mark.parametrize("given", ["", " ", "a\nb", "字" * 201])
def test_a_name_is_one_line(given: str) -> None:
    with pytest.raises(ValidationError):
        ask("receive-complaint", customer_name=given)
    with pytest.raises(ValidationError):
        ask("assign-complaint", department=given)


def test_the_program_may_fill_these() -> None:
    assigned = {name: assigned_fields(command) for name, command in COMPLAINT_COMMANDS.items()}
    assert {name: fields for name, fields in assigned.items() if fields} == {
        "receive-complaint": ("complaint_id", "customer_id"),
        "register-complaint": ("reference",),
        "start-investigation": ("investigation_id",),
        "provide-evidence": ("evidence_id",),
        "propose-solution": ("proposal_id",),
        "resolve-complaint": ("resolution_id",),
        "send-reply": ("reply_id",),
        "start-appraisal": ("appraisal_id",),
        "name-representative": ("representative_id",),
        "name-person-complained-about": ("person_id",),
        "start-emergency": ("emergency_id",),
        "request-evidence": ("evidence_request_id",),
        "request-assistance": ("assistance_id",),
        "approve-compensation": ("compensation_id",),
        "escalate-complaint": ("escalation_id",),
        "send-written-notice": ("notice_id",),
        "open-proceedings": ("proceedings_id",),
    }


def test_a_reference_is_read_over_the_telephone() -> None:
    assert reference_number(2025, 0) == "2025-0000-0000"
    assert reference_number(2025, 2**40 - 1) == "2025-ZZZZ-ZZZZ"
    assert reference_number(2025, 2**40) == "2025-0000-0000"
    assert ask("register-complaint", reference=reference_number(2025, UUID(int=1234).int))
