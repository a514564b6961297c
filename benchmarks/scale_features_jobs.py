"""Our jobs of scale_features_bench.py, each in a child process: features of bills, usage and payments of everybody.

usage: scale_features_jobs.py rebuilt SITE OUT     from the history, as a first run does
       scale_features_jobs.py rolled SITE OUT      from what the month before left and the month's own rows
       scale_features_jobs.py former SITE OUT      make what the month before left
       scale_features_jobs.py scan SITE OUT        merely read the same columns of the same months
       scale_features_jobs.py lists SITE OUT       write which files there are and what is margin, for the peers
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
from measuring import job
from scale_operator import LAST

from keepline.engine import Engine, Files, Range, Scan, cut, start
from keepline.features.build import base_of
from keepline.features.carrying import MONTHS, Carrying
from keepline.features.known import Knowledge
from keepline.features.stage import bound, load
from keepline.lake.store import Lake, open_lake, reading
from keepline.policy.documents import read_policy
from keepline.policy.margins import basis_points
from keepline.site import open_site
from keepline.tables import CARRIED, FEATURES

RANGE_CUSTOMERS = 500_000
LEDGER = load("ledger")
COLUMNS = [name for name in FEATURES.names if name in LEDGER.columns[1:]]
USE = ("voice_s", "voice_in_s", "offnet_s", "roaming_s", "data_kb", "sms", "topups", "active_days", "dropped_calls")
READ = {
    "bills": ["customer_id", "component", "amount_fen"],
    "usage": ["customer_id", *USE],
    "payments": ["customer_id", "arrears_fen", "arrears_months"],
}
MADE = replace(FEATURES, columns=tuple(FEATURES.column(name) for name in ("customer_id", *COLUMNS)))


def rebuilt(root: Path, out: Path) -> None:
    def carry(carrying: Carrying, engine: Engine, only: Range, to: Path) -> None:
        carrying.gather(engine, only=only, to=to)

    _made(root, out, carry)


def rolled(root: Path, out: Path) -> None:
    def carry(carrying: Carrying, engine: Engine, only: Range, to: Path) -> None:
        carrying.roll(engine, was=_was(out) / only.part, only=only, to=to)

    _made(root, out, carry)


def former(root: Path, out: Path) -> None:
    """What the month before left is there when a month is closed, so making it is not counted."""
    site = open_site(root)
    with job() as said, reading(site.lake) as lake:
        carrying, engine = base_of(lake, read_policy(site.policy, LAST), LAST + -1).carrying, _engine(out)
        for only in cut(lake.customers, RANGE_CUSTOMERS):
            carrying.gather(engine, only=only, to=_was(out) / only.part)
    said()


def _was(out: Path) -> Path:
    return out.with_name("former")


def _made(root: Path, out: Path, carry: Callable[[Carrying, Engine, Range, Path], None]) -> None:
    site = open_site(root)
    with job() as said, reading(site.lake) as lake:
        policy = read_policy(site.policy, LAST)
        flags = Knowledge(lake, LAST).flags()
        query = bound(LEDGER, flags).query
        carrying, engine, rows = base_of(lake, policy, LAST).carrying, _engine(out), 0
        for only in cut(lake.customers, RANGE_CUSTOMERS):
            carried = out.with_name(f"{out.name}-carried") / only.part
            carry(carrying, engine, only, carried)
            engine.see("carried", Scan(CARRIED, (Files((carried,)),)), only)
            rows += engine.write(query, MADE, out / only.part)
    said(rows=rows)


def _engine(out: Path) -> Engine:
    return start("duckdb", memory="1GB", threads=1, spill=out.with_name(f"{out.name}-spill"))


def scan(root: Path, out: Path) -> None:
    _ = out
    lake, cells = open_lake(root / "lake"), 0
    with job() as said:
        for table, paths in _files(lake).items():
            for path in paths:
                for batch in pq.ParquetFile(path).iter_batches(columns=READ[table]):
                    cells += batch.num_rows * batch.num_columns
    said(cells=cells)


def lists(root: Path, out: Path) -> None:
    site = open_site(root)
    with job() as said:
        policy = read_policy(site.policy, LAST)
        lake = open_lake(site.lake)
        files = {table: list(map(str, paths)) for table, paths in _files(lake).items()}
        points = {name.removesuffix("_bp"): value for name, value in basis_points(policy.value).items()}
    told = {"files": files, "points": points, "customers": lake.customers}
    out.write_text(json.dumps(told), encoding="utf-8")
    said()


def _files(lake: Lake) -> dict[str, list[Path]]:
    """The files of each table, the newest month first."""
    found = {}
    for table, months in MONTHS.items():
        each = sorted(lake.scan(table, LAST, months=months).files, key=lambda files: files.months_ago or 0)
        found[table] = [path for files in each for path in files.paths]
    return found


JOBS = {each.__name__: each for each in (rebuilt, rolled, former, scan, lists)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
