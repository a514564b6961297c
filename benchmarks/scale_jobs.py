"""The jobs of scale_bench.py, each in a child process: a month run, and a plain scan of what its features read.

usage: scale_jobs.py month SITE [AGO]  run the last month, or one before it, and tell what each step cost
       scale_jobs.py former SITE       keep what the close of the month before would have left to carry
       scale_jobs.py late SITE         bring a bill of three months ago
       scale_jobs.py scan SITE         read the same columns of the lake once, and nothing else
       scale_jobs.py raw SITE          read the bytes of the last month once, and nothing else
       scale_jobs.py sample SITE       draw managed customers of the published month, for lookup_jobs.py to look up
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measuring import job
from scale_operator import LAST

from keepline.canonical import file_hash
from keepline.closing import carried_part
from keepline.features.build import WINDOWS, base_of, column_origins
from keepline.features.carrying import MONTHS
from keepline.kept import Kept
from keepline.lake.store import LakeFile, open_lake, reading, switch
from keepline.pipeline import opened, run_month
from keepline.policy.documents import read_policy
from keepline.progress import Silent
from keepline.site import open_site
from keepline.tables import CARRIED, FEATURES, TABLES
from keepline.written import write_table

LATE, CAME_LATE = 3, "late.parquet"  # months ago is what comes late, as a file of its own
GROUPS, EACH = 100, 5  # row groups drawn of a part, and customers of each


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


def _busy() -> float:
    """Processor seconds that the machine has spent on anything so far."""
    user, nice, system, *rest = map(int, Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:])
    return (user + nice + system + sum(rest[2:5])) / os.sysconf("SC_CLK_TCK")


def month(root: Path, ago: str = "0") -> None:
    costs: Any = Costs()
    begun, busy = time.perf_counter(), _busy()
    with job() as said:
        run_month(open_site(root), LAST + -int(ago), progress=costs)
    wall = time.perf_counter() - begun
    others = (_busy() - busy - said.told["seconds"]) / wall
    made = json.loads((root / "published" / str(LAST + -int(ago)) / "manifest.json").read_text(encoding="utf-8"))
    treated = sum(row["customers"] for row in made["plan"]["by_district"])
    many = {"candidates": made["tables"]["candidates"]["rows"], "treated": treated}
    said(steps=costs.told(), wall=wall, others=others, **many)


def former(root: Path) -> None:
    site, month = open_site(root), LAST + -1
    with job() as said, reading(site.lake) as lake:
        policy = read_policy(site.policy, month)
        base, kept = base_of(lake, policy, month), Kept(site.kept)
        with opened(site, lake, policy, site.policy, month, [], "0" * 64, Silent(), kept=kept) as run:
            for each in (base.carrying, *base.latest):
                for _ in run.engine.each(lambda only, each=each: carried_part(run, each, only), run.ranges):
                    pass
            shutil.rmtree(run.work)
    said()


def late(root: Path) -> None:
    """One row more of a month that was carried: it is not what it was, and what of it is carried must be made anew."""
    lake, month = open_lake(root / "lake"), LAST + -LATE
    [made] = [file for file in lake.files if file.path == f"bills/{month}/made.parquet"]
    place = f"bills/{month}/{CAME_LATE}"
    with job() as said:
        first = pq.ParquetFile(lake.root / made.path).read_row_group(0).slice(0, 1)
        rows = write_table(first, TABLES["bills"], lake.root / place)
        file = LakeFile("bills", str(month), place, rows, file_hash(lake.root / place))
        switch(lake, (*lake.files, file), lake.sources)
    said()


def scan(root: Path) -> None:
    """Every column of the lake that a feature is made of, in the months it is made of."""
    lake, found = open_lake(root / "lake"), _columns()
    before, cells = _read(), 0
    with job() as said:
        for table, months in (WINDOWS | MONTHS).items():
            if table not in found:
                continue
            for files in lake.scan(table, LAST, months=months).files:
                for path in files.paths:
                    for batch in pq.ParquetFile(path).iter_batches(columns=sorted(found[table])):
                        cells += batch.num_rows * batch.num_columns
    said(read=_read() - before, cells=cells)


def raw(root: Path) -> None:
    """The files of the month in the lake and what is carried to it: nothing closes a month that has not read these."""
    files = [*(root / "lake").glob(f"*/{LAST}/*"), *(root / "kept").glob(f"{CARRIED.name}-{LAST + -1}-*/*")]
    with job() as said:
        for file in files:
            with file.open("rb", buffering=0) as stream:
                while stream.read(1 << 20):
                    pass
    said(bytes=sum(file.stat().st_size for file in files))


def sample(root: Path) -> None:
    """Of many row groups of each part, so from all over the base and nobody near another."""
    lot, found = np.random.default_rng(1), []
    with job() as said:
        for path in sorted((root / "published" / str(LAST) / "features").glob("*.parquet")):
            part = pq.ParquetFile(path)
            for group in lot.choice(part.num_row_groups, min(part.num_row_groups, GROUPS), replace=False).tolist():
                rows = part.read_row_group(group, columns=["customer_id", "manager_id"])
                managed = rows.filter(pc.is_valid(rows["manager_id"]))["customer_id"].to_numpy()
                found.append(lot.choice(managed, min(len(managed), EACH), replace=False))
        np.save(root / "sample.npy", lot.permutation(np.concatenate(found)))
    said()


def _columns() -> dict[str, set[str]]:
    """The columns of each table that a feature comes from, with the one that rows are found by."""
    made: dict[str, set[str]] = {}
    for origin in {origin for name in FEATURES.names for origin in column_origins(name)}:
        table, column = origin.split(".")
        made.setdefault(table, set(TABLES[table].key[:1])).add(column)
    return made


JOBS = {each.__name__: each for each in (month, former, late, scan, raw, sample)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
