"""What a command does to an institution's policies: the facts it leads to, `[]`, or a refusal. No clock, no ids made.

No policy reaches back: it applies to clocks that start on a later day than the one on which it is decided,
so that no deadline that was issued changes. `[]` means: already so.
"""

from datetime import date, datetime, timedelta
from typing import assert_never

from ledger.complaint.refusals import InTheFuture
from ledger.complaint.stated import FUTURE_SKEW
from ledger.deadlines.calendar import Calendar
from ledger.deadlines.regime import Regime
from ledger.deadlines.sound import unsound
from ledger.policy.commands import (
    PolicyCommand,
    PublishCalendar,
    PublishRegime,
    PutRegimeInForce,
    RetireRegime,
    known_policy_command,
)
from ledger.policy.events import CalendarPublished, PolicyEvent, RegimePublished, RegimePutInForce, RegimeRetired
from ledger.policy.refusals import (
    CalendarUnknown,
    InForceTooEarly,
    NothingNew,
    NotInForce,
    RegimeUnsound,
    SettledDaysLost,
    VersionNotNext,
)
from ledger.policy.state import Policies


def decide(known: Policies, command: PolicyCommand, now: datetime) -> list[PolicyEvent]:
    """The facts that a command leads to now; `[]` when it is already so; raises a Refusal otherwise."""
    asked = known_policy_command(command)
    match asked:
        case PublishRegime():
            return _publish_regime(known, asked, now)
        case PutRegimeInForce():
            return _put_in_force(known, asked, now)
        case RetireRegime():
            return _retire(known, asked, now)
        case PublishCalendar():
            return _publish_calendar(known, asked, now)
        case _:
            assert_never(asked)


def _publish_regime(known: Policies, command: PublishRegime, now: datetime) -> list[PolicyEvent]:
    published = RegimePublished(**dict(command))
    if published in known.recorded:
        return []
    _not_from_the_future("published_at", command.published_at, now)
    regime = command.regime
    versions = known.regimes.get(regime.name, ())
    if versions and versions[-1].model_copy(update={"version": regime.version}) == regime:
        raise NothingNew(regime.name, versions[-1].version)
    if regime.version != len(versions) + 1:
        raise VersionNotNext(regime.name, regime.version, len(versions) + 1)
    _calendars_of(known, regime)
    faults = tuple(map(str, unsound(regime)))
    if faults:
        raise RegimeUnsound(regime.name, faults)
    if command.in_force_from is not None:
        _not_too_early(known, regime, command.in_force_from, now)
    return [published]


def _put_in_force(known: Policies, command: PutRegimeInForce, now: datetime) -> list[PolicyEvent]:
    regime = known.regime_named(command.name)
    decided = RegimePutInForce(version=regime.version, **dict(command))
    if decided in known.recorded or known.regime_on(command.name, command.in_force_from) == regime:
        return []
    _not_from_the_future("decided_at", command.decided_at, now)
    _not_too_early(known, regime, command.in_force_from, now)
    return [decided]


def _retire(known: Policies, command: RetireRegime, now: datetime) -> list[PolicyEvent]:
    regime = known.regime_named(command.name)
    retired = RegimeRetired(**dict(command))
    if retired in known.recorded:
        return []
    _not_from_the_future("decided_at", command.decided_at, now)
    _not_too_early(known, regime, command.retired_from, now)
    if known.regime_on(command.name, command.retired_from) is None:
        raise NotInForce(command.name, command.retired_from)
    return [retired]


def _publish_calendar(known: Policies, command: PublishCalendar, now: datetime) -> list[PolicyEvent]:
    published = CalendarPublished(**dict(command))
    if published in known.recorded:
        return []
    _not_from_the_future("published_at", command.published_at, now)
    calendar = command.calendar
    versions = known.calendars.get(calendar.name, ())
    if versions:
        _says_more(versions[-1], calendar)
    if calendar.version != len(versions) + 1:
        raise VersionNotNext(calendar.name, calendar.version, len(versions) + 1)
    return [published]


def _says_more(latest: Calendar, calendar: Calendar) -> None:
    if latest.model_copy(update={"version": calendar.version}) == calendar:
        raise NothingNew(calendar.name, latest.version)
    if calendar.settled_from > latest.settled_from or calendar.settled_through < latest.settled_through:
        raise SettledDaysLost(calendar.name, latest.settled_from, latest.settled_through)


def _calendars_of(known: Policies, regime: Regime) -> list[Calendar]:
    newest = known.published_calendars()
    for name in sorted(regime.calendars):
        if name not in newest:
            raise CalendarUnknown(regime.name, name, tuple(newest))
    return [newest[name] for name in sorted(regime.calendars)]


def _not_too_early(known: Policies, regime: Regime, since: date, now: datetime) -> None:
    """Refuses a day that has begun anywhere the regime counts days: clocks may have started on it."""
    earliest = max(calendar.local_day(now) for calendar in _calendars_of(known, regime)) + timedelta(days=1)
    if since < earliest:
        raise InForceTooEarly(regime.name, since, earliest)


def _not_from_the_future(field: str, at: datetime, now: datetime) -> None:
    if at > now + FUTURE_SKEW:
        raise InTheFuture(field, at, now)
