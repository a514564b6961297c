"""A month by DuckDB and by a Spark cluster of processes on this machine, whole and with a worker killed in the middle.

usage: benchmarks/cluster_bench.py [CUSTOMERS …]      default: 5000 50000; a site of twelve months is made and deleted

Simulated operators (scale_operator.py): for cost alone. The cluster is a master and two workers of a core each,
started from the PySpark package; its seconds hold all processes, starting and stopping them, too. DuckDB has two
threads. Every run makes the month anew; the hashes of the tables it publishes are those of the manifest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, ours, table

JOBS, MAKER = "cluster_jobs.py", "scale_operator.py"
SIZES = (5_000, 50_000)
MONTHS = 12
RANGES = 3  # of customers, so that a worker that is killed leaves work undone
LEARN_FROM = 10_000  # customers, as the driver holds them
WAYS = {"duckdb": "DuckDB", "spark": "Spark, two workers", "killed": "Spark, one of them killed in the middle"}


def main(sizes: list[int]) -> None:
    print(
        f"## Cluster\n\n{machine()}\n\nSimulated operators of {MONTHS} months, everything rebuilt. "
        f"The driver of Spark has 512 MB, an executor 1 GB; {LEARN_FROM:,} customers are learnt from.\n"
    )
    each = {}
    for customers in sizes:
        with tempfile.TemporaryDirectory() as folder:
            each[customers] = of(Path(folder), customers)
    head = ["customers", "by", "CPU s", "× DuckDB", "s by the clock", "largest process, MB"]
    table(head, [line for customers, found in each.items() for line in lines(customers, found)])
    print()
    for customers, found in each.items():
        known = found["duckdb"].said["tables"]
        for way in ("spark", "killed"):
            made = found[way].said["tables"]
            same = sum(known[name] == made.get(name) for name in known)
            mark(f"{customers:,}, {WAYS[way]}: published tables equal to DuckDB's", found=same, least=len(known))
    first, last = min(each), max(each)
    if first != last:
        growth = {way: each[last][way].job - each[first][way].job for way in ("duckdb", "spark")}
        more = {way: 1e6 * seconds / (last - first) for way, seconds in growth.items()}
        print(
            f"- each further customer: {more['duckdb']:.0f} µs of CPU by DuckDB, {more['spark']:.0f} µs by Spark, "
            f"{more['spark'] / more['duckdb']:.1f} times"
        )


def of(folder: Path, customers: int) -> dict[str, Measured]:
    made = folder / "made"
    subprocess.run(ours(MAKER, made, customers, MONTHS), check=True)
    leaving = made / "policy" / "leaving.toml"
    told = [
        f"training_customers_max = {LEARN_FROM}" if line.startswith("training_customers_max") else line
        for line in leaving.read_text(encoding="utf-8").splitlines()
    ]
    leaving.write_text("\n".join(told) + "\n", encoding="utf-8")
    found = {}
    for way in WAYS:
        site = folder / way
        shutil.copytree(made, site, copy_function=os.link)
        jobs = [Job(way, ours(JOBS, way, site, -(-customers // RANGES)))]
        found[way] = interleaved(jobs, rounds=1)[way]
        if found[way].failed:
            sys.exit(f"{customers:,} {WAYS[way]}: {found[way].failed}")
        shutil.rmtree(site)
    return found


def lines(customers: int, found: dict[str, Measured]) -> list[list[str]]:
    least = found["duckdb"].job
    return [
        [
            f"{customers:,}",
            name,
            f"{found[way].job:.0f}",
            f"{found[way].job / least:.1f}",
            f"{found[way].said['wall']:.0f}",
            f"{found[way].peak_mb:.0f}",
        ]
        for way, name in WAYS.items()
    ]


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
