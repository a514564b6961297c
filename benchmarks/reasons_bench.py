"""How steady the first reason is from one month to the next, for customers whose inputs hardly changed.

usage: benchmarks/reasons_bench.py [CUSTOMERS]      default: 10000

A simulated operator; models are learnt for a month and again for the next. Inputs hardly changed for whom last
month's model, shown this month's inputs, gives the first reason it gave: for them any other reason is the doing of
the model learnt anew. Said with and without last month's reasons at hand, for all and for those at risk.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from measuring import machine, table

from keepline.demo import LAST
from keepline.engine import DuckDB, Range
from keepline.features.build import build_features, build_labels
from keepline.insight.scoring import score
from keepline.insight.training import Models, Sample, train
from keepline.lake.intake import load
from keepline.lake.store import Lake, open_lake
from keepline.periods import Month, months_between
from keepline.pipeline import training_months
from keepline.placed import placed
from keepline.policy.documents import Policy, read_policy
from keepline.progress import Silent
from keepline.simulate.operator import next_month, start_site
from keepline.site import open_site

CUSTOMERS, MONTHS, SEED = 10_000, 18, 1
EVERYONE = Range(0, 0, 1 << 62)


@dataclass(frozen=True)
class Workshop:
    """A lake, a policy and a folder for parts."""

    engine: DuckDB
    lake: Lake
    policy: Policy
    folder: Path

    def features(self, month: Month) -> Path:
        to = self.folder / f"features-{month}.parquet"
        if not to.exists():
            build_features(self.engine, self.lake, self.policy, snapshot=month, only=EVERYONE, to=to)
        return to

    def models(self, month: Month) -> Models:
        samples = []
        for past in training_months(self.lake, self.policy, month):
            base, to = self.features(past), self.folder / f"labels-{month}-{past}.parquet"
            build_labels(self.engine, self.lake, self.policy, snapshot=past, base=base, only=EVERYONE, to=to)
            samples.append(Sample(past, (base,), (to,)))
        return train(self.engine, self.lake, self.policy, snapshot=month, samples=samples, seed=SEED)

    def reasons(self, models: Models, month: Month, *, previous: Iterable[Path] = (), to: str) -> Path:
        path = self.folder / to
        given = (self.engine, self.lake, self.policy, models)
        features = self.features(month)
        score(*given, snapshot=month, features=features, only=EVERYONE, to=path, previous=placed(previous))
        return path


def simulated(root: Path, customers: int) -> None:
    start_site(root, customers=customers, months=MONTHS, last=LAST, seed=SEED, engine="duckdb")
    site = open_site(root)
    for month in months_between(LAST + (1 - MONTHS), LAST):
        for report in load(site, next_month(root, month, decisions=None, assignments=None, progress=Silent())):
            report.insist()


def first(path: Path) -> dict[int, tuple[Any, str]]:
    rows = pq.read_table(path, columns=["customer_id", "reason_1", "risk_band"]).to_pylist()
    return {row["customer_id"]: (row["reason_1"], row["risk_band"]) for row in rows}


def main(customers: int) -> None:
    print(f"## Steadiness of reasons\n\n{machine()}; simulated, {customers:,} customers\n")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "site"
        simulated(root, customers)
        site = open_site(root)
        policy = read_policy(site.policy, LAST)
        shop = Workshop(DuckDB(spill=Path(name) / "spill"), open_lake(site.lake), policy, Path(name))
        before, now = LAST + -1, LAST
        old, new = shop.models(before), shop.models(now)
        was = shop.reasons(old, before, to="was")
        told = [
            first(path)
            for path in (
                was,
                shop.reasons(old, now, to="old_model"),
                shop.reasons(new, now, to="alone"),
                shop.reasons(new, now, previous=[was], to="steadied"),
            )
        ]
    rows = [compared("all", told, {"high", "medium", "low"}), compared("at risk", told, {"high", "medium"})]
    table(
        ["customers", "with a reason", "inputs hardly changed", "other reason, alone", "other reason, steadied"], rows
    )


def compared(who: str, told: list[dict[int, tuple[Any, str]]], bands: set[str]) -> list[object]:
    was, old_model, alone, steadied = told
    known = [i for i in was if i in alone and was[i][0] and was[i][1] in bands and alone[i][1] in bands]
    still = [i for i in known if old_model[i][0] == was[i][0]]
    other = [sum(each[i][0] != was[i][0] for i in still) / max(len(still), 1) for each in (alone, steadied)]
    return [who, f"{len(known):,}", f"{len(still):,}", *(f"{share:.1%}" for share in other)]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
