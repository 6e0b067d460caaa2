"""Every figure of every indicator against the same figure computed by another engine, straight from the events."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from projections.indicators import asking
from projections.indicators.asking import Part
from projections.indicators.definitions import definitions
from projections.indicators.periods import periods
from tests.indicators.books import CHINA
from tests.indicators.recomputed import AGE, FIGURES, INDEPENDENT, exported

NOW = datetime.fromisoformat("2026-11-19T12:00+08:00")
MONTHS = periods("month", date(2025, 9, 1), date(2026, 11, 19))
PARTS: dict[Part | None, str] = {None: "NULL", "department": "c.department", "tier": "c.tier", "region": "c.region"}
FEW: dict[Part | None, tuple[str, frozenset[str]]] = {
    "hour": ("c.hour", frozenset({"received", "service-contacts"})),
    "age": (AGE, frozenset({"backlog"})),
}
"""Parts that the drawn report shows, of the indicators that it shows by them."""
REGIONS_IN = {"stories", "year-whole"}
"""Books of which the figures by region are compared too: it costs as much as another part."""

SERVICE = re.compile("service-")

KINDS = ["year", "stories", "cfpb", pytest.param("year-whole", marks=pytest.mark.long)]


def test_every_indicator_has_an_independent_computation() -> None:
    assert set(INDEPENDENT) == set(definitions())


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_what_another_engine_computes_from_the_events(
    kind: str, book_of: Callable[[str], str], reader: Connection
) -> None:
    book = book_of(kind)
    on = asking.ground(reader, book, CHINA, as_of=None, now=NOW)
    duck = exported(reader, book, NOW, [month.instants(CHINA) for month in MONTHS])
    compared = Counter[str]()
    for name, indicator in definitions().items():
        duck.execute(
            f"CREATE OR REPLACE TABLE counted AS SELECT * FROM ({INDEPENDENT[name]}) AS t (begins, stream, value)"
        )
        few = {by: part for by, (part, of) in FEW.items() if name in of}
        for by, part in {**PARTS, **few}.items():
            if by == "region" and kind not in REGIONS_IN:
                continue
            rows = duck.execute(
                f"""SELECT counted.begins, {part}, count(*), CAST({FIGURES[indicator.kind]} AS DOUBLE)
                      FROM counted JOIN subject AS c USING (stream) GROUP BY ALL"""
            ).fetchall()
            theirs = {(begins, part): (cases, value) for begins, part, cases, value in rows}
            ours = {
                (figure.period.instants(CHINA)[0], figure.part): (figure.cases, figure.value)
                for figure in asking.figures(reader, on, [name], "month", MONTHS, by)
                if figure.cases
            }
            assert_same(f"{name} by {by}", ours, theirs)
            compared[name] += len(ours)
    assert compared.total() > 400 or kind == "cfpb"
    if kind == "stories":
        seldom = {"escalation-rate", "archiving-rate", "archiving-time", *filter(SERVICE.match, definitions())}
        assert all(compared[name] for name in seldom), compared


def assert_same(what: str, ours: dict[Any, Any], theirs: dict[Any, Any]) -> None:
    assert ours.keys() == theirs.keys(), what
    for key, (cases, value) in ours.items():
        assert (cases, value) == (theirs[key][0], pytest.approx(theirs[key][1], abs=1e-6)), f"{what} {key}"
