"""What every fact of a complaint has, and how its words are held. No fact is defined here."""

from typing import Annotated, NamedTuple

from pydantic import Field

from ledger.event import Code, Event, Held, Personal, SubjectId, Tier

Text = Annotated[Personal[str], Held(Tier.ORDINARY, "customer_id")]
"""What somebody wrote or said, held under the customer."""

OptionalText = Annotated[Personal[str] | None, Held(Tier.ORDINARY, "customer_id")]


Minor = Annotated[int, Field(ge=0, le=10**15)]
"""An amount in the currency's minor unit (fen, cent)."""


class InTable(NamedTuple):
    """Says of a field that it states codes of that table."""

    table: str


Channel = Annotated[Code, InTable("channel")]
"""How something reached us or the customer."""


class ComplaintEvent(Event):
    """A fact in a complaint's stream. The data subject of its personal values is the customer.

    `customer_id` is the customer under whom the personal values of this fact were recorded, and
    stays so for ever. Whose complaint it is, the receipt says, as last corrected: after a wrong
    customer was corrected, earlier facts keep the id (and the key in the vault) of the wrong one
    until they are corrected too, which takes their personal values anew.
    """

    customer_id: SubjectId
