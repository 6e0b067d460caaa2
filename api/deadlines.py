"""The questions about deadlines over HTTP: how one was derived, and which regimes and calendars the book goes by.

All of them are answered from the record itself. Nothing is computed here, and nothing is recorded.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from psycopg2.extensions import connection as Connection
from pydantic import Field

from api.answers import Answer, answer
from api.asking import Asker, AsOf, AtLeast, Now
from api.description import question_description
from ledger.complaint.refusals import ComplaintNotFound
from ledger.deadlines.calendar import Calendar, Name
from ledger.deadlines.clock import Verdict
from ledger.deadlines.explain import NAMES, DayLine, Explanation, Why
from ledger.deadlines.regime import Regime
from ledger.deadlines.running import Did, Ended, Step
from ledger.policy.refusals import CalendarUnpublished, RegimeUnknown
from ledger.policy.state import Policies
from projections import derivation
from projections.asking import NotReached
from projections.policies import Followed

VersionAsked = Annotated[int | None, Query(ge=1, le=1_000_000, description="This version; without it, the newest.")]


class DerivedStep(Answer):
    """What one fact did to a deadline."""

    version: int
    fact: str
    at: datetime | None
    did: Did
    due_at: datetime
    due_before: datetime | None

    @classmethod
    def of(cls, step: Step) -> "DerivedStep":
        return cls(
            version=step.version,
            fact=NAMES[type(step.fact)],
            at=step.at,
            did=step.did,
            due_at=step.due_at,
            due_before=step.due_before,
        )


class DerivedDay(Answer):
    """One local day between start and due time: counted as which, or skipped and why."""

    on: date
    number: int | None = Field(description="The how many-th counted day; null: skipped.")
    why: Why
    settled: bool = Field(description="Announced by who decides it; else the weekday alone speaks.")
    remark: str
    notice: str

    @classmethod
    def of(cls, day: DayLine) -> "DerivedDay":
        return cls.model_validate(day)


class DerivedDeadline(Answer):
    """One deadline with its derivation."""

    regime: str
    regime_version: int
    calendar: str
    calendar_version: int | None
    clock: str
    limit: str
    first_limit: str
    starts_at: datetime
    due_at: datetime
    first_due_at: datetime
    stopped_at: datetime | None
    suspended_at: datetime | None
    ended: Ended
    provisional: bool
    verdict: Verdict
    steps: list[DerivedStep]
    days: list[DerivedDay]

    @classmethod
    def of(cls, explanation: Explanation, said: Verdict) -> "DerivedDeadline":
        clock = explanation.clock
        return cls(
            regime=clock.regime,
            regime_version=clock.regime_version,
            calendar=explanation.calendar.name,
            calendar_version=clock.calendar_version,
            clock=clock.clock,
            limit=str(clock.limit),
            first_limit=str(clock.first_limit),
            starts_at=clock.starts_at,
            due_at=clock.due_at,
            first_due_at=clock.first_due_at,
            stopped_at=clock.stopped_at,
            suspended_at=clock.suspended_at,
            ended=clock.ended,
            provisional=clock.provisional,
            verdict=said,
            steps=[DerivedStep.of(step) for step in explanation.steps],
            days=[DerivedDay.of(day) for day in explanation.days],
        )


class DerivedDeadlines(Answer):
    """The deadlines of a complaint as known at `position`, judged at `now`, each derived day by day."""

    complaint_id: UUID
    position: int
    now: datetime
    deadlines: list[DerivedDeadline]
    text: str = Field(description="The same as lines of text; the same bytes for the same position and moment.")

    @classmethod
    def of(cls, found: derivation.Derived) -> "DerivedDeadlines":
        return cls(
            complaint_id=found.complaint_id,
            position=found.position,
            now=found.now,
            deadlines=[DerivedDeadline.of(*each) for each in found.explanations()],
            text="\n".join(found.lines()),
        )


class InForceFrom(Answer):
    """From a day on a version applies; null: none."""

    since: date
    version: int | None


class RegimeStanding(Answer):
    """A published regime, and since when which of its versions applies."""

    name: str
    title: str
    versions: int
    in_force: list[InForceFrom]


class Regimes(Answer):
    """The regimes of the book; `version` is that of its policies, for `If-Match`."""

    version: int
    position: int
    regimes: list[RegimeStanding]


class CalendarStanding(Answer):
    """A published calendar: its newest version, and how far its days are announced."""

    name: str
    title: str
    versions: int
    settled_from: date
    settled_through: date


class Calendars(Answer):
    """The calendars of the book; `version` is that of its policies."""

    version: int
    position: int
    calendars: list[CalendarStanding]


class PublishedRegime(Answer):
    """A version of a regime, every clock of it in full."""

    regime: Regime


class PublishedCalendar(Answer):
    """A version of a calendar, with every day of it that is not what its weekday says."""

    calendar: Calendar


ANSWERS: tuple[type[Answer], ...] = (DerivedDeadlines, Regimes, PublishedRegime, Calendars, PublishedCalendar)


def router(asker: Asker) -> APIRouter:
    """The questions about deadlines, bound to a book."""
    routes = asker.routes()
    _add_derivations(routes, asker)
    _add_policies(routes, asker)
    return routes


def _add_derivations(routes: APIRouter, asker: Asker) -> None:
    @routes.get(
        "/complaints/{complaint_id}/deadlines",
        **question_description(DerivedDeadlines, ComplaintNotFound, NotReached),
    )
    async def complaint_deadlines(
        complaint_id: UUID, _reached: AtLeast, as_of: AsOf = None, now: Now = None
    ) -> Response:
        """Each deadline derived day by day: counted, skipped and why, the facts that moved it, and the versions used."""
        found = await asker.ask(derived, complaint_id, as_of, now)
        return answer(DerivedDeadlines, DerivedDeadlines.of(found))


def _add_policies(routes: APIRouter, asker: Asker) -> None:
    @routes.get("/regimes", **question_description(Regimes, NotReached))
    async def regimes(_reached: AtLeast, as_of: AsOf = None) -> Response:
        """The regimes of the book, with the days from which their versions apply."""
        position, known = await asker.ask(policies_then, as_of)
        found = Regimes(version=len(known.recorded), position=position, regimes=list(_regimes(known)))
        return answer(Regimes, found, {"ETag": f'"{found.version}"'})

    @routes.get("/regimes/{name}", **question_description(PublishedRegime, RegimeUnknown))
    async def regime(name: Name, version: VersionAsked = None) -> Response:
        """A regime as it was published."""
        _, known = await asker.ask(policies_then, None)
        return answer(PublishedRegime, {"regime": known.regime_named(name, version)})

    @routes.get("/calendars", **question_description(Calendars, NotReached))
    async def calendars(_reached: AtLeast, as_of: AsOf = None) -> Response:
        """The calendars of the book, and how far their days are announced."""
        position, known = await asker.ask(policies_then, as_of)
        found = Calendars(version=len(known.recorded), position=position, calendars=list(_calendars(known)))
        return answer(Calendars, found, {"ETag": f'"{found.version}"'})

    @routes.get("/calendars/{name}", **question_description(PublishedCalendar, CalendarUnpublished))
    async def calendar(name: Name, version: VersionAsked = None) -> Response:
        """A calendar as it was published."""
        _, known = await asker.ask(policies_then, None)
        return answer(PublishedCalendar, {"calendar": known.calendar_named(name, version)})


def derived(
    connection: Connection, book: str, complaint_id: UUID, as_of: int | datetime | None, now: datetime | None
) -> derivation.Derived:
    """A derivation as known at a place, judged there; raises ComplaintNotFound where nothing was known of it then."""
    found = derivation.derive(connection, book, complaint_id, as_of, now)
    if not found.known:
        raise ComplaintNotFound(complaint_id)
    return found


def policies_then(connection: Connection, book: str, as_of: int | datetime | None) -> tuple[int, Policies]:
    """The position of a place, and the policies as known there."""
    position = derivation.place(connection, book, as_of)
    return position, Followed.up_to(connection, book, position).now


def _regimes(known: Policies) -> Iterator[RegimeStanding]:
    for name, versions in known.regimes.items():
        yield RegimeStanding(
            name=name,
            title=versions[-1].title,
            versions=len(versions),
            in_force=[
                InForceFrom(since=since, version=None if regime is None else regime.version)
                for each in known.in_force()
                if each.name == name
                for since, regime in each.versions
            ],
        )


def _calendars(known: Policies) -> Iterator[CalendarStanding]:
    for name, versions in known.calendars.items():
        newest = versions[-1]
        yield CalendarStanding(
            name=name,
            title=newest.title,
            versions=len(versions),
            settled_from=newest.settled_from,
            settled_through=newest.settled_through,
        )
