"""Where a stranger's file keeps its table: which sheet of a workbook, and which row bears the names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepline.errors import IntakeError
from keepline.lake.mapping import Bounds, Source
from keepline.lake.opening import look
from keepline.lake.readers import filled_sheets, reader

ROWS_TRIED = 10  # titles above a table seldom take more
TITLE = 0.5  # of the fullest row: a row with no more cells is a title
ROWS_WEIGHED = 50  # of each sheet


@dataclass(frozen=True)
class Layout:
    """How to read the file, and the sheets that are left aside."""

    source: Source
    other_sheets: tuple[str, ...] = ()


def layout(file: Path) -> Layout:
    """The widest sheet, the first of several; the first row that is more than a title."""
    opened = look(file, Source(), Bounds())
    filled = filled_sheets(opened, Source()) if opened.kind == "excel" else {}
    sheets = sorted(filled, key=lambda name: -_width(filled[name]))
    source = Source(sheet=sheets[0]) if len(sheets) > 1 else Source()
    if opened.kind == "parquet":
        return Layout(source)
    return Layout(source.model_copy(update={"header_row": _header_row(file, source)}), tuple(sheets[1:]))


def _width(rows: list[list[Any]]) -> int:
    """Cells of the fullest row: a page of explanations is narrow, a table is wide."""
    return max(len([cell for cell in row if cell != ""]) for row in rows[:ROWS_WEIGHED])


def _header_row(file: Path, source: Source) -> int:
    names = _names(file, source, 1)
    if len(names) > 1 and all(names):
        return 1
    full = []
    for row in range(1, ROWS_TRIED + 1):
        try:
            full.append(sum(map(bool, _names(file, source, row))))
        except IntakeError:  # the file ends here
            break
    most = max(full, default=0)
    return next((row for row, names in enumerate(full, start=1) if names > TITLE * most), 1)


def _names(file: Path, source: Source, row: int) -> list[str]:
    at = source.model_copy(update={"header_row": row})
    return [name.strip() for name in reader(look(file, at, Bounds()), at, Bounds()).header]
