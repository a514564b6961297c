"""A small operator whose truth is known: features and labels of past snapshots, written as parts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import expit, logit

from keepline.engine import Files, Range, Scan
from keepline.insight.training import Sample
from keepline.periods import Month
from keepline.policy.documents import Policy, read_policy
from keepline.tables import FEATURES, LABELS, TABLES, Table

STARTER = Path(__file__).parents[2] / "src" / "keepline" / "policy" / "starter"
SNAPSHOT = Month.parse("2026-10")
EVERYONE = Range(0, 0, 1 << 62)
HORIZON = 3

Vector = npt.NDArray[np.float64]


def policy(**leaving: object) -> Policy:
    """The starter policy, with some lines of leaving.toml changed."""
    started = read_policy(STARTER, SNAPSHOT)
    return replace(started, leaving=started.leaving.model_copy(update=leaving))


@dataclass
class Shelf:
    """A lake that holds at most one file a table, of the snapshot month unless ``ago`` says otherwise."""

    files: dict[str, Path]
    ago: dict[str, int] = field(default_factory=dict)

    def scan(self, table: str, snapshot: Month, *, months: int | None = None) -> Scan:
        _ = snapshot, months
        path = self.files.get(table)
        return Scan(TABLES[table], (Files((path,), self.ago.get(table, 0)),) if path else ())

    def has(self, table: str) -> bool:
        return table in self.files

    def months(self, table: str) -> list[Month]:
        """Two years of every table."""
        _ = table
        return [SNAPSHOT + ago for ago in range(-24, 1)]


def write(rows: dict[str, object], table: Table, path: Path) -> Path:
    """Columns of some rows as a part; those not given are null."""
    count = len(next(iter(rows.values())))  # type: ignore[arg-type]
    full = {c.name: pa.array(rows.get(c.name, [None] * count), table.arrow.field(c.name).type) for c in table.columns}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(full, schema=table.arrow), path)
    return path


@dataclass
class World:
    """Customers with a lasting margin and a lasting and a passing part of their risk."""

    customers: int
    seed: int
    monthly_rate: float = 0.02
    strength: float = 1.0

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        n = self.customers
        self.ids = np.sort(self.random.choice(1 << 40, n, replace=False)).astype(np.int64)
        self.tenure = self.random.integers(1, 120, n)
        self.margin = np.exp(self.random.normal(8.3, 0.7, n))  # fen a month
        self.left = np.zeros(n, dtype=bool)

    def snapshot(self, month: Month, folder: Path) -> tuple[Sample, dict[str, Vector]]:
        """Write the base of a month and what became of it; return the truth: p and expected monthly margin."""
        r, n = self.random, self.customers
        base = ~self.left
        traits = {
            "complaints_12m": r.poisson(0.3, n),
            "voice_change": r.normal(0, 0.3, n),
            "contract_months_left": r.integers(-6, 24, n),
            "tenure_months": self.tenure,
        }
        p = self._risk(traits)
        left = (r.random(n) < p) & base
        features = write(_of(base, traits | self._bills(month)), FEATURES, folder / f"features-{month}.parquet")
        labels = write(_of(base, self._outcome(month, left)), LABELS, folder / f"labels-{month}.parquet")
        self.left |= left
        truth = {"p": p[base], "margin": self.margin[base], "left": left[base]}
        return Sample(month, (features,), (labels,)), truth

    def _risk(self, traits: dict[str, npt.NDArray[np.generic]]) -> Vector:
        z = 0.8 * traits["complaints_12m"] - 1.5 * traits["voice_change"] - 0.015 * self.tenure
        z = self.strength * (z + (traits["contract_months_left"] <= 1))
        return np.asarray(expit(logit(1 - (1 - self.monthly_rate) ** HORIZON) + z - z.mean() - 0.4))

    def _bills(self, month: Month) -> dict[str, npt.NDArray[np.generic]]:
        r, n = self.random, self.customers
        months = np.round(self.margin * np.exp(r.normal(-0.02, 0.2, (12, n)))).astype(np.int64)
        return {
            "customer_id": self.ids,
            "month": np.full(n, str(month)),
            "kind": np.where(self.ids % 5 == 0, "organisation", "person"),
            "revenue_fen": months[0] * 2,
            "revenue_3m_fen": months[:3].sum(axis=0) * 2,
            "revenue_change": r.normal(0, 0.1, n),
            "revenue_slope_fen": r.normal(0, 30, n),
            "months_billed": np.full(n, 12),
            "margin_fen": months[0],
            "margin_3m_fen": months[:3].sum(axis=0),
            "margin_12m_fen": months.sum(axis=0),
            "products": 1 + self.ids % 3,
            "referrals_12m": r.poisson(0.1, n),
            "discount_3m_fen": np.zeros(n, dtype=np.int64),
        }

    def _outcome(self, month: Month, left: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.generic]]:
        r, n = self.random, self.customers
        after = np.round((self.margin * np.exp(r.normal(-0.02, 0.2, (HORIZON, n)))).sum(axis=0)).astype(np.int64)
        return {
            "customer_id": self.ids,
            "month": np.full(n, str(month)),
            "left_within": left,
            "left_after": np.where(left, self.ids % HORIZON + 1, None),
            "ported_within": left & (r.random(n) < 0.4),
            "downgraded_within": (r.random(n) < 0.05) & ~left,
            "margin_after_fen": np.where(left, after // 2, after),
        }


def _of(base: npt.NDArray[np.bool_], columns: dict[str, npt.NDArray[np.generic]]) -> dict[str, object]:
    return {name: values[base] for name, values in columns.items()}
