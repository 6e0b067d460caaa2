"""The address of a figure: all that is needed to open it again, as the path and query that the API answers.

Later facts never change what an address leads to, because it names the position and the instant of judgement.
"""

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from ledger.moment import written
from projections.indicators.asking import PARTS, Figure, Ground, Part
from projections.indicators.periods import Period


class NotAnAddress(ValueError):
    """The text is no address of a figure."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no address of a figure: give it as a report printed it, "
            "like /figures/received/cases?from=2026-01-01&to=2026-01-31&as_of=35100&now=2026-02-01T00:00:00Z"
        )


@dataclass(frozen=True)
class Address:
    """Which figure, of which days, of which part, as known at which position, judged when."""

    indicator: str
    period: Period
    by: Part | None
    part: str | None
    as_of: int
    now: datetime

    def __str__(self) -> str:
        asked = {"from": self.period.begins_on, "to": self.period.ends_on, "by": self.by, "part": self.part}
        given = {name: str(value) for name, value in asked.items() if value is not None}
        place = {"as_of": str(self.as_of), "now": written(self.now)}
        return f"/figures/{self.indicator}/cases?{urlencode({**given, **place}, quote_via=quote)}"

    @classmethod
    def read(cls, text: str) -> "Address":
        """Raises NotAnAddress."""
        split = urlsplit(text)
        given = {name: values[-1] for name, values in parse_qs(split.query).items()}
        steps = split.path.strip("/").split("/")
        by = next((part for part in PARTS if part == given.get("by")), None)
        try:
            if len(steps) != 3 or (steps[0], steps[2]) != ("figures", "cases") or given.get("by") != by:
                raise NotAnAddress(text)
            period = Period(date.fromisoformat(given["from"]), date.fromisoformat(given["to"]))
            now = datetime.fromisoformat(given["now"])
            if now.tzinfo is None:
                raise NotAnAddress(text)
            return cls(steps[1], period, by, given.get("part"), int(given["as_of"]), now)
        except (KeyError, ValueError):
            raise NotAnAddress(text) from None


def address_of(figure: Figure, on: Ground) -> Address:
    """Where the cases of a figure are."""
    return Address(figure.indicator, figure.period, figure.by, figure.part, on.at.position, on.at.now)
