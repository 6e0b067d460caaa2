"""Draws the report as one self-contained page: SVG and a few lines of style, no script and no network. Computes no figure.

Each number is a link to its panel (`api/opened.py`), which tells its address and lists the first complaints behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from zoneinfo import ZoneInfo

from api.opened import OPENED_STYLE, Told, anchor, both, panels, share
from projections.indicators.asking import AGES
from projections.indicators.plots import HOURS, STAGES, Drawn, Number

WIDTH, HEIGHT = 640, 260
LEFT, BOTTOM, TOP = 46, 34, 14

STAGE_LABELS = {
    "received": ("受理", "Received"),
    "first-replied": ("首次回复", "First reply"),
    "assigned": ("分配", "Assigned"),
    "resolved": ("处理完毕", "Resolved"),
    "replied": ("告知结果", "Result told"),
    "ended": ("办结", "Ended"),
}
WEEKDAYS = (("一", "Mon"), ("二", "Tue"), ("三", "Wed"), ("四", "Thu"), ("五", "Fri"), ("六", "Sat"), ("日", "Sun"))

AGE_LABELS = ["> 60" if age == AGES[-1] else age.replace("-", "–") for age in AGES]

STYLE = """
:root { color-scheme: light; --ink: #1c2733; --soft: #6b7a89; --line: #dde4ea; --a: #0b6e99; --b: #d1662f; --c: #3c8d5a; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f6f8; color: var(--ink); font: 15px/1.5 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei",
  system-ui, sans-serif; }
header, main, footer { max-width: 1380px; margin: 0 auto; padding: 20px 28px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 0 0 8px; }
p { margin: 0; color: var(--soft); }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(560px, 1fr)); gap: 18px; padding-top: 0; }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 16px 18px; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 12px; fill: var(--ink); }
svg .soft { fill: var(--soft); } svg .grid { stroke: var(--line); }
.en { display: none; } #en:checked ~ * .en { display: inline; } #en:checked ~ * .zh { display: none; }
#en { position: absolute; right: 30px; top: 26px; } #en + label { position: absolute; right: 52px; top: 22px; color: var(--soft); }
"""


def page(drawn: Drawn) -> str:
    """The whole page. The check box switches between Chinese and English, without a script."""
    of_book = f" --book {escape(drawn.book)}"
    days = f"{drawn.period.begins_on} – {drawn.period.ends_on}"
    judged = f"{drawn.now.astimezone(ZoneInfo(drawn.zone)):%Y-%m-%d %H:%M}"
    return (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>投诉报告 Complaint report: {escape(drawn.book)}</title><style>{STYLE}{OPENED_STYLE}</style></head><body>"
        '<input type="checkbox" id="en"><label for="en">English</label>'
        f"<header><h1>{both('投诉报告', 'Complaint report')}: {escape(drawn.book)}</h1>"
        f"<p>{days} · {both('截至位置', 'as known at position')} {drawn.position:,} · "
        f"{both('判定时刻', 'judged at')} {judged} ({escape(drawn.zone)})</p></header><main>"
        + "".join(_sections(drawn))
        + f"</main><aside>{''.join(panels(drawn, _told(drawn)))}</aside>"
        + f"<footer><p>{both('点击任一数字即可打开', 'Every number opens at a click')}: "
        f"complaint-ledger indicators --json{of_book} --as-of {drawn.position}, "
        f"complaint-ledger report drill{of_book} ADDRESS</p></footer></body></html>"
    )


def _sections(drawn: Drawn) -> Iterator[str]:
    months = _months(drawn)
    lines = [
        ("var(--a)", "及时率", "Timeliness", drawn.timeliness),
        ("var(--b)", "24小时首次回复率", "First reply in 24 h", drawn.first_reply),
    ]
    yield _section("及时率（按月）", "Compliance over time", _over_time(months, lines))
    yield _section("投诉量（按月）", "Complaints received", _columns(months, drawn.received))
    yield _section("在办投诉账龄（天）", "Backlog by age, in days", _columns(AGE_LABELS, drawn.ages))
    yield _section("投诉原因", "Causes found", _bars(drawn.causes))
    yield _section("受理时段（星期 × 小时）", "When complaints come: weekday and hour", _heat(drawn.heat))
    yield _section("处理阶段", "How far complaints got", _bars(_stages(drawn), of=drawn.stages[0].cases))


def _told(drawn: Drawn) -> Iterator[Told]:
    """Every number that is drawn, as its panel tells it."""
    series = (drawn.timeliness, drawn.first_reply, drawn.received)
    for month, timeliness, first_reply, received in zip(_months(drawn), *series, strict=True):
        if timeliness.value is not None:
            yield Told(timeliness, f"及时率 {month}", f"Timeliness {month}", share(timeliness.value))
        if first_reply.value is not None:
            yield Told(
                first_reply, f"24小时首次回复率 {month}", f"First reply in 24 h {month}", share(first_reply.value)
            )
        yield Told(received, f"投诉量 {month}", f"Complaints received {month}", f"{received.cases:,}")
    for age, number in zip(AGE_LABELS, drawn.ages, strict=True):
        yield Told(number, f"在办 {age} 天", f"Open for {age} days", f"{number.cases:,}")
    for zh, en, number in drawn.causes:
        yield Told(number, f"原因：{zh}", f"Cause: {en}", f"{number.cases:,}")
    for (weekday, hour), number in drawn.heat.items():
        zh, en = WEEKDAYS[weekday - 1]
        yield Told(
            number, f"星期{zh} {hour} 时受理", f"Received {en}, {hour:02}:00 to {hour:02}:59", f"{number.cases:,}"
        )
    for zh, en, number in _stages(drawn):
        yield Told(number, f"阶段：{zh}", f"Stage: {en}", f"{number.cases:,}")


def _months(drawn: Drawn) -> list[str]:
    return [f"{month.begins_on:%y-%m}" for month in drawn.months]


def _stages(drawn: Drawn) -> list[tuple[str, str, Number]]:
    return [(*STAGE_LABELS[name], number) for name, number in zip(STAGES, drawn.stages, strict=True)]


def _linked(number: Number, drawing: str) -> str:
    """A drawing that opens the panel of its number."""
    return f'<a href="#{anchor(number)}">{drawing}</a>'


def _section(zh: str, en: str, drawing: str) -> str:
    return f"<section><h2>{both(zh, en)}</h2>{drawing}</section>"


def _svg(height: int, parts: Iterator[str] | Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'


def _text(x: float, y: float, zh: str, en: str | None = None, at_its: str = "middle", kind: str = "") -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{at_its}" class="{kind}"'
    if en is None:
        return f"<text {at}>{escape(zh)}</text>"
    return f'<text {at}><tspan class="zh">{escape(zh)}</tspan><tspan class="en">{escape(en)}</tspan></text>'


def _over_time(months: Sequence[str], lines: Sequence[tuple[str, str, str, Sequence[Number]]]) -> str:
    known = [each.value for *_, numbers in lines for each in numbers if each.value is not None]
    low = min(0.9, *(int(value * 20) / 20 for value in known)) if known else 0.0
    marks = round((1 - low) * 20) if low >= 0.7 else 4  # every 5 points, or quarters of a longer way
    step = (WIDTH - LEFT - 24) / max(1, len(months) - 1)
    high = HEIGHT - TOP - BOTTOM

    def y(value: float) -> float:
        return TOP + high * (1 - (value - low) / (1 - low))

    parts = [
        _gridline(y(low + (1 - low) * part), f"{low + (1 - low) * part:.0%}")
        for part in (mark / marks for mark in range(marks + 1))
    ]
    parts += [_text(LEFT + step * place, HEIGHT - 14, month, kind="soft") for place, month in enumerate(months)]
    for line, (colour, zh, en, numbers) in enumerate(lines):
        points = [
            (LEFT + step * place, y(each.value), each, share(each.value))
            for place, each in enumerate(numbers)
            if each.value is not None
        ]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py, *_ in points)
        parts.append(f'<polyline points="{path}" fill="none" style="stroke:{colour}" stroke-width="2.5"/>')
        parts += [
            _linked(
                each,
                f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4" style="fill:{colour}"><title>{says}</title></circle>',
            )
            for px, py, each, says in points
        ]
        parts.append(
            f'<rect x="{LEFT + 10 + 190 * line}" y="{HEIGHT + 6}" width="12" height="12" style="fill:{colour}"/>'
        )
        parts.append(_text(LEFT + 28 + 190 * line, HEIGHT + 16, zh, en, "start"))
    return _svg(HEIGHT + 24, parts)


def _gridline(y: float, label: str) -> str:
    return f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>' + _text(
        LEFT - 6, y + 4, label, at_its="end", kind="soft"
    )


def _columns(labels: Sequence[str], numbers: Sequence[Number]) -> str:
    most = max([*(number.cases for number in numbers), 1])
    step = (WIDTH - LEFT) / len(labels)
    high = HEIGHT - TOP - BOTTOM - 8
    parts = []
    for place, (label, number) in enumerate(zip(labels, numbers, strict=True)):
        tall = high * number.cases / most
        x, y = LEFT + step * place, TOP + 8 + high - tall
        at = f'x="{x + step * 0.14:.1f}" y="{y:.1f}" width="{step * 0.72:.1f}" height="{tall:.1f}"'
        column = f'<rect {at} rx="2" style="fill:var(--a)"/>'
        parts.append(_linked(number, column + _text(x + step / 2, y - 4, f"{number.cases:,}")))
        parts.append(_text(x + step / 2, HEIGHT - 14, label, kind="soft"))
    return _svg(HEIGHT, parts)


def _bars(rows: Sequence[tuple[str, str, Number]], of: int | None = None) -> str:
    most = max([number.cases for *_, number in rows] + [1])
    labels = 250
    parts = []
    for place, (zh, en, number) in enumerate(rows):
        y, long = 8 + 26 * place, (WIDTH - labels - 130) * number.cases / most
        parts.append(_text(labels - 8, y + 14, zh, en, "end"))
        bar = f'<rect x="{labels}" y="{y}" width="{long:.1f}" height="18" rx="2" style="fill:var(--c)"/>'
        of_all = f" ({share(number.cases / of)})" if of else ""
        count = _text(labels + long + 6, y + 14, f"{number.cases:,}{of_all}", at_its="start")
        parts.append(_linked(number, bar + count))
    return _svg(26 * max(1, len(rows)) + 12, parts)


def _heat(heat: Mapping[tuple[int, int], Number]) -> str:
    most = max([*(number.cases for number in heat.values()), 1])
    wide, tall = (WIDTH - LEFT) / 24, 28
    parts = [_text(LEFT + wide * (hour + 0.5), 12, str(hour), kind="soft") for hour in range(0, 24, 2)]
    for day, (zh, en) in enumerate(WEEKDAYS, start=1):
        y = 18 + tall * (day - 1)
        parts.append(_text(LEFT - 8, y + 18, zh, en, "end"))
        for hour in HOURS:
            number = heat[day, hour]
            shade = f"rgba(11,110,153,{0.06 + 0.94 * number.cases / most:.3f})"
            at = f'x="{LEFT + wide * hour:.1f}" y="{y}" width="{wide - 2:.1f}" height="{tall - 2}"'
            cell = f'<rect {at} rx="2" style="fill:{shade}"><title>{number.cases:,}</title></rect>'
            parts.append(_linked(number, cell))
    return _svg(18 + tall * 7 + 6, parts)
