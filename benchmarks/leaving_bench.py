"""Who leaves, beside the peers: order, loss, profit, calibration and savings on public churn sets, in the same folds.

usage: benchmarks/leaving_bench.py [--seeds 5] [--keep FOLDER] [SET ...]

Five folds, stratified, for each seed of the lot; one recipe for all sets, the one the product uses. Hours on one core
with all peers, nearly all of it CatBoost, EBM and the forest: whoever takes longer than LONG seconds for a seed is run
on the first alone, and stopped after STOPPED. With --keep, or KEEPLINE_BENCH_KEPT in the environment, what was done
is found again. Needs the real data sets, and the peers for the comparison; says what is missing (see
benchmarks/measuring.py).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import leaving_figures as figures
import leaving_sets
import numpy as np
from measuring import DATA, Job, interleaved, machine, mark, missing_peers, ours, peer, peers_python, table
from sklearn.model_selection import StratifiedKFold

JOBS = "leaving_jobs.py"
OURS = "keepline"
PEERS = ("logistic", "lightgbm", "xgboost", "forest", "catboost", "ebm")
NAMES = {"logistic": "logistic", "lightgbm": "LightGBM", "xgboost": "XGBoost", "forest": "random forest"}
NAMES |= {"catboost": "CatBoost", "ebm": "EBM", OURS: OURS}
FOLDS, LONG, STOPPED = 5, 300.0, 900  # CPU seconds of a seed: run once where longer, and no longer than
OF_THE_LIMIT = ("-24", "-9")  # SIGXCPU, or SIGKILL where both ends of the limit fall together
SHOWN = ("auc", "log_loss", "lift", "empc", "ece", "savings")
ORDERED = ("IBM Telco", "Cell2Cell", "TV subscriptions")  # enough leavers to tell peers apart


@dataclass(frozen=True)
class Told:
    """The figures of one model for one seed; means over folds, calibration and savings over all customers."""

    seconds: float  # CPU, a fold
    peak_mb: float
    auc: float
    log_loss: float
    lift: float
    empc: float
    ece: float
    savings: float | None


def main(seeds: int, wanted: list[str], keep: Path) -> None:
    print(f"## Leaving\n\n{machine()}\n\n{missing_peers()}")
    if not DATA.is_dir():
        print(f"{DATA} is not there, so nothing is said of public churn sets.")
        return
    found = {name: one_set(name, seeds=seeds, keep=keep / name.replace(" ", "-")) for name in wanted}
    for name, each in found.items():
        show(name, each)
    marks(found)
    against_empulse(keep)


def one_set(name: str, *, seeds: int, keep: Path) -> dict[str, dict[int, Told]]:
    """Everybody on every seed of one set."""
    prepared(name, keep, seeds)
    found: dict[str, dict[int, Told]] = {who: {} for who in (OURS, *PEERS)}
    for seed in range(seeds):
        slow = {who for who in PEERS if seed and (0 not in found[who] or FOLDS * found[who][0].seconds > LONG)}
        for who in (OURS, *(p for p in PEERS if p not in slow and peers_python())):
            told = measured(who, keep, seed)
            if told is not None:
                found[who][seed] = told
    return {who: each for who, each in found.items() if each}


def prepared(name: str, keep: Path, seeds: int) -> None:
    if not (keep / "left.npy").exists():
        leaving_sets.write(leaving_sets.SETS[name](DATA), keep)
    left = np.load(keep / "left.npy")
    for seed in range(seeds):
        fold = np.empty(len(left), dtype=np.int64)
        parts = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(left[:, None], left)
        for i, (_, unseen) in enumerate(parts):
            fold[unseen] = i
        np.save(keep / f"folds-{seed}.npy", fold)


def measured(who: str, keep: Path, seed: int) -> Told | None:
    """What a job told, now or when it was last run with this folder."""
    cost, to = keep / f"{who}-{seed}.json", keep / f"{who}-{seed}.npy"
    if not cost.exists():
        command = (ours if who == OURS else peer)(JOBS, who, keep, seed, to)
        made = interleaved([Job(who, ("prlimit", f"--cpu={STOPPED}", *command))], rounds=1)[who]
        said = {"seconds": made.job / FOLDS, "peak_mb": made.peak_mb} if not made.failed else {"failed": made.failed}
        cost.write_text(json.dumps(said), encoding="ascii")
    said = json.loads(cost.read_text(encoding="ascii"))
    if "failed" in said:
        stopped = (
            "stopped after"
            if any(signal in said["failed"] for signal in OF_THE_LIMIT)
            else f"failed ({said['failed']}) within"
        )
        print(f"- {NAMES[who]} on {keep.name}: {stopped} {STOPPED} CPU seconds of a seed", flush=True)
        return None
    return Told(**said, **judged(keep, seed, np.load(to)))


def judged(keep: Path, seed: int, p: Any) -> dict[str, Any]:
    left, fold = np.load(keep / "left.npy"), np.load(keep / f"folds-{seed}.npy")
    costs = np.load(keep / "costs.npy") if (keep / "costs.npy").exists() else None
    by_fold = {
        name: float(np.mean([getattr(figures, name)(left[fold == i], p[fold == i]) for i in range(FOLDS)]))
        for name in ("auc", "log_loss", "lift", "empc")
    }
    saved = None if costs is None else figures.savings(left, p, costs)
    return by_fold | {"ece": figures.expected_error(left, p), "savings": saved}


def mean(each: dict[int, Told], name: str) -> float | None:
    values = [getattr(told, name) for told in each.values()]
    return None if None in values else float(np.mean(values))


def show(name: str, found: dict[str, dict[int, Told]]) -> None:
    print(f"\n### {name}\n")
    head = ["", "seeds", "AUC", "log loss", "top-tenth lift", "EMPC", "calibration error", "savings"]
    rows = []
    for who, each in found.items():
        figure = [mean(each, shown) for shown in SHOWN]
        said = ["" if value is None else f"{value:.4f}" for value in figure]
        seconds, own = mean(each, "seconds") or 0.0, mean(found[OURS], "seconds") or 1.0
        rows.append([NAMES[who], len(each), *said, f"{seconds:.2f}", f"{seconds / own:.2f}"])
    table([*head, "CPU s a fold", "× ours"], rows)


def shortfall(found: dict[str, dict[int, Told]], name: str = "auc") -> float:
    """How far the best peer is ahead, each compared on the seeds it was run on; 0 where none is."""
    mine, ahead = found[OURS], [0.0]
    for who, each in found.items():
        if who != OURS:
            ahead.append(float(np.mean([getattr(told, name) - getattr(mine[s], name) for s, told in each.items()])))
    return max(ahead)


def marks(found: dict[str, dict[str, dict[int, Told]]]) -> None:
    print()
    if "IBM Telco" in found:
        mine = found["IBM Telco"][OURS]
        mark("AUC on IBM Telco", found=mean(mine, "auc") or 0.0, least=0.849)
        mark("log loss on IBM Telco", found=mean(mine, "log_loss") or 1.0, most=0.411)
        mark("EMPC on IBM Telco", found=mean(mine, "empc") or 0.0, least=10.4)
    for name in ("IBM Telco", "Cell2Cell"):
        if name in found:
            mark(f"calibration error on {name}", found=mean(found[name][OURS], "ece") or 1.0, most=0.02)
    short = {name: shortfall(found[name]) for name in found}
    print("- AUC the best peer is ahead: " + ", ".join(f"{name} {value:.4f}" for name, value in short.items()))
    for group in ([name for name in short if name in ORDERED], list(short)):
        if group:
            of = f"{len(group)} sets"
            mark(
                f"AUC the best peer is ahead, mean of {of}",
                found=float(np.mean([short[n] for n in group])),
                most=0.0025,
            )
            mark(f"AUC the best peer is ahead, worst of {of}", found=max(short[n] for n in group), most=0.006)
    if "TV subscriptions" in found:
        behind = shortfall(found["TV subscriptions"], "savings")
        mark("savings on the TV set's own costs, the best peer is ahead", found=behind, most=0.0)


def against_empulse(keep: Path) -> None:
    """Our profit beside the library's, on the probabilities of the first seed."""
    folder = keep / "IBM-Telco"
    if not peers_python() or not (folder / f"{OURS}-0.npy").exists():
        return
    made = interleaved([Job("empulse", peer(JOBS, "profit", folder, 0, folder / f"{OURS}-0.npy"))], rounds=1)["empulse"]
    said = f"failed: {made.failed}" if made.failed else f"{made.said['empc']:.6f}, ours {made.said['ours']:.6f}"
    print(f"- EMPC by empulse on IBM Telco, all customers at once: {said}")


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--seeds", type=int, default=5)
    asked.add_argument("--keep", type=Path, default=os.environ.get("KEEPLINE_BENCH_KEPT"))
    asked.add_argument("sets", nargs="*", default=list(leaving_sets.SETS))
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        main(said.seeds, said.sets, Path(said.keep or folder))
