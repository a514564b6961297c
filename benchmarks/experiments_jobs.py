"""The jobs of experiments_bench.py, ours and the peer's, each run in a child process.

usage: experiments_jobs.py WHAT FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from measuring import job

EFFECT = 0.5


def make(folder: Path, customers: int) -> None:
    """Margin of a month before and of the window, skewed and alike, with an effect of half a yuan."""
    with job() as said:
        random = np.random.default_rng(1)
        level = np.exp(random.normal(3.5, 0.6, customers))
        before = level * (1 + random.normal(0, 0.3, customers))
        treated = random.random(customers) < 0.5
        after = level * (1 + random.normal(0, 0.3, customers)) + EFFECT * treated
        for name, values in (("before", before), ("after", after), ("treated", treated)):
            np.save(folder / f"{name}.npy", values)
    said()


def read(folder: Path) -> tuple[Any, Any, Any]:
    return tuple(np.load(folder / f"{name}.npy") for name in ("after", "before", "treated"))  # type: ignore[return-value]


def cuped(folder: Path) -> None:
    from keepline.measurement.statistics import cuped as ours
    from keepline.measurement.summing import arms_of

    y, x, treated = read(folder)
    with job() as said:
        found = ours(*arms_of(y, x, treated))
    assert found is not None
    said(difference=found.estimate, low=found.low, high=found.high)


def tea_cuped(folder: Path) -> None:
    import pandas
    import tea_tasting as tt

    y, x, treated = read(folder)
    data = pandas.DataFrame({"variant": treated.astype(int), "after": y, "before": x})
    with job() as said:
        design = tt.Experiment(margin=tt.Mean("after", "before", confidence_level=0.9))
        found = design.analyze(data)["margin"]
    said(difference=found.effect_size, low=found.effect_size_ci_lower, high=found.effect_size_ci_upper)


def tea_power(folder: Path) -> None:  # noqa: ARG001 - every job is given a folder
    """Observations in both arms together for an effect, as tea-tasting solves it."""
    import pandas
    import tea_tasting as tt

    random = np.random.default_rng(2)
    data = pandas.DataFrame({"y": 40 + 20 * random.normal(size=100_000)})
    with job() as said:
        asked = tt.Mean("y", alpha=0.1, power=0.8, effect_size=1.5)
        found = asked.solve_power(data, "n_obs")
    said(variance=float(data["y"].var()), customers=int(found[0].n_obs))


WHAT = {"cuped": cuped, "tea_cuped": tea_cuped, "tea_power": tea_power}

if __name__ == "__main__":
    place = Path(sys.argv[2])
    if sys.argv[1] == "make":
        make(place, int(sys.argv[3]))
    else:
        WHAT[sys.argv[1]](place)
