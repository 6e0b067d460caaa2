"""What was issued: the due times that were given out, so that no later calendar or regime changes them unseen.

A run goes by the rules that were known when the fact with which it begins was first recorded, and each of its due
times by the version of the calendar by which it was computed. Nothing here decides which of them is issued anew.
"""

from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import Span
from ledger.deadlines.span import Pauses, due

Rules = TypeVar("Rules")


class Begun(NamedTuple):
    """What identifies a run: its clock, and the fact with which it began."""

    regime: str
    clock: str
    version: int
    starts_at: datetime


class Issued(Generic[Rules]):
    """The due times of one complaint as they were issued; filled while its clocks are computed."""

    def __init__(self) -> None:
        self._rules: dict[tuple[int, datetime], Rules] = {}
        self._due: dict[Begun, dict[tuple[Span, Pauses], tuple[datetime, bool, Calendar]]] = {}

    def first_known(self, version: int, at: datetime, rules: Rules) -> None:
        """Keeps the rules that are known when a fact is: those known when it was first, if it is not new."""
        self._rules.setdefault((version, at), rules)

    def rules(self, version: int, at: datetime) -> Rules:
        """The rules that were known when a fact of this version and time was first recorded."""
        return self._rules[version, at]

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
