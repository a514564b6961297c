"""What can only be judged once a file is read: keys that clash, months beyond the rest, customers nobody knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.lake.convert import FOLD, ROW
from keepline.lake.former import former_of
from keepline.lake.known import Known, known_to
from keepline.lake.mapping import Rules
from keepline.lake.merge import copies
from keepline.lake.pieces import MANY, READ_ROWS, Filters, lay, pieces_of, ranges, read_rows, read_those
from keepline.lake.refusals import refusal
from keepline.lake.shelf import Shelf
from keepline.lake.staging import ALWAYS, Stage
from keepline.periods import Month
from keepline.written import read_batches

MUST_BE_KNOWN = ("bills", "usage", "payments")
OF_ANOTHER = {"customers": "number_reassigned", "lines": "line_changes_owner"}  # what may have had another owner
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Late:
    """Source rows set aside after reading, with rule and column, and which of them wait for a customer."""

    rows: int
    rules: list[tuple[str, str]] = field(default_factory=lambda: [("", "")])
    of_row: np.ndarray[Any, np.dtype[np.uint8]] = field(init=False)

    def __post_init__(self) -> None:
        self.of_row = np.zeros(self.rows, dtype=np.uint8)

    def mark(self, rows: Ints | pa.Array, rule: str, column: str = "") -> None:
        """The first rule that a row breaks is the one it is told."""
        ordinals = np.asarray(rows, dtype=np.int64)
        if not ordinals.size:
            return
        if (rule, column) not in self.rules:
            self.rules.append((rule, column))
        fresh = ordinals[self.of_row[ordinals] == 0]
        self.of_row[fresh] = self.rules.index((rule, column))


@dataclass
class Judge:
    """Marks the rows of one file that cannot stay."""

    stages: Sequence[Stage]
    shelf: Shelf
    rules: Rules
    late: Late
    file: str

    def all(self) -> set[str]:
        """Judge everything; return the codes of what could not be checked."""
        self.months()
        unchecked: set[str] = set()
        known = known_to(self.stages, self.shelf)
        for stage in self.stages:
            for unit in stage.units():
                self.case(stage, unit)
                unchecked |= self.unit(stage, unit, known)
        self.left_long_ago(known)
        return unchecked

    def unit(self, stage: Stage, unit: tuple[str, ...], known: Known) -> set[str]:
        """What is asked of the rows of a month, or of all months, piece by piece."""
        unchecked, name = set[str](), stage.section.table.name
        asked = name in OF_ANOTHER and self.rules.reassigned != "accept"
        former = former_of(name, unit[0], self.shelf, rows=stage.rows[unit[0]]) if asked else None
        for rows, only in stage.buckets(unit):
            self.clashes(stage, rows, only)
            unchecked |= self.unknown(stage, rows, only, known=known)
            for found in former.marked(rows, only) if former else ():
                self.late.mark(found, OF_ANOTHER[name], _key_column(stage))
        for found in former.at_last() if former else ():
            self.late.mark(found, OF_ANOTHER[name], _key_column(stage))
        return unchecked

    def months(self) -> None:
        """Whole months that cannot be: beyond a gap, after the stated last one, before the opened history."""
        found = {month for stage in self.stages for month in stage.rows if month != ALWAYS}
        future = self._future(found)
        opened = min(self._months_of_lake(), default="")
        early = set()
        if self.shelf.closed and opened and self.rules.before_history == "set_aside":
            early = {month for month in found if month < opened}
        for stage in self.stages:
            for month in stage.rows:
                for rule, months in (("month_future", future), ("month_before_history", early)):
                    if month in months:
                        for batch in read_batches(pq.ParquetFile(stage.path(month)), READ_ROWS, [ROW]):
                            self.late.mark(batch.column(0), rule, _month_column(stage))

    def _months_of_lake(self) -> list[str]:
        return [f.month for f in self.shelf.lake.files if f.month != ALWAYS and f.rows]

    def _future(self, found: set[str]) -> set[str]:
        """Months behind a gap after the month most rows bear, or the last the lake knows."""
        if self.rules.last_month:
            return {month for month in found if month > self.rules.last_month}
        counts: Counter[str] = Counter()
        for stage in self.stages:
            counts.update({month: rows for month, rows in stage.rows.items() if month != ALWAYS})
        if not counts:
            return set()
        usual = max([max(counts, key=lambda month: (counts[month], month)), *self._months_of_lake()])
        later = sorted(month for month in found if month > usual)
        for before, month in pairwise([usual, *later]):
            if Month.parse(month) - Month.parse(before) > self.rules.month_gap_max:
                return {m for m in later if m >= month}
        return set()

    def clashes(self, stage: Stage, rows: pa.Table, only: Filters) -> None:
        """Keys that stand twice with different values."""
        table, section = stage.section.table, stage.section
        ordinals = rows[ROW].to_numpy()
        if not section.said.add_up:
            found = copies(rows, table, section.supplied)
            if table.name == "contact_details":
                twice = _numbers(rows.take(pa.array(found.clashing)))
                _no_collision(pa.concat_tables([twice, *_kept(rows, self.shelf, only)]), self.file)
            if not section.automatic:
                self.late.mark(ordinals[found.clashing], "duplicate_key", _key_column(stage))

    def case(self, stage: Stage, unit: tuple[str, ...]) -> None:
        """Numbers that differ by case alone: pseudonyms far apart, so they are cut by those of their capitals."""
        paths = {stage.path(month): stage.rows[month] for month in unit}
        if not stage.section.folds or not any(map(_has_small_letters, paths)):
            return
        columns = ["customer_id", FOLD, ROW]
        if pieces_of(sum(paths.values())) > MANY:
            paths = {lay(p, FOLD, to=p.with_suffix(".folds"), columns=columns): rows for p, rows in paths.items()}
        for only in ranges(FOLD, paths):
            rows = pa.concat_tables([read_rows(path, columns, only=only) for path in paths]).combine_chunks()
            self.late.mark(rows[ROW].to_numpy()[_differ_by_case(rows)], "key_case", _key_column(stage))
        for path in paths if pieces_of(sum(paths.values())) > MANY else ():
            path.unlink()

    def unknown(self, stage: Stage, rows: pa.Table, only: Filters, *, known: Known) -> set[str]:
        """Rows of customers nobody has heard of; a pseudonym that we gave is known, or was damaged on the way."""
        who = stage.section.said.columns.get("customer_id")
        only = only if stage.by == "customer_id" else None
        if who is not None and who.read_as == "pseudonym":
            strange = known.strangers(rows, only)
            self.late.mark(rows[ROW].to_numpy()[strange], "not_a_pseudonym", _read_from(stage, "customer_id"))
            return set()
        if stage.section.table.name not in MUST_BE_KNOWN or self.rules.unknown_customer == "accept":
            return set()
        if not known.customers:
            return {"not_checked"}
        strange = known.strangers(rows, only)
        self.late.mark(rows[ROW].to_numpy()[strange], "unknown_customer", _read_from(stage, "customer_id"))
        return set()

    def left_long_ago(self, known: Known) -> None:
        """Bills that come long after their customer left."""
        for stage in self.stages if known.departures else ():
            for (month,) in stage.units() if stage.section.table.name in MUST_BE_KNOWN else ():
                limit = str(Month.parse(month) + -self.rules.closed_customer_months)
                for rows, only in stage.buckets((month,), columns=["customer_id", ROW]):
                    gone = known.gone(rows, only, before=limit)
                    self.late.mark(rows[ROW].to_numpy()[gone], "closed_customer", _month_column(stage))


def _month_column(stage: Stage) -> str:
    return _read_from(stage, "month")


def _read_from(stage: Stage, name: str) -> str:
    """The operator's column that ours is read from; ours where none is."""
    spec = stage.section.columns.get(name)
    return spec.sources[0] if spec and spec.sources else name


def _numbers(rows: pa.Table) -> pa.Table:
    return rows.select(["customer_id", "customer_no"])


def _kept(rows: pa.Table, shelf: Shelf, only: Filters) -> list[pa.Table]:
    """Customers of the file whom the lake knows by another number."""
    found = []
    for _, path in shelf.newest("contact_details"):
        known = read_those(path, ["customer_id", "customer_no"], rows, only)
        both = _numbers(rows).join(known, "customer_id", right_suffix="_was", join_type="inner")
        apart = both.filter(pc.not_equal(both["customer_no"], both["customer_no_was"]))
        was = apart.select(["customer_id", "customer_no_was"]).rename_columns(["customer_id", "customer_no"])
        found += [_numbers(apart), was]
    return found


def _no_collision(clashing: pa.Table, file: str) -> None:
    """Two numbers behind one pseudonym would make two customers one."""
    if clashing.num_rows:
        pairs = clashing.group_by(["customer_id", "customer_no"]).aggregate([])
        if pc.count_distinct(pairs["customer_id"]).as_py() < pairs.num_rows:
            numbers = ", ".join(f"**{str(number)[-4:]}" for number in pairs["customer_no"].to_pylist()[:2])
            raise refusal("pseudonym_collision", file=file, said=numbers)


def _key_column(stage: Stage) -> str:
    return _read_from(stage, stage.section.table.key[0])


def _has_small_letters(path: Path) -> bool:
    """Whether any number is not its own capital form."""
    batches = read_batches(pq.ParquetFile(path), READ_ROWS, ["customer_id", FOLD])
    return any(not batch.column(0).equals(batch.column(1)) for batch in batches)


def _differ_by_case(rows: pa.Table) -> Ints:
    """Rows whose number differs from another one by case alone."""
    ids, folds = rows["customer_id"].to_numpy(), rows[FOLD].to_numpy()
    kinds = np.unique(np.stack([folds, ids], axis=1), axis=0)
    twins, times = np.unique(kinds[:, 0], return_counts=True)
    return np.flatnonzero(np.isin(folds, twins[times > 1]))
