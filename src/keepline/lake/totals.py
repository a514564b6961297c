"""Sums that a file states of itself: the total row at its end, and columns that must add up in every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from keepline.lake.convert import Theirs
from keepline.lake.readers import Odd
from keepline.lake.values import Unfit, number

TOLERANCE = 0.011  # in the file's own unit: a total is rounded once, its rows too
RELATIVE = 1e-9


class Totals:
    """Sums of the number columns that the mapping reads, and the total row they must fit."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = list(header)
        self._sums: dict[int, float] = {}
        self.row: Odd | None = None

    def add(self, sums: dict[int, float]) -> None:
        for index, value in sums.items():
            self._sums[index] = self._sums.get(index, 0.0) + value

    def replace(self, row: Odd | None) -> Odd | None:
        """Take a new candidate; return the one it replaces."""
        former, self.row = self.row, row
        return former

    def misfits(self) -> list[str]:
        """Columns whose total does not fit, each as ``name: said, found``."""
        if self.row is None:
            return []
        found = []
        for index, total in sorted(self._sums.items()):
            cell = self.row.fields[index].strip() if index < len(self.row.fields) else ""
            if cell and not _fits(cell, total):
                found.append(f"{self._header[index]}: {cell} ≠ {total:.2f}")
        return found


def _fits(cell: str, total: float) -> bool:
    try:
        said, _ = number(cell)
    except Unfit:
        return False
    return abs(said - total) <= TOLERANCE + RELATIVE * abs(total)


def adds_up(theirs: Theirs) -> None:
    """Mark the rows whose stated total is not the sum of its items, as the mapping asks."""
    for asked in theirs.mapping.adds_up:
        total = theirs.number(theirs.header.need([asked.total])).values
        items = [theirs.number(theirs.header.need([name])).values for name in asked.items]
        known = total.is_valid().to_numpy(zero_copy_only=False)
        found = np.sum([pc.fill_null(item, 0.0).to_numpy(zero_copy_only=False) for item in items], axis=0)
        apart = np.abs(pc.fill_null(total, 0.0).to_numpy(zero_copy_only=False) - found)
        for position in np.flatnonzero(known & (apart > asked.tolerance + 1e-9)).tolist():
            theirs.bad.setdefault(position, (asked.total, "total_not_items"))
