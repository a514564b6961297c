"""When customers leave, beside proportional hazards: order, distance of the curves from what happened, and cost.

usage: benchmarks/when_bench.py [CUSTOMERS]      default: 1000000

On IBM Telco: the time is the months here, in five stratified folds of seeds 0 to 4. Sums that grow with the months are
left out, as they tell them. Needs the real data set, and lifelines for the comparison; see benchmarks/measuring.py.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from leaving_bench import prepared
from measuring import DATA, Job, Measured, cost_table, interleaved, machine, mark, missing_peers, ours, peer, table

JOBS = "when_jobs.py"
NAME = "IBM Telco"
SEEDS, FOLDS, CUSTOMERS = 5, 5, 1_000_000
LAST = 72  # months the file looks back: nobody is seen longer
Numbers = Any


def main(customers: int) -> None:
    print(f"## When they leave\n\n{machine()}\n\n{missing_peers()}")
    if not DATA.is_dir():
        print(f"{DATA} is not there, so nothing is said.")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared(NAME, folder, SEEDS)
        curves(folder)
        many(folder, customers)


def jobs(folder: Path, number: int, to: str) -> list[Job]:
    return [
        Job("keepline", ours(JOBS, "keepline", folder, number, folder / f"keepline{to}")),
        Job("lifelines, Cox", peer(JOBS, "cox", folder, number, folder / f"cox{to}")),
    ]


def curves(folder: Path) -> None:
    found: dict[str, list[tuple[float, float]]] = {"keepline": [], "cox": []}
    costs: list[dict[str, Measured]] = []
    for seed in range(SEEDS):
        costs.append(interleaved(jobs(folder, seed, f"-{seed}.npy"), rounds=1))
        for who, each in found.items():
            if (folder / f"{who}-{seed}.npy").exists():
                each += judged(folder, seed, np.load(folder / f"{who}-{seed}.npy"))
    print(f"\n### {NAME}, seeds 0 to {SEEDS - 1}\n")
    rows = []
    for who, each in found.items():
        seconds = [m.job / FOLDS for cost in costs for m in cost.values() if m.job_seconds and who[:3] in m.who.lower()]
        if each:
            order, distance = np.mean(each, axis=0)
            rows.append([who, f"{order:.4f}", f"{distance:.4f}", f"{np.mean(seconds):.2f}"])
    table(["", "C", "integrated Brier score", "CPU s a fold"], rows)
    print()
    order, distance = np.mean(found["keepline"], axis=0)
    mark("integrated Brier score on IBM Telco", found=float(distance), most=0.0852)
    mark("C on IBM Telco", found=float(order), least=0.8643)


def judged(folder: Path, seed: int, made: Numbers) -> list[tuple[float, float]]:
    """Order and distance of each fold."""
    import leaving_sets

    rows, left = leaving_sets.read(folder)
    here, fold = rows["n_tenure"].to_numpy(int), np.load(folder / f"folds-{seed}.npy")
    told = []
    for i in range(FOLDS):
        seen, other = (fold != i) & (here > 0), (fold == i) & (here > 0)
        staying = censoring(here[seen], left[seen])
        told.append(
            (order_of(here[other], left[other], made[other]), brier(here[other], left[other], made[other], staying))
        )
    return told


def order_of(here: Numbers, left: Numbers, curve: Numbers) -> float:
    """Harrell's C (1982, JAMA 247:2543-2546): of pairs whose order is known, the share told in that order."""
    stays = curve.sum(axis=1)
    right = pairs = 0.0
    for i in np.flatnonzero(left):
        later = (here > here[i]) | ((here == here[i]) & (left == 0))
        right += float((stays[later] > stays[i]).sum() + 0.5 * (stays[later] == stays[i]).sum())
        pairs += float(later.sum())
    return right / pairs


def censoring(here: Numbers, left: Numbers) -> Numbers:
    """Kaplan and Meier's chance to be still watched after each month, from 0 on."""
    made = np.ones(LAST + 1)
    for month in range(1, LAST + 1):
        ended, at_risk = ((here == month) & (left == 0)).sum(), (here >= month).sum()
        made[month] = made[month - 1] * (1 - ended / max(at_risk, 1))
    return made


def brier(here: Numbers, left: Numbers, curve: Numbers, watched: Numbers) -> float:
    """Integrated Brier score (Graf, Schmoor, Sauerbrei, Schumacher 1999, Statistics in Medicine 18:2529-2545).

    Squared distance of the curve from what happened in months 1 to 70, those no longer watched left out and the
    others weighted up for them; of customers under the file's last month, as beyond it nothing is known.
    """
    told = here < LAST
    here, left, curve = here[told], left[told], curve[told]
    months = np.arange(1, LAST - 1)
    scores = []
    for month in months:
        gone, on = (here <= month) & (left == 1), here > month
        s = curve[:, month - 1]
        weight_gone, weight_on = watched[here], watched[month]
        scores.append(float(np.mean(gone * s**2 / np.maximum(weight_gone, 1e-9) + on * (1 - s) ** 2 / weight_on)))
    return float(np.trapezoid(scores, months) / (months[-1] - months[0]))


def many(folder: Path, customers: int) -> None:
    found = interleaved(jobs(folder, -customers, ""), rounds=1)
    cost_table(f"Learnt from {customers:,} customers, 1,000 curves", found, shows=("after_a_year",))
    print()
    mark("CPU seconds of keepline", found=found["keepline"].job, most=3.0)
    mark("peak MB of keepline", found=found["keepline"].peak_mb, most=600)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
