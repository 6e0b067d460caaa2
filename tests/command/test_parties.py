"""`timeline`, `duties` and `actions`, run as a person would; and a sentence for every fact."""

from contextlib import closing
from uuid import UUID, uuid4

import pytest

from api.command.party_telling import PARTY_SENTENCES, SUBJECTS, WAITS_FOR
from api.command.place import open_keys
from api.command.wording import Details
from ledger.application import Ledger
from ledger.audit.events import AUDIT_NAMES
from ledger.customer import commands as customer
from ledger.customer.events import CUSTOMER_NAMES
from ledger.database.target import open_database
from ledger.improvement import commands as improve
from ledger.improvement.events import IMPROVEMENT_NAMES
from ledger.interaction import commands as interaction
from ledger.interaction.events import INTERACTION_NAMES
from ledger.leak import commands as leak
from ledger.leak.events import LEAK_NAMES
from ledger.leak.rules import Leak
from ledger.settings import Settings
from ledger.tables.state import Tables
from projections.timeline import SUBJECT_OF
from tests.command.running import Program
from tests.parties.telling import ask
from tests.parties.test_stored_forms_of_parties import FORMS

NAMES = {**CUSTOMER_NAMES, **INTERACTION_NAMES, **IMPROVEMENT_NAMES, **LEAK_NAMES, **AUDIT_NAMES}


def test_there_is_a_sentence_for_every_fact() -> None:
    assert set(PARTY_SENTENCES) == set(NAMES)
    assert set(SUBJECTS) == set(SUBJECT_OF.values())
    assert set(Leak().missing) <= set(WAITS_FOR)


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_is_one_and_shows_no_digest(name: str) -> None:
    sentence = PARTY_SENTENCES[name](Details(FORMS[name], Tables()))
    assert sentence
    assert "\n" not in sentence
    digests = [value for value in FORMS[name].values() if isinstance(value, str) and len(value) == 43]
    assert not any(digest in sentence for digest in digests)


@pytest.fixture
def filled(settings: Settings, book: str) -> UUID:
    """A book with a customer, an action that is late, a leak and a warning; the customer's id."""
    customer_id = uuid4()
    indicator_id = uuid4()
    with (
        closing(open_keys(settings)) as keys,
        open_database(settings) as database,
        closing(Ledger(database, book, keys)) as ledger,
    ):
        for command in (
            ask(customer.RegisterCustomer, customer_id=customer_id),
            ask(interaction.RecordInteraction, interaction_id=uuid4(), customer_id=customer_id, kind="enquiry"),
            ask(improve.OpenAction, action_id=uuid4()),
            ask(leak.ReportLeak, leak_id=uuid4()),
            ask(improve.DefineIndicator, indicator_id=indicator_id),
            ask(improve.RaiseWarning, indicator_id=indicator_id, level="low"),
        ):
            ledger.handle(command, principal="test")
    return customer_id


def test_a_timeline_is_told(program: Program, book: str, filled: UUID) -> None:
    told = program("timeline", str(filled), "--book", book)
    assert told.code == 0, told.complaint
    assert "registered the customer, tier Ordinary 普通" in told.out
    assert "Enquiry 咨询 from the customer by Phone 电话" in told.out
    as_json = program("timeline", str(filled), "--book", book, "--json").json
    assert [line["name"] for line in as_json["lines"]] == ["customer-registered", "interaction-recorded"]
    then = program("timeline", str(filled), "--book", book, "--json", "--as-of", "1").json
    assert [line["name"] for line in then["lines"]] == ["customer-registered"]
    assert program("timeline", "nobody", "--book", book).code == 2
    unknown = program("timeline", str(uuid4()), "--book", book)
    assert (unknown.code, unknown.out) == (2, "")


def test_what_is_to_be_done_is_listed_the_urgent_first(program: Program, book: str, filled: UUID) -> None:
    assert filled
    duties = program("duties", "--book", book, "--json").json["duties"]
    assert [duty["kind"] for duty in duties] == ["leak", "action", "interaction", "warning"]
    listed = program("duties", "--book", book)
    assert "isolation 待隔离" in listed.out
    assert "Satisfaction 满意度" in listed.out
    actions = program("actions", "--book", book)
    assert "客服承诺登记功能" in actions.out
    assert "2025-10-31 逾期" in actions.out
    assert "leak" not in actions.out
    assert program("actions", "--book", book, "--who", "nobody", "--json").json["duties"] == []
