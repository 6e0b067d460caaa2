"""Takes the figures: two sides in turn, several rounds, the ratio pair by pair. Knows nothing of what it measures."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

Side = Callable[[], float]
"""Runs once and gives the figure of the run."""


@dataclass(frozen=True)
class Line:
    """One comparison. `unit` says what both sides give; `lower_is_better` is for times.

    `prepare` opens what both sides need and gives them; whatever it raises as `Unavailable` leaves the line out.
    """

    name: str
    against: str
    unit: str
    prepare: Callable[[], AbstractContextManager[tuple[Side, Side]]]
    lower_is_better: bool = False
    at_least: float | None = None
    aim: float | None = None
    rounds: int | None = None


class Unavailable(Exception):
    """A peer cannot be had here; the message says why, in a few words."""


@dataclass(frozen=True)
class Figures:
    """What a line came to: medians of all rounds, and the ratio of each round, above 1 where ours is better."""

    line: Line
    ours: list[float]
    theirs: list[float]
    ratios: list[float] = field(init=False)

    def __post_init__(self) -> None:
        pairs = zip(self.ours, self.theirs, strict=True)
        ratios = [b / a if self.line.lower_is_better else a / b for a, b in pairs]
        object.__setattr__(self, "ratios", ratios)

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def document(self) -> dict[str, object]:
        return {
            "line": self.line.name,
            "against": self.line.against,
            "unit": self.line.unit,
            "ours": statistics.median(self.ours),
            "theirs": statistics.median(self.theirs),
            "ratio": self.ratio,
            "ratio_min": min(self.ratios),
            "ratio_max": max(self.ratios),
            "rounds": len(self.ratios),
            "at_least": self.line.at_least,
            "aim": self.line.aim,
        }


def measured(line: Line, rounds: int, told: Callable[[int, int], None]) -> Figures:
    """Both sides in turn, `rounds` times, or as often as the line itself says."""
    with line.prepare() as (ours, theirs):
        pairs = list(_pairs(ours, theirs, line.rounds or rounds, told))
    return Figures(line, [a for a, _ in pairs], [b for _, b in pairs])


def _pairs(ours: Side, theirs: Side, rounds: int, told: Callable[[int, int], None]) -> Iterator[tuple[float, float]]:
    for n in range(rounds):
        told(n, rounds)
        # who comes first changes from round to round: what the first leaves behind weighs on both
        if n % 2:
            b = theirs()
            a = ours()
        else:
            a = ours()
            b = theirs()
        yield a, b
