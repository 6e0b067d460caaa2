"""What a row of the CFPB publication states, and why a row states nothing; no database is needed."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.command.cfpb import (
    RECORD_CHARACTERS_MAX,
    NotComplaints,
    Rejected,
    Stated,
    facts,
    facts_or_rejected,
    read,
    text_of,
)
from ledger.complaint.codes import unknown_codes
from ledger.complaint.events import (
    ComplaintAssigned,
    ComplaintClassified,
    ComplaintReceived,
    OutcomeDisputed,
    OutcomeStated,
)
from ledger.deadlines.calendar import built_in_calendars
from ledger.tables.state import Tables
from tests.command.publication import EIGHTEEN, FOURTEEN, ROW_14, ROW_16, ROW_18, SIXTEEN

TODAY = date(2017, 6, 1)
CUSTOMER = UUID(int=7)
CHINA = built_in_calendars()["china"]


def rows(*lines: str, encoding: str = "utf-8", ending: str = "\n") -> list[Stated | Rejected]:
    return raw_rows((ending.join(lines) + ending).encode(encoding))


def raw_rows(content: bytes) -> list[Stated | Rejected]:
    return list(read(text_of(io.BytesIO(content)), TODAY))


def stated(*lines: str, **how: str) -> Stated:
    (row,) = rows(*lines, **how)
    assert isinstance(row, Stated), row
    return row


def rejected(*lines: str) -> Rejected:
    (row,) = rows(*lines)
    assert isinstance(row, Rejected), row
    return row


def test_a_row_yields_the_facts_that_it_states_and_no_other() -> None:
    received, classified, assigned, outcome, disputed = facts(stated(EIGHTEEN, ROW_18), CUSTOMER, CHINA)
    assert isinstance(received, ComplaintReceived)
    assert received.received_at == datetime(2016, 9, 1, 16, tzinfo=UTC), "the day begins in Shanghai"
    assert received.date_only
    assert (received.channel, received.external_reference) == ("phone", "77")
    assert received.content is not None
    assert received.content.value == "It is wrong"
    assert isinstance(classified, ComplaintClassified)
    assert (classified.scheme, classified.product, classified.sub_product, classified.issue, classified.sub_issue) == (
        *("cfpb", "Mortgage", "Other", "Fees"),
        None,
    )
    assert isinstance(assigned, ComplaintAssigned)
    assert (assigned.department, assigned.assignee) == ("A Bank", None)
    assert assigned.assigned_at == datetime(2016, 9, 4, 16, tzinfo=UTC)
    assert isinstance(outcome, OutcomeStated)
    assert (outcome.outcome, outcome.final, outcome.timely) == ("Closed with explanation", True, False)
    assert isinstance(disputed, OutcomeDisputed)
    assert disputed.disputed_at is None, "the source does not say when"


def test_what_a_row_leaves_open_is_not_recorded() -> None:
    row = ROW_14.replace("Closed with explanation,No,Yes", "In progress,,No")
    *_, outcome = facts(stated(FOURTEEN, row), CUSTOMER, CHINA)
    assert isinstance(outcome, OutcomeStated)
    assert (outcome.final, outcome.timely) == (False, None)
    nothing = ROW_14.replace("Closed with explanation,No,Yes", ",,")
    assert len(facts(stated(FOURTEEN, nothing), CUSTOMER, CHINA)) == 3


def test_every_column_set_and_date_form_states_the_same_facts() -> None:
    snake = EIGHTEEN.lower().replace("sub-", "sub_").replace(" ", "_").replace("?", "").replace("zip_code", "zipcode")
    wanted = stated(EIGHTEEN, ROW_18).fingerprint()
    assert stated(SIXTEEN, ROW_16).fingerprint() == wanted
    assert stated(snake, ROW_18).fingerprint() == wanted
    assert stated(EIGHTEEN, ROW_18, encoding="utf-8-sig", ending="\r\n").fingerprint() == wanted


def test_columns_are_found_by_name_in_any_order() -> None:
    cells = ROW_14.split(",")
    order = range(len(cells) - 1, -1, -1)
    header = FOURTEEN.split(",")
    row = stated(",".join(header[place] for place in order), ",".join(cells[place] for place in order))
    assert row.row == stated(FOURTEEN, ROW_14).row


def test_a_narrative_may_go_over_lines_and_a_later_row_keeps_its_line() -> None:
    told = ROW_18.replace("It is wrong", '"It is ""wrong""\r\nand long"')
    first, second = rows(EIGHTEEN, told, ROW_18.replace("Phone", "Pigeon"))
    assert isinstance(first, Stated)
    assert first.narrative == 'It is "wrong"\nand long'
    assert second == Rejected(4, "'Submitted via' is no channel that is known here")


def test_sent_before_it_was_received_is_an_oddity_of_the_source_and_kept() -> None:
    assert stated(FOURTEEN, ROW_14.replace("9/5/2016", "9/1/2016")).sent_before_received
    assert not stated(FOURTEEN, ROW_14).sent_before_received


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("9/2/2016", "2/30/2016", "'Date received' is no date like 9/30/2016 or 2016-09-30"),
        ("9/2/2016", "02.09.2016", "'Date received' is no date"),
        ("9/2/2016", "٩/2/2016", "'Date received' is no date"),
        ("9/2/2016", "6/2/2017", "'Date received' lies in the future"),
        ("9/5/2016", "12/31/9999", "'Date sent to company' lies in the future"),
        ("9/2/2016", "1/1/1900", "'Date received' lies before 1970"),
        ("9/2/2016", "", "'Date received' is empty"),
        ("A Bank", " ", "'Company' is empty"),
        ("A Bank", "B" * 201, "'Company' has 201 characters, 200 are allowed"),
        ("Phone", "", "'Submitted via' is empty"),
        (",VA,", ",VA,VA,", "15 fields where the header has 14"),
        (",VA,", ",", "13 fields where the header has 14"),
        ("A Bank", "A\tBank", "a control character (a tab or a new line, for example) in 'Company'"),
        ("A Bank", "A\x0bBank", "a control character (a tab or a new line, for example) in 'Company'"),
        ("with explanation", "with\x7fexplanation", "a control character (a tab or a new line, for example) in 'Co"),
        ("VA", "V\x00A", "a null character in 'State'"),
        (",No,Yes", ",Maybe,Yes", "'Timely response' is neither Yes nor No"),
        ("Closed with explanation,No", ",No", "it says whether the response was timely and not what the response was"),
        ("24540", '"24540"x', "not a row of CSV"),
    ],
)
def test_a_bad_row_is_rejected_with_its_line_and_reason(old: str, new: str, reason: str) -> None:
    row = rejected(FOURTEEN, ROW_14.replace(old, new, 1))
    assert row.line == 2
    assert row.reason.startswith(reason)


def test_a_complaint_id_is_a_number() -> None:
    assert rejected(EIGHTEEN, ROW_18.replace(",77", ",seven")).reason == "'Complaint id' is not a number"


@pytest.mark.parametrize(("written", "identifier"), [("0077", "77"), ("77", "77"), ("000", "0")])
def test_zeros_before_an_id_do_not_make_another_complaint(written: str, identifier: str) -> None:
    assert stated(EIGHTEEN, ROW_18.replace(",77", f",{written}")).identifier == identifier


def test_what_the_record_would_not_take_is_rejected_by_field_and_never_by_value() -> None:
    slipped = replace(stated(EIGHTEEN, ROW_18), line=9, product="geheim\x1b", sub_issue="geheim" * 200)
    said = facts_or_rejected(slipped, CUSTOMER, CHINA)
    assert said == Rejected(9, "not of the form that the record asks for: category, product, sub_issue")


ANYTHING = st.text(max_size=60) | st.text(alphabet='a",\t\r\n\x0b\x1c\x7f\x85 \u2028', max_size=8)


@given(st.lists(st.none() | ANYTHING, min_size=18, max_size=18))
def test_whatever_stands_in_a_column_is_facts_or_a_rejected_row(cells: list[str | None]) -> None:
    """`None` leaves the column as it is in a good row, so that every column is reached."""
    good = ROW_18.split(",")
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(
        [old if cell is None else cell for cell, old in zip(cells, good, strict=True)]
    )
    (row,) = raw_rows(f"{EIGHTEEN}\n{written.getvalue()}".encode())
    if isinstance(row, Stated):
        assert not isinstance(facts_or_rejected(row, CUSTOMER, CHINA), Rejected), "told by the reader, with its reason"


@given(st.binary(max_size=400))
def test_whatever_a_file_goes_on_with_it_is_read_to_its_end(content: bytes) -> None:
    for row in raw_rows(f"{FOURTEEN}\n{ROW_14}\n".encode() + content):
        assert isinstance(row, Stated | Rejected)


def test_bytes_that_are_not_utf_8_reject_their_row_only() -> None:
    bad, good = raw_rows(f"{FOURTEEN}\n{ROW_14}\n{ROW_14}\n".encode().replace(b"A Bank", b"\xff Bank", 1))
    assert bad == Rejected(2, "'Company' is not UTF-8")
    assert isinstance(good, Stated)


QUOTED_14 = ROW_14.replace("A Bank", '"A Bank, NA"')
TOLD_18 = ROW_18.replace("It is wrong", '"It is\n{}\nwrong"')


def outcome(found: list[Stated | Rejected]) -> list[tuple[int, bool]]:
    """The line of each row and whether it was taken."""
    return [(row.line, isinstance(row, Stated)) for row in found]


@pytest.mark.parametrize("behind", [1, 30, 1000])
def test_a_quote_that_is_never_closed_costs_its_own_row_only_where_the_next_one_opens_a_field(behind: int) -> None:
    bad, *good = rows(FOURTEEN, ROW_14.replace("A Bank", '"A Bank'), *[ROW_14] * behind, QUOTED_14, ROW_14)
    assert isinstance(bad, Rejected)
    assert bad.line == 2
    assert bad.reason.startswith("not a row of CSV: ")
    assert outcome(good) == [(line, True) for line in range(3, 5 + behind)]


def test_where_nothing_shows_that_a_quote_was_not_meant_the_rest_is_left_out_and_said() -> None:
    """A file that breaks off inside a narrative looks the same."""
    (bad,) = rows(FOURTEEN, ROW_14.replace("A Bank", '"A Bank'), ROW_14, ROW_14)
    assert isinstance(bad, Rejected)
    assert bad.line == 2
    assert "Lines 3 to 4 are left out" in bad.reason


def test_a_line_of_a_narrative_is_never_a_row() -> None:
    """Whatever is wrong with the record in which it stands: a field too many, a bad value, a broken quote."""
    told = TOLD_18.format(ROW_18.replace("A Bank", "VICTIM"))
    for broken in (
        told + ",EXTRA",
        told.removesuffix(",77") + ",seven",
        told.replace('"It is', '"It is "really"'),
        told.replace('wrong"', 'wrong" x'),
        told.replace("It is", 'It "is'),
        told.replace("\nwrong", '\nwr"o"ng'),
    ):
        found = rows(EIGHTEEN, broken, TOLD_18.format(ROW_18), ROW_18)
        assert [row.company for row in found if isinstance(row, Stated)] in (["A Bank", "A Bank"], ["A Bank"]), broken
        assert outcome(found)[0] == (2, False)
        assert outcome(found)[-1] == (8, True), broken
        assert len(found) <= 3, broken


def test_a_file_that_breaks_off_inside_a_narrative_states_none_of_its_lines() -> None:
    (cut,) = rows(EIGHTEEN, TOLD_18.format(ROW_18).removesuffix('wrong"' + ROW_18.partition("It is wrong")[2]), ROW_18)
    assert isinstance(cut, Rejected)


SECRET = "110101199003070038"


@given(st.integers(0, 17), st.sampled_from([f"a {SECRET}", f"{SECRET}7", f"{SECRET}\t", f'{SECRET}","', SECRET * 20]))
def test_no_rejection_says_what_stands_in_a_cell(column: int, secret: str) -> None:
    cells = ROW_18.split(",")
    cells[column] = secret
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    for found in (raw_rows(f"{EIGHTEEN}\n{written.getvalue()}".encode()), rows(EIGHTEEN, ",".join(cells))):
        assert not any(SECRET in row.reason for row in found if isinstance(row, Rejected))


def test_a_new_line_in_a_term_is_a_control_character_and_reading_goes_on_behind_it() -> None:
    first, good = rows(FOURTEEN, ROW_14.replace("A Bank", '"A\nBank"'), ROW_14)
    assert first == Rejected(2, "a control character (a tab or a new line, for example) in 'Company'")
    assert (good.line, isinstance(good, Stated)) == (4, True)


def test_a_bad_row_with_a_narrative_over_lines_is_one_row() -> None:
    told = ROW_18.replace("It is wrong", '"It is\nwrong"').replace("Phone", "Pigeon")
    bad, good = rows(EIGHTEEN, told, ROW_18)
    assert (bad.line, isinstance(bad, Rejected), good.line, isinstance(good, Stated)) == (2, True, 4, True)


def test_a_quote_that_another_row_closes_is_one_bad_row() -> None:
    """What lies between two quotes that fit may be a narrative, whatever it looks like."""
    found = rows(FOURTEEN, ROW_14.replace("A Bank", '"A Bank'), ROW_14, ROW_14.replace("A Bank", 'A,"'), ROW_14)
    assert outcome(found) == [(2, False), (5, True)]


def test_a_row_without_end_is_given_up_and_reading_goes_on_where_a_row_certainly_begins() -> None:
    endless = 'a","'
    found = rows(FOURTEEN, *[endless] * 5, '"' + "x" * RECORD_CHARACTERS_MAX, QUOTED_14, ROW_14)
    assert outcome(found)[-2:] == [(8, True), (9, True)]
    assert not any(taken for _, taken in outcome(found)[:-2])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "it has no column 'Date received'"),
        ("a,b\n1,2\n", "it has no column 'Date received'"),
        (FOURTEEN.replace("Submitted via", "Sent via") + "\n", "it has no column 'Submitted via'"),
        (FOURTEEN + ",Company\n", "it has the column 'Company' twice"),
        ('"a"b\n', "its first line is not a line of CSV"),
    ],
)
def test_another_kind_of_file_is_refused_as_a_whole(content: str, says: str) -> None:
    with pytest.raises(NotComplaints, match="^" + says):
        raw_rows(content.encode())


def test_only_codes_of_our_tables_come_out() -> None:
    for channel in ("Web", "Referral", "Phone", "Postal mail", "Fax", "Email", "Web Referral"):
        row = stated(FOURTEEN, ROW_14.replace("Phone", channel))
        assert [unknown_codes(fact, Tables()) for fact in facts(row, CUSTOMER, CHINA)] == [[]] * 5
