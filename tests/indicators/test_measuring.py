"""A month that is over is measured once, and a threshold that it crossed raises one warning, with the complaints behind it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2.extensions import connection as Connection

from api.measurer import MEASURES, PRINCIPAL, measure, measured_by
from ledger.application import Ledger
from ledger.complaint import commands as complaint
from ledger.database.target import Database
from ledger.deadlines.calendar import built_in_calendars
from ledger.improvement import commands as ask
from ledger.improvement.events import Better, IndicatorMeasured, WarningLevel
from ledger.improvement.indicator import Indicator
from ledger.tables.table import built_in_tables
from ledger.vault.keys import SubjectKeys
from tests.api.conftest import fresh_book

CHINA = built_in_calendars()["china"]
NOW = datetime.fromisoformat("2026-06-03T09:00:00+08:00")


@pytest.fixture
def ledger(database: Database, keys: SubjectKeys) -> Iterator[Ledger]:
    with closing(Ledger(database, fresh_book(database), keys, clock=lambda: NOW)) as opened:
        yield opened


def received(ledger: Ledger, at: datetime, replied_after: timedelta) -> UUID:
    one = uuid4()
    ledger.handle(
        complaint.ReceiveComplaint(
            complaint_id=one, customer_id=uuid4(), received_at=at, received_by="li", channel="phone", content="x"
        ),
        principal="li",
    )
    ledger.handle(
        complaint.SendFirstReply(complaint_id=one, channel="phone", sent_by="li", sent_at=at + replied_after),
        principal="li",
    )
    return one


def defined(ledger: Ledger, indicator: str, **thresholds: int) -> UUID:
    one = uuid4()
    at = NOW - timedelta(days=50)
    define = ask.DefineIndicator(
        indicator_id=one, indicator=indicator, better=Better.HIGHER, defined_by="zg", defined_at=at
    )
    ledger.handle(define, principal="zg")
    if thresholds:
        set_ = ask.SetThresholds(
            indicator_id=one, thresholds_version=1, set_by="zg", approved_by="gl", set_at=at, **thresholds
        )
        ledger.handle(set_, principal="zg")
    return one


def test_a_month_that_is_over_raises_its_warning_once(ledger: Ledger, database: Database, reader: Connection) -> None:
    begin = datetime.fromisoformat("2026-05-11T10:00:00+08:00")
    late = received(ledger, begin, timedelta(hours=30))
    for hour in range(3):
        received(ledger, begin + timedelta(hours=hour), timedelta(hours=2))
    watched = defined(ledger, "first-reply-24h", low_thousandths=98_000, medium_thousandths=80_000)
    by_hand = defined(ledger, "compliance-checks", low_thousandths=98_000)
    without = defined(ledger, "timeliness")
    (receipt,) = measure(ledger, database, reader, CHINA, NOW)
    assert receipt.stream_id == watched, "April has no complaint, so it has no figure"
    state: Indicator = ledger.state("indicator", watched)[0]
    (measured,) = [fact for fact in state.recorded if isinstance(fact, IndicatorMeasured)]
    assert (measured.value_thousandths, measured.measured_by) == (75_000, PRINCIPAL)
    assert (str(measured.period_from), str(measured.period_to)) == ("2026-05-01", "2026-05-31")
    assert measured.complaint_ids == (late,)
    assert [each.level for each in state.warnings.values()] == [WarningLevel.MEDIUM]
    assert measure(ledger, database, reader, CHINA, NOW + timedelta(minutes=1)) == []
    assert ledger.state("indicator", by_hand)[1] == 2, "no recorded fact answers it"
    assert ledger.state("indicator", without)[1] == 1, "nobody said from which value on it warns"


def test_a_month_that_somebody_measured_is_not_measured_again(
    ledger: Ledger, database: Database, reader: Connection
) -> None:
    received(ledger, datetime.fromisoformat("2026-05-11T10:00:00+08:00"), timedelta(hours=2))
    watched = defined(ledger, "first-reply-24h", low_thousandths=98_000)
    by_hand: dict[str, Any] = {"period_from": "2026-05-01", "period_to": "2026-05-31", "source": "月报"}
    command = ask.MeasureIndicator(
        indicator_id=watched,
        measurement_id=uuid4(),
        value_thousandths=99_000,
        measured_by="zg",
        measured_at=NOW,
        **by_hand,
    )
    ledger.handle(command, principal="zg")
    assert measure(ledger, database, reader, CHINA, NOW) == []


def test_what_is_measured_stands_in_the_table_and_has_its_figure() -> None:
    known = set(built_in_tables()["indicator"])
    assert set(MEASURES) <= known
    assert all(measured_by(code) for code in MEASURES)
    assert {code for code in known if measured_by(code)} >= {"satisfaction", "timeliness", "first-reply-24h"}
    assert measured_by("education-participants") is None
