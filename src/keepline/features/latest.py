"""Of tables whose latest row counts, those latest rows, carried from month to month as bills and use are.

An operator who delivers everybody every month would else have every month since the first read again. A table is
*rolled* from the latest rows of the month before and the month's own file, or *gathered* from all months, with the same
rows either way. Where all months before hold little more than one of them, as where changes alone are delivered,
nothing is carried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq
from sqlglot import exp

from keepline.canonical import text_hash
from keepline.engine import ID_SPACE, Engine, Files, Range, Scan, pieces
from keepline.features.stage import Stage, declared, load
from keepline.kept import Content
from keepline.lake.store import Lake, LakeFile
from keepline.periods import Month
from keepline.tables import LATEST, TABLES, Table

TIMES = 2  # the rows of its greatest month, beyond which reading them is dearer than carrying the latest of them
AT_ONCE = 1_000_000  # rows gathered at once


@dataclass(frozen=True)
class Latest:
    """The latest rows of one table at a snapshot, not yet computed."""

    lake: Lake
    snapshot: Month
    of: str  # the lake's table

    @property
    def table(self) -> Table:
        return LATEST[self.of]

    def gather(self, engine: Engine, *, only: Range, to: Path) -> int:
        """Write them for one range from all months; return the rows."""

        def see(piece: Range) -> None:
            engine.see(self.of, self.lake.scan(self.of, self.snapshot), piece)

        of = self._pieces(only, self.lake.rows(self.of) * (only.high - only.low) / ID_SPACE)
        return engine.write_pieces(self._query, self.table, to, see=see, of=of)

    def roll(self, engine: Engine, *, was: Path, only: Range, to: Path) -> int:
        """Write them for one range from those of the month before, which lie in ``was``; return the rows."""
        now = self.lake.scan(self.of, self.snapshot, months=1)
        both = Scan(TABLES[self.of], (*now.files, Files((was,), 1)))

        def see(piece: Range) -> None:
            engine.see(self.of, both, piece)

        rows = sum(file.rows for file in self.lake.versions(self.snapshot) if self._is_now(file))
        of = self._pieces(only, rows * (only.high - only.low) / ID_SPACE + pq.read_metadata(was).num_rows)
        return engine.write_pieces(self._query, self.table, to, see=see, of=of)

    def _is_now(self, file: LakeFile) -> bool:
        return (file.table, file.month) == (self.of, str(self.snapshot))

    def _pieces(self, only: Range, rows: float) -> list[Range]:
        return pieces(only, max(1, round(rows / AT_ONCE)))

    def way(self, was: Content) -> Callable[..., int] | None:
        """How they come from those of a month ago, made from ``was``: rolled, unless a month of then is another since,
        as nobody can tell whose row was the latest before."""
        before = {(month, content) for month, content in self.content[self.of] if Month.parse(month) < self.snapshot}
        return self.roll if before == {(month, content) for month, content in was[self.of]} else None

    @cached_property
    def content(self) -> Content:
        """Month and hash of every file that they are made from."""
        return {self.of: self.lake.content(self.of, self.snapshot)}

    @cached_property
    def made_by(self) -> str:
        """Hash of the query; what these are rolled from was made by the same."""
        return text_hash([self._query.sql("duckdb"), declared(self.table)])

    @cached_property
    def made_from(self) -> str:
        """Hash of all that they hang on: the files of all months and the query. Equal hash, equal rows."""
        return text_hash([self.content, self.made_by])

    @cached_property
    def _query(self) -> exp.Query:
        return load(self.table.name).query


def latest_of(lake: Lake, snapshot: Month, tables: Iterable[str]) -> list[Latest]:
    """Those of some tables whose latest rows are worth carrying to a snapshot."""
    return [Latest(lake, snapshot, of) for of in tables if of in LATEST and _is_long(lake, snapshot, of)]


def _is_long(lake: Lake, snapshot: Month, of: str) -> bool:
    before: Counter[str] = Counter()
    for file in lake.versions(snapshot):
        if file.table == of and Month.parse(file.month) < snapshot:
            before[file.month] += file.rows
    return before.total() > TIMES * max(before.values(), default=0)


def sql_models() -> list[Stage]:
    return [Stage(load(table.name), {}) for table in LATEST.values()]
