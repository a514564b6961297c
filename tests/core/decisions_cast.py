"""A small cast for the tests of decisions: named customers, their scores, pilots and managers, in two ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from small_policy import small_policy

from keepline.canonical import file_hash
from keepline.decisions.candidates import build_candidates
from keepline.decisions.plan import decide
from keepline.engine import ID_SPACE, Engine, Range, ranges
from keepline.lake.store import Lake, LakeFile
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.tables import TABLES

MONTH = Month.parse("2026-10")
Row = dict[str, Any]

PLAIN: Row = {
    "kind": "person",
    "district": "D1",
    "consent": True,
    "blacklisted": False,
    "tenure_months": 30,
    "margin_3m_fen": 9000,
    "recurring_fen": 5000,
    "contacts_out_1m": 0,
    "complaints_open": 0,
    "arrears_months": 0,
    "value_fen": 100_000,
    "expected_months": 12.0,
    "leave_probability": 0.2,
    "model_version": "m-test",
}
GIFT: Row = {
    "id": "gift",
    "name": {"zh": "流量礼包", "en": "data gift"},
    "purpose": "profit",
    "channel": "sms",
    "price_fen": 0,
    "list_price_fen": 0,
    "floor_price_fen": 0,
    "contact_cost_fen": 10,
    "benefit_cost_fen": 600,
    "eligible": [{"feature": "kind", "one_of": ["person"]}],
    "effect": {"source": "assumed", "leave_reduction_share": 0.2, "accept_share": 0.5},
}
VISIT: Row = GIFT | {
    "id": "visit",
    "name": {"zh": "上门走访", "en": "visit"},
    "channel": "visit",
    "benefit_cost_fen": 4000,
    "contact_cost_fen": 2000,
    "manager_minutes": 60,
    "eligible": [],
    "effect": {"source": "assumed", "leave_reduction_share": 0.5, "accept_share": 0.5},
}


def policy_with(offers: Sequence[Row] = (GIFT, VISIT), **changed: Row) -> Policy:
    """The small policy with offers; channel sms needs consent, visits do not."""
    return small_policy(offers={"offer": list(offers)}, **changed)


def features_of(who: int, **facts: Any) -> Row:
    """A customer with whom nothing is wrong, but for the facts given."""
    return PLAIN | {"customer_id": who, "month": str(MONTH)} | facts


def write(path: Path, table: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows as a part; a column nobody gives is null."""
    kept = sorted(rows, key=lambda row: tuple(str(row[k]).zfill(20) for k in TABLES[table].key))
    columns = {name: [row.get(name) for row in kept] for name in TABLES[table].names}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, schema=TABLES[table].arrow), path)
    return path


def lake_of(root: Path, **tables: Sequence[Row]) -> Lake:
    """A lake with just these rows: managers, and lots of pilots."""
    found = []
    for table, rows in tables.items():
        for month in sorted({row["month"] for row in rows}):
            of_month = [row for row in rows if row["month"] == month]
            path = write(root / f"{table}-{month}.parquet", table, of_month)
            found.append(LakeFile(table, month, path.name, len(of_month), file_hash(path)))
    return Lake(root, tuple(found))


def lots(people: Sequence[Row]) -> list[Row]:
    """The rows of the pilots these people are in, as their features tell them, one arm as the other."""
    drawn = [row for row in people if row.get("months_since_lots") is not None]
    return [
        {"experiment_id": "p", "customer_id": row["customer_id"], "month": str(MONTH + -row["months_since_lots"]),
         "offer_id": "gift", "arm": ("treated", "held_out")[row["customer_id"] % 2]}
        for row in drawn
    ]  # fmt: skip


@dataclass
class Stage:
    """Folders of one month's parts, and what is needed to make them."""

    engine: Engine
    root: Path
    policy: Policy
    lake: Lake
    cut: list[Range]

    def folder(self, table: str) -> Path:
        return self.root / table

    def build(self) -> None:
        for only in self.cut:
            build_candidates(
                self.engine,
                self.policy,
                snapshot=MONTH,
                features=self.folder("features") / only.part,
                scores=self.folder("scores") / only.part,
                pilots=self.folder("pilots") / "part-00000.parquet",
                only=only,
                to=self.folder("candidates") / only.part,
            )

    def decide(self) -> Row:
        tables: dict[str, Any] = {
            name: self.folder(name)
            for name in ("features", "scores", "candidates", "decisions", "assignments", "schedule")
        }
        return decide(
            self.engine,
            self.lake,
            self.policy,
            snapshot=MONTH,
            ranges=self.cut,
            model_version="m-test",
            **tables,
        )

    def rows(self, table: str) -> list[Row]:
        return [row for part in sorted(self.folder(table).glob("*.parquet")) for row in pq.read_table(part).to_pylist()]

    def by_customer(self, table: str) -> dict[int, Row]:
        return {row["customer_id"]: row for row in self.rows(table)}


def stage(
    engine: Engine,
    root: Path,
    people: Sequence[Row],
    *,
    policy: Policy | None = None,
    pilots: Sequence[Row] = (),
    managers: Sequence[Row] = (),
    parts: int = 1,
) -> Stage:
    """Write features, scores and pilots of the people; small ids lie in the first range."""
    cut = ranges(parts, 1)
    for only in cut:
        here = [row for row in people if only.low <= row["customer_id"] < only.high]
        write(root / "features" / only.part, "features", here)
        write(root / "scores" / only.part, "scores", here)
    write(root / "pilots" / "part-00000.parquet", "pilots", pilots)
    lake = lake_of(root / "lake", managers=managers, experiments=lots(people))
    return Stage(engine, root, policy or policy_with(), lake, cut)


def high(place: int) -> int:
    """An id in the last range."""
    return ID_SPACE - 1 - place
