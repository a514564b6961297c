"""A bills file of an operator taken in, in UTF-8 and in GB18030: MB of the file a CPU second, beside bare readers.

usage: benchmarks/scale_intake_bench.py [CUSTOMERS …]      default: 2000000 10000000, files of about 200 MB and 1 GB

Of the least number the file comes in both encodings, beside the peers; of the others ours alone, in UTF-8.

Ours reads, maps (yuan to fen, four columns to rows of components, minutes and MB to ours), makes pseudonyms, checks
totals of each row, that every customer is known and the month like the one before, merges, and switches the lake. The
others read the columns into memory and check nothing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Job, Measured, interleaved, machine, mark, missing_peers, ours, peer, table
from scale_intake_jobs import LOADED

JOBS, PEERS, ROOM, SIZES = "scale_intake_jobs.py", "scale_intake_peers.py", "scale", (2_000_000, 10_000_000)
MEMORY_MB = 4096
NAMES = {
    "load": "keepline, loaded",
    "duckdb": "DuckDB, read_csv",
    "pandas": "pandas.read_csv",
    "arrow": "Arrow, read_csv",
}


def main(sizes: list[int]) -> None:
    print(f"## Scale: intake\n\n{machine()}\n\n{missing_peers(ROOM)}")
    print("Made-up bills, 13 columns, one thread.\n")
    rows, peaks = [], {}
    for customers in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subprocess.run(ours(JOBS, "make", folder, customers), check=True, stdout=subprocess.DEVNULL)
            for encoding, file in LOADED.items() if customers == min(sizes) else [("utf-8", LOADED["utf-8"])]:
                size = (folder / file).stat().st_size / 1e6
                found = of(folder, encoding, peers=customers == min(sizes))
                rows += [row(encoding, size, NAMES[who], each) for who, each in found.items()]
                peaks[customers] = max(peaks.get(customers, 0.0), found["load"].peak_mb)
    head = ["file", "", "CPU s", "MB a CPU second", "µs a row", "peak MB", "rows"]
    table(head, rows)
    print()
    mark("peak MB of loading", found=max(peaks.values()), most=MEMORY_MB)
    more, grown = max(sizes) - min(sizes), peaks[max(sizes)] - peaks[min(sizes)]
    if more:
        print(f"- memory grows by {1e6 * grown / more:.0f} bytes for each further row of the file")


def of(folder: Path, encoding: str, *, peers: bool) -> dict[str, Measured]:
    jobs = [Job(name, ours(JOBS, name, folder, encoding)) for name in ("load", "duckdb", "arrow")]
    jobs.append(Job("pandas", peer(PEERS, folder / LOADED[encoding], encoding, room=ROOM)))
    found = interleaved(jobs if peers else jobs[:1], rounds=2 if peers else 1)
    if found["load"].failed:
        sys.exit(f"{encoding}: {found['load'].failed}")
    return found


def row(encoding: str, size: float, title: str, found: Measured) -> list[str]:
    file = f"{encoding}, {size:.0f} MB"
    if found.failed:
        return [file, title, "", "", "", "", f"failed: {found.failed[:80]}"]
    rows = found.said["rows"]
    cost = [f"{found.job:.2f}", f"{size / found.job:.1f}", f"{1e6 * found.job / rows:.2f}", f"{found.peak_mb:.0f}"]
    return [file, title, *cost, f"{rows:,}"]


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
