"""What every event is made of: the frozen base, the shared field types and personal values.

No event of a subject is defined here, and nothing here reads a clock, a key or a database.
"""

import re
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeVar, cast, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")

DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")

StaffId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
"""A member of staff or a service account, by the institution's own identifier."""

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""A slug of a code table, for example `service-attitude`."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A term of somebody else's scheme, kept as it was given, on one line; never a personal value."""

Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$")]
"""A reference number: printed on letters, read over the telephone."""

Sha256Hex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217, for example CNY."""

SubjectId = UUID
"""A data subject's random id: customer, representative, staff member complained about, witness."""


class Tier(StrEnum):
    """How closely a personal value is kept (core 核心, important 重要, ordinary 普通)."""

    CORE = "core"
    IMPORTANT = "important"
    ORDINARY = "ordinary"


class Held(NamedTuple):
    """Says of a personal field how closely it is kept and whose value it is.

    `subject` names the field of the same event that holds the data subject's id.
    """

    tier: Tier
    subject: str


class Indexed(NamedTuple):
    """Says of a personal field that its data subject can be found by it, through the blind index (`ledger.vault.index`).

    `kind` says how values are compared: `name`, `contact`, `identity-number`, `account`.
    """

    kind: str


class ClearValueInRecord(Exception):
    """A personal value was about to be written in clear: a bug in the caller, never a user's error."""


class Personal(Generic[T]):
    """A personal value: clear until it is recorded, a salted digest ever after.

    `decide` makes it with `Personal.clear(value)`. Sealing (`ledger.vault`) replaces it by
    `Personal.recorded(digest)`, the only form that can be serialised: 43 characters of unpadded
    base64url, SHA-256 in the manner of an SD-JWT disclosure (RFC 9901, section 4.2.4.1).
    """

    __slots__ = ("_value", "digest")

    def __init__(self, value: T | None, digest: str | None) -> None:
        self._value = value
        self.digest = digest

    @classmethod
    def clear(cls, value: T) -> "Personal[T]":
        """A value that is not recorded yet."""
        return cls(value, None)

    @classmethod
    def recorded(cls, digest: str) -> "Personal[T]":
        """A value known by its digest; raises ValueError when it is not 43 base64url characters."""
        if DIGEST.fullmatch(digest) is None:
            raise ValueError("a personal value must be recorded as its digest, 43 characters of base64url")
        return cls(None, digest)

    @property
    def value(self) -> T:
        """The clear value; only a value that is not recorded yet has one."""
        assert self.digest is None, "a recorded personal value is in the vault, not in the event"
        return cast("T", self._value)

    @property
    def is_clear(self) -> bool:
        return self.digest is None

    def __repr__(self) -> str:
        return "Personal(clear)" if self.digest is None else f"Personal({self.digest})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Personal):
            return NotImplemented
        return self.digest == other.digest and self._value == other._value

    def __hash__(self) -> int:
        return hash((self.digest, self._value))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_digest = core_schema.no_info_after_validator_function(
            Personal.recorded, core_schema.str_schema(pattern=rf"^{DIGEST.pattern}$")
        )
        return core_schema.json_or_python_schema(
            json_schema=from_digest,
            python_schema=core_schema.is_instance_schema(Personal),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _written, return_schema=core_schema.str_schema()
            ),
        )


def _written(personal: "Personal[Any]") -> str:
    if personal.digest is None:
        raise ClearValueInRecord("seal the event before it is stored")
    return personal.digest


class Event(BaseModel):
    """A past-tense fact. Its own time (`…_at`) and actor (`…_by`) are stated here and nowhere else.

    Every field of type `Personal` carries a `Held`; a class without one cannot be defined.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for name, field in cls.model_fields.items():
            held = [mark for mark in field.metadata if isinstance(mark, Held)]
            if _mentions_personal(field.annotation) != bool(held):
                raise TypeError(
                    f"{cls.__name__}.{name}: a Personal field, and no other, is Annotated with Held(tier, subject)"
                )
            if held and held[0].subject not in cls.model_fields:
                raise TypeError(f"{cls.__name__}.{name}: {held[0].subject} is no field of this event")


def _mentions_personal(annotation: object) -> bool:
    if annotation is Personal or get_origin(annotation) is Personal:
        return True
    return any(_mentions_personal(part) for part in get_args(annotation))


@cache
def personal_fields(event: type[Event]) -> tuple[tuple[str, Held], ...]:
    """The personal fields of an event class, in the order of their definition."""
    return tuple(
        (name, mark) for name, field in event.model_fields.items() for mark in field.metadata if isinstance(mark, Held)
    )
