"""The jobs of lookup_bench.py, each in a child process: a publication made up, and customers looked up in it.

usage: lookup_jobs.py make SITE CUSTOMERS      a site with one published month of so many customers
       lookup_jobs.py index SITE               write its lookup, again
       lookup_jobs.py csv SITE                 export the decisions; parquet SITE does the same
       lookup_jobs.py explain SITE TIMES       explain so many customers, drawn at random
       lookup_jobs.py whole SITE TIMES         the same with all that analysts read
       lookup_jobs.py duckdb SITE TIMES        fetch their rows as a user would, with SQL over the same files
       lookup_jobs.py sqlite SITE TIMES        the same from SQLite with a key by customer, of the first 100,000 alone
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measuring import job

from keepline.decisions.explain import OF_ONE, WHERE_KNOWN
from keepline.engine import ranges
from keepline.exporting import export
from keepline.front import Explaining
from keepline.inquiry import Inquiry
from keepline.lookup import write_lookup
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.policy.documents import read_policy
from keepline.progress import Silent
from keepline.site import open_site
from keepline.tables import TABLES, Column, Type
from keepline.written import write_table

MONTH = Month.parse("2026-10")
BY_CUSTOMER = (*OF_ONE, *WHERE_KNOWN)
EACH, SAMPLE, PER_MANAGER, WARM, OF_PEER = 500_000, 50_000, 500, 20, 100_000
OFFERS_EACH = 3  # candidates a customer
UNKNOWN = 0.1  # share of values
ENDS = (("treated", "worth_its_price"), ("below_cut", "outbid"), ("held_out", "drawn_by_lot"),
        ("no_gain", "gain_not_positive"))  # fmt: skip
SIZES = {"fen": 6.0, "s": 8.0, "KB": 13.0, "months": 3.0, "days": 3.0}  # logarithm of the middle value, by unit


def make(root: Path, customers: int) -> None:
    """A month as a run publishes it: the same tables, columns, cut and order, with values drawn at random."""
    make_site(root, name="synthetic")
    folder = open_site(root).published(MONTH)
    (folder / "policy").mkdir(parents=True)
    for file in (root / "policy").iterdir():
        (folder / "policy" / file.name).write_bytes(file.read_bytes())
    offers = [offer.id for offer in read_policy(root / "policy", MONTH).offers.offer]
    random, sample = np.random.default_rng(1), []
    cut = ranges(customers, EACH)
    for only in cut:
        ids = np.unique(random.integers(only.low, only.high, customers // len(cut)))
        sample.append(random.choice(ids, SAMPLE // len(cut) + 1))
        for name in BY_CUSTOMER:
            write_table(_rows(name, ids, offers, random), TABLES[name], folder / name / only.part)
    np.save(root / "sample.npy", random.permutation(np.concatenate(sample)))
    _manifest(folder, customers)


def _rows(name: str, ids: Any, offers: list[str], random: Any) -> pa.Table:
    if name == "candidates":
        ids = np.repeat(ids, OFFERS_EACH)
    if name == "assignments":
        ids = ids[random.random(len(ids)) < 0.2]
    table, given = TABLES[name], _given(name, len(ids), offers, random)
    share = 0.0 if name == "candidates" else UNKNOWN  # of candidates everything is known
    columns = [pa.array(ids)] + [_column(c, len(ids), random, given, share) for c in table.columns[1:]]
    return pa.table(columns, schema=table.arrow)


def _given(name: str, rows: int, offers: list[str], random: Any) -> dict[str, Any]:
    """Columns whose values hang together, or name something."""
    managers = np.array([f"M{i:05}" for i in range(max(1, rows // PER_MANAGER))])
    own = random.choice(managers, rows)  # so that each may be explained to a manager
    said: dict[str, Any] = {"month": np.full(rows, str(MONTH)), "manager_id": own}
    if name == "candidates":
        return said | {"offer_id": np.tile(sorted(offers)[:OFFERS_EACH], rows // OFFERS_EACH)}
    if name == "decisions":
        ends = np.array(ENDS)[random.integers(0, len(ENDS), rows)]
        treated = ends[:, 0] == "treated"
        return said | {"state": ends[:, 0], "reason": ends[:, 1], "channel": np.where(treated, "sms", None),
                       "offer_id": np.where(treated, random.choice(offers, rows), None)}  # fmt: skip
    return said | ({"offer_id": random.choice(offers, rows)} if name == "assignments" else {})


def _column(column: Column, rows: int, random: Any, given: dict[str, Any], share: float) -> pa.Array:
    if column.name in given:
        return pa.array(given[column.name], pa.string())
    unknown = random.random(rows) < share
    if column.type is Type.BOOLEAN:
        return pa.array(random.random(rows) < 0.2, mask=unknown)
    if column.type is Type.DOUBLE:
        return pa.array(np.round(random.random(rows), 6), mask=unknown)
    if column.type is Type.TEXT:
        codes = column.allowed or ("falling_use", "complaints", "arrears", "short_tenure")
        return pa.array(np.array(codes)[random.integers(0, len(codes), rows)], pa.string(), mask=unknown)
    middle = SIZES.get(column.unit, 1.0)
    return pa.array(np.exp(random.normal(middle, 1.0, rows)).astype(np.int64), mask=unknown)


def _manifest(folder: Path, customers: int) -> None:
    managers = [f"M{i:05}" for i in range(max(1, min(customers, EACH) // PER_MANAGER))]
    prices = {"unit": 1000, "money": 1400, "contacts": {"sms": 300_000}, "minutes": dict.fromkeys(managers, 90_000)}
    plan = {"by_manager": [{"manager_id": m, "authority_fen": 5_000} for m in managers], "prices": prices}
    tables = {name: {"rows": _rows_in(folder / name)} for name in BY_CUSTOMER}
    said = {"publication_id": "0" * 64, "month": str(MONTH), "plan": plan, "tables": tables}
    said["lookup"] = write_lookup(folder, BY_CUSTOMER)
    (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")


def _rows_in(folder: Path) -> int:
    return sum(pq.read_metadata(part).num_rows for part in folder.iterdir())


def csv(root: Path, times: int, *, kind: str = "csv") -> None:
    _ = times
    out = root / f"decisions.{kind}"
    with job() as said:
        done = export(open_site(root), MONTH, "decisions", out=out, progress=Silent())
    said(rows=done.rows, bytes=done.bytes)
    out.unlink()


def parquet(root: Path, times: int) -> None:
    csv(root, times, kind="parquet")


def index(root: Path, times: int) -> None:
    _ = times
    folder = open_site(root).published(MONTH)
    with job() as said:
        written = write_lookup(folder, BY_CUSTOMER)
    tables = sum(part.stat().st_size for name in BY_CUSTOMER for part in (folder / name).iterdir())
    said(lookup_bytes=written["bytes"], tables_bytes=tables, groups=written["rows"])


def explain(root: Path, times: int) -> None:
    """As people who sell read it, from the front a workbench calls."""
    begun = time.perf_counter()
    explaining = Explaining(open_site(root), MONTH)
    opening = 1e3 * (time.perf_counter() - begun)

    def one(customer: int) -> int:
        found = explaining.of(customer)
        assert found is not None
        return len(found)

    _timed(root, times, one, opening=opening)


def whole(root: Path, times: int) -> None:
    """All that analysts read."""
    inquiry = Inquiry(open_site(root), MONTH)

    def one(customer: int) -> int:
        found = inquiry.of(customer)
        assert found is not None
        return len(found.to_dict())

    _timed(root, times, one)


def duckdb(root: Path, times: int) -> None:
    """A warm connection that keeps footers in memory; a query a table, by the number."""
    import duckdb as peer

    db, folder = peer.connect(), open_site(root).published(MONTH)
    db.execute("SET threads = 1")
    db.execute("SET parquet_metadata_cache = true")
    queries = [f"SELECT * FROM read_parquet('{folder}/{name}/*.parquet') WHERE customer_id = ?" for name in BY_CUSTOMER]
    _timed(root, times, lambda customer: sum(len(db.execute(query, [customer]).fetchall()) for query in queries))


def sqlite(root: Path, times: int) -> None:
    """Tables loaded with a key by customer; what that takes is told apart from the look-ups."""
    begun, path = time.process_time(), root / "peer.sqlite"
    path.unlink(missing_ok=True)
    db, folder = sqlite3.connect(path), open_site(root).published(MONTH)
    part = "part-00000.parquet"
    ids = pq.read_table(folder / "features" / part, columns=["customer_id"])["customer_id"]
    last = ids[min(OF_PEER, len(ids)) - 1].as_py()
    for name in BY_CUSTOMER:
        _loaded(db, name, folder / name / part, last)
    db.commit()
    loading, size = time.process_time() - begun, path.stat().st_size
    customers = db.execute("SELECT COUNT(*) FROM features").fetchone()[0]
    queries = [f"SELECT * FROM {name} WHERE customer_id = ?" for name in BY_CUSTOMER]
    drawn = [row[0] for row in db.execute("SELECT customer_id FROM features ORDER BY random() LIMIT ?", [times + WARM])]
    found = {"us": 1e6 * loading / customers, "bytes": size / customers, "customers": customers}
    _timed(root, times, lambda c: sum(len(db.execute(q, [c]).fetchall()) for q in queries), ids=drawn, **found)
    path.unlink()


def _loaded(db: sqlite3.Connection, name: str, part: Path, last: int) -> None:
    table = TABLES[name]
    db.execute(f"CREATE TABLE {name} ({', '.join(table.names)}, PRIMARY KEY ({', '.join(table.key)})) WITHOUT ROWID")
    insert = f"INSERT INTO {name} VALUES ({', '.join('?' * len(table.names))})"
    for batch in pq.ParquetFile(part).iter_batches(20_000):
        own = batch.filter(pc.less_equal(batch["customer_id"], last))
        db.executemany(insert, zip(*(column.to_pylist() for column in own.columns), strict=True))
        if len(own) < len(batch):
            return


def _timed(root: Path, times: int, one: Callable[[int], int], *, ids: list[int] | None = None, **more: Any) -> None:
    """So many look-ups, after some that warm it up; milliseconds of each, by the clock and of CPU."""
    drawn = ids or np.random.default_rng(time.time_ns()).choice(np.load(root / "sample.npy"), times + WARM).tolist()
    for customer in drawn[:WARM]:
        one(customer)
    with job() as said:
        each = np.array(list(_each(drawn[WARM:], one))) * 1e3
    wall, cpu = each.T
    said(times=times, median=float(np.median(wall)), p99=float(np.quantile(wall, 0.99)),
         p99_cpu=float(np.quantile(cpu, 0.99)), wall=float(wall.sum() / 1e3), **more)  # fmt: skip


def _each(ids: list[int], one: Callable[[int], int]) -> Iterator[tuple[float, float]]:
    for customer in ids:
        begun, spent = time.perf_counter(), time.process_time()
        one(customer)
        yield time.perf_counter() - begun, time.process_time() - spent


JOBS = {each.__name__: each for each in (make, index, csv, parquet, explain, whole, duckdb, sqlite)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
