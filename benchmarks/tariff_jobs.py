"""The jobs of tariff_bench.py, ours and the peers', each run in a child process.

usage: tariff_jobs.py WHAT FOLDER NUMBER
"""

from __future__ import annotations

import random
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measuring import ROOT, job

GB = 1 << 20
BATCH = 10_000
MONTHS = ("2026-08", "2026-09", "2026-10")
PRODUCTS = ("mobile", "broadband", "tv", "fixed", "iot", "circuit", "other")
TARIFF = """version = "1"
valid_from = 2026-11-01
id = "bench"
name = { zh = "测速", en = "bench" }
base_fen = 5900
bill_step_fen = 10
[[fee]]
product = "mobile"
fen = 1000
included = 1
[[fee]]
product = "broadband"
fen = 5000
[[bundle]]
products = ["mobile", "broadband"]
off_fen = 1000
[[charge]]
use = "data"
included = 20971520
included_line = 5242880
step = 1024
per = 1048576
tiers = [{ fen = 500 }, { above = 10485760, fen = 300 }, { above = 52428800, fen = 100 }]
cap_line_fen = 6000
[[charge]]
use = "voice"
included = 12000
step = 60
per = 60
tiers = [{ fen = 15 }, { above = 60000, fen = 10 }]
[[charge]]
use = "roaming"
step = 60
per = 60
tiers = [{ fen = 39 }]
rounding = "up"
"""


def make(folder: Path, rows: int) -> None:
    """Customer-months as a stage gets them, and a lake of a third as many customers over three months."""
    with job() as said:
        pq.write_table(_rows(rows), folder / "metered.parquet")
        (folder / "tariff.toml").write_text(TARIFF, encoding="utf-8")
        _lake(folder / "site", rows // len(MONTHS))
    said()


def _rows(rows: int) -> pa.Table:
    from keepline.tables import METERED

    dice = np.random.default_rng(1)
    columns: dict[str, Any] = {"customer_id": np.arange(1, rows + 1), "month": np.full(rows, MONTHS[-1])}
    columns["group_id"] = columns["customer_id"]
    columns |= {name: dice.integers(0, 3, rows) for name in PRODUCTS}
    columns |= {name: dice.integers(0, 30_000, rows) for name in ("today_fen", "replaced_fen", "kept_fen")}
    columns |= {name: dice.integers(0, 50_000, rows) for name in ("voice", "voice_onnet", "voice_offnet", "voice_in")}
    columns |= {"roaming": dice.integers(0, 900, rows), "data": dice.integers(0, 120 * GB, rows)}
    columns["sms"] = dice.integers(0, 90, rows)
    return pa.table({name: columns[name] for name in METERED.names}, schema=METERED.arrow)


def _lake(root: Path, customers: int) -> None:
    from keepline.canonical import file_hash
    from keepline.engine import ID_SPACE
    from keepline.lake.store import Lake, LakeFile, switch
    from keepline.newsite import make_site
    from keepline.tables import TABLES

    make_site(root, name="bench")
    dice = np.random.default_rng(2)
    ids = np.sort(dice.choice(ID_SPACE >> 20, customers, replace=False) * (1 << 20) + 1)
    files: list[LakeFile] = []

    def add(table: str, month: str, columns: dict[str, Any]) -> None:
        schema, count = TABLES[table].arrow, len(next(iter(columns.values())))
        full = {f.name: columns.get(f.name, pa.nulls(count, f.type)) for f in schema}
        place = f"{table}/{month}/{len(files):05d}.parquet"
        (root / "lake" / place).parent.mkdir(parents=True, exist_ok=True)
        full["month"] = pa.array([month] * count)
        pq.write_table(pa.table(full, schema=schema), root / "lake" / place)
        files.append(LakeFile(table, month, place, count, file_hash(root / "lake" / place)))

    add("plans", MONTHS[0], {"plan_id": ["P"], "product": ["mobile"], "price_fen": [5900]})
    add("customers", MONTHS[0], {"customer_id": ids, "kind": np.full(customers, "person")})
    add("lines", MONTHS[0], {"line_id": ids, "customer_id": ids, "product": np.full(customers, "mobile"),
                             "plan_id": np.full(customers, "P")})  # fmt: skip
    for month in MONTHS:
        for component in ("overage", "recurring"):
            add("bills", month, {"customer_id": ids, "component": np.full(customers, component),
                                 "amount_fen": dice.integers(0, 15_000, customers)})  # fmt: skip
        add("usage", month, {"customer_id": ids, "voice_s": dice.integers(0, 50_000, customers),
                             "roaming_s": dice.integers(0, 900, customers),
                             "data_kb": dice.integers(0, 120 * GB, customers)})  # fmt: skip
    switch(Lake(root / "lake", ()), files, ())


def bill(folder: Path, rows: int) -> None:
    """Ours: batch after batch, as the engine hands them over."""
    from keepline.policy.tariff import read_tariff
    from keepline.rating.billing import bill as billed

    batches = pq.read_table(folder / "metered.parquet").to_batches(BATCH)
    with job() as said:
        tariff = read_tariff(folder / "tariff.toml")
        made = [billed(tariff, batch) for batch in batches]
    total = sum(int(np.sum(each["after_fen"].drop_null().to_numpy())) for each in made)
    said(total_fen=total, months_a_second=rows / said.told["seconds"])


def pandas(folder: Path, rows: int) -> None:
    """pandas: the same tariff, written out by hand for this one tariff, whole columns at a time."""
    import pandas as pd

    frame = pd.read_parquet(folder / "metered.parquet")
    with job() as said:
        held = frame[frame["mobile"] > 0]
        use = -(-held["data"] // 1024) * 1024
        over = (use - 20971520 - 5242880 * held["mobile"]).clip(lower=0)
        data = 500 * over.clip(upper=10485760) + 300 * (over - 10485760).clip(0, 41943040)
        data = data + 100 * (over - 52428800).clip(lower=0)
        data = ((2 * data + GB) // (2 * GB)).clip(upper=6000 * held["mobile"])
        over = (-(-held["voice"] // 60) * 60 - 12000).clip(lower=0)
        voice = (2 * (15 * over.clip(upper=60000) + 10 * (over - 60000).clip(lower=0)) + 60) // 120
        roaming = -(-(39 * (-(-held["roaming"] // 60) * 60)) // 60)
        fees = 5900 + 1000 * (held["mobile"] - 1).clip(lower=0) + 5000 * held["broadband"]
        fees = (fees - 1000 * (held["broadband"] > 0)).clip(lower=0)
        month = (2 * (fees + data + voice + roaming) + 10) // 20 * 10
        after = held["today_fen"] - held["replaced_fen"] + held["kept_fen"] + month
        made = held[["customer_id", "month", "group_id", "today_fen"]].assign(
            fee_fen=fees, voice_fen=voice, roaming_fen=roaming, data_fen=data, tariff_fen=month, after_fen=after
        )
    said(total_fen=int(made["after_fen"].sum()), months_a_second=rows / said.told["seconds"])


def plain(folder: Path, rows: int) -> None:
    """The plain biller of the tests: one customer after the other."""
    biller = _of_tests("plain_biller")
    table = pq.read_table(folder / "metered.parquet").slice(0, rows).to_pylist()
    tariff = tomllib.loads((folder / "tariff.toml").read_text(encoding="utf-8"))
    with job() as said:
        made = [fen for row in table for fen in biller.bills(tariff, [row]).values()]
    said(total_fen=sum(fen or 0 for fen in made), months_a_second=rows / said.told["seconds"])


def whole(folder: Path, rows: int) -> None:
    """Ours from the lake to the answer: SQL, bills, changes, sums."""
    from keepline.progress import Silent
    from keepline.site import open_site
    from keepline.tariffs import try_tariff

    given = {"month": None, "months": len(MONTHS), "out": None, "progress": Silent()}
    with job() as said:
        found = try_tariff(open_site(folder / "site"), folder / "tariff.toml", **given)
    said(customers=found.sums.whole["customers"], months_a_second=rows / said.told["seconds"])


def agree(folder: Path, tariffs: int) -> None:
    """Random tariffs on random customers: months on which the plain biller says another fen."""
    _ = folder
    cast, biller = _of_tests("tariff_cast"), _of_tests("plain_biller")
    from keepline.rating.billing import bill as billed

    dice, months, differ = random.Random(7), 0, 0
    with job() as said:
        for _ in range(tariffs):
            tariff = cast.random_tariff(dice)
            rows = cast.random_customers(dice, 20, tariff)
            wanted = biller.bills(tariff, rows)
            made = billed(cast.tariff_of(tariff), cast.batch_of(tariff, rows))
            found = dict(zip(made["customer_id"].to_pylist(), made["after_fen"].to_pylist(), strict=True))
            months, differ = months + len(found), differ + sum(found[who] != fen for who, fen in wanted.items())
    said(months=months, differ=differ)


def _of_tests(name: str) -> Any:
    """A module that tests and benchmarks share."""
    sys.path.insert(0, str(ROOT / "tests" / "core"))
    return __import__(name)


if __name__ == "__main__":
    jobs = {"make": make, "bill": bill, "pandas": pandas, "plain": plain, "whole": whole, "agree": agree}
    jobs[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
