"""What every command is made of: the frozen base and the field types that requests share. Nothing here decides.

A command holds personal text in clear, as plain `str`: it lives as long as its request, and neither
its repr nor its validation errors show what was written. Instants become UTC on the way in.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, field_validator
from pydantic import StringConstraints as Limits

from ledger.currency import in_use
from ledger.event import StaffId as RecordedStaffId

INSTANT_MIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing in a complaint happened earlier: an older year is a slip of the pen."""

INSTANT_MAX = datetime(9000, 1, 1, tzinfo=UTC)
"""Beyond it Python cannot move an instant to UTC; the rules refuse any future long before."""


def _text_not_number(given: Any) -> Any:
    """Refuses 1735689600 and "1735689600", which pydantic would read as seconds since 1970."""
    if isinstance(given, datetime) or (isinstance(given, str) and re.fullmatch(r"[-+.\d]*", given) is None):
        return given
    raise ValueError("an instant is written like 2025-09-30T16:05:00+08:00")


def _day_not_number(given: Any) -> Any:
    """Refuses a number, which pydantic would read as days or seconds since 1970, and an instant."""
    if type(given) is date or (isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", given) is not None):
        return given
    raise ValueError("a day is written like 2025-10-14")


def _in_utc(instant: datetime) -> datetime:
    if not INSTANT_MIN <= instant < INSTANT_MAX:
        raise ValueError("the year is before 1970 or after 8999")
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_text_not_number), AfterValidator(_in_utc)]
"""An instant with its offset, kept in UTC."""

Day = Annotated[date, BeforeValidator(_day_not_number)]
"""A day, written like 2025-10-14."""

Words = Annotated[str, Limits(strict=True, min_length=1, max_length=20_000, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]
"""What somebody wrote or said: 1 to 20,000 characters, not all blank, no NUL (PostgreSQL has no place for one)."""

Name = Annotated[
    str,
    Limits(strict=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"),
]
"""A name, number or address of a person: 1 to 200 characters on one line."""

_OF_A_PERSON = re.compile(
    r"[^\s@]@[^\s@]"  # an e-mail address
    r"|(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)"  # a mobile number
    r"|(?<!\d)\d{17}[\dXx](?![\dXx])"  # an identity number
    r"|(?<!\d)\d{13,19}(?!\d)"  # a card or account number
)
"""What can be told to be somebody's own from its form. A name cannot."""


def names_nobody(given: str) -> str:
    """Refuses text that holds an address or number of a person: it would stand in the record for ever, out of the vault."""
    if _OF_A_PERSON.search(given):
        raise ValueError(
            "must not hold an e-mail address, telephone, identity or account number: it would stand in the record for "
            "ever; put it in a field whose words are kept in the vault, such as content or reason"
        )
    return given


Term = Annotated[Name, AfterValidator(names_nobody)]
"""A term of a scheme, a department or a title: never a personal value."""

StaffId = Annotated[str, Limits(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""A member of staff or a service account, as commands name them: by the institution's own number or account name.

No e-mail address: it is personal, and who did something stands in the record for ever. (Facts recorded earlier may hold
one, and are read as they are.)
"""


@dataclass(frozen=True)
class Assigned:
    """Marks a field that the program fills when the caller leaves it out, before `decide` sees it."""


NewId = Annotated[UUID, Assigned()]
"""A random id. A caller who wants to retry without an idempotency key makes it himself."""


@dataclass(frozen=True)
class Asking:
    """Marks a field that the program fills with who asks, as its token says; no body may state it."""


CallerId = Annotated[RecordedStaffId, Asking()]
"""Who asks."""


class Command(BaseModel):
    """A request about one subject. Its repr shows ids and no words: what is personal cannot slip into a log."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("currency", check_fields=False)
    @classmethod
    def _currency_in_use(cls, currency: str | None) -> str | None:
        """Of commands and not of events: what was recorded can be read for ever."""
        return in_use(currency)

    @classmethod
    def command_name(cls) -> str:
        """The stable name of this command: `SendReply` is `send-reply`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        given = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [(name, value) for name, value in given if isinstance(value, UUID)]


@cache
def assigned_fields(command: type[Command]) -> tuple[str, ...]:
    """The fields that the program fills when the caller leaves them out."""
    return tuple(
        name
        for name, field in command.model_fields.items()
        if any(isinstance(mark, Assigned) for mark in field.metadata)
    )


@cache
def asking_fields(command: type[Command]) -> tuple[str, ...]:
    """The fields that the program fills with who asks."""
    return tuple(
        name for name, field in command.model_fields.items() if any(isinstance(mark, Asking) for mark in field.metadata)
    )
