"""What a caller may ask for about policies. Nothing here decides."""

from typing import TypeAlias, cast

from ledger.command import Command, Day, Instant, StaffId, Term
from ledger.deadlines.calendar import Calendar, Name
from ledger.deadlines.regime import Regime


class PolicyCommand(Command):
    """A request about one of the policies of a book."""


class PublishRegime(PolicyCommand):
    """Publish a version of a regime; with a day, in force from that day on."""

    regime: Regime
    in_force_from: Day | None = None
    published_by: StaffId
    published_at: Instant


class PutRegimeInForce(PolicyCommand):
    """Have the latest version of a published regime apply from a day on."""

    name: Name
    in_force_from: Day
    decided_by: StaffId
    decided_at: Instant


class RetireRegime(PolicyCommand):
    """Have a regime apply to no clock that would start on a day or later."""

    name: Name
    retired_from: Day
    reason: Term
    decided_by: StaffId
    decided_at: Instant


class PublishCalendar(PolicyCommand):
    """Publish a version of a calendar."""

    calendar: Calendar
    published_by: StaffId
    published_at: Instant


POLICY_COMMANDS: dict[str, type[PolicyCommand]] = {
    each.command_name(): each for each in (PublishRegime, PutRegimeInForce, RetireRegime, PublishCalendar)
}
"""Every command about policies, by its name."""

AnyPolicyCommand: TypeAlias = PublishRegime | PutRegimeInForce | RetireRegime | PublishCalendar


def known_policy_command(command: PolicyCommand) -> AnyPolicyCommand:
    """The same command, as the union that the type checker can exhaust."""
    return cast("AnyPolicyCommand", command)
