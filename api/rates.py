"""How many requests a caller may send: a bucket for each, refilled with time. Bounded, in this process, and forgotten at its end."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from api.refusals import TooManyRequests

PER_SECOND = 500
"""Far above what a person or a batch job needs, far below what would keep others waiting."""
BURST = 1_000
CALLERS_MAX = 10_000


class Rates:
    """One bucket for each caller; the callers that were silent the longest are forgotten first. For one event loop."""

    def __init__(
        self, per_second: float = PER_SECOND, burst: float = BURST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Takes one request out of the caller's bucket; raises TooManyRequests when it is empty. Constant cost."""
        now = self._clock()
        left, at = self._buckets.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        self._buckets[caller] = (max(left - 1, 0.0) if left >= 1 else left, now)
        while len(self._buckets) > CALLERS_MAX:
            self._buckets.popitem(last=False)
        if left < 1:
            raise TooManyRequests(math.ceil((1 - left) / self._per_second))
