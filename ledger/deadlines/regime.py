"""Regimes: the named, versioned sets of clocks that an institution is held to, as data.

A regime says what starts and stops a clock, within which limit, for which complaints, what may extend
or suspend it under which preconditions, and what every other fact does to it. Nothing here looks at a
complaint; `clock.py` applies a regime to one.
"""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import Field, ValidationError, model_validator

from ledger.complaint.events import (
    COMPLAINT_NAMES,
    ComplaintClassified,
    ComplaintEvent,
    ComplaintGraded,
    ComplaintReceived,
    ComplaintReclassified,
    ComplaintRegraded,
    Grade,
)
from ledger.complaint.moving import Amount, AppraisalEnded, AppraisalStarted, ComplaintTransferred, Unit
from ledger.deadlines.calendar import Data, Name
from ledger.deadlines.quoting import quoted

GradeName = Literal["general", "complex", "major", "ungraded"]

Trait = Literal["channel", "product", "category", "transferred-by", "urgent"]
"""What besides its grade may decide whether a clock applies to a complaint; `urgent` is yes or no."""

TRAIT_FACTS: Mapping[Trait, tuple[type[ComplaintEvent], ...]] = {
    "channel": (ComplaintReceived,),
    "product": (ComplaintReceived, ComplaintClassified, ComplaintReclassified),
    "category": (ComplaintClassified, ComplaintReclassified),
    "transferred-by": (ComplaintTransferred,),
    "urgent": (ComplaintGraded, ComplaintRegraded),
}

When = Mapping[str, bool | str | tuple[str, ...]]
"""Fields of a fact with the value, or the values, that they must have."""


class Span(Data):
    amount: Amount
    unit: Unit

    @cached_property
    def elapses(self) -> bool:
        """Whether it is measured in elapsed time, which needs no calendar."""
        return self.unit in {Unit.MINUTES, Unit.HOURS}

    @cached_property
    def words(self) -> str:
        """As people read it."""
        return f"{self.amount} {self.unit.replace('-', ' ')}"

    def __str__(self) -> str:
        return self.words


class Limit(Span):
    """How long the clock may run, for complaints of these grades; without grades, for all."""

    grades: tuple[GradeName, ...] = ()


class Deed(StrEnum):
    """What a fact does to a running clock, and to the denominator of the rate.

    stop: it ends; met or missed, counted in. Where the fact's time is not known, neither can be said:
    stopped at an unknown time, out of the rates and counted apart. restart: a new run begins with
    this fact. void: it ends without a verdict, counted out. leave: nothing, counted in.
    """

    STOP = "stop"
    RESTART = "restart"
    VOID = "void"
    LEAVE = "leave"


class Purpose(StrEnum):
    """What a clock is for. Only a duty of the institution is met or missed, and counted in rates.

    window: how long somebody else may act. retention: how long the file must be kept.
    """

    DUTY = "duty"
    WINDOW = "window"
    RETENTION = "retention"


class Effect(Data):
    """What a fact does while the clock is in time, and what when it is late.

    `when` restricts it to facts whose fields have these values; any other leaves the clock.
    """

    in_time: Deed
    late: Deed
    when: When = Field(default_factory=dict)

    def of(self, fact: ComplaintEvent, *, in_time: bool) -> Deed:
        if self.when and not holds(self.when, fact):
            return Deed.LEAVE
        return self.in_time if in_time else self.late


STOP = Effect(in_time=Deed.STOP, late=Deed.STOP)
LEAVE = Effect(in_time=Deed.LEAVE, late=Deed.LEAVE)


class Extension(Data):
    """What may make the limit longer: the fact, the whole limit it may lead to at the most, and its preconditions.

    Every field in `needs` must be given (an instant: no later than the limit before runs), and where
    `ranks` are named, the approver has one of them. A fact that lacks one of these leaves the clock.
    """

    by: Literal["deadline-extended", "holding-response-sent"]
    to: Span
    needs: tuple[str, ...] = ()
    ranks: tuple[str, ...] = ()


class Suspension(Data):
    """What suspends a clock. There is one lawful reason, so there is no other to name: an outside appraisal.

    From `begins` (or, where it `needs` the complainant to be told, from when he was told) until `ends`, days
    do not count: not the day on which it begins, and again the day on which it ends.
    """

    begins: Literal["appraisal-started"]
    ends: Literal["appraisal-ended"]
    needs: tuple[str, ...] = ()


class ClockRule(Data):
    """One clock of a regime. A fact that it does not name leaves the clock, counted in.

    Three facts are not named, because what they do follows: a grade or a classification chooses the limit
    or whether there is any, where they depend on it; an annulled or corrected fact is gone or replaced
    before a clock sees it. `verified` is false where the rule was not found in a primary source.
    """

    name: Name
    zh: str
    en: str
    source: Annotated[str, Field(min_length=1)]
    verified: bool = True
    purpose: Purpose = Purpose.DUTY
    calendar: Name | None = None
    starts: str
    starts_when: When = Field(default_factory=dict)
    starts_again: bool = False
    stops: tuple[str, ...] = ()
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]
    applies_to: Mapping[Trait, tuple[str, ...]] = Field(default_factory=dict)
    except_for: Mapping[Trait, tuple[str, ...]] = Field(default_factory=dict)
    extensions: tuple[Extension, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    warn_before: tuple[Span, ...] = ()
    other_facts: Mapping[str, Effect] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = [self.starts, *self.stops, *self.other_facts]
        for name in named:
            _check_fact(name)
        twice = {name for name in named if named.count(name) > 1}
        if twice:
            raise ValueError(f"{', '.join(sorted(twice))}: stands in more than one of starts, stops and other_facts")
        if not _is_timed(self.starts):
            raise ValueError(f"starts: {self.starts} does not say when it happened, so no clock can start with it")
        _check_when("starts_when", self.starts, self.starts_when)
        for name, effect in self.other_facts.items():
            _check_effect(name, effect)
        for extension in self.extensions:
            _check_extension(extension)
        graded = [grade for limit in self.limits for grade in limit.grades or _EVERY_GRADE]
        if len(graded) != len(set(graded)):
            raise ValueError("limits: a grade has more than one limit; give each grade to one of them")
        self._check_end()
        return self

    def _check_end(self) -> None:
        ends = self.stops or any(Deed.STOP in {effect.in_time, effect.late} for effect in self.other_facts.values())
        if self.purpose is Purpose.DUTY and not ends:
            raise ValueError("stops: nothing stops this clock; name the fact that fulfils it, or give it a purpose")

    @cached_property
    def starts_with(self) -> type[ComplaintEvent]:
        return COMPLAINT_NAMES[self.starts]

    @cached_property
    def effects(self) -> Mapping[type[ComplaintEvent], Effect]:
        """What each fact does that does not simply leave the clock."""
        stops = {COMPLAINT_NAMES[name]: STOP for name in self.stops}
        return stops | {COMPLAINT_NAMES[name]: effect for name, effect in self.other_facts.items()}

    @cached_property
    def limit_of(self) -> Mapping[Grade | None, Limit]:
        """The limit of each grade, None standing for a complaint not graded yet; absent: no clock then."""
        return {
            None if grade == "ungraded" else Grade(grade): limit
            for limit in self.limits
            for grade in limit.grades or _EVERY_GRADE
        }

    @cached_property
    def chosen_by(self) -> frozenset[type[ComplaintEvent]]:
        """The facts that decide which limit there is, or whether there is any."""
        traits = {*self.applies_to, *self.except_for}
        graded = (ComplaintGraded, ComplaintRegraded) if any(limit.grades for limit in self.limits) else ()
        return frozenset([*graded, *(fact for trait in traits for fact in TRAIT_FACTS[trait])])

    @cached_property
    def extended_by(self) -> frozenset[type[ComplaintEvent]]:
        return frozenset(COMPLAINT_NAMES[extension.by] for extension in self.extensions)

    @cached_property
    def characterising(self) -> frozenset[type[ComplaintEvent]]:
        """The facts that say something of the complaint which a clock must know even before it starts."""
        return self.chosen_by | (frozenset([AppraisalStarted, AppraisalEnded]) if self.suspensions else frozenset())

    @cached_property
    def watched(self) -> frozenset[type[ComplaintEvent]]:
        """Every fact that may matter to this clock; without all others it is the same."""
        return frozenset([self.starts_with, *self.effects, *self.characterising, *self.extended_by])

    def begins(self, fact: ComplaintEvent) -> bool:
        """Whether this clock starts with a fact."""
        return type(fact) is self.starts_with and (not self.starts_when or holds(self.starts_when, fact))

    def stated_effects(self) -> dict[str, Effect]:
        """What every fact there is does to the running clock, those that leave it included, by stored name."""
        return {name: self.effects.get(fact, LEAVE) for name, fact in COMPLAINT_NAMES.items()}


class Regime(Data):
    """A set of clocks from one rule-giver; working days and local days are those of `calendar`."""

    name: Name
    version: Annotated[int, Field(ge=1)]
    title: str
    calendar: Name
    source: Annotated[str, Field(min_length=1)]
    clocks: Annotated[tuple[ClockRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [rule.name for rule in self.clocks]
        if len(names) != len(set(names)):
            raise ValueError("clocks: two clocks have the same name; rename one")
        return self

    @property
    def calendars(self) -> frozenset[str]:
        """The names of the calendars that its clocks go by."""
        return frozenset(rule.calendar or self.calendar for rule in self.clocks)


ALWAYS = date(1970, 1, 1)
"""The first day of what was always in force: nothing in a complaint happened earlier."""


class InForce(NamedTuple):
    """The versions of one regime, each with the first day of its force, ascending; None: in force no more."""

    name: str
    versions: tuple[tuple[date, Regime | None], ...]


def holds(when: When, fact: ComplaintEvent) -> bool:
    """Whether the fields of a fact have the values that are asked for."""
    for field, wanted in when.items():
        stated = getattr(fact, field)
        if stated not in wanted if isinstance(wanted, tuple) else stated != wanted:
            return False
    return True


class RegimeInvalid(ValueError):
    """A regime that can't be used; `problems` says one by one where and why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def read_regime(text: str) -> Regime:
    """A regime from its TOML; raises RegimeInvalid with every problem found."""
    try:
        return Regime.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise RegimeInvalid(_problems(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise RegimeInvalid([f"this is not TOML: {error}"]) from error


@cache
def built_in_regimes() -> tuple[Regime, ...]:
    """Every regime that the program brings along, the house's first; read once, when first asked for."""
    written = (files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8") for name in BUILT_IN)
    return tuple(map(read_regime, written))


@cache
def default_regimes() -> tuple[Regime, ...]:
    """The regimes that hold where an institution has published none."""
    return tuple(regime for regime in built_in_regimes() if regime.name == "house")


BUILT_IN = ("house", "house-2735", "cbirc-2020-3", "pboc-2020-5", "fca-disp", "cfpb", "retention")


_EVERY_GRADE: tuple[GradeName, ...] = get_args(GradeName)


def _problems(error: ValidationError) -> list[str]:
    """What is wrong, place by place; a list is not also called too short because its only item is wrong."""
    found = error.errors()
    wrong_inside = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    return [
        _problem(one["loc"], one["msg"])
        for one in found
        if one["type"] != "too_short" or one["loc"] not in wrong_inside
    ]


def _problem(place: tuple[int | str, ...], message: str) -> str:
    path = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    return f"{path}: {message.removeprefix('Value error, ')}" if path else message.removeprefix("Value error, ")


def _check_fact(name: str) -> None:
    if name not in COMPLAINT_NAMES:
        near = get_close_matches(name, COMPLAINT_NAMES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "use the stored name of a fact, such as 'reply-sent'"
        raise ValueError(f"no fact is called {quoted(name)}: {hint}")


def _check_when(place: str, name: str, when: When) -> None:
    fields = COMPLAINT_NAMES[name].model_fields
    for field in when:
        if field not in fields:
            raise ValueError(f"{place}: the fact has no field {quoted(field)}; it has {', '.join(fields)}")


def _check_effect(name: str, effect: Effect) -> None:
    _check_when(f"other_facts.{name}.when", name, effect.when)
    if not _is_timed(name) and not {effect.in_time, effect.late} <= {Deed.STOP, Deed.LEAVE}:
        raise ValueError(f"other_facts.{name}: it does not say when it happened, so it can only stop or leave a clock")
    if effect.in_time != effect.late and not _is_timed(name):
        raise ValueError(f"other_facts.{name}: it does not say when it happened, so in_time and late must agree")


def _check_extension(extension: Extension) -> None:
    _check_when("extensions.needs", extension.by, dict.fromkeys(extension.needs, ""))
    if extension.ranks and extension.by != "deadline-extended":
        raise ValueError(f"extensions.ranks: {extension.by} has no approver; leave the ranks out")


def _is_timed(name: str) -> bool:
    return any(field.endswith("_at") for field in COMPLAINT_NAMES[name].model_fields)
