"""What every command about a complaint has. No command is defined here."""

from uuid import UUID

from ledger.command import Command


class ComplaintCommand(Command):
    """A request about one complaint."""

    complaint_id: UUID
