"""What is drawn from the demo's seed before a story is told: ids, customers, and what is to happen. Reads no clock.

The same seed gives the same ids, whatever else was drawn: that is what lets an interrupted fill go on.
(A real stream's id is random; these are as random as a published seed can be.)
"""

from datetime import datetime
from random import Random
from typing import NamedTuple
from uuid import UUID

from api.command.demo import likelihoods as likely
from api.command.demo import texts
from ledger.complaint import commands as ask
from ledger.ids import RANDOM_BITS, time_ordered


class Step(NamedTuple):
    """One command of a complaint, and when the thing happened.

    Where it takes two people, `proposed_by` asks for it, and `answered_by` approves it soon after, or declines it for a
    reason.
    """

    at: datetime
    command: ask.ComplaintCommand
    proposed_by: str | None = None
    answered_by: str | None = None
    declined: str | None = None


def drawing(seed: int, what: str) -> Random:
    """What is drawn for one purpose: the same for the same seed, whatever else was drawn."""
    return Random(f"{seed}:{what}")  # noqa: S311 - a story is drawn here, not a key


def made_up_id(seed: int, what: str) -> UUID:
    """A version 4 id that depends on the seed alone."""
    return UUID(int=drawing(seed, what).getrandbits(128), version=4)


FIRST_ID_AT = 1_735_689_600_000
"""As if the ids were given out a minute one after the other from 2025-01-01 UTC on, in milliseconds since 1970."""


def complaint_id(seed: int, number: int) -> UUID:
    """The id of the n-th complaint of the demo, counted from 1; in their order, as the ids are that are given out."""
    return time_ordered(FIRST_ID_AT + number * 60_000, drawing(seed, f"complaint:{number}").getrandbits(RANDOM_BITS))


class Customer(NamedTuple):
    customer_id: UUID
    name: str
    contact: str
    account: str


def customer_of(seed: int, number: int) -> Customer:
    """The customer of the n-th complaint: mostly a new one, now and then one from before."""
    chance = drawing(seed, f"who:{number}")
    who = chance.randint(1, number) if chance.random() < likely.AGAIN else number
    of_customer = drawing(seed, f"customer:{who}")
    name = of_customer.choice(texts.SURNAMES) + "".join(
        of_customer.choices(texts.GIVEN, k=of_customer.choice((1, 2, 2)))
    )
    return Customer(
        customer_id=made_up_id(seed, f"customer-id:{who}"),
        name=name,
        contact=f"1{of_customer.choice('35789')}{of_customer.randint(0, 9)}****{of_customer.randint(0, 9999):04d}",
        account=f"6200********{of_customer.randint(0, 9999):04d}",
    )


class Fate(NamedTuple):
    """What is to happen to a complaint: drawn before any date, so that it is the same whenever the year ends."""

    corrected: bool
    contacted: bool
    reclassified: bool
    regraded: bool
    reassigned: bool
    withdrawn: bool
    never_finished: bool
    investigated: bool
    proposed: bool
    declined: bool
    reopened: bool
    rated: bool
    first_reply_in_time: bool
    resolved_in_time: bool

    @classmethod
    def drawn(cls, seed: int, number: int, grade: str) -> "Fate":
        chance = drawing(seed, f"fate:{number}")
        likelihoods = (
            *(likely.CORRECTED, likely.CONTACTED, likely.RECLASSIFIED),
            *(likely.REGRADED, likely.REASSIGNED, likely.WITHDRAWN, likely.NEVER_FINISHED, likely.INVESTIGATED[grade]),
            *(likely.PROPOSED, likely.DECLINED, likely.REOPENED, likely.RATED),
            *(likely.FIRST_REPLY_IN_TIME, likely.RESOLVED_IN_TIME),
        )
        return cls(*(chance.random() < likelihood for likelihood in likelihoods))
