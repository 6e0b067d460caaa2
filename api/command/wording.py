"""Codes as both languages say them, by the tables of the book as they stood when a fact was recorded. Reads no database."""

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.tables.state import Tables
from ledger.tables.table import label


def named(tables: Tables, code_table: str, code: object) -> str:
    """A code as both languages say it: `Phone 电话`; the code itself where the table has none such."""
    text = str(code)
    english, chinese = label(code_table, text, "en", tables.codes), label(code_table, text, "zh", tables.codes)
    return text if english == text == chinese else f"{english} {chinese}"


class Details(dict[str, Any]):
    """The fields of one fact, and the tables by which its codes are read."""

    def __init__(self, fields: Mapping[str, Any], tables: Tables) -> None:
        super().__init__(fields)
        self._tables = tables

    def named(self, code_table: str, code: object) -> str:
        """A code of this fact as both languages say it."""
        return named(self._tables, code_table, code)

    def each(self, code_table: str, codes: Iterable[object]) -> str:
        """Several codes of one table."""
        return ", ".join(self.named(code_table, code) for code in codes)
