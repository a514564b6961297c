"""The jobs of when_bench.py: when customers leave, by us and by the peer, each run in a child process.

usage: when_jobs.py keepline|cox FOLDER SEED TO          five folds; curves of those not seen are written to TO
       when_jobs.py keepline|cox FOLDER -CUSTOMERS TO    learnt from so many, drawn with replacement; 1,000 curves
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import leaving_sets
import numpy as np
from leaving_jobs import as_own_facts
from measuring import job

Rows = Any  # a pandas data frame
Numbers = Any
FOLDS, AHEAD, SHOWN = 5, 71, 1_000
Ready = Callable[[Rows, Rows], tuple[Numbers, Numbers]]  # what is learnt from and what is told of, as numbers
Curves = Callable[[Numbers, Numbers, Numbers, Numbers], Numbers]  # inputs, months here, who left; curves of others
GROWING = ["n_tenure", "n_TotalCharges"]  # the time itself, and a sum that grows with it


def ready_ours(seen: Rows, other: Rows) -> tuple[Numbers, Numbers]:
    from keepline.insight.inputs import choose

    names = tuple(seen.columns)
    learnt = as_own_facts(seen, names)
    inputs = choose(learnt, names)
    return inputs.matrix(learnt), inputs.matrix(as_own_facts(other, names))


def keepline(seen: Numbers, here: Numbers, left: Numbers, other: Numbers) -> Numbers:
    """Our monthly hazard as it is, with every input that is known at the start."""
    from keepline.insight.lifetime import hazard

    start, unbound = np.zeros(len(seen), dtype=np.int64), np.full(len(seen), np.nan)
    spells = hazard.Spells(start, here.astype(np.int64), left.astype(bool), unbound, seen)
    made = hazard.fit(spells, seed=1)
    return made.survival(other, np.zeros(len(other)), np.full(len(other), np.nan), ahead=AHEAD)


def ready_cox(seen: Rows, other: Rows) -> tuple[Numbers, Numbers]:
    """A step for each level but the first, and no column twice."""
    import pandas as pd

    both = pd.get_dummies(pd.concat([seen, other]), drop_first=True, dtype=float)
    both = both.loc[:, ~both.T.duplicated()]
    return both.iloc[: len(seen)].to_numpy(), both.iloc[len(seen) :].to_numpy()


def cox(seen: Numbers, here: Numbers, left: Numbers, other: Numbers) -> Numbers:
    """Proportional hazards by lifelines."""
    import lifelines
    import pandas as pd

    model = lifelines.CoxPHFitter(penalizer=0.01)
    model.fit(pd.DataFrame(seen).assign(here=here, left=left), "here", "left")
    return model.predict_survival_function(pd.DataFrame(other), times=np.arange(1, AHEAD + 1)).T.to_numpy()


def five_folds(who: str, folder: Path, seed: int, to: Path) -> None:
    ready, curves = JOBS[who]
    rows, left = leaving_sets.read(folder)
    here, fold = rows["n_tenure"].to_numpy(float), np.load(folder / f"folds-{seed}.npy")
    known, made = rows.drop(columns=GROWING), np.empty((len(left), AHEAD))
    with job() as said:
        for i in range(FOLDS):
            seen, other = (fold != i) & (here > 0), fold == i
            learnt, new = ready(known[seen], known[other])
            made[other] = curves(learnt, here[seen], left[seen], new)
    np.save(to, made)
    said(customers=len(left))


def many(who: str, folder: Path, customers: int) -> None:
    """Rows drawn with replacement, made ready beforehand."""
    ready, curves = JOBS[who]
    rows, left = leaving_sets.read(folder)
    here = rows["n_tenure"].to_numpy(float)
    some = np.random.default_rng(0).choice(np.flatnonzero(here > 0), customers)
    learnt, new = ready(rows.drop(columns=GROWING), rows.drop(columns=GROWING).iloc[some[:SHOWN]])
    learnt, here, left = learnt.astype(np.float32)[some], here[some], left[some]  # steps and prices lose nothing
    with job() as said:
        made = curves(learnt, here, left, new)
    said(customers=customers, after_a_year=float(made[:, 11].mean()))


JOBS: dict[str, tuple[Ready, Curves]] = {"keepline": (ready_ours, keepline), "cox": (ready_cox, cox)}
LIBRARIES = {"keepline": ("keepline.insight.inputs", "keepline.insight.lifetime.hazard"), "cox": ("lifelines",)}

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    for library in LIBRARIES[sys.argv[1]]:
        importlib.import_module(library)  # not part of the job
    if int(sys.argv[3]) < 0:
        many(sys.argv[1], Path(sys.argv[2]), -int(sys.argv[3]))
    else:
        five_folds(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
