"""What a regime says that no clock could ever do, though it is written in the form of one. Decides for no complaint.

Asked before a regime is published, and never of a published one: what is recorded is read for ever as it stands.
"""

from collections.abc import Iterator, Mapping
from enum import EnumType
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from ledger.complaint.events import COMPLAINT_NAMES
from ledger.complaint.moving import AppraisalStarted, Unit
from ledger.deadlines.quoting import quoted
from ledger.deadlines.regime import ClockRule, Regime, Span, When

YEARS_MAX = 200
"""Nobody keeps a limit for longer, and the calendar of the program ends somewhere."""

_YEAR: Mapping[Unit, int] = {Unit.YEARS: 1, Unit.MONTHS: 12, Unit.WEEKS: 52, Unit.CALENDAR_DAYS: 365}
_UNSEEN = frozenset({"fact-annulled", "fact-corrected"})
_FLAGS = ("no", "yes")

Place = tuple[str | int, ...]


class Unsound(NamedTuple):
    """One thing; `place` is its path in the regime, items counted from 0."""

    place: Place
    reason: str
    remedy: str

    def __str__(self) -> str:
        path = ".".join(str(part + 1) if isinstance(part, int) else part for part in self.place)
        return f"{path}: {self.reason}: {self.remedy}"


def unsound(regime: Regime) -> list[Unsound]:
    """Everything that would silently do nothing, or something else than its author can have meant."""
    return [
        found._replace(place=("clocks", number, *found.place))
        for number, rule in enumerate(regime.clocks)
        for found in _in_clock(rule)
    ]


def _in_clock(rule: ClockRule) -> Iterator[Unsound]:
    for language in ("zh", "en"):
        if not getattr(rule, language).strip():
            yield Unsound((language,), "the clock has no label in this language", "say what a person reads for it")
    for name in (rule.starts, *rule.stops, *rule.other_facts):
        if name in _UNSEEN:
            reason = f"no clock ever sees {name!r}"
            yield Unsound(("other_facts", name), reason, "take it out: what it annuls or corrects is gone or replaced")
    yield from _of_when(("starts_when",), rule.starts, rule.starts_when)
    for name, effect in rule.other_facts.items():
        yield from _of_when(("other_facts", name, "when"), name, effect.when)
    for trait_field in ("applies_to", "except_for"):
        for trait, values in getattr(rule, trait_field).items():
            yield from _of_trait((trait_field, trait), trait, values)
    yield from _of_moving(rule)
    yield from _of_warnings(rule)
    for number, limit in enumerate(rule.limits):
        yield from _of_length(("limits", number, "amount"), limit)


def _of_moving(rule: ClockRule) -> Iterator[Unsound]:
    for number, extension in enumerate(rule.extensions):
        yield from _of_length(("extensions", number, "to", "amount"), extension.to)
        shortest = min((each.amount for each in rule.limits if each.unit is extension.to.unit), default=0)
        if extension.to.amount <= shortest:
            reason = f"{extension.to} is no longer than the limit of {shortest}"
            yield Unsound(("extensions", number, "to", "amount"), reason, "state the whole limit, from the start")
    fields = AppraisalStarted.model_fields
    for number, suspension in enumerate(rule.suspensions):
        for field in suspension.needs:
            if field not in fields:
                reason = f"the fact appraisal-started has no field {quoted(field)}"
                yield Unsound(("suspensions", number, "needs"), reason, f"use one of {', '.join(fields)}")


def _of_warnings(rule: ClockRule) -> Iterator[Unsound]:
    for number, before in enumerate(rule.warn_before):
        if before in rule.warn_before[:number]:
            yield Unsound(("warn_before", number), f"{before} stands there twice", "take one out: it warns once")
        longest = max((each.amount for each in rule.limits if each.unit is before.unit), default=before.amount)
        if before.amount > longest:
            reason = f"{before} is more than the whole limit of {longest}"
            yield Unsound(("warn_before", number), reason, "warn later than the clock starts")
        yield from _of_length(("warn_before", number), before)


def _of_length(place: Place, span: Span) -> Iterator[Unsound]:
    if span.amount > YEARS_MAX * _YEAR.get(span.unit, span.amount):
        yield Unsound(place, f"{span} are more than {YEARS_MAX} years", "state a limit that somebody can live to see")


def _of_trait(place: Place, trait: str, values: tuple[str, ...]) -> Iterator[Unsound]:
    if not values:
        yield Unsound(
            place, "no value is named, so it holds for no complaint", f"name the values of {trait}, or take it out"
        )
    for value in values:
        if trait == "urgent" and value not in _FLAGS:
            yield Unsound(place, f"urgent is never {quoted(value)}", "write 'yes' or 'no'")


def _of_when(place: Place, name: str, when: When) -> Iterator[Unsound]:
    """Values that the field of a fact can never have, because it is of another kind."""
    for field, wanted in when.items():
        possible = _possible(COMPLAINT_NAMES[name].model_fields[field].annotation)
        for value in wanted if isinstance(wanted, tuple) else (wanted,):
            if possible is str and isinstance(value, str):
                continue
            if not isinstance(possible, tuple):
                reason = f"{field} of {name} cannot be compared with {quoted(value)}"
                yield Unsound((*place, field), reason, "compare a code, or true or false")
            elif value not in possible or isinstance(value, bool) != isinstance(possible[0], bool):
                words = ", ".join(str(each).lower() if isinstance(each, bool) else repr(each) for each in possible)
                yield Unsound((*place, field), f"{field} of {name} is never {quoted(value)}", f"use one of {words}")


def _possible(annotation: Any) -> tuple[Any, ...] | type[str] | None:
    """The values that a field may have; `str` where a table says them, None where it cannot be compared with a word."""
    if get_origin(annotation) is Annotated:
        return _possible(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        (found, *_) = [_possible(each) for each in get_args(annotation) if each is not type(None)]
        return found
    if annotation is bool:
        return (False, True)
    if isinstance(annotation, EnumType):
        return tuple(each.value for each in annotation)  # type: ignore[var-annotated]  # of whichever it is
    return str if annotation is str else None
