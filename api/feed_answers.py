"""The answer of the feed, as OpenAPI describes it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel


class CloudEvent(BaseModel):
    """An event in the JSON form of CloudEvents 1.0."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: UUID
    time: datetime
    datacontenttype: Literal["application/json"]
    ledgerposition: int = Field(description="Where it stands in the book: ask behind it to go on.")
    ledgerversion: int
    data: dict[str, Any] = Field(description="The event's fields, without what is personal.")


class Feed(RootModel[list[CloudEvent]]):
    """Events in the order of the book."""
