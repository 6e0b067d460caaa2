"""The projections that there are, by name: the one place to add one. It holds no logic."""

from collections.abc import Mapping
from types import MappingProxyType

from projections import duties, history, permissions, sla, timekeeper, timeline, worklist
from projections.indicators import tables as indicators
from projections.machine import Projection
from projections.returns import sent as returns

PROJECTIONS: Mapping[str, Projection] = MappingProxyType(
    {
        each.name: each
        for each in (
            sla.PROJECTION,
            history.PROJECTION,
            worklist.PROJECTION,
            timeline.PROJECTION,
            duties.PROJECTION,
            timekeeper.PROJECTION,
            indicators.PROJECTION,
            returns.PROJECTION,
            permissions.PROJECTION,
        )
    }
)


class NoSuchProjection(LookupError):
    """There is no projection of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no projection {name!r}: there are {', '.join(PROJECTIONS)}")
        self.name = name


def projection_named(name: str) -> Projection:
    """The projection of a name; raises NoSuchProjection."""
    try:
        return PROJECTIONS[name]
    except KeyError:
        raise NoSuchProjection(name) from None
