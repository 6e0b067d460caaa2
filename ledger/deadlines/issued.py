"""What was issued: the due times that were given out, so that no later calendar or regime changes them unseen.

A run keeps the version of the regime with which it began, and each of its due times the version of the
calendar by which it was computed. Nothing here decides which of them is issued anew.
"""

from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import Span
from ledger.deadlines.span import Pauses, due

Rule = TypeVar("Rule")


class Begun(NamedTuple):
    """What identifies a run: its clock, and the fact with which it began."""

    regime: str
    clock: str
    version: int
    starts_at: datetime


class Issued(Generic[Rule]):
    """The due times of one complaint as they were issued; filled while its clocks are computed."""

    def __init__(self) -> None:
        self._rules: dict[Begun, Rule] = {}
        self._due: dict[Begun, dict[tuple[Span, Pauses], tuple[datetime, bool, Calendar]]] = {}

    def rule(self, begun: Begun, in_force: Rule | None) -> Rule | None:
        """The rule with which a run began; for one that is new, what is in force."""
        return self._rules.get(begun, in_force)

    def begin(self, begun: Begun, rule: Rule) -> None:
        """Keeps the rule with which a run begins."""
        self._rules.setdefault(begun, rule)

    def due(self, begun: Begun, span: Span, pauses: Pauses, newest: Calendar) -> tuple[datetime, bool, Calendar]:
        """The due time of a run under a limit, whether it is provisional, and the calendar that it goes by."""
        known = self._due.setdefault(begun, {})
        found = known.get((span, pauses))
        if found is None:
            found = known[span, pauses] = (*due(span, begun.starts_at, newest, pauses), newest)
        return found

    def forget_due(self, begun: Begun, span: Span, pauses: Pauses) -> None:
        """Has one due time of a run issued anew, by the newest calendar."""
        self._due.get(begun, {}).pop((span, pauses), None)
