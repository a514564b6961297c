"""The jobs of scale_bench.py, each in a child process: a month run, and a plain scan of what its features read.

usage: scale_jobs.py month SITE        run the last month and tell what each step cost
       scale_jobs.py scan SITE         read the same columns of the lake once, and nothing else
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from measuring import job
from scale_operator import LAST

from keepline.features.build import WINDOWS, column_origins
from keepline.features.carrying import MONTHS
from keepline.lake.store import open_lake
from keepline.pipeline import run_month
from keepline.site import open_site
from keepline.tables import FEATURES, TABLES


class Costs:
    """A progress that notes, whenever a step begins, what the process has spent and read so far."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float, int]] = []

    def begin(self, zh: str, en: str, total: int | None = None) -> None:
        _ = zh, total
        self.steps.append((en, time.process_time(), _read()))

    def advance(self, done: int = 1) -> None:
        _ = done

    def told(self) -> dict[str, dict[str, float]]:
        """CPU seconds and bytes read of each step, in order."""
        ends = [*self.steps[1:], ("end", time.process_time(), _read())]
        return {
            name: {"cpu": round(after[1] - cpu, 3), "read": after[2] - read}
            for (name, cpu, read), after in zip(self.steps, ends, strict=True)
        }


def _read() -> int:
    """Bytes this process has read from files, cached or not."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


def month(root: Path) -> None:
    costs: Any = Costs()
    with job() as said:
        run_month(open_site(root), LAST, progress=costs)
    said(steps=costs.told())


def scan(root: Path) -> None:
    """Every column of the lake that a feature is made of, in the months it is made of."""
    lake, found = open_lake(root / "lake"), _columns()
    before = _read()
    with job() as said:
        for table, months in (WINDOWS | MONTHS).items():
            if table not in found:
                continue
            for files in lake.scan(table, LAST, months=months).files:
                for path in files.paths:
                    for _ in pq.ParquetFile(path).iter_batches(columns=sorted(found[table])):
                        pass
    said(read=_read() - before)


def _columns() -> dict[str, set[str]]:
    """The columns of each table that a feature comes from, with the one that rows are found by."""
    made: dict[str, set[str]] = {}
    for origin in {origin for name in FEATURES.names for origin in column_origins(name)}:
        table, column = origin.split(".")
        made.setdefault(table, set(TABLES[table].key[:1])).add(column)
    return made


JOBS = {each.__name__: each for each in (month, scan)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]))
