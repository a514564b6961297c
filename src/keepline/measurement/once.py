"""Sums of a past plan, made once: when its window is over and nothing of it is corrected, they change no more.

What is told of a plan each month is computed from these sums, so measuring costs the month's news and not every plan
that was ever published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlglot import exp, parse_one

from keepline.canonical import text_hash
from keepline.engine import Engine
from keepline.holdout import NOBODY, Lot
from keepline.lake.store import Lake
from keepline.measurement.outcomes import WINDOW_TABLES, Window
from keepline.periods import Month
from keepline.sqlmodel import as_query
from keepline.tables import Table

Parts = tuple[Path, ...]
Keep = Callable[[Table, Month, str, Callable[[], pa.Table]], pa.Table]

PROOFS = """SELECT plan_month, months_ago, SUM(CASE WHEN COALESCE(withdrawn, FALSE) THEN 0 ELSE 1 END) AS happened
FROM deliveries WHERE plan_month IS NOT NULL GROUP BY plan_month, months_ago"""


@dataclass(frozen=True)
class PastPlan:
    """A plan that was published: its parts, and whom it left alone."""

    month: Month
    assignments: Parts
    scores: Parts
    decisions: Parts
    id: str = ""  # of its publication: equal id, equal parts
    lot: Lot = NOBODY


def made_anew(table: Table, month: Month, made_from: str, make: Callable[[], pa.Table]) -> pa.Table:
    """Keep nothing."""
    _ = table, month, made_from
    return make()


def made_from(
    lake: Lake,
    query: exp.Query,
    *,
    window: Window,
    known: Month,
    plans: Sequence[PastPlan],
    also: Sequence[object] = (),
) -> str:
    """Hash of all that the sums of a plan hang on: the query with its policy, what was published, the lake's files."""
    content = [(table, lake.content(table, window.last, months=window.months, known=known)) for table in WINDOW_TABLES]
    return text_hash([query.sql("duckdb"), [plan.id for plan in plans], content, list(also)])


@dataclass(frozen=True)
class Proofs:
    """What is on record of plans carried out, at a snapshot."""

    lake: Lake
    snapshot: Month
    happened: Mapping[tuple[str, int], int]  # rows not withdrawn, by the month of the plan and the months since told

    def rows(self, plan: Month) -> int:
        """How many rows prove that anything of the plan was carried out."""
        return sum(rows for (month, ago), rows in self.happened.items() if self._is_of(plan, month, ago))

    def content(self, plan: Month) -> list[tuple[str, str]]:
        """Month and hash of the files that say anything of the plan."""
        told = {str(self.snapshot + -ago) for month, ago in self.happened if self._is_of(plan, month, ago)}
        files = self.lake.content("deliveries", self.snapshot, months=self.snapshot - plan)
        return [file for file in files if file[0] in told]

    def _is_of(self, plan: Month, month: str, ago: int) -> bool:
        return month == str(plan) and self.snapshot + -ago > plan


def read_proofs(engine: Engine, lake: Lake, *, snapshot: Month, past: Sequence[PastPlan]) -> Proofs:
    """Read what is on record of all past plans, once."""
    first = min((plan.month for plan in past), default=snapshot)
    engine.see("deliveries", lake.window("deliveries", first + 1, snapshot))
    found = engine.fetch(as_query(parse_one(PROOFS, read="duckdb"))).to_pylist()
    return Proofs(lake, snapshot, {(row["plan_month"], row["months_ago"]): int(row["happened"]) for row in found})
