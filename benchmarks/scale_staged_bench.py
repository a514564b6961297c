"""The feature job of the peers' code, expressed as models and run by our engine, beside the peers' own script.

usage: benchmarks/scale_staged_bench.py [CUSTOMERS …]      default: 1000000

Twelve bills a customer: sums, slope, recency, complaints and plan, deciles of value and fifths of recency and
frequency, the share of all income, as written Parquet (24 columns and four more). The mark is run_staged.py of the
reference beside the project, which gives DuckDB the same ranges of customers. Ours goes through `see` and `write` of
the engine: portable SQL, rows in order of the key, our layout of Parquet, days where theirs keeps moments; once with
all columns written twice, as theirs are, once with the last stage's own columns in a table beside, as stages do here.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, ours, table
from scale_sites import KEPT
from scale_staged_jobs import PEERS

JOBS, SIZES, MONTHS = "scale_staged_jobs.py", (1_000_000,), 12
OURS = ("staged", "beside")
NAMES = {"staged": "keepline", "beside": "keepline, a table beside", "theirs": "run_staged.py"}


def main(sizes: list[int]) -> None:
    print(f"## Scale: the peers' own feature job\n\n{machine()}\n")
    if not PEERS.is_dir():
        print("The peers' code does not lie beside the project, so nothing was run.")
        return
    print(
        "Synthetic bills of twelve months, by the peers' gen.py; two threads and 1 GB each, "
        "ranges of 500,000 customers.\n"
    )
    every = {customers: of(customers) for customers in sizes}
    head = ["customers", "", "CPU s", "µs a bill", "peak MB"]
    table(head, [row for customers, found in every.items() for row in rows(customers, found)])
    print()
    for customers, found in every.items():
        check = found["theirs"].said["check"]
        for name in OURS:
            mine = found[name]
            other = [key for key, value in check.items() if abs(mine.said["check"][key] - value) > 1e-9 * abs(value)]
            same = f"**no: {', '.join(other)}**" if other else "yes"
            print(f"- {customers:,}: {NAMES[name]}: {len(check)} checksums equal: {same}")
            mark(f"{customers:,}: CPU, {NAMES[name]} ÷ theirs", found=mine.job / found["theirs"].job, most=1.0)


def of(customers: int) -> dict[str, Measured]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(os.environ.get(KEPT, folder)) / f"bills-{customers}"
        if not (data / "complaints.parquet").exists():
            once("make", data, customers)
        found: dict[str, Measured] = {name: Measured(name) for name in NAMES}
        for _ in range(3):
            for name, whole in found.items():
                one = once(name, data, Path(folder) / "work")
                whole.job_seconds += one.job_seconds
                whole.peaks_mb += one.peaks_mb
                whole.said = one.said
                shutil.rmtree(Path(folder) / "work", ignore_errors=True)
    return found


def once(job: str, data: Path, more: object) -> Measured:
    made = interleaved([Job(job, ours(JOBS, job, data, more))], rounds=1)[job]
    if made.failed:
        sys.exit(f"{job}: {made.failed}")
    return made


def rows(customers: int, found: dict[str, Measured]) -> list[list[str]]:
    made = []
    for name, title in NAMES.items():
        each = found[name]
        cost = [f"{each.job:.2f}", f"{1e6 * each.job / customers / MONTHS:.3f}", f"{each.peak_mb:.0f}"]
        made.append([f"{customers:,}", title, *cost])
    return made


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
