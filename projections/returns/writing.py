"""Writes a return's document for people and programs: JSON, CSV that Excel reads, and a workbook with a cover sheet.

The JSON is the document itself, byte by byte; the others show the same figures and name its digest.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from projections.returns.asking import digest_of, written

BOM = "\ufeff"
"""Without it, Excel takes UTF-8 for the code page of the machine, and Chinese text for rubbish."""


PLAIN = {"text_wrap": True, "valign": "top", "font_name": "Microsoft YaHei"}
NUMBERS = {"count": "#,##0", "sum": "#,##0", "share": "0.0%", "median": "0.00"}
"""How a spreadsheet shows each kind of column; the whole number is in the cell."""


def as_csv(document: Mapping[str, Any]) -> bytes:
    """The rows with their labels, and the totals; a text that a spreadsheet would compute is written as text."""
    text = io.StringIO()
    text.write(BOM)
    writer = csv.writer(text)
    for row in lines(document):
        writer.writerow([_harmless(each) for each in row])
    return text.getvalue().encode()


def as_xlsx(document: Mapping[str, Any]) -> bytes:
    """A workbook: a cover that says what it is and how to check it, and the figures. The same bytes for the same document."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        judged_at = datetime.fromisoformat(document["judged_at"]).astimezone(UTC)
        book.set_properties({"created": judged_at.replace(tzinfo=None)})
        bold = book.add_format({"bold": True, "font_name": "Microsoft YaHei"})
        plain = book.add_format(PLAIN)
        shown = {kind: book.add_format({**PLAIN, "num_format": form}) for kind, form in NUMBERS.items()}
        cover = book.add_worksheet("说明 Cover")
        cover.set_column(0, 0, 28)
        cover.set_column(1, 1, 100)
        for number, (what, says) in enumerate(cover_of(document)):
            cover.write_string(number, 0, what, bold)
            cover.write_string(number, 1, says, plain)
        sheet = book.add_worksheet("数据 Figures")
        sheet.freeze_panes(1, 0)
        looks = [
            *(plain for _ in document["rows_by"]),
            *(shown.get(each["kind"], plain) for each in document["columns"]),
        ]
        for number, row in enumerate(lines(document)):
            for place, value in enumerate(row):
                sheet.write(number, place, value, bold if number == 0 else looks[place])
        sheet.set_column(0, max(0, len(document["rows_by"]) - 1), 34)
        sheet.set_column(len(document["rows_by"]), 40, 18)
    return made.getvalue()


def cover_of(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a reader has to know, and how he checks it."""
    about = document["return"]
    known = document["known_at"]
    return [
        ("报表 Return", f"{about['zh']} {about['en']} ({about['name']}, version {about['version']})"),
        ("接收方 Receiver", document["receiver"]),
        ("期间 Period", f"{document['period']['from']} – {document['period']['to']}"),
        ("内容 What it says", about["says"]),
        ("统计口径 Counting rule", document["counting_rule"]),
        *_without_place(document),
        ("账簿 Book", document["origin"]),
        ("截至 Known at", f"position {known['position']}, root of the tree {known['root']}"),
        ("判定时刻 Judged at", document["judged_at"]),
        ("摘要 SHA-256 of the JSON", digest_of(written(document))),
        (
            "如何核验 How to check it",
            (
                "1. JSON 文件的 SHA-256 即上述摘要。2. 机构报送时已将该摘要记入账簿：可索取该事件及其对检查点的包含证明。"
                "3. `returns check` 在同一位置重新计算并逐格比对。4. `returns drill` 可打开任一格，列出其投诉与事件。\n"
                "1. sha256sum of the JSON file gives the digest above. 2. The institution recorded that digest in its ledger when "
                "it sent this return: ask for the event and its inclusion proof against a checkpoint that you hold. 3. `complaint-ledger "
                "returns check FILE.json` computes the return again at the same position and compares every cell. 4. Any cell opens "
                "into its complaints and events: `complaint-ledger returns drill FILE.json --row … --column …`."
            ),
        ),
    ]


def lines(document: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
    """A head and the rows, as both a CSV and a sheet have them; a table ends with its totals."""
    keys, columns = document["rows_by"], document["columns"]
    yield [*(f"{key['zh']} {key['en']}" for key in keys), *(f"{column['zh']} {column['en']}" for column in columns)]
    for row in document["rows"]:
        if isinstance(row, list):
            yield ["" if each is None else each for each in row]
        else:
            labels = [
                "未知 not known" if code is None else document["labels"][key["name"]].get(code, code)
                for key, code in zip(keys, row["keys"], strict=True)
            ]
            yield [*labels, *(_cell(row["cells"].get(column["name"])) for column in columns)]
    if keys and document["totals"]:
        totals = [_cell(document["totals"].get(column["name"])) for column in columns]
        yield ["合计 Total", *[""] * (len(keys) - 1), *totals]


def _without_place(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A line for the codes that the standard has no place for, where there are any."""
    told = [
        f"{each['field']} {each['code']} {each['label'] or ''}".rstrip() + f": {each['complaints']}"
        for each in document.get("without_place", ())
    ]
    return [("未对应标准的代码 Codes without a place, counted as not known", "\n".join(told))] if told else []


def _cell(value: Any) -> Any:
    return "" if value is None else value


def _harmless(value: Any) -> Any:
    """A text that begins like a formula is not computed by whoever opens the file."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
