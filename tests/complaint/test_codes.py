"""The code tables: well-formed, in two languages, and complete where the rules count on them."""

from pydantic import TypeAdapter

from ledger.complaint.codes import TERMS_OF_SCHEME, code_tables, label, unknown_codes
from ledger.complaint.events import Grade, Outcome
from ledger.event import Code
from ledger.tables.state import Tables
from tests.complaint.story import fact


def test_every_code_is_a_slug_with_two_labels() -> None:
    slug = TypeAdapter(Code)
    for table, rows in code_tables().items():
        assert rows, table
        for code, coded in rows.items():
            assert slug.validate_python(code) == coded.code
            assert coded.zh
            assert coded.en


def test_a_code_points_into_the_tables_that_are() -> None:
    tables = code_tables()
    assert all(row.more["jrt"] in tables["jrt-channel"] for row in tables["channel"].values())
    assert all(row.more["jrt"] in tables["jrt-business"] for row in tables["product"].values())
    listed = [row.more["category"] for row in tables["cause"].values() if "category" in row.more]
    assert set(listed) <= set(tables["category"])
    assert {table for terms in TERMS_OF_SCHEME.values() for table in terms.values()} <= set(tables)
    assert set(TERMS_OF_SCHEME) <= set(tables["scheme"])


def test_the_standard_has_its_twelve_reasons_and_no_invented_number() -> None:
    tables = code_tables()
    assert len(tables["jrt-reason"]) == 12
    numbered = [row for name in ("jrt-channel", "jrt-business", "jrt-reason") for row in tables[name].values()]
    assert {row.more["number"] for row in numbered} == {""}


def test_every_grade_and_outcome_has_a_label() -> None:
    assert set(code_tables()["grade"]) == set(Grade)
    assert set(code_tables()["outcome"]) == set(Outcome)


def test_a_label_is_given_in_the_language_asked_for() -> None:
    assert label("channel", "mobile-app", "zh") == "移动客户端"
    assert label("channel", "mobile-app", "en") == "Mobile app"
    assert label("category", "Credit reporting", "zh") == "Credit reporting"


def test_the_unknown_codes_of_a_fact_are_named_with_their_table() -> None:
    assert unknown_codes(fact("complaint-classified"), Tables()) == []
    wrong = fact("complaint-classified", category="nonsense", cause="nonsense")
    assert [(used.field, used.table) for used in unknown_codes(wrong, Tables())] == [
        ("category", "category"),
        ("cause", "cause"),
    ]
