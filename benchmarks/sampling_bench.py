"""What is lost when models learn from some customers instead of all: order, loss and lift for those never learnt from.

usage: benchmarks/sampling_bench.py [--customers 600000] [--seeds 5] [--keep FOLDER]

A simulated operator (scale_operator.py): two past months are learnt from, the latest with a known outcome is judged, on
a quarter of the customers who are in no training. Then the largest public set that leaving is judged on, with another
fifth left out for each seed. The recipe is the product's. Intervals are 95 %, of the difference to all rows over seeds,
each with its own draw; judged on the same customers, so that chance in those falls out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measuring import DATA, Job, interleaved, machine, ours, table
from scipy import stats

JOBS = "sampling_jobs.py"
SIZES = (10_000, 25_000, 50_000, 100_000, 200_000, 0)
FIGURES = {"auc": "AUC", "log_loss": "log loss", "lift": "top-tenth lift"}
REAL = "Cell2Cell"
SAID = 200_000  # training_customers_max of the starter


def main(customers: int, seeds: int, keep: Path) -> None:
    print(f"## Sampling\n\n{machine()}\n\nRows learnt from are customers, counted once for each past month.")
    simulated = keep / "simulated"
    if not (simulated / "judged.parquet").exists():
        once("simulated", customers, simulated)
    found = each(simulated, seeds, whole=1)
    show(f"A simulated operator of {customers:,} customers", found)
    said(found)
    if not DATA.is_dir():
        print(f"\n{DATA} is not there, so nothing is said of public sets.")
        return
    if not (keep / "real" / "rows.parquet").exists():
        once("real", REAL, keep / "real")
    show(
        f"{REAL}, the largest of the public sets; the others have fewer than 10,000",
        each(keep / "real", seeds, whole=seeds),
    )


def once(*words: object) -> dict[str, Any]:
    made = interleaved([Job("keepline", ours(JOBS, *words))], rounds=1)["keepline"]
    if made.failed:
        raise SystemExit(made.failed)
    return made.said


def each(folder: Path, seeds: int, *, whole: int) -> dict[int, list[dict[str, Any]]]:
    """For each size what every seed gave; sizes that the set does not reach are left out.

    All rows are learnt from in ``whole`` ways: nothing is drawn of them, so once where the same customers are judged.
    """
    found: dict[int, list[dict[str, Any]]] = {0: [trained(folder, seed % whole, 0) for seed in range(seeds)]}
    rows = found[0][0]["rows"]
    for size in SIZES:
        if 0 < size < rows:
            found[size] = [trained(folder, seed, size) for seed in range(seeds)]
    return dict(sorted(found.items(), key=lambda pair: pair[0] or rows))


def trained(folder: Path, seed: int, size: int) -> dict[str, Any]:
    """One training, now or when it was last done with this folder."""
    told = folder / f"{size}-{seed}.json"
    if not told.exists():
        told.write_text(json.dumps(once("learn", folder, seed, size)), encoding="ascii")
    made: dict[str, Any] = json.loads(told.read_text(encoding="ascii"))
    return made


def show(title: str, found: dict[int, list[dict[str, Any]]]) -> None:
    whole = found[0]
    print(f"\n### {title}\n\n{whole[0]['judged']:,} judged, {len(whole)} seeds; after ± the half of the interval.\n")
    head = ["learnt from", "left", "CPU s"]
    for name in FIGURES.values():
        head += [name, f"{name} less that of all"]
    rows = []
    for made in found.values():
        row: list[object] = [f"{made[0]['rows']:,}", *(f"{mean(made, name):,.0f}" for name in ("events", "seconds"))]
        for name in FIGURES:
            row += [
                f"{mean(made, name):.4f}",
                "" if made is whole else "{:+.4f} ± {:.4f}".format(*less(made, whole, name)),
            ]
        rows.append(row)
    table(head, rows)


def mean(made: list[dict[str, Any]], name: str) -> float:
    return float(np.mean([one[name] for one in made]))


def less(made: list[dict[str, Any]], whole: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """The mean difference over seeds, and the half of its interval (Student)."""
    apart = np.array([one[name] - other[name] for one, other in zip(made, whole, strict=True)])
    half = stats.t.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart)) if len(apart) > 1 else np.nan
    return float(apart.mean()), float(half)


def said(found: dict[int, list[dict[str, Any]]]) -> None:
    """What the starter's number of rows loses."""
    if SAID in found:
        lost = [f"{FIGURES[name]} {less(found[SAID], found[0], name)[0]:+.4f}" for name in FIGURES]
        times = mean(found[0], "seconds") / mean(found[SAID], "seconds")
        print(
            f"\n- {SAID:,} rows against all {found[0][0]['rows']:,}: {', '.join(lost)}; all take {times:.1f} × the CPU"
        )


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--customers", type=int, default=600_000)
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--keep", type=Path)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        main(given.customers, given.seeds, given.keep or Path(folder))
