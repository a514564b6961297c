"""Features of bills, usage and payments for everybody: ours beside pandas, Polars and one query of DuckDB.

usage: benchmarks/scale_features_bench.py [CUSTOMERS …]      default: 1000000 3000000 10000000

The job: 31 columns a customer, such as revenue of three and twelve months, its trend, margin, change of use, months
silent and late payments, from twelve months of Parquet files of a simulated operator (six of usage and payments),
written as Parquet. Ours is the product's own SQL, by ranges of customers: *rebuilt* from the history, and *rolled* from
what the month before left, as closing a month does. The peers' is what a user would write (scale_features_peers.py),
over everybody at once, or with Polars by chunks of customers too. All with one thread; whoever holds more than MOST_MB
is stopped.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measuring import Job, Measured, interleaved, machine, mark, missing_peers, ours, peer, table
from scale_features_jobs import COLUMNS
from scale_sites import site_of

JOBS, PEERS, ROOM = "scale_features_jobs.py", "scale_features_peers.py", "scale"
SIZES = (1_000_000, 3_000_000, 10_000_000)
MOST_MB = 16_000.0
ROUNDS, ENOUGH = 3, 300_000  # above so many customers, one round
NAMES = {
    "rebuilt": "keepline, rebuilt",
    "rolled": "keepline, rolled",
    "duckdb": "DuckDB, one query",
    "polars": "Polars, whole",
    "polars_chunked": "Polars, by chunks",
    "polars_streaming": "Polars, streaming",
    "pandas": "pandas",
}
OURS = ("rebuilt", "rolled")
MEMORY_SHARE, CPU_SHARE, LINEAR = 0.1, 0.5, 0.15


def main(sizes: list[int]) -> None:
    print(f"## Scale: features beside peers\n\n{machine()}\n\n{missing_peers(ROOM)}")
    print(
        "Simulated operators; 31 columns of bills, usage and payments of twelve months, one thread each. Whoever held "
        f"more than {MOST_MB:,.0f} MB was stopped. DuckDB's one query may hold 14 GB and spills beyond; a chunk of "
        "Polars holds 250,000 customers."
    )
    every = {}
    for customers in sizes:
        with site_of(customers) as site, tempfile.TemporaryDirectory(dir=site) as folder:
            every[customers] = of(site, Path(folder), customers)
        shown(customers, every[customers])
    print()
    marks(every)


def of(site: Path, folder: Path, customers: int) -> dict[str, Measured]:
    lists = folder / "lists.json"
    for job, to in (("lists", lists), ("former", folder / "any")):
        once(Job(job, ours(JOBS, job, site, to)))
    found: dict[str, list[Measured]] = {}
    rounds = ROUNDS if customers <= ENOUGH else 1
    jobs = [Job(name, ours(JOBS, name, site, folder / name), most_mb=MOST_MB) for name in OURS]
    jobs += [Job(name, peer(PEERS, name, lists, folder / name, room=ROOM), most_mb=MOST_MB) for name in list(NAMES)[2:]]
    for _ in range(rounds):
        for each in jobs:
            found.setdefault(each.who, []).append(summed(each, folder / each.who))
    return {name: merged(name, made) for name, made in found.items()} | {
        "scan": once(Job("scan", ours(JOBS, "scan", site, folder)))
    }


def summed(each: Job, made: Path) -> Measured:
    """One round: what it cost, and the sums of what it wrote, which is then deleted."""
    measured = interleaved([each], rounds=1)[each.who]
    if not measured.failed:
        measured.said["sums"] = dict(sums(made))
    done = measured.failed or f"{measured.job:.1f} CPU s, {measured.peak_mb:.0f} MB"
    print(f"{each.who}: {done}", file=sys.stderr, flush=True)
    for folder in (made, made.with_name(f"{made.name}-carried"), made.with_name(f"{made.name}-spill")):
        empty(folder)
    return measured


def empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True) if folder.exists() else ():
        path.rmdir() if path.is_dir() else path.unlink()
    if folder.exists():
        folder.rmdir()


def sums(folder: Path) -> Iterator[tuple[str, float]]:
    """Of each column the sum; of those that may be unknown also how many are known."""
    parts = sorted(folder.glob("*.parquet"))
    yield "customers", sum(pq.read_metadata(part).num_rows for part in parts)
    for name in COLUMNS:
        columns = [pq.read_table(part, columns=[name])[name] for part in parts]
        yield name, sum(pc.sum(column, min_count=0).as_py() or 0 for column in columns)
        if any(pa.types.is_floating(column.type) for column in columns) and name.endswith(
            ("change", "share", "slope_fen")
        ):
            yield f"{name} known", sum(len(column) - column.null_count for column in columns)


def merged(name: str, rounds: list[Measured]) -> Measured:
    whole = Measured(name)
    for each in rounds:
        whole.failed = whole.failed or each.failed
        for mine, its in (
            (whole.job_seconds, each.job_seconds),
            (whole.cpu_seconds, each.cpu_seconds),
            (whole.peaks_mb, each.peaks_mb),
        ):
            mine.extend(its)
        whole.said |= each.said
    return whole


def once(job: Job) -> Measured:
    made = interleaved([job], rounds=1)[job.who]
    if made.failed:
        sys.exit(f"{job.who}: {made.failed}")
    return made


def shown(customers: int, found: dict[str, Measured]) -> None:
    ours_, rows = found["rebuilt"], []
    for name, title in NAMES.items():
        each = found[name]
        if each.failed:
            rows.append([f"{customers:,}", title, "", "", "", "", each.failed])
            continue
        other = unequal(ours_.said["sums"], each.said["sums"])
        same = f"**no: {', '.join(other)}**" if other else "yes"
        cost = [
            f"{each.job:.1f}",
            f"{1e6 * each.job / customers:.2f}",
            f"{each.job / ours_.job:.2f}",
            f"{each.peak_mb:.0f}",
        ]
        rows.append([f"{customers:,}", title, *cost, same])
    scan = found["scan"]
    rows.append(
        [
            f"{customers:,}",
            "merely reading the columns",
            f"{scan.job:.1f}",
            f"{1e6 * scan.job / customers:.2f}",
            f"{scan.job / ours_.job:.2f}",
            f"{scan.peak_mb:.0f}",
            "",
        ]
    )
    print()
    table(["customers", "", "CPU s", "µs a customer", "× rebuilt", "peak MB", "equal sums"], rows)
    cells = scan.said["cells"]
    titles = NAMES | {"scan": "merely reading"}
    each = [f"{title} {1e9 * found[name].job / cells:.1f}" for name, title in titles.items() if not found[name].failed]
    print(f"\n- nanoseconds of CPU a cell of the year's files ({cells:,}): {', '.join(each)}")


def unequal(mine: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    return [name for name in mine if abs(mine[name] - theirs[name]) > 1e-9 * abs(mine[name])]


def marks(every: dict[int, dict[str, Measured]]) -> None:
    small, large = min(every), max(every)
    for name in OURS:
        first, last = every[small][name].job / small, every[large][name].job / large
        mark(f"{NAMES[name]}: CPU a customer at {large:,} ÷ at {small:,}", found=last / first, most=1 + LINEAR)
    for who in ("polars", "duckdb"):
        theirs = every[large][who]
        for name in OURS:
            mine = every[large][name]
            if theirs.failed:
                print(f"- {large:,}: {NAMES[who]}: {theirs.failed}; {NAMES[name]} holds {mine.peak_mb:.0f} MB")
                continue
            mark(
                f"{large:,}: peak memory, {NAMES[name]} ÷ {NAMES[who]}",
                found=mine.peak_mb / theirs.peak_mb,
                most=MEMORY_SHARE,
            )
            if who == "duckdb":
                mark(f"{large:,}: CPU, {NAMES[name]} ÷ {NAMES[who]}", found=mine.job / theirs.job, most=CPU_SHARE)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
