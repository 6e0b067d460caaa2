"""Draws the report as one self-contained page: SVG and a few lines of style, no script and no network. Computes no figure."""

from collections.abc import Iterator, Sequence
from html import escape
from zoneinfo import ZoneInfo

from projections.indicators.plots import AGES, STAGES, Drawn

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
        f"<title>投诉报告 Complaint report: {escape(drawn.book)}</title><style>{STYLE}</style></head><body>"
        '<input type="checkbox" id="en"><label for="en">English</label>'
        f"<header><h1>{_both('投诉报告', 'Complaint report')}: {escape(drawn.book)}</h1>"
        f"<p>{days} · {_both('截至位置', 'as known at position')} {drawn.position:,} · "
        f"{_both('判定时刻', 'judged at')} {judged} ({escape(drawn.zone)})</p></header><main>"
        + "".join(_sections(drawn))
        + f"</main><footer><p>{_both('每个数字都可打开', 'Every number opens')}: "
        f"complaint-ledger indicators --json{of_book} --as-of {drawn.position}, "
        f"complaint-ledger report drill{of_book} ADDRESS</p></footer></body></html>"
    )


def _sections(drawn: Drawn) -> Iterator[str]:
    months = [f"{month.begins_on:%y-%m}" for month in drawn.months]
    lines = [
        ("var(--a)", "及时率", "Timeliness", drawn.timeliness),
        ("var(--b)", "24小时首次回复率", "First reply in 24 h", drawn.first_reply),
    ]
    yield _section("及时率（按月）", "Compliance over time", _over_time(months, lines))
    yield _section("投诉量（按月）", "Complaints received", _columns(months, drawn.received))
    yield _section("在办投诉账龄（天）", "Backlog by age, in days", _columns(list(AGES), drawn.ages))
    yield _section("投诉原因", "Causes found", _bars(drawn.causes))
    yield _section("受理时段（星期 × 小时）", "When complaints come: weekday and hour", _heat(drawn.heat))
    stages = [(*STAGE_LABELS[name], count) for name, count in zip(STAGES, drawn.stages, strict=True)]
    yield _section("处理阶段", "How far complaints got", _bars(stages, of=drawn.stages[0]))


def _section(zh: str, en: str, drawing: str) -> str:
    return f"<section><h2>{_both(zh, en)}</h2>{drawing}</section>"


def _both(zh: str, en: str) -> str:
    return f'<span class="zh">{escape(zh)}</span><span class="en">{escape(en)}</span>'


def _svg(height: int, parts: Iterator[str] | Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'


def _text(x: float, y: float, zh: str, en: str | None = None, anchor: str = "middle", kind: str = "") -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"'
    if en is None:
        return f"<text {at}>{escape(zh)}</text>"
    return f'<text {at}><tspan class="zh">{escape(zh)}</tspan><tspan class="en">{escape(en)}</tspan></text>'


def _over_time(months: Sequence[str], lines: Sequence[tuple[str, str, str, Sequence[float | None]]]) -> str:
    known = [value for *_, values in lines for value in values if value is not None]
    low = min(0.9, *(int(value * 20) / 20 for value in known)) if known else 0.0
    marks = round((1 - low) * 20) if low >= 0.7 else 4  # every 5 points, or quarters of a longer way
    step = (WIDTH - LEFT - 24) / max(1, len(months) - 1)
    high = HEIGHT - TOP - BOTTOM

    def y(value: float) -> float:
        return TOP + high * (1 - (value - low) / (1 - low))

    parts = [
        _gridline(y(low + (1 - low) * share), f"{low + (1 - low) * share:.0%}")
        for share in (mark / marks for mark in range(marks + 1))
    ]
    parts += [_text(LEFT + step * place, HEIGHT - 14, month, kind="soft") for place, month in enumerate(months)]
    for number, (colour, zh, en, values) in enumerate(lines):
        points = [(LEFT + step * place, y(value)) for place, value in enumerate(values) if value is not None]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{path}" fill="none" style="stroke:{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" style="fill:{colour}"/>' for px, py in points]
        parts.append(
            f'<rect x="{LEFT + 10 + 190 * number}" y="{HEIGHT + 6}" width="12" height="12" style="fill:{colour}"/>'
        )
        parts.append(_text(LEFT + 28 + 190 * number, HEIGHT + 16, zh, en, "start"))
    return _svg(HEIGHT + 24, parts)


def _gridline(y: float, label: str) -> str:
    return f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>' + _text(
        LEFT - 6, y + 4, label, anchor="end", kind="soft"
    )


def _columns(labels: Sequence[str], counts: Sequence[int]) -> str:
    most = max([*counts, 1])
    step = (WIDTH - LEFT) / len(labels)
    high = HEIGHT - TOP - BOTTOM - 8
    parts = []
    for place, (label, count) in enumerate(zip(labels, counts, strict=True)):
        tall = high * count / most
        x, y = LEFT + step * place, TOP + 8 + high - tall
        parts.append(
            f'<rect x="{x + step * 0.14:.1f}" y="{y:.1f}" width="{step * 0.72:.1f}" height="{tall:.1f}" rx="2" style="fill:var(--a)"/>'
        )
        parts.append(_text(x + step / 2, y - 4, f"{count:,}"))
        parts.append(_text(x + step / 2, HEIGHT - 14, label, kind="soft"))
    return _svg(HEIGHT, parts)


def _bars(rows: Sequence[tuple[str, str, int]], of: int | None = None) -> str:
    most = max([count for *_, count in rows] + [1])
    labels = 250
    parts = []
    for place, (zh, en, count) in enumerate(rows):
        y, long = 8 + 26 * place, (WIDTH - labels - 110) * count / most
        parts.append(_text(labels - 8, y + 14, zh, en, "end"))
        parts.append(f'<rect x="{labels}" y="{y}" width="{long:.1f}" height="18" rx="2" style="fill:var(--c)"/>')
        share = f" ({count / of:.0%})" if of else ""
        parts.append(_text(labels + long + 6, y + 14, f"{count:,}{share}", anchor="start"))
    return _svg(26 * max(1, len(rows)) + 12, parts)


def _heat(heat: dict[tuple[int, int], int]) -> str:
    most = max([*heat.values(), 1])
    wide, tall = (WIDTH - LEFT) / 24, 28
    parts = [_text(LEFT + wide * (hour + 0.5), 12, str(hour), kind="soft") for hour in range(0, 24, 2)]
    for day, (zh, en) in enumerate(WEEKDAYS, start=1):
        y = 18 + tall * (day - 1)
        parts.append(_text(LEFT - 8, y + 18, zh, en, "end"))
        for hour in range(24):
            count = heat.get((day, hour), 0)
            shade = f"rgba(11,110,153,{0.06 + 0.94 * count / most:.3f})"
            at = f'x="{LEFT + wide * hour:.1f}" y="{y}" width="{wide - 2:.1f}" height="{tall - 2}"'
            parts.append(f'<rect {at} rx="2" style="fill:{shade}"><title>{count:,}</title></rect>')
    return _svg(18 + tall * 7 + 6, parts)
