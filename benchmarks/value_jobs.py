"""The jobs of value_bench.py, ours and the peers', each run in a child process.

usage: value_jobs.py WHAT FOLDER [NUMBER]
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from measuring import job

TRUE = (0.243, 4.414, 0.793, 2.426)  # CDNOW, Fader, Hardie and Lee 2005
TRUE_MONTHS = (1.204, 0.750, 0.657, 2.783)  # donations, Fader, Hardie and Shang 2010
AHEAD = 39.0
DAY = 1 / 7
SHOWN_MONTHS = 24


def make(folder: Path, customers: int) -> None:
    """Buyers by day over 27 to 39 weeks, as CDNOW's: frequency, recency and age in weeks."""
    with job() as said:
        random = np.random.default_rng(1)
        r, alpha, a, b = TRUE
        rate, loss = random.gamma(r, 1 / alpha, customers), random.beta(a, b, customers)
        age = (189 + random.integers(0, 85, customers)).astype(float)
        frequency, last, now = np.zeros(customers, np.int32), np.zeros(customers), np.zeros(customers)
        here = np.arange(customers)
        while len(here):
            now[here] += random.exponential(1, len(here)) / np.maximum(rate[here], 1e-12) / DAY
            here = here[now[here] <= age[here]]
            day = np.floor(now[here])
            new = day > last[here]
            frequency[here[new]] += 1
            last[here[new]] = day[new]
            here = here[random.random(len(here)) >= loss[here]]
        for name, values in (("frequency", frequency), ("recency", last * DAY), ("age", age * DAY)):
            np.save(folder / f"{name}.npy", values)
    said()


def make_months(folder: Path, customers: int) -> None:
    """Customers who top up in some of 12 to 24 months and drop out at the beginning of any."""
    with job() as said:
        random = np.random.default_rng(0)
        buys, leaves = random.beta(*TRUE_MONTHS[:2], customers), random.beta(*TRUE_MONTHS[2:], customers)
        age = random.integers(SHOWN_MONTHS // 2, SHOWN_MONTHS + 1, customers).astype(np.int16)
        life = np.minimum(random.geometric(np.clip(leaves, 1e-9, 1)) - 1, age).astype(np.int16)
        frequency, last = np.zeros(customers, np.int16), np.zeros(customers, np.int16)
        for month in range(1, SHOWN_MONTHS + 1):
            active = (month <= life) & (random.random(customers) < buys)
            frequency += active
            last[active] = month
        for name, values in (("frequency", frequency), ("recency", last), ("age", age)):
            np.save(folder / f"{name}.npy", values)
    said()


def read(folder: Path) -> tuple[Any, Any, Any]:
    x, late, old = (np.load(folder / f"{name}.npy") for name in ("frequency", "recency", "age"))
    return x, late, old


def bgnbd(folder: Path, step: float) -> None:
    """Ours: fold, fit, and the purchases expected of every customer."""
    from keepline.insight.lifetime import bgnbd as model
    from keepline.insight.lifetime.cells import fold

    x, late, old = read(folder)
    with job() as said:
        cells = fold(x, late, old, step=step)
        fitted = model.fit(cells)
        each = cells.each(model.expected(fitted.values, cells, ahead=AHEAD))
    said(parameters=fitted.values.tolist(), loglik=fitted.loglik, purchases=float(each.sum()), cells=len(cells.weight))


def interval(folder: Path, step: float) -> None:
    """Ours: the purchases of all customers with a 90 % interval."""
    from keepline.insight.lifetime import bgnbd as model
    from keepline.insight.lifetime.cells import fold

    x, late, old = read(folder)
    with job() as said:
        cells = fold(x, late, old, step=step)
        made = model.expected_total(model.fit(cells), cells, ahead=AHEAD)
    said(purchases=list(made))


def pareto(folder: Path, step: float) -> None:
    from keepline.insight.lifetime import paretonbd as model
    from keepline.insight.lifetime.cells import fold

    x, late, old = read(folder)
    with job() as said:
        cells = fold(x, late, old, step=step)
        fitted = model.fit(cells)
        each = cells.each(model.expected(fitted.values, cells, ahead=AHEAD))
    said(parameters=fitted.values.tolist(), loglik=fitted.loglik, purchases=float(each.sum()))


def amounts(folder: Path, step: float) -> None:
    from keepline.insight.lifetime import spend as model

    _ = step
    x, mean = np.load(folder / "frequency.npy"), np.load(folder / "mean.npy")
    with job() as said:
        fitted = model.fit(model.fold(x, mean))
        each = model.expected(fitted.values, x, mean)
    said(parameters=fitted.values.tolist(), loglik=fitted.loglik, purchases=float(each.sum()))


def bgbb(folder: Path, step: float) -> None:
    from keepline.insight.lifetime import bgbb as model
    from keepline.insight.lifetime.cells import fold

    _ = step
    x, late, old = read(folder)
    with job() as said:
        cells = fold(x, late, old)
        fitted = model.fit(cells)
    said(parameters=fitted.values.tolist(), loglik=fitted.loglik, cells=len(cells.weight), customers=len(x))


def lifetimes_bgnbd(folder: Path, step: float) -> None:
    """The peer on one row a customer, with its predictions."""
    import lifetimes
    import pandas as pd

    _ = step
    x, late, old = read(folder)
    with job() as said:
        model = lifetimes.BetaGeoFitter(penalizer_coef=0.0)
        model.fit(pd.Series(x), pd.Series(late), pd.Series(old))
        each = model.conditional_expected_number_of_purchases_up_to_time(AHEAD, x, late, old)
    said(parameters=list(map(float, model.params_)), purchases=float(np.nansum(each)))


def lifetimes_weights(folder: Path, step: float) -> None:
    """The peer on cells made by hand with pandas, the fit alone."""
    import lifetimes
    import pandas as pd

    x, late, old = read(folder)
    with job() as said:
        rows = pd.DataFrame({"x": x, "late": np.round(late, 6), "old": np.round(old, 6)})
        cells = rows.groupby(["x", "late", "old"]).size().reset_index(name="customers")
        model = lifetimes.BetaGeoFitter(penalizer_coef=0.0)
        model.fit(cells.x, cells.late, cells.old, weights=cells.customers)
    said(parameters=list(map(float, model.params_)), cells=len(cells), step=step)


def lifetimes_pareto(folder: Path, step: float) -> None:
    import lifetimes
    import pandas as pd

    _ = step
    x, late, old = read(folder)
    with job() as said:
        model = lifetimes.ParetoNBDFitter(penalizer_coef=0.0)
        model.fit(pd.Series(x), pd.Series(late), pd.Series(old))
        each = model.conditional_expected_number_of_purchases_up_to_time(AHEAD, x, late, old)
    said(parameters=list(map(float, model.params_)), purchases=float(np.nansum(each)))


def lifetimes_amounts(folder: Path, step: float) -> None:
    import lifetimes
    import pandas as pd

    _ = step
    x, mean = np.load(folder / "frequency.npy"), np.load(folder / "mean.npy")
    some = x > 0
    with job() as said:
        model = lifetimes.GammaGammaFitter()
        model.fit(pd.Series(x[some]), pd.Series(mean[some]))
        each = model.conditional_expected_average_profit(pd.Series(x), pd.Series(mean))
    said(parameters=list(map(float, model.params_)), purchases=float(each.sum()))


def lifetimes_bgbb(folder: Path, step: float) -> None:
    """The peer on one row a customer, for the first ``step`` customers: it takes time in proportion."""
    import lifetimes
    import pandas as pd

    x, late, old = (values[: int(step)].astype(int) for values in read(folder))
    with job() as said:
        model = lifetimes.BetaGeoBetaBinomFitter()
        model.fit(pd.Series(x), pd.Series(late), pd.Series(old), pd.Series(np.ones(len(x), int)))
    said(parameters=list(map(float, model.params_)), customers=len(x))


JOBS = {
    each.__name__: each
    for each in (
        *(make, make_months, bgnbd, interval, pareto, amounts, bgbb),
        *(lifetimes_bgnbd, lifetimes_weights, lifetimes_pareto, lifetimes_amounts, lifetimes_bgbb),
    )
}

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    number = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    JOBS[sys.argv[1]](Path(sys.argv[2]), int(number) if sys.argv[1].startswith("make") else number)  # type: ignore[operator]
