"""What the rules do not allow, as named exceptions; nothing here knows HTTP or SQL."""

import dataclasses
import re
from datetime import datetime, tzinfo
from typing import ClassVar


@dataclasses.dataclass(eq=False)
class Refusal(Exception):
    """A command that the rules or the record do not allow.

    A subclass is a dataclass whose fields are the facts of the case; `says` is a sentence with
    those fields in braces, `remedy` tells the caller what to do. Neither may hold a personal value:
    both are shown and logged.
    """

    says: ClassVar[str]
    remedy: ClassVar[str]

    def __str__(self) -> str:
        return f"{self.told()} {self.remedy}"

    def told(self, zone: tzinfo | None = None) -> str:
        """The sentence of this case; its instants to the second, in the zone given or else as they are."""
        facts = self.facts()
        for name, value in facts.items():
            if isinstance(value, datetime) and value.tzinfo is not None:
                facts[name] = (value if zone is None else value.astimezone(zone)).isoformat(timespec="seconds")
        return self.says.format(**facts)

    def facts(self) -> dict[str, object]:
        """The fields of the case by name, as the problem details give them."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def kind(cls) -> str:
        """The stable name of this refusal: `NothingToReply` is `nothing-to-reply`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
