"""`scripts/bench`: measures each line in turn and prints ours, the other side and the ratio. Takes no figure itself."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime

from measuring import Figures, Line, Unavailable, measured
from peers import PEERS
from place import Place, opened
from rich.console import Console
from rich.table import Table

SETTINGS_SHOWN = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "wal_sync_method",
)
PARTS = ("append", "load", "projections", "verify", "questions", "http", "import", "deadlines", "sla", "growth")


def main() -> int:
    asked = _arguments()
    if asked.list:
        print("\n".join(PARTS))
        return 0
    told = Console(stderr=True, soft_wrap=True)
    rounds = asked.rounds or (2 if asked.quick else 5)
    found: list[Figures] = []
    left_out: list[dict[str, str]] = []
    with opened(0.5 if asked.quick else 6.0, quick=asked.quick) as place:
        settings = _settings(place)
        if not asked.json:
            told.print(", ".join(f"{name} {value}" for name, value in settings.items()), highlight=False)
        for line in _chosen(place, asked.parts or PARTS):
            place.checkpoint()

            def told_round(done: int, of: int, line: Line = line) -> None:
                if told.is_terminal:
                    told.print(f"{line.name}, against {line.against}: round {done + 1} of {of}", highlight=False)

            try:
                found.append(measured(line, rounds, told_round))
            except Unavailable as why:
                left_out.append({"line": line.name, "against": line.against, "why": str(why)})
                told.print(f"left out: {line.name}, against {line.against}: {why}", highlight=False)
                continue
            told.print(_sentence(found[-1]), highlight=False)  # at once: a run that is cut short has told what it found
        growth = _growth(place, asked.parts)
    if asked.json:
        print(
            json.dumps(
                {
                    "settings": settings,
                    "lines": [each.document() for each in found],
                    "left_out": left_out,
                    "growth": growth,
                },
                indent=2,
            )
        )
    else:
        shown = Console(width=max(140, Console().width))
        if found:
            shown.print(_table(found))
        if growth:
            shown.print(_growth_table(growth))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures the ledger beside others, in one run.")
    parser.add_argument(
        "parts", nargs="*", metavar="NAME", choices=[*PARTS, []], help=f"only these: {', '.join(PARTS)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, two rounds: under two minutes, for a first look"
    )
    parser.add_argument("--rounds", type=int, help="how often both sides are measured in turn")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--list", action="store_true", help="list the parts")
    return parser.parse_args()


def _chosen(place: Place, parts: Iterable[str]) -> Iterable[Line]:
    """The lines of the parts, each part's module loaded when it is its turn."""
    for part in parts:
        match part:
            case "append":
                import appending

                lines = appending.lines(place)
            case "load" | "projections" | "verify" | "questions" | "import" | "deadlines":
                import reading

                lines = reading.lines(place, part)
            case "http":
                import serving

                lines = serving.lines(place)
            case "sla":
                import reporting

                lines = reporting.lines(place)
            case _:
                lines = []
        yield from lines if not place.quick else [line for line in lines if _is_quick(line)]


def _is_quick(line: Line) -> bool:
    """A quick run leaves out the peers that have to be installed."""
    return not any(line.against.startswith(peer.name) for peer in PEERS)


def _growth(place: Place, parts: list[str]) -> list[dict[str, object]]:
    if parts and "growth" not in parts:
        return []
    import growing

    return growing.measured(place)


def _settings(place: Place) -> dict[str, str]:
    with closing(place.connect("ledger")) as connection, connection.cursor() as cursor:
        shown = {}
        for name in SETTINGS_SHOWN:
            cursor.execute("SELECT current_setting(%s)", (name,))
            shown[name] = str(cursor.fetchone()[0])  # type: ignore[index]  # a setting has one row
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": str(os.cpu_count()),
        "machine": platform.machine(),
        **shown,
    }


def _sentence(figures: Figures) -> str:
    line = figures.line
    told = figures.document()
    return (
        f"{line.name}: {_shown(told['ours'])} {line.unit}, {line.against}: {_shown(told['theirs'])}; "
        f"ratio {figures.ratio:.2f} ({min(figures.ratios):.2f}–{max(figures.ratios):.2f})"
    )


def _growth_table(growth: list[dict[str, object]]) -> Table:
    """One row a figure, one column a size of the book, and how many times the last is the first."""
    table = Table(title="How costs grow with the book")
    table.add_column("figure")
    for row in growth:
        table.add_column(f"{row['events']:,} events", justify="right")
    table.add_column("last ÷ first", justify="right")
    for name in growth[0]:
        if name != "events":
            values = [float(str(row[name])) for row in growth]
            table.add_row(name, *(f"{value:,.2f}" for value in values), f"{values[-1] / values[0]:.2f}")
    return table


def _table(found: list[Figures]) -> Table:
    table = Table(title="Ratios above 1: ours is better; medians of the rounds, both sides in turn")
    for column in ("line", "against", "unit", "ours", "theirs", "ratio", "from", "to", "at least", "aim"):
        table.add_column(column, justify="left" if column in {"line", "against", "unit"} else "right")
    for each in found:
        d = each.document()
        table.add_row(
            each.line.name, each.line.against, each.line.unit, _shown(d["ours"]), _shown(d["theirs"]),
            *(f"{d[name]:.2f}" for name in ("ratio", "ratio_min", "ratio_max")),
            *("" if d[name] is None else f"{d[name]:g} ×" for name in ("at_least", "aim")),
        )  # fmt: skip
    return table


def _shown(figure: object) -> str:
    assert isinstance(figure, float | int)
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:,.2f}"


if __name__ == "__main__":
    sys.exit(main())
