"""Where a stranger's file keeps its table: which sheet of a workbook, and which row bears the names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keepline.errors import IntakeError
from keepline.lake.mapping import Bounds, Source
from keepline.lake.opening import look
from keepline.lake.readers import filled_sheets, reader

ROWS_TRIED = 10  # titles above a table seldom take more
NEARLY_ALL = 0.8  # of the fullest row: a row with as many names is the header


@dataclass(frozen=True)
class Layout:
    """How to read the file, and the sheets that are left aside."""

    source: Source
    other_sheets: tuple[str, ...] = ()


def layout(file: Path) -> Layout:
    """The first sheet with rows; the first row that is nearly as full as any near the top."""
    opened = look(file, Source(), Bounds())
    sheets = list(filled_sheets(opened, Source())) if opened.kind == "excel" else []
    source = Source(sheet=sheets[0]) if len(sheets) > 1 else Source()
    if opened.kind == "parquet":
        return Layout(source)
    return Layout(source.model_copy(update={"header_row": _header_row(file, source)}), tuple(sheets[1:]))


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
    return next((row for row, names in enumerate(full, start=1) if names >= NEARLY_ALL * most), 1)


def _names(file: Path, source: Source, row: int) -> list[str]:
    at = source.model_copy(update={"header_row": row})
    return [name.strip() for name in reader(look(file, at, Bounds()), at, Bounds()).header]
