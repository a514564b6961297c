"""Part files of a published table and the customers that each holds: a range reads those of its own customers alone.

A month may be cut otherwise than the next one, so what a part holds is read from the file's own statistics.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from keepline.engine import Range
from keepline.jsonfile import damaged


@dataclass(frozen=True)
class Placed:
    """Parts with what each holds; empty ones are left out."""

    parts: tuple[tuple[Path, Range], ...]

    def of(self, only: Range) -> tuple[Path, ...]:
        """The parts that may hold customers of a range: were each range to read all, ranges would cost their square."""
        return tuple(path for path, held in self.parts if held.low < only.high and only.low < held.high)


NOTHING = Placed(())


def footer_of(path: Path) -> pq.FileMetaData:
    """A part's own account of itself, or the refusal of one that lost its end, as a copy cut short has."""
    try:
        return pq.read_metadata(path)
    except pa.ArrowException as error:
        raise damaged(path, "its end is missing", "文件尾部缺失") from error


def placed(paths: Iterable[Path]) -> Placed:
    """What each part holds, from the least to the greatest customer its footer names."""
    found = []
    for number, path in enumerate(paths):
        footer = footer_of(path)
        place = footer.schema.names.index("customer_id")
        ends = [footer.row_group(i).column(place).statistics for i in range(footer.num_row_groups)]
        if ends and footer.num_rows:
            found.append((path, Range(number, min(end.min for end in ends), max(end.max for end in ends) + 1)))
    return Placed(tuple(found))
