"""What the rules do not allow, as named exceptions; nothing here knows HTTP or SQL."""

import dataclasses
import re
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
        return f"{self.says.format(**self.facts())} {self.remedy}"

    def facts(self) -> dict[str, object]:
        """The fields of the case by name, as the problem details give them."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def kind(cls) -> str:
        """The stable name of this refusal: `NothingToReply` is `nothing-to-reply`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()
