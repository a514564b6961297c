"""The jobs of sampling_bench.py, each in a child process: rows to learn from and to be judged on, and one training.

usage: sampling_jobs.py simulated CUSTOMERS FOLDER    an operator, its past months learnt from and the latest judged
       sampling_jobs.py real SET FOLDER               a public set; a fifth is judged, another for each seed
       sampling_jobs.py learn FOLDER SEED ROWS        learn from so many rows, 0 for all, and judge the others
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import leaving_figures as figures
import leaving_sets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scale_operator
from leaving_jobs import as_own_facts
from measuring import DATA, job
from scipy.special import expit

from keepline.engine import Range, cut, start
from keepline.features.build import build_features, build_labels
from keepline.insight.inputs import choose, folds
from keepline.insight.leaving import fit_stack
from keepline.insight.samples import Sample, read_samples
from keepline.lake.store import open_lake
from keepline.periods import Month
from keepline.policy.documents import Policy, read_policy

FIRST, LATER = (-9, -6), -3  # months before the last: learnt from, and judged on
MONTHS, RANGE = 12, 250_000
JUDGED, PARTS = 1, 4  # of so many parts of the customers, by lot; nobody of it is ever learnt from
REAL_PARTS = 5


def simulated(customers: int, to: Path) -> None:
    with tempfile.TemporaryDirectory(dir=to) as folder, job() as said:
        site = Path(folder) / "site"
        scale_operator.make(site, total=customers, months=MONTHS)
        policy = read_policy(site / "policy", scale_operator.LAST)
        for name, months in (("learnt", FIRST), ("judged", (LATER,))):
            found = _rows(site, policy, [scale_operator.LAST + ago for ago in months])
            part = folds(found.column("customer_id").to_numpy(), salt="sampling_bench", count=PARTS)
            pq.write_table(found.filter(pa.array((part == JUDGED) == (name == "judged"))), to / f"{name}.parquet")
    said()


def _rows(site: Path, policy: Policy, months: list[Month]) -> pa.Table:
    engine, lake, samples = start("duckdb", threads=1), open_lake(site / "lake"), []
    for month in months:
        parts: tuple[list[Path], list[Path]] = ([], [])
        for only in cut(lake.customers, RANGE):
            base, after = (site / f"{table}-{month}" / only.part for table in ("features", "labels"))
            _make(engine, lake, policy, month, only, base, after)
            parts[0].append(base)
            parts[1].append(after)
        samples.append(Sample(month, tuple(parts[0]), tuple(parts[1])))
    found = read_samples(engine, lake, samples, most=sys.maxsize)
    assert found is not None
    return found[0]


def _make(engine: Any, lake: Any, policy: Policy, month: Month, only: Range, base: Path, after: Path) -> None:
    build_features(engine, lake, policy, snapshot=month, only=only, to=base)
    build_labels(engine, lake, policy, snapshot=month, base=base, only=only, to=after)


def real(name: str, to: Path) -> None:
    """A public set as rows of an operator's own facts; the customers are in the order of the file."""
    with job() as said:
        found = leaving_sets.SETS[name](DATA)
        rows = found.rows.reset_index(drop=True)
        table = as_own_facts(rows, tuple(rows.columns))
        who = pa.array(np.arange(len(rows)), pa.int64())
        table = table.set_column(0, "customer_id", who).append_column("left_within", pa.array(found.left == 1))
        pq.write_table(table, to / "rows.parquet")
        (to / "names.txt").write_text("\n".join(rows.columns), encoding="utf-8")
    said()


def learn(folder: Path, seed: int, most: int) -> None:
    names, learnt, judged = _read(folder, seed)
    some = np.random.default_rng([11, seed]).permutation(len(learnt))[: most or None]
    learnt = learnt.take(np.sort(some)).combine_chunks()
    left = learnt.column("left_within").to_numpy().astype(float)
    with job() as said:
        inputs = choose(learnt, names)
        who = learnt.column("customer_id").to_numpy()
        stack = fit_stack(inputs.matrix(learnt), left, who, seed=seed, sizes=("small", "long"))
    p = expit(stack.logit(inputs.matrix(judged)))
    truth = judged.column("left_within").to_numpy().astype(int)
    of = {name: getattr(figures, name)(truth, p) for name in ("auc", "log_loss", "lift")}
    said(rows=len(learnt), events=int(left.sum()), judged=len(judged), **of)


def _read(folder: Path, seed: int) -> tuple[tuple[str, ...], pa.Table, pa.Table]:
    if (folder / "learnt.parquet").exists():
        return (), pq.read_table(folder / "learnt.parquet"), pq.read_table(folder / "judged.parquet")
    names = tuple((folder / "names.txt").read_text(encoding="utf-8").split("\n"))
    rows = pq.read_table(folder / "rows.parquet")
    apart = pa.array(np.random.default_rng([12, seed]).permutation(len(rows)) % REAL_PARTS == 0)
    return names, rows.filter(pa.array(~apart.to_numpy(zero_copy_only=False))), rows.filter(apart)


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "learn":
        learn(Path(words[0]), int(words[1]), int(words[2]))
    else:
        shutil.rmtree(words[1], ignore_errors=True)
        Path(words[1]).mkdir(parents=True)
        simulated(int(words[0]), Path(words[1])) if what == "simulated" else real(words[0], Path(words[1]))
