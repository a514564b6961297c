"""One customer's page from a published month: how long it takes, how many a minute, and what finding them costs.

usage: benchmarks/lookup_bench.py [CUSTOMERS …]      default: 1000000; a month is made and deleted

Customers are drawn at random from a month of made-up values (lookup_jobs.py) in the tables, cut and order of a real
one, about 700 bytes a customer.
Beside ours, in turns: a warm DuckDB asked for the same rows with SQL over the same files, and SQLite with a key by
customer, which has to be loaded first and holds the first 100,000 alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, ours, table

JOBS = "lookup_jobs.py"
CUSTOMERS = 1_000_000
TIMES, PEER_TIMES, AT_ONCE = 1_000, 20, 2
KINDS = ("csv", "parquet")
MILLISECONDS, A_MINUTE, WRITING_US = 50.0, 10_000.0, 2.0


def main(sizes: list[int]) -> None:
    print(f"## Lookup\n\n{machine()}\n")
    print(
        "A warm process explains customers drawn at random, as people who sell read them, from a month of made-up "
        "values; below that, with all that analysts read. DuckDB fetches the same rows whole, its footers kept in "
        "memory; SQLite has the first 100,000 customers, loaded before."
    )
    every = {}
    for customers in sizes:
        with tempfile.TemporaryDirectory() as folder:
            every[customers] = of(Path(folder) / "site", customers)
    print("\n### What finding them costs\n")
    head = ["customers", "tables, bytes a customer", "lookup, bytes a customer", "lookup in all, MB"]
    table(
        [*head, "writing it, CPU µs a customer", "opening the month, ms"],
        [written(n, *found) for n, found in every.items()],
    )
    print("\n### The decisions of all as one file\n")
    whole = [row for customers, (found, _) in every.items() for row in exported(customers, found)]
    table(["customers", "kind", "rows", "CPU µs a row", "bytes a row", "peak MB"], whole)
    for customers, (found, minute) in every.items():
        print(f"\n### {customers:,} customers\n")
        told(found)
        print()
        mark("CPU milliseconds of 99 in 100 look-ups", found=found["keepline"].said["p99_cpu"], most=MILLISECONDS)
        by_cpu, by_clock = minute
        mark(f"look-ups a minute of {AT_ONCE} processes at once, by their CPU", found=by_cpu, least=A_MINUTE)
        print(f"- the same by the clock: {by_clock:,.0f}")
        mark("CPU µs a customer to write the lookup", found=1e6 * found["writing"].job / customers, most=WRITING_US)


Minute = tuple[float, float]  # by the CPU it took, and by the clock


def of(site: Path, customers: int) -> tuple[dict[str, Measured], Minute]:
    subprocess.run(ours(JOBS, "make", site, customers), check=True)
    jobs = [
        Job("keepline", ours(JOBS, "explain", site, TIMES)),
        Job("keepline, analyst", ours(JOBS, "whole", site, TIMES)),
        Job("DuckDB", ours(JOBS, "duckdb", site, PEER_TIMES)),
        Job("SQLite", ours(JOBS, "sqlite", site, TIMES), rounds=1),
        Job("writing", ours(JOBS, "index", site)),
        *(Job(kind, ours(JOBS, kind, site), rounds=1) for kind in KINDS),
    ]
    found = interleaved(jobs)
    for each in found.values():
        if each.failed:
            sys.exit(f"{customers:,} {each.who}: {each.failed}")
    return found, a_minute(site)


def a_minute(site: Path) -> Minute:
    """Look-ups a minute of two processes at once; others on the machine slow the clock's down."""
    jobs = [Job(str(i), ours(JOBS, "explain", site, TIMES)) for i in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(lambda one: interleaved([one], rounds=1)[one.who], jobs))
    by_cpu = sum(60 * TIMES / each.job for each in done)
    return by_cpu, sum(60 * TIMES / each.said["wall"] for each in done)


def exported(customers: int, found: dict[str, Measured]) -> list[list[str]]:
    rows = []
    for kind in KINDS:
        each = found[kind]
        done, size = each.said["rows"], each.said["bytes"]
        cost = [f"{1e6 * each.job / done:.2f}", f"{size / done:.1f}", f"{each.peak_mb:.0f}"]
        rows.append([f"{customers:,}", kind, f"{done:,}", *cost])
    return rows


def written(customers: int, found: dict[str, Measured], minute: Minute) -> list[str]:
    _ = minute
    said, us = found["writing"].said, 1e6 * found["writing"].job / customers
    size = said["lookup_bytes"]
    each = [f"{said['tables_bytes'] / customers:.0f}", f"{size / customers:.3f}", f"{size / 1e6:.2f}"]
    return [f"{customers:,}", *each, f"{us:.2f}", f"{found['keepline'].said['opening']:.0f}"]


def told(found: dict[str, Measured]) -> None:
    rows = []
    for name in ("keepline", "keepline, analyst", "DuckDB", "SQLite"):
        each = found[name]
        said, cpu = each.said, 1e3 * each.job / each.said["times"]
        more = [f"{said['us']:.0f}", f"{said['bytes']:.0f}"] if name == "SQLite" else ["", ""]
        times = [f"{said['median']:.1f}", f"{said['p99']:.1f}", f"{cpu:.1f}", f"{said['p99_cpu']:.1f}"]
        rows.append([name, *times, *more, f"{each.peak_mb:.0f}"])
    head = [
        "",
        "ms, median",
        "ms, 99 of 100",
        "CPU ms",
        "CPU ms, 99 of 100",
        "loading, CPU µs a customer",
        "bytes a customer",
        "peak MB",
    ]
    table(head, rows)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [CUSTOMERS])
