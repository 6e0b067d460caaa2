"""Ids that are given out: of the form that RFC 9562 states, in the order of time, and not to be guessed."""

import time
from uuid import RFC_4122

from ledger.ids import RANDOM_BITS, new_id, time_ordered


def test_an_id_is_that_of_the_standard() -> None:
    """The example of RFC 9562, appendix A.6: 2022-02-22T14:22:22-05:00."""
    chance = 0xCC3 << 62 | 0x18C4DC0C0C07398F
    assert str(time_ordered(0x017F22E279B0, chance)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_ids_are_in_the_order_of_time_and_never_the_same() -> None:
    before = time.time_ns() // 1_000_000
    given = [new_id() for _ in range(1_000)]
    after = time.time_ns() // 1_000_000
    assert len({each.int & (1 << RANDOM_BITS) - 1 for each in given}) == len(given)
    assert all((each.version, each.variant) == (7, RFC_4122) for each in given)
    stamps = [each.int >> 80 for each in given]
    assert stamps == sorted(stamps)
    assert before <= stamps[0] <= stamps[-1] <= after
    assert time_ordered(1, (1 << RANDOM_BITS) - 1) < time_ordered(2, 0)
