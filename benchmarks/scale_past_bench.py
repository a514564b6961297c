"""What past plans add to the close of a month: all of them summed anew, and those found that were summed before.

usage: benchmarks/scale_past_bench.py [CUSTOMERS]      default: 1000000

A simulated operator of twelve months (scale_operator.py) whose last five months are published one after the other. Of
the four past plans one was summed to its end a month ago, one is over since this month, and two are still looked at.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, ours, table
from scale_operator import LAST
from scale_sites import site_of

from keepline.tables import ARM_SUMS, SCORE_CELLS, VALUE_SUMS

PAST = 4
STEP = "effects of pilots and past plans"
SUMS = (ARM_SUMS, SCORE_CELLS, VALUE_SUMS)
CUSTOMERS = 1_000_000


def main(customers: int) -> None:
    print(
        f"## Scale: past plans\n\n{machine()}\n\n{customers:,} simulated customers, {PAST} plans before, one thread.\n"
    )
    with site_of(customers) as site:
        for folder in ("kept", "published", "work"):
            shutil.rmtree(site / folder, ignore_errors=True)
        closed = {ago: close(site, ago) for ago in range(PAST, -1, -1)}
        shutil.rmtree(site / "published" / str(LAST))
        for sums in SUMS:
            for folder in (site / "kept").glob(f"{sums.name}-*"):
                shutil.rmtree(folder)
        anew = close(site, 0)
        shutil.rmtree(site / "published")
    runs = {f"closed with {PAST - ago} before": run for ago, run in closed.items()}
    runs[f"closed with {PAST} before, all summed anew"] = anew
    head = ["run", "CPU s", "of it past plans", "µs a customer", "of them read, GB", "peak MB"]
    table(head, [[name, *cells(run, customers)] for name, run in runs.items()])
    print()
    mark("past plans, CPU, all summed anew ÷ closed", found=step(anew) / step(closed[0]), least=1.0)


def cells(run: Measured, customers: int) -> list[str]:
    read = run.said["steps"][STEP]["read"] / 1e9
    return [
        f"{run.job:.1f}",
        f"{step(run):.1f}",
        f"{1e6 * step(run) / customers:.2f}",
        f"{read:.3f}",
        f"{run.peak_mb:.0f}",
    ]


def step(run: Measured) -> float:
    return float(run.said["steps"][STEP]["cpu"])


def close(site: Path, ago: int) -> Measured:
    run = interleaved([Job(str(ago), ours("scale_jobs.py", "month", site, ago))], rounds=1)[str(ago)]
    if run.failed:
        sys.exit(f"{LAST + -ago}: {run.failed}")
    return run


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
