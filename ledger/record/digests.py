"""Where the stored JSON of an event holds digests of personal values, and how a digest is told. Knows no class and no vault.

It imports no event class, so that a process which only compares starts in a tenth of a second.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

DIGEST_CHARACTERS = 43
DIGEST_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")


class UnknownName(LookupError):
    """A stored name that this program has no class for."""


class Plan(NamedTuple):
    """Where the JSON of an event holds digests: field, its subject's field, tier; and the fields that are events themselves."""

    personal: tuple[tuple[str, str, str], ...]
    nested: tuple[str, ...]


Plans = Mapping[str, Plan]
"""A plan for each stored name there is."""


class Digest(NamedTuple):
    """A digest as an event holds it. The subject stays text, as it stands in the JSON: most are only compared."""

    position: int
    path: str
    subject_id: str
    tier: str
    digest: str

    def line(self) -> str:
        """As the vault tells of its value (`verify_page.sql`, values_told). The subject, which may be any text, is last."""
        return f"{self.position}\t{self.digest}\t{self.path}\t{self.tier}\t{self.subject_id}"

    @classmethod
    def told(cls, line: str) -> "Digest":
        """Back from a line."""
        position, digest, path, tier, subject_id = line.split("\t", 4)
        return cls(int(position), path, subject_id, tier, digest)


def digests_of(plans: Plans, position: int, name: str, state: bytes) -> list[Digest]:
    """Those of one event; raises UnknownName, or ValueError for a state that is not that event."""
    try:
        return _digests_in(plans, position, _plan(plans, name), orjson.loads(state)["event"], "")
    except (ValueError, UnknownName):
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it has not the shape of one ({type(error).__name__})") from None


def _digests_in(plans: Plans, position: int, plan: Plan, event: Mapping[str, Any], prefix: str) -> list[Digest]:
    """Nested facts included."""
    found = []
    for name, subject, tier in plan.personal:
        digest = event.get(name)
        if digest is not None:
            if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
                raise ValueError(f"{prefix}{name} is no digest")
            found.append(Digest(position, prefix + name, str(event[subject]), tier, digest))
    for name in plan.nested:  # a fact inside a correction stands beside its stored name
        found += _digests_in(plans, position, _plan(plans, event["name"]), event[name], f"{prefix}{name}.")
    return found


def _plan(plans: Plans, name: str) -> Plan:
    plan = plans.get(name)
    if plan is None:
        raise UnknownName(name)
    return plan
