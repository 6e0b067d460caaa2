"""The demo's year besides complaints: allowed by the rules whenever it ends, the same for the same seed, and of every kind of use."""

from collections import Counter
from datetime import datetime

import pytest

from api.command.demo.fill import COMPLAINTS, SEED
from api.command.demo.hours import OfficeHours
from api.command.demo.parties import party_requests
from ledger.application import BulkRequest
from ledger.customer import events as cu
from ledger.deadlines.calendar import built_in_calendars
from ledger.improvement import events as im
from ledger.interaction import events as it
from ledger.leak import events as le
from ledger.standing import happened_at

CHINA = built_in_calendars()["china"]
HOURS = OfficeHours(CHINA)


def told(end_on: str) -> list[BulkRequest]:
    return list(party_requests(SEED, CHINA.day_begins_at(datetime.fromisoformat(end_on).date()), COMPLAINTS, HOURS))


@pytest.mark.parametrize("end_on", ["2025-02-03", "2025-10-04", "2026-02-16", "2026-11-24", "2027-03-01"])
def test_the_rules_allow_the_year_whenever_it_ends(end_on: str) -> None:
    end = CHINA.day_begins_at(datetime.fromisoformat(end_on).date())
    requests = told(end_on)
    assert len({request.stream_id for request in requests}) == len(requests)
    for request in requests:
        assert request.events
        assert all((happened_at(event) or end) < end for event in request.events)


def test_the_same_seed_tells_the_same_year() -> None:
    one, other = told("2026-11-24"), told("2026-11-24")
    assert [(each.stream_id, each.given, each.events) for each in one] == [
        (each.stream_id, each.given, each.events) for each in other
    ]


def test_the_year_uses_every_part() -> None:
    kinds = Counter(type(event) for request in told("2026-11-24") for event in request.events)
    unused = {
        *cu.CUSTOMER_NAMES.values(),
        *it.INTERACTION_NAMES.values(),
        *im.IMPROVEMENT_NAMES.values(),
        *le.LEAK_NAMES.values(),
    } - set(kinds)
    assert {kind.__name__ for kind in unused if not kind.__name__.endswith("FactAnnulled")} <= {
        *("CustomerDetailsChanged", "CustomerTiered", "VulnerabilityEnded", "DuplicateRuledOut"),
        *(
            "InteractionAssigned",
            "InteractionDealtWith",
            "InteractionBecameComplaint",
            "CallBackPromised",
            "CallBackMade",
        ),
        *("ActionHandedOver", "ActionPostponed", "RegulatorNotToBeTold"),
    }
    assert kinds[it.InteractionRecorded] > 300
    assert kinds[im.WarningRaised] >= 6
