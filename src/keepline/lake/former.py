"""Who had a number before: customers opened anew (二次放号), and lines that change hands without being opened anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from keepline.lake.convert import ROW
from keepline.lake.pieces import MANY, Filters, lay, pieces_of, read_those
from keepline.lake.shelf import Shelf
from keepline.lake.store import LakeFile
from keepline.periods import Month

LOOK_BACK = 12  # files of earlier months searched for the former owner of a number
FACTS = {"customers": ("customer_id", "joined_on"), "lines": ("line_id", "customer_id")}  # whose, and what is compared
LAID = "former.parquet"


@dataclass
class Former:
    """What the months before one staged month knew of its keys, the newest asked first.

    That one knows nearly all of them. Those it does not are asked for together, as older months are read whole for
    however few.
    """

    table: str
    before: list[tuple[LakeFile, Path]]  # newest first
    asked: int  # rows that will be asked for
    folder: Path
    _rest: list[pa.Table] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key, self.fact = FACTS[self.table]
        if self.before and self.table == "lines" and pieces_of(self.asked) > MANY:
            f, path = self.before[0]  # lies by customer, and is asked for many ranges of lines
            self.before[0] = f, lay(path, self.key, to=self.folder / LAID, columns=[self.key, self.fact])

    def marked(self, rows: pa.Table, only: Filters) -> Iterator[pa.Array]:
        """Source rows of a piece, or of pieces before, that are not the customer's whom the number had before."""
        if not self.before or self.fact not in rows.schema.names:
            return
        names = [name for name in dict.fromkeys((self.key, self.fact, "started_on", ROW)) if name in rows.schema.names]
        found, rest = self._ask(self.before[0], rows.select(names), only)
        yield found
        self._rest.append(rest)
        if pieces_of(sum(each.num_rows for each in self._rest)) > 1:
            yield from self.at_last()

    def at_last(self) -> Iterator[pa.Array]:
        """Those of whom the newest month knew nothing."""
        rest = pa.concat_tables(self._rest) if self._rest else None
        self._rest.clear()
        for file in self.before[1:]:
            if rest is None or not rest.num_rows:
                return
            found, rest = self._ask(file, rest, None)
            yield found

    def _ask(self, file: tuple[LakeFile, Path], rows: pa.Table, only: Filters) -> tuple[pa.Array, pa.Table]:
        """Source rows marked by what one month knew, and the rows of which it knew nothing."""
        f, path = file
        old = read_those(path, [self.key, self.fact], rows, only).rename_columns([self.key, "was"])
        old = old.filter(pc.is_valid(old["was"]))
        known = pc.is_in(rows[self.key], old[self.key].combine_chunks())
        both = rows.filter(known).join(old, self.key, join_type="inner")
        moved = MARKS[self.table](both, pa.scalar(Month.parse(f.month).last_day, pa.date32()))
        return both.filter(pc.fill_null(moved, False))[ROW].combine_chunks(), rows.filter(pc.invert(known))


def _opened_anew(both: pa.Table, known_on: pa.Scalar) -> pa.ChunkedArray:
    """Whether the customer was known before the day this one joined."""
    return pc.and_(pc.greater(both["joined_on"], known_on), pc.greater(both["joined_on"], both["was"]))


def _changed_hands(both: pa.Table, known_on: pa.Scalar) -> pa.ChunkedArray:
    """Whether the line had another customer and was not opened since."""
    moved = pc.not_equal(both["customer_id"], both["was"])
    if "started_on" not in both.schema.names:
        return moved
    return pc.and_(moved, pc.invert(pc.fill_null(pc.greater(both["started_on"], known_on), False)))


MARKS: dict[str, Callable[[pa.Table, pa.Scalar], pa.ChunkedArray]] = {
    "customers": _opened_anew,
    "lines": _changed_hands,
}


def former_of(table: str, month: str, shelf: Shelf, *, rows: int) -> Former:
    """What the months before ``month`` know of the keys of so many rows."""
    before = [(f, path) for f, path in shelf.newest(table) if f.month < month][-LOOK_BACK:]
    return Former(table, before[::-1], rows, shelf.folder)
