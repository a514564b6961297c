"""Allocation beside HiGHS: certified gap, CPU seconds and memory, from a hundred thousand customers to ten million.

usage: benchmarks/allocation_bench.py [CUSTOMERS]      default: 10000000, and a tenth and a hundredth of them

Random problems with eight offers a customer, under money and up to 19 channels; then with a limit for each of
1,000 managers as well. HiGHS (interior point, linear relaxation) where it needs a minute, not hours.
Our machine code is compiled before the clock starts; what that takes the first time is said apart.
Peers' environment: see benchmarks/measuring.py.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Job, Measured, cost_table, interleaved, machine, mark, missing_peers, ours, peer

JOBS = "allocation_jobs.py"
CUSTOMERS, MANAGERS = 10_000_000, 1_000
SMALL = 200_000  # customers up to whom HiGHS is asked
LIMITS = (4, 20)  # money and channels
SHOWS = ("gain", "bound", "gap", "binding", "treated", "status")


def main(customers: int) -> None:
    print(f"## Allocation\n\n{machine()}\n\n{missing_peers()}")
    compiling()
    for size in (customers // 100, customers // 10, customers):
        for limits in LIMITS:
            global_limits(size, limits)
        with_managers(size)


def compiling() -> None:
    """What a machine pays once: the loops are compiled and kept."""
    with tempfile.TemporaryDirectory() as folder:
        made(folder, 1_000, LIMITS[0], 10)
        found = interleaved([Job("keepline", ours(JOBS, "compile", folder))], rounds=1)
    cost_table("Compiling the loops, once on a machine", found)


def made(folder: str, customers: int, limits: int, managers: int) -> None:
    command = ours(JOBS, "make", folder, customers, limits, managers)
    environment = {"PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parent.parent / 'src'}"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def global_limits(customers: int, limits: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made(folder, customers, limits, 0)
        jobs = [Job("keepline", ours(JOBS, "ours", folder))]
        if customers <= SMALL:
            jobs.append(Job("HiGHS, linear relaxation", peer(JOBS, "highs", folder), rounds=1))
        found = interleaved(jobs)
    cost_table(f"{customers:,} customers × 8 offers, {limits} limits", found, shows=SHOWS)
    mine = found["keepline"]
    print()
    kept(mine)
    gap = 2e-5 if customers <= 100_000 else 2e-6 if customers >= CUSTOMERS else None
    if gap:
        mark("certified gap", found=mine.said["gap"], most=gap)
    if customers <= SMALL:
        against(found)
    if customers >= CUSTOMERS:
        mark("CPU seconds", found=mine.job, most=4)
        mark("peak MB", found=mine.peak_mb, most=1200)


def with_managers(customers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made(folder, customers, LIMITS[0], MANAGERS)
        found = interleaved([Job("keepline", ours(JOBS, "ours", folder))])
    cost_table(f"{customers:,} customers × 8 offers, {LIMITS[0]} limits and {MANAGERS:,} managers", found, shows=SHOWS)
    mine = found["keepline"]
    print()
    kept(mine)
    said = mine.said
    mark("certified gap", found=said["gap"], most=said["binding"] * said["largest"] / said["bound"])
    if customers >= CUSTOMERS:
        mark("CPU seconds", found=mine.job, most=12)
        mark("peak MB", found=mine.peak_mb, most=1600)


def kept(mine: Measured) -> None:
    mark("limits violated", found=mine.said["violations"], most=0)


def against(found: dict[str, Measured]) -> None:
    mine, other = found.values()
    if other.failed:
        print(f"- HiGHS ÷ keepline, CPU seconds: not compared, {other.failed}")
        return
    mark("HiGHS ÷ keepline, CPU seconds", found=other.job / mine.job, least=50)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS)
