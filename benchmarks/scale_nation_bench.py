"""A nation's month on this machine: closed, and customers looked up in what was published.

usage: benchmarks/scale_nation_bench.py [CUSTOMERS [THREADS]]    default: a hundred million, or as many as the disk has
       room for, on two threads: sooner by the clock; one takes less CPU, as threads of one core share it

A simulated operator of twelve months (scale_operator.py). The close finds what the month before left to carry. Of the
peers nothing survives at this size.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, ours, table
from scale_bench import held, once, step
from scale_sites import KEPT, site_of, threads

LOOKUPS = "lookup_jobs.py"
NATION, ROOM, MILLION = 100_000_000, 800, 1_000_000  # ROOM: bytes of disk that a customer takes at most
THREADS, PROCESSES, TIMES, SECONDS = 2, 2, 1_000, 5.0
MEMORY_MB, MINUTES, MILLISECONDS, A_MINUTE = 4096, 60.0, 50.0, 10_000.0


def main(customers: int, on: int) -> None:
    print(f"## Scale: a nation's month\n\n{machine()}\n\n{customers:,} simulated customers, threads: {on}.\n")
    with site_of(customers) as site:
        for folder in ("kept", "published", "work"):
            shutil.rmtree(site / folder, ignore_errors=True)
        threads(site, on)
        once("former", "former", site)
        with _watched(site) as room:
            closed = once("closed", "month", site)
        told(customers, closed)
        disk(site, customers, max(room))
        looked_up(site)
        for folder in ("kept", "published"):
            shutil.rmtree(site / folder)


def as_many_as_fit() -> int:
    """Whole millions, for which the disk of the sites has room."""
    free = shutil.disk_usage(os.environ.get(KEPT, tempfile.gettempdir())).free
    return max(MILLION, min(NATION, free // ROOM // MILLION * MILLION))


@contextmanager
def _watched(site: Path) -> Iterator[list[int]]:
    """Bytes in use on the site's disk while something is done, beyond those before."""
    before, done = shutil.disk_usage(site).used, threading.Event()
    room = [0]

    def watch() -> None:
        while not done.wait(SECONDS):
            room.append(shutil.disk_usage(site).used - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield room
    finally:
        done.set()
        watcher.join()


def told(customers: int, closed: Measured) -> None:
    cost = [f"{closed.job:.0f}", f"{closed.job / 60:.1f}", f"{1e6 * closed.job / customers:.1f}"]
    table(
        ["CPU s", "CPU minutes", "µs a customer", "minutes by the clock", "peak MB"],
        [[*cost, f"{closed.said['wall'] / 60:.1f}", f"{closed.peak_mb:.0f}"]],
    )
    print()
    mark(f"CPU minutes, of {MINUTES:.0f} for {NATION:,}", found=closed.job / 60, most=MINUTES * customers / NATION)
    mark("peak MB", found=closed.peak_mb, most=MEMORY_MB)
    print(f"- others kept {closed.said['others']:.1f} cores busy meanwhile\n")
    steps = sorted(closed.said["steps"], key=lambda name: -step(closed, name))
    table(
        ["step", "CPU s", "µs a customer"],
        [[name, f"{step(closed, name):.1f}", f"{1e6 * step(closed, name) / customers:.2f}"] for name in steps],
    )


def disk(site: Path, customers: int, room: int) -> None:
    each = {folder: held(site / folder) for folder in ("lake", "kept", "published")}
    said = ", ".join(
        f"{name} {size / 1e9:.1f} GB ({size / customers:.0f} bytes a customer)" for name, size in each.items()
    )
    print(f"\n- on disk: {said}; what is in both `kept` and `published` lies there once")
    print(f"- while it was closed at most {room / 1e9:.1f} GB more than before were in use")


def looked_up(site: Path) -> None:
    """Single customers of the published month, as people who sell read them: two processes at once."""
    once("sample", "sample", site)

    def one(who: str) -> Measured:
        made = interleaved([Job(who, ours(LOOKUPS, "explain", site, TIMES))], rounds=1)[who]
        if made.failed:
            sys.exit(f"{who}: {made.failed}")
        return made

    one("the disk's cache filled")
    alone = one("alone")
    print(f"- opening the month for look-ups: {alone.said['opening']:.0f} ms")
    mark("one look-up alone, ms by the clock, 99 in 100", found=alone.said["p99"], most=MILLISECONDS)
    print(f"- the same, median: {alone.said['median']:.1f} ms")
    with ThreadPoolExecutor(PROCESSES) as pool:
        beside = list(pool.map(one, map(str, range(PROCESSES))))
    a_minute = sum(60 * TIMES / each.said["wall"] for each in beside)
    mark(f"look-ups a minute of {PROCESSES} processes at once, by the clock", found=a_minute, least=A_MINUTE)


if __name__ == "__main__":
    said = [int(word) for word in sys.argv[1:]]
    main(said[0] if said else as_many_as_fit(), said[1] if said[1:] else THREADS)
