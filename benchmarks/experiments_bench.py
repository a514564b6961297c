"""Experiments beside a package for them: the same estimate, what it costs, and how often a look errs.

usage: benchmarks/experiments_bench.py [CUSTOMERS] [PILOTS]      default: 1000000 2000

Needs tea-tasting in the peers' environment for the comparison; says so where it is missing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import Job, cost_table, interleaved, machine, mark, missing_peers, ours, peer, table

from keepline.measurement.looking import always_valid_factor
from keepline.measurement.sizing import needed
from keepline.measurement.statistics import LEVEL, normal_quantile
from keepline.measurement.verdicts import Rule, Wave, looks_at

JOBS = "experiments_jobs.py"
LOOKS, EACH = 20, 250  # looks at a pilot, customers of an arm between two
SPREAD, EFFECT = 40.0, 3.0


def main(customers: int, pilots: int) -> None:
    print(f"## Experiments\n\n{machine()}\n\n{missing_peers()}")
    with tempfile.TemporaryDirectory() as name:
        estimates(Path(name), customers)
    errors(pilots)


def estimates(folder: Path, customers: int) -> None:
    """One difference of margin, the month before taken out."""
    subprocess.run(ours(JOBS, "make", folder, customers), check=True, stdout=subprocess.DEVNULL)
    found = interleaved(
        [Job("keepline", ours(JOBS, "cuped", folder)), Job("tea-tasting", peer(JOBS, "tea_cuped", folder))]
    )
    cost_table(f"CUPED, {customers:,} customers", found, shows=("difference", "low", "high"))
    print()
    mine, theirs = found["keepline"], found["tea-tasting"]
    mark("CPU seconds of CUPED", found=mine.job, most=0.03 * customers / 1_000_000)
    if not theirs.failed:
        apart = max(abs(mine.said[name] - theirs.said[name]) for name in ("difference", "low", "high"))
        mark("largest difference to tea-tasting's figures, yuan", found=apart, most=1e-6)
        mark("times cheaper than tea-tasting", found=theirs.job / mine.job, least=1)
        said = interleaved([Job("tea-tasting", peer(JOBS, "tea_power", folder))], rounds=1)["tea-tasting"].said
        size = needed(said["variance"], 1.5, level=0.9, power=0.8)
        assert size is not None
        mark(
            "customers a pilot needs, over tea-tasting's",
            found=size.customers / said["customers"],
            least=0.999,
            most=1.001,
        )


def errors(pilots: int) -> None:
    """How often a pilot of an offer that does nothing is taken for a success, or one that earns is seen."""
    random, rows = np.random.default_rng(3), []
    shares = {}
    for truth in (0.0, EFFECT):
        noise = random.normal(0, SPREAD * (2 / EACH) ** 0.5, (pilots, LOOKS))
        waves = truth + noise
        error = SPREAD * (2 / EACH) ** 0.5 / np.sqrt(np.arange(1, LOOKS + 1))
        so_far = waves.cumsum(axis=1) / np.arange(1, LOOKS + 1)
        naive = (so_far - normal_quantile(LEVEL) * error > 0).any(axis=1).mean()
        valid = [always_valid_factor(n / LOOKS, planned=1.0, level=LEVEL) for n in range(1, LOOKS + 1)]
        always = (so_far - np.array(valid) * error > 0).any(axis=1).mean()
        rule = Rule(looks=LOOKS, customers=2 * EACH * LOOKS)
        planned = np.mean([_rolled_out(each, rule) for each in waves])
        shares[truth] = (naive, planned, always)
    for place, name in enumerate(("looking every time, as if once", "planned looks", "always-valid")):
        rows.append([name, f"{shares[0.0][place]:.1%}", f"{shares[EFFECT][place]:.1%}"])
    print(f"\n### {LOOKS} looks at {pilots:,} pilots of {2 * EACH * LOOKS:,} customers\n")
    table(["", "offers that do nothing, taken for a success", f"offers worth {EFFECT:g} yuan, seen"], rows)
    print()
    mark(
        "idle offers rolled out, planned looks",
        found=float(shares[0.0][1]),
        most=0.05 + 2 * (0.05 * 0.95 / pilots) ** 0.5,
    )


def _rolled_out(wave: np.ndarray, rule: Rule) -> bool:
    error = SPREAD * (2 / EACH) ** 0.5
    return looks_at([Wave(EACH, EACH, float(each), error) for each in wave], rule)[-1].verdict == "roll_out"


if __name__ == "__main__":
    main(*(int(word) for word in (sys.argv[1:] + ["1000000", "2000"][len(sys.argv) - 1 :])))
