"""What stands in two complaints at once: a repeat and the one that it is merged with. Pure; nothing is recorded here.

Whichever of the two commands is given, the record takes both facts, whole or not at all: the repeat is merged into the
other complaint, and the other complaint has taken it in. So none can name a complaint that is not there.
"""

from collections.abc import Callable
from typing import TypeAlias
from uuid import UUID

from ledger.complaint.commands import ComplaintCommand, MergeComplaint
from ledger.complaint.ending_commands import TakeInRepeat
from ledger.complaint.picture import Complaint

Counterpart: TypeAlias = Callable[[Complaint], ComplaintCommand | None]
"""The command about the other complaint, as that one stands; None where it says so already."""


def counterpart(command: ComplaintCommand) -> tuple[UUID, Counterpart] | None:
    """The other complaint that a command is about, and what is to be recorded there with it; None for all but two commands."""
    match command:
        case MergeComplaint():
            return command.into_complaint_id, lambda main: _take_in(command, main)
        case TakeInRepeat():
            return command.repeat_complaint_id, lambda repeat: _merge(command, repeat)
        case _:
            return None


def _take_in(command: MergeComplaint, main: Complaint) -> ComplaintCommand | None:
    if command.complaint_id in main.repeat_ids:
        return None
    return TakeInRepeat(
        complaint_id=command.into_complaint_id,
        repeat_complaint_id=command.complaint_id,
        reason=command.reason,
        taken_in_by=command.merged_by,
        taken_in_at=command.merged_at,
    )


def _merge(command: TakeInRepeat, repeat: Complaint) -> ComplaintCommand | None:
    if repeat.merger is not None and repeat.merger.into_complaint_id == command.complaint_id:
        return None
    return MergeComplaint(
        complaint_id=command.repeat_complaint_id,
        into_complaint_id=command.complaint_id,
        reason=command.reason,
        merged_by=command.taken_in_by,
        merged_at=command.taken_in_at,
    )
