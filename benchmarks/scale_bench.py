"""What a month costs as the base grows: everything rebuilt, the month closed, and the same bytes merely read.

usage: benchmarks/scale_bench.py [CUSTOMERS …]      default: 200000 10000000

Simulated operators of twelve months (scale_operator.py): for cost alone. *Anew* is a run that finds nothing of past
months; *closed* one that finds all but its own month and the outcomes it brings, and what the month before left to
carry, as after the first every run does. Training learns from a lot of customers, so its share falls as the base grows.
Bytes are what a process read from files, on disk or in memory. From twenty million on the month
is closed alone, and makes its sample of past months too.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, ours, table
from scale_operator import LAST
from scale_sites import MONTHS, site_of, threads

JOBS = "scale_jobs.py"
SIZES = (200_000, 10_000_000)
FIXED = ("training", "effects of pilots and past plans", "niches", "watch for drift", "report and plan")
OF_A_LOT = ("features of", "outcomes after", "scores of the pilot")  # of past months, of those somebody learns from
LESS, MEMORY_MB, LINEAR, NATION, MINUTES = 6.0, 4096, 1.15, 100_000_000, 60.0
TWO = "two"  # at the greatest size alone
CLOSED_ALONE = 20_000_000  # customers, from whom on nothing else is run
RUNS = {"anew": "anew", "closed": "closed", TWO: "closed, two threads"}


def main(sizes: list[int]) -> None:
    print(
        f"## Scale\n\n{machine()}\n\nSimulated operators of {MONTHS} months; one thread unless said, 500,000 a range.\n"
    )
    each, stopped = {}, []
    for customers in sizes:
        with site_of(customers) as site:
            try:
                each[customers] = of(site, runs(customers, sizes))
            except RuntimeError as why:  # the other sizes stand
                stopped.append(f"{customers:,} customers: not finished: {why}")
                print(f"- {stopped[-1]}\n")
                continue
        print(*lines(customers, each[customers]), sep="\n", file=sys.stderr, flush=True)
    head = [
        "customers",
        "run",
        "CPU s",
        "µs a customer",
        "but for what is fixed",
        "features, CPU s",
        "features, GB read",
    ]
    table([*head, "peak MB"], [said for customers, found in each.items() for said in lines(customers, found)])
    print()
    for customers, found in each.items():
        told(customers, found)
    profile({customers: found["closed"] for customers, found in each.items()})
    projected({customers: found["closed"] for customers, found in each.items()})
    if stopped:
        sys.exit("; ".join(stopped))


def runs(customers: int, sizes: list[int]) -> list[str]:
    if customers >= CLOSED_ALONE:
        return ["closed"]
    greatest = max(size for size in sizes if size < CLOSED_ALONE)
    return [name for name in RUNS if name != TWO or customers == greatest]


def of(site: Path, runs: list[str], since: Sequence[str] = ()) -> dict[str, Measured]:
    """The runs of one size; but the first, each finds what it needs of past months, as every run but the first does.

    ``since``: jobs done after the month before was closed.
    """
    found = {}
    for folder in ("kept", "published", "work"):
        shutil.rmtree(site / folder, ignore_errors=True)
    for name in runs:
        if name != "anew":
            once("former", "former", site)
            for job in since:
                once(job, job, site)
            found["raw"] = once("raw", "raw", site)
        threads(site, 2 if name == TWO else 1)
        found[name] = once(name, "month", site)
        found[name].said["disk"] = {folder: held(site / folder) for folder in ("lake", "kept", "published")}
        shutil.rmtree(site / "published")
        for own in [*(site / "kept").glob(f"*-{LAST}-*"), *newest_labels(site)]:
            shutil.rmtree(own)
    return found | {"scan": once("scan", "scan", site)}


def newest_labels(site: Path) -> list[Path]:
    """What became of the latest past base is known only since the month that is closed."""
    return sorted((site / "kept").glob("labels-*"))[-1:]


def once(who: str, job: str, site: Path) -> Measured:
    made = interleaved([Job(who, ours(JOBS, job, site))], rounds=1)[who]
    if made.failed:
        raise RuntimeError(f"{who}: {made.failed}")
    return made


def held(folder: Path) -> float:
    """Bytes of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def lines(customers: int, found: dict[str, Measured]) -> list[list[object]]:
    made = []
    for name, title in RUNS.items():
        if (run := found.get(name)) is None:
            continue
        cpu = [f"{run.job:.1f}", f"{1e6 * run.job / customers:.0f}", f"{1e6 * growing(run) / customers:.0f}"]
        made.append(
            [f"{customers:,}", title, *cpu, f"{features(run):.2f}", f"{gigabytes(run):.3f}", f"{run.peak_mb:.0f}"]
        )
    return made


def told(customers: int, found: dict[str, Measured]) -> None:
    closed, read, raw = (found[name] for name in ("closed", "scan", "raw"))
    who = f"{customers:,}"
    if "anew" in found:
        against(found["anew"], closed, who)
    own, cells = closed.said["steps"]["features"]["cpu"], read.said["cells"]
    print(
        f"- {who}: CPU of the month's features: {1e9 * own / cells:.0f} ns for each cell of the columns they are made "
        f"of ({cells:,}); merely reading these takes {1e9 * read.job / cells:.0f} ns: {own / read.job:.1f} times that"
    )
    print(
        f"- {who}: the month in the lake and what is carried to it are {raw.said['bytes'] / 1e6:,.0f} MB; reading the "
        f"bytes once takes {raw.job:.2f} CPU s, a {closed.job / max(raw.job, 1e-3):,.0f}th of closing the month"
    )
    if TWO in found:
        side_by_side(closed, found[TWO], who)
    held_by = ", ".join(f"{name} {size / customers:.0f}" for name, size in closed.said["disk"].items())
    print(f"- {who}: bytes a customer on disk: {held_by}")
    mark(f"{who}: peak MB", found=max(found[name].peak_mb for name in RUNS if name in found), most=MEMORY_MB)


def against(anew: Measured, closed: Measured, who: str) -> None:
    mark(
        f"{who}: bytes that features and labels read, anew ÷ closed",
        found=gigabytes(anew) / gigabytes(closed),
        least=LESS,
    )
    print(f"- {who}: CPU of features and labels, anew ÷ closed: {features(anew) / features(closed):.1f}")


def side_by_side(one: Measured, two: Measured, who: str) -> None:
    """One core beside two, by the clock, so with how busy the machine was."""
    faster, dearer = one.said["wall"] / two.said["wall"], two.job / one.job
    print(
        f"- {who}: by the clock one thread takes {one.said['wall']:.0f} s and two {two.said['wall']:.0f} s: "
        f"{faster:.2f} times as fast for {dearer:.2f} times the CPU, while others kept {one.said['others']:.1f} and "
        f"{two.said['others']:.1f} cores busy"
    )


def profile(closed: dict[int, Measured]) -> None:
    """Each step by the straight line through the least and the greatest size: so much for all, so much a customer."""
    small, large = min(closed), max(closed)
    names = [name for name in closed[large].said["steps"] if name in closed[small].said["steps"]]
    rows = []
    for name in sorted(names, key=lambda name: -step(closed[large], name)):
        first, last = step(closed[small], name), step(closed[large], name)
        slope = (last - first) / (large - small) if large > small else last / large
        each = [f"{1e6 * step(run, name) / customers:.2f}" for customers, run in closed.items()]
        rows.append([name, *each, f"{1e6 * slope:.2f}", f"{last - slope * large:.1f}"])
    print(
        "\n### Closing a month, by step\n\nµs of CPU a customer; marginal and fixed by the line through the least and "
        "the greatest size.\n"
    )
    table(["step", *(f"{customers:,}" for customers in closed), "marginal", "fixed, CPU s"], rows)


def projected(closed: dict[int, Measured]) -> None:
    if len(closed) < 2:
        return
    small, large = min(closed), max(closed)
    slope = (closed[large].job - closed[small].job) / (large - small)
    fixed = closed[large].job - slope * large
    print()
    last, first = (growing(closed[size]) / size for size in (large, small))
    mark(f"closing but for what is fixed, a customer: {large:,} ÷ {small:,}", found=last / first, most=LINEAR)
    print(
        f"- closing: {1e6 * slope:.1f} µs a customer and {fixed:.0f} CPU s for all, by the line through {small:,} and "
        f"{large:,}"
    )
    mark(
        f"**projected**: CPU minutes to close a month of {NATION:,}", found=(fixed + slope * NATION) / 60, most=MINUTES
    )


def step(run: Measured, name: str) -> float:
    return float(run.said["steps"][name]["cpu"])


def growing(run: Measured) -> float:
    return sum(step(run, name) for name in run.said["steps"] if not name.startswith((*FIXED, *OF_A_LOT)))


def of_features(run: Measured) -> list[dict[str, float]]:
    return [said for name, said in run.said["steps"].items() if name.startswith(("features", "outcomes"))]


def features(run: Measured) -> float:
    return sum(said["cpu"] for said in of_features(run))


def gigabytes(run: Measured) -> float:
    return sum(said["read"] for said in of_features(run)) / 1e9


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
