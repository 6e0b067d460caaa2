"""Where JR/T 0169-2018 counts the codes of an institution, by its own tables. Counts nothing and asks no database."""

from collections.abc import Iterator, Mapping

from psycopg2.extras import Json

from ledger.complaint.codes import TERMS_OF_SCHEME
from ledger.tables.state import Tables
from ledger.tables.table import mapping_of
from projections.indicators.matter import HOUSE

JRT = "jrt-0169-2018"
FIELDS = ("product", "category", "issue")
"""What a classification states by code of a scheme, and the standard may have a place for."""


def places(tables: Tables) -> Json:
    """Each code's place: under `channel` by code; under `product`, `category` and `issue` by scheme and code.

    A code stands in its table with its place as `more.jrt`: of the scheme `house` in the table of the field's name, of an
    institution's own in `<scheme>-<field>`. A term of the standard is its own place. What has none is not in it.
    """
    by_field = {field: dict(_schemes(field, tables)) for field in FIELDS}
    return Json({"channel": _places_of("channel", tables), **by_field})


def table_of(field: str, scheme: str | None) -> str:
    """The table in which the code of a field stands, by the scheme that it was stated in (None: it knows no scheme)."""
    if scheme is None or scheme == HOUSE:
        return field
    return TERMS_OF_SCHEME.get(scheme, {}).get(field, f"{scheme}-{field}")


def _schemes(field: str, tables: Tables) -> Iterator[tuple[str, Mapping[str, str]]]:
    for name in tables.codes:
        if name == field:
            yield HOUSE, _places_of(name, tables)
        elif name.endswith(f"-{field}"):
            yield name.removesuffix(f"-{field}"), _places_of(name, tables)
    if target := TERMS_OF_SCHEME[JRT].get(field):
        yield JRT, {code: code for code in tables.codes[target]}


def _places_of(name: str, tables: Tables) -> Mapping[str, str]:
    """Of a table; what names no code of the standard is no place."""
    key, target = mapping_of(name) or ("", "")
    rows = tables.codes.get(name, {}).values()
    return {row.code: row.more[key] for row in rows if row.more.get(key) in tables.codes.get(target, {})}
