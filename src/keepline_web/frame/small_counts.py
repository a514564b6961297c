"""Counts so small that they tell of one person, and those beside them from which they could be worked out.

A count of 1 to 9 is not told to who sees figures of many only. Where the sum of a line is told too, the count left out
would be the sum less the others; so others of the line are left out with it, smallest first, until any of 1 to 9 fits
the count in question. Where the whole line is too small for that, its sum is left out. Nought tells of nobody.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

LEAST = 10
SMALL = f"<{LEAST}"  # how a small count is written
BESIDE = "--"  # and one left out for its sake
Cell = TypeVar("Cell", bound=Hashable)


def small(count: int) -> bool:
    return 0 < count < LEAST


def left_out(counts: Mapping[Cell, int], lines: Iterable[Iterable[Cell]] | None = None) -> set[Cell]:
    """The cells not to be told, where the sum of each of ``lines`` is; all cells are one line when none is said.

    Of a table give its rows and its columns. Whatever is told of a cell (money, a share) is left out with its count.
    """
    out = {cell for cell, count in counts.items() if small(count)}
    told = [list(line) for line in lines] if lines is not None else [list(counts)]
    while more := next((cell for line in told if (cell := _next(line, counts, out)) is not None), None):
        out.add(more)
    return out


def _next(line: list[Cell], counts: Mapping[Cell, int], out: set[Cell]) -> Cell | None:
    """The smallest cell of the line to leave out next, when a small one could still be worked out from its sum."""
    if _safe(counts[cell] for cell in line if cell in out):
        return None
    free = [cell for cell in line if cell not in out and counts[cell]]
    return min(free, key=lambda cell: (counts[cell], str(cell)), default=None)


def _safe(hidden: Iterable[int]) -> bool:
    """Whether others left out could be so much lower, and still be ten or more, that any small count could be nine."""
    them = list(hidden)
    return not them or (len(them) > 1 and sum(count - LEAST for count in them if not small(count)) >= LEAST)


def told(counts: Mapping[Cell, int], lines: Iterable[Iterable[Cell]] | None = None) -> dict[Cell, int | str]:
    """The counts as they are written: a number, ``<10``, or ``--`` for one left out beside it."""
    out = left_out(counts, lines)
    return {cell: (SMALL if small(count) else BESIDE) if cell in out else count for cell, count in counts.items()}


def told_sum(counts: Iterable[int]) -> int | str:
    """The sum of a line as it is written; left out when it is small, or when the line is too small to hide one in."""
    them = list(counts)
    if small(sum(them)):
        return SMALL
    return sum(them) if not any(map(small, them)) or _safe(them) else BESIDE
