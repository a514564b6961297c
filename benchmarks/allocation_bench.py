"""Allocation beside HiGHS: certified gap, CPU seconds and memory, from a hundred thousand customers to ten million.

usage: benchmarks/allocation_bench.py [CUSTOMERS]      default: 10000000, and a tenth and a hundredth of them

Random problems with eight offers a customer, under money and up to 19 channels; then with a limit for each of
1,000 managers as well, and for each week; then as a month does it, from parts and by blocks. HiGHS (interior point,
linear relaxation) where it needs a minute, not hours; by weeks as a mixed-integer programme, which takes about a
minute for 5,000 customers and is not to be had for 100,000.
Our machine code is compiled before the clock starts; what that takes the first time is said apart.
Peers' environment: see benchmarks/measuring.py.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measuring import Job, Measured, cost_table, interleaved, machine, mark, missing_peers, ours, peer

JOBS, WEEKS, PARTS = "allocation_jobs.py", "weeks_jobs.py", "allocation_parts_jobs.py"
CUSTOMERS, MANAGERS = 10_000_000, 1_000
SMALL = 200_000  # customers up to whom HiGHS is asked
LIMITS = (4, 20)  # money and channels
EXACT = 10_000  # customers up to whom HiGHS is asked by weeks
OF_WEEKS = ("gain", "bound", "gap", "treated", "violations", "status")
OF_PARTS = ("gap", "binding", "treated", "exceptions", "disk_mb")
SHOWS = ("gain", "bound", "gap", "binding", "treated", "status")


def main(customers: int) -> None:
    print(f"## Allocation\n\n{machine()}\n\n{missing_peers()}")
    compiling()
    for size in (customers // 100, customers // 10, customers):
        for limits in LIMITS:
            global_limits(size, limits)
        with_managers(size)
    for size in (customers // 2_000, customers // 100):
        by_weeks(size)
    from_parts([customers // 10, customers // 10 * 3, customers])


def compiling() -> None:
    """What a machine pays once: the loops are compiled and kept."""
    with tempfile.TemporaryDirectory() as folder:
        made(folder, 1_000, LIMITS[0], 10)
        found = interleaved([Job("keepline", ours(JOBS, "compile", folder))], rounds=1)
    cost_table("Compiling the loops, once on a machine", found)


def made(folder: str, customers: int, limits: int, managers: int) -> None:
    make(JOBS, folder, customers, limits, managers)


def make(jobs: str, folder: str, *sizes: int) -> None:
    environment = {"PYTHONPATH": f"{Path(__file__).parent}:{Path(__file__).parent.parent / 'src'}"}
    command = ours(jobs, "make", folder, *sizes)
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


def by_weeks(customers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(WEEKS, folder, customers)
        jobs = [
            Job("keepline", ours(WEEKS, "ours", folder)),
            Job("a list from the top", ours(WEEKS, "by_hand", folder)),
        ]
        if customers <= EXACT:
            jobs.append(Job("HiGHS, mixed-integer", peer(WEEKS, "highs", folder), rounds=1))
        found = interleaved(jobs)
    managers = customers // 100
    cost_table(f"{customers:,} customers × 8 offers × 4 weeks, 20 limits, {managers:,} managers", found, shows=OF_WEEKS)
    mine, list_from_the_top = found["keepline"], found["a list from the top"]
    print()
    kept(mine)
    mark("gain ÷ a list's from the top", found=mine.said["gain"] / list_from_the_top.said["gain"], least=1)
    if customers <= EXACT:
        beside_exact(mine, found["HiGHS, mixed-integer"])


def from_parts(sizes: Sequence[int]) -> None:
    """What a month does: parts of CANDIDATES read by range, laid down, planned, written out, compared with a list."""
    found = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            make(PARTS, folder, size)
            who = f"{size:,}"
            found |= interleaved([Job(who, ours(PARTS, "ours", folder))], rounds=1)
    cost_table("From parts, 5 candidates a customer, money, channels and 1,000 managers", found, shows=OF_PARTS)
    print()
    least, most = found[f"{sizes[0]:,}"], found[f"{sizes[-1]:,}"]
    mark("limits violated", found=sum(each.said["violations"] for each in found.values()), most=0)
    mark("bytes of memory a customer more", found=1e6 * (most.peak_mb - least.peak_mb) / (sizes[-1] - sizes[0]), most=2)
    mark("µs of CPU a customer", found=1e6 * most.job / sizes[-1], most=3)


def beside_exact(mine: Measured, exact: Measured) -> None:
    if exact.failed:
        print(f"- HiGHS by weeks: not compared, {exact.failed}")
        return
    best, bound = exact.said["gain"], mine.said["bound"]
    print(f"- HiGHS: {exact.said['status']}; it gains {best / mine.said['gain'] - 1:.2%} more than ours")
    short = (best - mine.said["gain"]) / max(bound - best, 1)
    mark("what ours falls short of HiGHS ÷ what HiGHS falls short of our bound", found=short, most=1)
    mark("HiGHS ÷ keepline, CPU seconds", found=exact.job / mine.job, least=50)


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
