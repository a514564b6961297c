"""Value beside its peers: cost in CPU seconds and memory, parameters, likelihood and error on what was held out.

usage: benchmarks/value_bench.py [CUSTOMERS]      default: 10000000; a tenth where the peer sees single rows

Needs the real data sets for the parts on CDNOW and on published cohorts, and lifetimes for the comparison; says
what is missing. Peers' environment: see benchmarks/measuring.py.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from measuring import DATA, Job, Measured, cost_table, interleaved, machine, mark, missing_peers, ours, peer, table
from value_jobs import AHEAD, DAY

from keepline.insight.lifetime import bgnbd, paretonbd, retention, spend
from keepline.insight.lifetime.cells import fold

JOBS = "value_jobs.py"
CUSTOMERS, PEER_SHARE, PEER_MONTHS = 10_000_000, 10, 20_000
CDNOW_STEP = 0.01  # the file has weeks to two digits
FIGURES = ("parameters", "loglik", "purchases")


def main(customers: int) -> None:
    print(f"## Value\n\n{machine()}\n\n{missing_peers()}")
    if (DATA / "cdnow").is_dir():
        cdnow()
        held_out()
        cohorts()
    else:
        print(f"{DATA} is not there, so nothing is said of CDNOW and the published cohorts.")
    single_rows(customers // PEER_SHARE)
    many(customers)
    months(customers)


def cdnow() -> None:
    """Small and real: the published parameters, and how long a person waits."""
    rows = np.loadtxt(DATA / "cdnow" / "cdnow_customers_summary_with_transactions.csv", delimiter=",", skiprows=1)
    with tempfile.TemporaryDirectory() as folder:
        for i, name in enumerate(("frequency", "recency", "age", "mean"), start=1):
            np.save(Path(folder) / f"{name}.npy", rows[:, i].astype(np.int64) if i == 1 else rows[:, i])
        for title, what in (("BG/NBD", "bgnbd"), ("Pareto/NBD", "pareto"), ("Gamma-gamma", "amounts")):
            found = interleaved(
                [
                    Job("keepline", ours(JOBS, what, folder, CDNOW_STEP)),
                    Job("lifetimes", peer(JOBS, f"lifetimes_{what}", folder)),
                ]
            )
            for each in found.values():
                each.said["loglik"] = likelihood(what, rows, each.said.get("parameters"))
            cost_table(f"{title} on CDNOW, 2,357 customers: fit and prediction", found, shows=FIGURES)
        found = interleaved([Job("keepline", ours(JOBS, "interval", folder, CDNOW_STEP))])
    cost_table("A point and a 90 % interval of all purchases, CDNOW", found, shows=("purchases",))
    print()
    mark("CPU seconds of a point and an interval on CDNOW", found=found["keepline"].job, most=0.3)


def likelihood(what: str, rows: Any, parameters: list[float] | None) -> float | None:
    """The log-likelihood of anybody's parameters, by one and the same function."""
    if parameters is None:
        return None
    x, at = rows[:, 1].astype(np.int64), np.array(parameters)
    if what == "amounts":
        amounts = spend.fold(x, rows[:, 4])
        return -spend.loss_of(amounts)(at)[0] * float(amounts.weight.sum())
    cells = fold(x, rows[:, 2], rows[:, 3], step=CDNOW_STEP)
    model = bgnbd if what == "bgnbd" else paretonbd
    return -model.loss_of(cells)(at)[0] * cells.customers


def held_out() -> None:
    """The second 39 weeks of CDNOW, of which the models saw nothing."""
    end, later = dt.date(1997, 9, 30).toordinal(), dt.date(1998, 6, 30).toordinal()
    days: dict[str, set[int]] = defaultdict(set)
    for line in (DATA / "cdnow" / "CDNOW_sample.txt").read_text(encoding="ascii").splitlines():
        _, customer, day, *_ = line.split()
        days[customer].add(dt.date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal())
    seen = [sorted(day for day in each if day <= end) for each in days.values()]
    after = np.array([sum(end < day <= later for day in each) for each in days.values()])
    x = np.array([len(each) - 1 for each in seen])
    late, old = np.array([each[-1] - each[0] for each in seen]), np.array([end - each[0] for each in seen])
    cells = fold(x, late * DAY, old * DAY, step=DAY)
    told = {"rate so far": x / (old * DAY) * AHEAD}
    for name, model in (("BG/NBD", bgnbd), ("Pareto/NBD", paretonbd)):
        told[name] = cells.each(model.expected(model.fit(cells).values, cells, ahead=AHEAD))
    best, rows = len(x) // 10, []
    for name, each in told.items():
        top = np.argsort(-each, kind="stable")[:best]
        wrong, share = np.abs(each - after).mean(), after[top].sum() / after.sum()
        rows.append([name, f"{wrong:.3f}", f"{share:.3f}", f"{each.sum() / after.sum() - 1:+.1%}"])
    print("\n### CDNOW, the 39 weeks after\n")
    table(["", "mean absolute error", "share of purchases by the top tenth", "total"], rows)


def cohorts() -> None:
    """Published retention of two cohorts: fitted on years 1 to 7, judged on years 8 to 12."""
    path, rows, wrongs = DATA / "sbg-retention" / "sbg_survival.csv", [], []
    for column, name in ((1, "high end"), (2, "regular")):
        known = np.r_[1.0, np.loadtxt(path, delimiter=",", skiprows=1)[:, column]]
        seen, years = retention.Melting.of_survivors(1000 * known[:8]), np.arange(8, 13)
        sbg, bdw = retention.fit_sbg(seen), retention.fit_bdw(seen)
        rate = float(np.exp(np.polyfit(np.arange(8), np.log(known[:8]), 1)[0]))
        for who, curve, parameters in (
            ("constant rate", rate**years, [1 - rate]),
            ("shifted-beta-geometric", retention.survival(sbg.values, years), sbg.values),
            ("beta-discrete-Weibull", retention.survival(bdw.values, years), bdw.values),
        ):
            wrong = float(np.abs(curve / known[years] - 1).mean())
            rows.append([name, who, ", ".join(f"{p:.3f}" for p in parameters), f"{wrong:.1%}"])
        wrongs.append(wrong)
    print("\n### Cohorts under contract, years 8 to 12\n")
    table(["cohort", "model", "parameters", "mean error"], rows)
    print()
    mark("mean error of years 8 to 12, the worse of two cohorts, %", found=100 * max(wrongs), most=1.5)


def made(what: str, folder: str, customers: int) -> None:
    subprocess.run(ours(JOBS, what, folder, customers), check=True, stdout=subprocess.DEVNULL)


def single_rows(customers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made("make", folder, customers)
        found = interleaved(
            [
                Job("keepline", ours(JOBS, "bgnbd", folder, DAY)),
                Job("lifetimes", peer(JOBS, "lifetimes_bgnbd", folder), rounds=1),
            ]
        )
    cost_table(f"BG/NBD, {customers:,} customers by day: fit and prediction", found, shows=FIGURES)
    against("lifetimes ÷ keepline, CPU seconds, fit and prediction", found, least=20)


def many(customers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made("make", folder, customers)
        found = interleaved(
            [
                Job("keepline", ours(JOBS, "bgnbd", folder, DAY)),
                Job("lifetimes, weights by hand, fit alone", peer(JOBS, "lifetimes_weights", folder, DAY), rounds=1),
            ]
        )
    cost_table(f"BG/NBD, {customers:,} customers by day", found, shows=("parameters", "cells"))
    against("lifetimes on hand-made weights ÷ keepline with prediction, CPU seconds", found, least=3)
    mark("peak MB of keepline", found=found["keepline"].peak_mb, most=800)


def months(customers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made("make_months", folder, customers)
        found = interleaved(
            [
                Job("keepline", ours(JOBS, "bgbb", folder)),
                Job(f"lifetimes, {PEER_MONTHS:,} of them", peer(JOBS, "lifetimes_bgbb", folder, PEER_MONTHS), rounds=1),
            ]
        )
    cost_table(f"BG/BB, {customers:,} customers × 24 months", found, shows=("parameters", "cells", "customers"))
    print()
    mark("CPU seconds of keepline", found=found["keepline"].job, most=1.0)


def against(what: str, found: dict[str, Measured], *, least: float) -> None:
    mine, other = found.values()
    print()
    if other.failed:
        print(f"- {what}: not compared, {other.failed}")
        return
    mark(what, found=other.job / mine.job, least=least)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
