"""The panels of the drawn report: what is behind each number, and the events of each complaint. No script: a link shows one.

A panel tells the address of its number, which opens all of it, and lists the first complaints; each of these has a panel
with its events and their positions in the book.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from projections.indicators.asking import Case, RecordedEvent
from projections.indicators.plots import Drawn, Number

OPENED_STYLE = """
svg a:hover rect, svg a:focus rect, svg a:hover circle, svg a:focus circle { stroke: var(--ink); stroke-width: 1.5; }
.opened { display: none; position: fixed; top: 0; right: 0; bottom: 0; z-index: 2; width: min(620px, 100%); overflow: auto;
  background: #fff; border-left: 3px solid var(--a); padding: 18px 24px; box-shadow: -6px 0 24px rgba(28,39,51,.18); }
.opened:target { display: block; }
.opened h3 { font-size: 18px; margin: 0 60px 6px 0; } .opened .close { position: absolute; top: 16px; right: 22px; }
.opened code { display: block; background: #f4f6f8; padding: 8px 10px; margin: 6px 0 10px; overflow-wrap: anywhere; font-size: 12px; }
.opened ol, .opened ul { margin: 6px 0 12px; padding-left: 26px; } .opened small { color: var(--soft); }
"""


class Told(NamedTuple):
    """A number of the page with its title in Chinese and English, and the number as it is written there."""

    number: Number
    zh: str
    en: str
    written: str


def both(zh: str, en: str) -> str:
    """A text of the page in both languages, of which one is shown."""
    return f'<span class="zh">{escape(zh)}</span><span class="en">{escape(en)}</span>'


def share(value: float) -> str:
    """A share to one decimal; 100 % and 0 % stand only where it is whole, or nothing."""
    if value in {0, 1}:
        return f"{value:.0%}"
    return f"{min(0.999, max(0.001, value)):.1%}"


def anchor(number: Number) -> str:
    """The name of a number's panel: its address says which number it is."""
    return f"n{hashlib.sha256(number.address.encode()).hexdigest()[:12]}"


def panels(drawn: Drawn, told: Iterable[Told]) -> Iterator[str]:
    """The panel of each number, and of each complaint that one of them lists."""
    referred: dict[UUID, Case] = {}
    for each in told:
        yield _number(drawn.book, each)
        referred |= {case.complaint_id: case for case in each.number.first}
    for case in referred.values():
        yield _complaint(drawn, case, drawn.events.get(case.complaint_id, ()))


def _panel(name: str, title: str, inside: str) -> str:
    close = f'<a class="close" href="#-">{both("关闭", "Close")}</a>'
    return f'<section class="opened" id="{name}">{close}<h3>{title}</h3>{inside}</section>'


def _number(book: str, told: Told) -> str:
    number = told.number
    shown = len(number.first)
    first = f"，前 {shown} 件", f", the first {shown} of them"
    more = first if 0 < shown < number.cases else ("", "")
    says = both(f"{number.cases:,} 件投诉{more[0]}", f"made of {number.cases:,} complaints{more[1]}")
    listed = "".join(
        f'<li><a href="#{_of_complaint(case)}">{escape(case.reference or str(case.complaint_id))}</a>{_adds(case)}</li>'
        for case in number.first
    )
    command = f"complaint-ledger report drill --book {book} '{number.address}'"
    return _panel(
        anchor(number),
        f"{both(told.zh, told.en)}: {told.written}",
        f"<p>{says}</p><ol>{listed}</ol>"
        f"<p>{both('全部投诉与事件（接口地址，命令）', 'All complaints and events: the address of the API, and the command')}</p>"
        f'<code class="address">{escape(number.address)}</code><code>{escape(command, quote=False)}</code>',
    )


def _complaint(drawn: Drawn, case: Case, events: Sequence[RecordedEvent]) -> str:
    zone = ZoneInfo(drawn.zone)
    listed = "".join(
        f"<li>{event.position:,} <small>v{event.version}</small> {escape(event.name)} "
        f"<small>{event.recorded_at.astimezone(zone):%Y-%m-%d %H:%M}</small></li>"
        for event in events
    )
    says = both("事件：账簿位置、版本、名称、记录时间", "Events: position in the book, version, name, when recorded")
    return _panel(
        _of_complaint(case),
        escape(case.reference or "–"),
        f"<code>{case.complaint_id}</code><p>{says}</p><ul>{listed}</ul>",
    )


def _adds(case: Case) -> str:
    return "" if case.value is None else f" <small>{case.value:g}</small>"


def _of_complaint(case: Case) -> str:
    return f"c{case.complaint_id}"
