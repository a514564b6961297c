"""Who responds to an offer, beside the peers: Qini and its standard error on a real randomised experiment, and time.

usage: benchmarks/uplift_bench.py [REPEATS]      default: 2 (two times five folds; causal forests the first five alone)

Hillstrom's e-mail experiment: 64,000 customers, by lot women's e-mail, men's e-mail or none. One recipe for every
trial; ours and the peers' learn and predict in the same folds. Peers' environment: see benchmarks/measuring.py and
benchmarks/peers/uplift.txt.
"""

from __future__ import annotations

import csv
import gzip
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measuring import DATA, Job, Measured, interleaved, machine, mark, missing_peers, ours, peer, table

JOBS, ROOM = "uplift_jobs.py", "uplift"
REPEATS, FOLDS, REDRAWN = 2, 5, 200
WOMEN_LEAST, BEST_KNOWN_MEN, SHARE_OF_FOREST = 6.8, 3.2, 0.1
ALONE = "No E-Mail"
TRIALS = (
    ("women's e-mail, visits", "Womens E-Mail", "visit"),
    ("men's e-mail, visits", "Mens E-Mail", "visit"),
    ("women's e-mail, spend", "Womens E-Mail", "spend"),
    ("men's e-mail, spend", "Mens E-Mail", "spend"),
)
OURS = ("response_left_alone", "response_mailed")
PEERS = ("causalml_s", "causalml_x", "econml_linear", "sklift_two", "sklift_solo_as_it_comes")
OF_VISITS = ("sklift_transformed",)
SLOW = "econml_forest"  # once
FORESTS = {"visit": ("causalml_forest", SLOW), "spend": (SLOW,)}  # CausalML's is of yes and no alone
UNIT = {"visit": 1000.0, "spend": 100.0}
Numbers = Any


def main(repeats: int) -> None:
    print(f"## Uplift\n\n{machine()}\n\n{missing_peers(ROOM)}")
    if not (DATA / "hillstrom").is_dir():
        print(f"{DATA / 'hillstrom'} is not there, so nothing is said of who responds.")
        return
    for title, arm, outcome in TRIALS:
        with tempfile.TemporaryDirectory() as folder:
            trial(Path(folder), title, arm, outcome, repeats)


def trial(folder: Path, title: str, arm: str, outcome: str, repeats: int) -> None:
    x, mailed, y = read(arm, outcome)
    folds = np.array([folds_of(mailed, y, seed=100 + repeat) for repeat in range(repeats)])
    for name, values in (("x", x), ("mailed", mailed), ("y", y), ("folds", folds)):
        np.save(folder / f"{name}.npy", values)
    jobs = [Job(name, ours(JOBS, name, folder, 0, repeats)) for name in ("keepline", *OURS)]
    peers = PEERS + OF_VISITS if outcome == "visit" else PEERS
    jobs += [Job(name, peer(JOBS, name, folder, 0, repeats, room=ROOM)) for name in peers]
    jobs += [Job(name, peer(JOBS, name, folder, 0, 1, room=ROOM)) for name in FORESTS[outcome]]
    found = interleaved(jobs, rounds=1)
    scores = {who: np.load(folder / f"{who}.npy") for who, each in found.items() if not each.failed}
    show(folder, title, outcome, found, scores, mailed, y)


def read(arm: str, outcome: str) -> tuple[Numbers, Numbers, Numbers]:
    """Inputs, who was mailed, and what came of it, for one arm against those left alone."""
    with gzip.open(DATA / "hillstrom" / "hillstrom.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["segment"] in (arm, ALONE)]
    columns = [[float(row[name]) for row in rows] for name in ("recency", "history", "mens", "womens", "newbie")]
    columns.append([float(np.log(value)) for value in columns[1]])
    for name in ("zip_code", "channel"):
        for code in sorted({row[name] for row in rows}):
            columns.append([float(row[name] == code) for row in rows])
    mailed = np.array([int(row["segment"] == arm) for row in rows])
    return np.array(columns).T, mailed, np.array([float(row[outcome]) for row in rows])


def folds_of(mailed: Numbers, y: Numbers, *, seed: int) -> Numbers:
    """Five folds by lot, alike in arms and outcomes."""
    random = np.random.default_rng(seed)
    fold = np.empty(len(y), dtype=int)
    for stratum in range(4):
        inside = np.flatnonzero((2 * mailed + (y > 0)) == stratum)
        fold[random.permutation(inside)] = np.arange(len(inside)) % FOLDS
    return fold


def show(
    folder: Path,
    title: str,
    outcome: str,
    found: dict[str, Measured],
    scores: dict[str, Numbers],
    mailed: Numbers,
    y: Numbers,
) -> None:
    unit, folds = UNIT[outcome], np.load(folder / "folds.npy")
    qinis = {who: unit * np.mean([qini(each, y, mailed) for each in rows]) for who, rows in scores.items()}
    within = {who: unit * by_fold(rows, folds, y, mailed) for who, rows in scores.items()}
    drawn = {who: unit * redrawn(rows[0], y, mailed) for who, rows in scores.items()}
    errors = {who: float(np.std(each)) for who, each in drawn.items()}
    own = seconds(found["keepline"])
    effect = y[mailed == 1].mean() - y[mailed == 0].mean()
    print(f"\n### Hillstrom, {title}: {len(y):,} customers, mean effect {effect:.4f}\n")
    lines = []
    for who, each in found.items():
        if each.failed:
            lines.append([who, f"failed: {each.failed}", *[""] * 5])
            continue
        cells = [f"{value:.2f}" for value in (qinis[who], errors[who], within[who], seconds(each))]
        lines.append([who, *cells, f"{seconds(each) / own:.1f}", each.said["fits"]])
    unit_words = f"Qini × {unit:g}"
    head = ["", unit_words, "its standard error", f"{unit_words}, fold by fold", "CPU s a fold", "× ours", "folds"]
    table(head, lines)
    print()
    beside_best({who: unit * qini(rows[0], y, mailed) for who, rows in scores.items()}, drawn)
    marks(title, qinis, errors, found)


def beside_best(first: dict[str, float], drawn: dict[str, Numbers]) -> None:
    """Ours less the best of the others in the five folds that all had, with its error, by the same customers drawn."""
    others = {who: found for who, found in first.items() if who != "keepline"}
    best = max(others, key=lambda who: others[who])
    error = np.std(drawn["keepline"] - drawn[best])
    more = first["keepline"] - others[best]
    print(f"- ours less the best of the others, {best}, in the first five folds: {more:+.2f} ± {error:.2f}")


def marks(title: str, qinis: dict[str, float], errors: dict[str, float], found: dict[str, Measured]) -> None:
    if title == TRIALS[0][0]:
        mark("women's visits, Qini × 1000", found=qinis["keepline"], least=WOMEN_LEAST)
    if title == TRIALS[1][0]:
        least = BEST_KNOWN_MEN - errors["response_mailed"]
        mark("men's visits, Qini × 1000, one standard error under the best known", found=qinis["keepline"], least=least)
    if SLOW in found and not found[SLOW].failed:
        ratio = seconds(found["keepline"]) / seconds(found[SLOW])
        mark(f"{title}: CPU seconds against EconML's causal forest", found=ratio, most=SHARE_OF_FOREST)


def seconds(each: Measured) -> float:
    """CPU seconds of one fit and its prediction."""
    return float(each.job / each.said["fits"])


def qini(told: Numbers, y: Numbers, mailed: Numbers) -> float:
    """Area between the Qini curve (Radcliffe 2007) and the random line, for each customer mailed."""
    order = np.argsort(-told, kind="stable")
    outcome, arm = y[order], mailed[order]
    with_offer, without = np.cumsum(arm), np.cumsum(1 - arm)
    gained = np.cumsum(outcome * arm) - np.cumsum(outcome * (1 - arm)) * with_offer / np.maximum(without, 1)
    curve = np.r_[0.0, gained]
    return float(((curve[1:] + curve[:-1]).sum() / 2 / len(y) - curve[-1] / 2) / arm.sum())


def by_fold(rows: Numbers, folds: Numbers, y: Numbers, mailed: Numbers) -> float:
    """The mean Qini of the folds, each ranked by itself: scores of two folds, told by two fits, are not compared."""
    found = []
    for told, fold in zip(rows, folds, strict=False):
        for number in np.unique(fold):
            inside = fold == number
            found.append(qini(told[inside], y[inside], mailed[inside]))
    return float(np.mean(found))


def redrawn(told: Numbers, y: Numbers, mailed: Numbers) -> Numbers:
    """The Qini of customers drawn again, the same for every learner (the scores stay as they are)."""
    random = np.random.default_rng(5)
    drawn = (random.integers(0, len(y), len(y)) for _ in range(REDRAWN))
    return np.array([qini(told[again], y[again], mailed[again]) for again in drawn])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS)
