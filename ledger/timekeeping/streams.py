"""In which streams the facts about a complaint's deadlines stand: ids that begin alike for one complaint. Pure.

Half of an id says whose deadline it is and is derived from the complaint's id alone; half says which. So whoever has the
list of entries finds all of a complaint's, and sees that a bundle leaves none out, without opening an event.
"""

from typing import NamedTuple
from uuid import UUID, uuid5

_WHOSE_BYTES = 8
_WHOSE = "deadlines"


class Streams(NamedTuple):
    """The first and the last id that a stream can have, both included."""

    first: UUID
    last: UUID


def deadline_stream(complaint_id: UUID, which: str) -> UUID:
    """The stream of one fact about one deadline. Of a random id's 128 bits 60 tell the complaint, and 62 which."""
    return UUID(bytes=_whose(complaint_id) + uuid5(complaint_id, which).bytes[_WHOSE_BYTES:])


def deadline_streams(complaint_id: UUID) -> Streams:
    """Between these stand all facts about the complaint's deadlines, and no other's."""
    whose, rest = _whose(complaint_id), 16 - _WHOSE_BYTES
    return Streams(UUID(bytes=whose + b"\x00" * rest), UUID(bytes=whose + b"\xff" * rest))


def _whose(complaint_id: UUID) -> bytes:
    return uuid5(complaint_id, _WHOSE).bytes[:_WHOSE_BYTES]
