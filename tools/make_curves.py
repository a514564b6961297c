"""Draws what docs/benchmarks.md says of scale as docs/scale-cpu.svg and docs/scale-memory.svg, both axes logarithmic.

usage: tools/make_curves.py      after make bench ONLY="scale scale_features scale_nation"
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from make_benchmarks import known

DOCS = Path(__file__).parents[1] / "docs"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 990, 480, 70, 380, 40, 50
COLOURS = {
    "keepline: a whole month closed · 整月关账": "#0b5cad",
    "the same, two threads · 两线程": "#00a3a3",
    "keepline, rebuilt": "#2a8f4f",
    "keepline, rolled": "#7fbf3f",
    "Polars, whole": "#c0392b",
    "Polars, streaming": "#e67e22",
    "Polars, by chunks": "#b8860b",
    "pandas": "#7d3c98",
    "DuckDB, one query": "#555555",
}
MONTH, ON_TWO = list(COLOURS)[:2]
RUNS = {"closed": MONTH, "closed, two threads": ON_TWO}
WORDS = {
    "keepline, rebuilt": "keepline: features rebuilt · 特征重建",
    "keepline, rolled": "keepline: rolled · 逐月滚动",
    "DuckDB, one query": "DuckDB, one query · 单条查询",
    "Polars, whole": "Polars, whole · 整体",
    "Polars, streaming": "Polars, streaming · 流式",
    "Polars, by chunks": "Polars, by chunks · 分块",
}
AHEAD = (100e6, 170e6, 400e6)
NATION = re.compile(r"^([\d,]+) simulated customers, threads: (\d)\.\n\n\|.*\n\|.*\n\| (.*) \|$", re.MULTILINE)
BY_THREADS = {"1": MONTH, "2": ON_TWO}
OF_NATION = {0: 0, 5: 4}  # the columns of the months' table in the nation's
ROW = re.compile(r"^\| ([\d,]+) \| ([^|]+) \|(.*)\|$", re.MULTILINE)


@dataclass
class Series:
    """What was measured of one of us by size, and where it was stopped."""

    points: list[tuple[float, float]] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)


def series(column: int, of_month: int) -> dict[str, Series]:
    """By name, from the tables of the page; ``column`` of the features' table, ``of_month`` of the months'."""
    found = {name: Series() for name in COLOURS}
    sections = known()
    for customers, name, cells in rows(sections["scale_features"]):
        if name in found:
            said = cells[column]
            if said:
                found[name].points.append((customers, float(said)))
            else:
                found[name].stopped.append(customers)
    for customers, name, cells in rows(sections["scale"]):
        if name in RUNS:
            found[RUNS[name]].points.append((customers, float(cells[of_month])))
    for customers, threads, cells in NATION.findall(sections["scale_nation"]):
        cost = float(cells.split(" | ")[OF_NATION[of_month]])
        found[BY_THREADS[threads]].points.append((number(customers), cost))
    return {name: made for name, made in found.items() if made.points}


def rows(section: str) -> Iterator[tuple[float, str, list[str]]]:
    for customers, name, rest in ROW.findall(section):
        yield number(customers), name.strip(), [cell.strip() for cell in rest.split("|")]


def number(said: str) -> float:
    return float(said.replace(",", ""))


@dataclass
class Axes:
    """From customers and cost to places on the picture."""

    x: tuple[float, float]
    y: tuple[float, float]

    def place(self, customers: float, cost: float) -> tuple[float, float]:
        across = _share(customers, self.x) * (WIDTH - LEFT - RIGHT)
        up = _share(cost, self.y) * (HEIGHT - TOP - BOTTOM)
        return LEFT + across, HEIGHT - BOTTOM - up


def _share(value: float, ends: tuple[float, float]) -> float:
    low, high = map(math.log10, ends)
    return (math.log10(value) - low) / (high - low)


def draw(title: str, unit: str, made: dict[str, Series], *, ahead: bool, limit: float | None = None) -> str:
    every = [point for each in made.values() for point in each.points]
    beyond = projected(made[MONTH].points) if ahead and MONTH in made else []
    costs = [cost for _, cost in [*every, *beyond]] + ([limit] if limit else [])
    sizes = [size for size, _ in [*every, *beyond]]
    axes = Axes(x=(_floor(min(sizes)), _ceiling(max(sizes))), y=(_floor(min(costs)), _ceiling(max(costs))))
    parts = [*_frame(axes, title=title, unit=unit), *_lines(axes, made)]
    if beyond:
        parts += _dashed(axes, [made[MONTH].points[-1], *beyond], COLOURS[MONTH])
        parts.append(_text(LEFT + 8, TOP + 16, "dashed: projected, not measured · 虚线为推算", "start"))
    if limit:
        parts += _dashed(axes, [(axes.x[0], limit), (axes.x[1], limit)], "#999999")
        across, up = axes.place(axes.x[0], limit)
        parts.append(_text(across + 8, up - 6, f"asked: at most {limit:,.0f} {unit} · 要求不超过", "start"))
    body = "\n".join(parts)
    style = "font-family: sans-serif; font-size: 12px"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" style="{style}">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def projected(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The straight line through the least and the greatest size, further on."""
    (small, first), (large, last) = min(points), max(points)
    if small == large:
        return []
    slope = (last - first) / (large - small)
    return [(size, last + slope * (size - large)) for size in AHEAD]


def _floor(value: float) -> float:
    return float(10 ** math.floor(math.log10(value)))


def _ceiling(value: float) -> float:
    return float(10 ** math.ceil(math.log10(value)))


def _frame(axes: Axes, *, title: str, unit: str) -> Iterator[str]:
    yield _text(LEFT, 22, f"{title} (simulated · 模拟数据)", "start")
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "customers · 客户数", "middle")
    for power in range(round(math.log10(axes.x[0])), round(math.log10(axes.x[1])) + 1):
        across, _ = axes.place(10**power, axes.y[0])
        yield _stroke([(across, TOP), (across, HEIGHT - BOTTOM)], "#e4e4e4")
        yield _text(across, HEIGHT - BOTTOM + 18, f"{10**power:,}", "middle")
    for power in range(round(math.log10(axes.y[0])), round(math.log10(axes.y[1])) + 1):
        _, up = axes.place(axes.x[0], 10**power)
        yield _stroke([(LEFT, up), (WIDTH - RIGHT, up)], "#e4e4e4")
        yield _text(LEFT - 6, up + 4, f"{10.0**power:,g}", "end")
    yield _text(LEFT - 6, TOP - 8, unit, "end")


def _lines(axes: Axes, made: dict[str, Series]) -> Iterator[str]:
    for number, (name, each) in enumerate(made.items()):
        colour, points = COLOURS[name], [axes.place(*point) for point in sorted(each.points)]
        yield _stroke(points, colour, width=2)
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        down = TOP + 20 * number
        stopped = f", stopped at 停于 {min(each.stopped):,.0f}" if each.stopped else ""
        yield _stroke([(WIDTH - RIGHT + 12, down), (WIDTH - RIGHT + 32, down)], colour, width=2)
        yield _text(WIDTH - RIGHT + 38, down + 4, WORDS.get(name, name) + stopped, "start")


def _dashed(axes: Axes, points: list[tuple[float, float]], colour: str) -> list[str]:
    return [_stroke([axes.place(*point) for point in points], colour, width=2, dashed=' stroke-dasharray="5 4"')]


def _stroke(points: list[tuple[float, float]], colour: str, *, width: int = 1, dashed: str = "") -> str:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}/>'


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222222">{said}</text>'


def main() -> None:
    cpu = draw("Processor time · 处理器时间", "CPU s", series(0, 0), ahead=True)
    memory = draw("Peak memory · 内存峰值", "MB", series(3, 5), ahead=False, limit=4096)
    (DOCS / "scale-cpu.svg").write_text(cpu, encoding="utf-8")
    (DOCS / "scale-memory.svg").write_text(memory, encoding="utf-8")


if __name__ == "__main__":
    main()
