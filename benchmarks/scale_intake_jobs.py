"""The jobs of scale_intake_bench.py, each in a child process: a site and its files made, and a bills file loaded.

usage: scale_intake_jobs.py make FOLDER CUSTOMERS     a site that knows its customers and the month before; both files
       scale_intake_jobs.py load FOLDER ENCODING      load the month's file, as a site would, into a copy of the site
       scale_intake_jobs.py duckdb FOLDER ENCODING    DuckDB's bare read_csv of the same file, into a table
       scale_intake_jobs.py arrow FOLDER ENCODING     Arrow's reader, into memory
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from measuring import job
from pyarrow import csv

from keepline.lake import intake
from keepline.newsite import make_site
from keepline.site import open_site

MONTHS = ("2026-09", "2026-10")
BLOCK = 250_000
NAMES = ("王伟", "李娜", "张敏", "刘洋", "陈静", "杨帆", "赵磊", "黄丽", "周涛", "吴艳")
CITIES = ("杭州市", "宁波市", "温州市", "嘉兴市", "湖州市", "绍兴市", "金华市", "衢州市", "舟山市", "台州市")
PLANS = ("畅享套餐59元", "畅享套餐99元", "畅享套餐129元", "全家享套餐199元", "商务套餐299元")
CUSTOMERS = """
[match]
files = ["customers.csv"]
[[table]]
name = "customers"
[table.columns]
customer_id = "客户编号"
month = { constant = "2026-08" }
region = "地市"
kind = { constant = "person" }
"""
BILLS = """
[match]
files = ["bills-*.csv"]
[source]
month = { from = "账期" }
units = { money = "yuan", duration = "minutes", data = "MB" }
[[adds_up]]
total = "应收合计"
items = ["套餐月费", "超套费用", "增值业务费", "优惠金额"]
[[table]]
name = "bills"
[table.columns]
customer_id = "客户编号"
[table.long]
into = "component"
value = "amount_fen"
[table.long.rows]
recurring = "套餐月费"
overage = "超套费用"
value_added = "增值业务费"
discount = "优惠金额"
[[table]]
name = "usage"
[table.columns]
customer_id = "客户编号"
voice_s = "语音时长"
data_kb = "流量"
sms = "短信条数"
"""
LOADED = {"utf-8": "bills-2026-10.csv", "gb18030": "bills-gbk-2026-10.csv"}


def make(folder: Path, customers: int) -> None:
    """A year's worth of rows would show nothing more: the month before is what holds are judged by."""
    make_site(folder / "site", name="intake")
    site = open_site(folder / "site")
    for name, text in (("customers", CUSTOMERS), ("bills", BILLS)):
        (site.intake / f"{name}.toml").write_text(text, encoding="utf-8")
    _written(folder / "customers.csv", (_customers(first, customers) for first in range(0, customers, BLOCK)))
    for month in MONTHS:
        blocks = (_bills(first, customers, month) for first in range(0, customers, BLOCK))
        _written(folder / f"bills-{month}.csv", blocks)
    with job() as said:
        for name in ("customers.csv", f"bills-{MONTHS[0]}.csv"):
            for report in intake.load(site, [folder / name]):
                report.insist()
    _as_gb18030(folder / LOADED["utf-8"], folder / LOADED["gb18030"])
    said()


def _customers(first: int, customers: int) -> pa.Table:
    who = np.arange(first, min(customers, first + BLOCK))
    return pa.table({"客户编号": _numbers(who), "地市": _one_of(CITIES, who)})


def _bills(first: int, customers: int, month: str) -> pa.Table:
    who = np.arange(first, min(customers, first + BLOCK))
    lot, n = np.random.default_rng([first, int(month[-2:])]), len(who)
    fee = 100 * lot.integers(19, 300, n)
    over, added = (np.where(lot.random(n) < share, lot.integers(1, 5000, n), 0) for share in (0.3, 0.25))
    less = np.where(lot.random(n) < 0.2, -fee // 10, 0)
    money = {
        "套餐月费": fee,
        "超套费用": over,
        "增值业务费": added,
        "优惠金额": less,
        "应收合计": fee + over + added + less,
    }
    return pa.table(
        {
            "客户编号": _numbers(who),
            "客户姓名": _one_of(NAMES, lot.integers(0, len(NAMES), n)),
            "地市": _one_of(CITIES, who),
            "套餐名称": _one_of(PLANS, fee),
            "账期": pa.array(np.full(n, month)),
            **{name: np.round(fen / 100, 2) for name, fen in money.items()},
            "语音时长": np.round(lot.gamma(2.0, 80.0, n), 1),
            "流量": np.round(lot.gamma(2.0, 4000.0, n), 2),
            "短信条数": lot.poisson(3, n),
        }
    )


def _numbers(who: Any) -> pa.Array:
    return pc.binary_join_element_wise("33010", pc.utf8_lpad(pa.array(who).cast(pa.string()), 9, "0"), "")


def _one_of(words: tuple[str, ...], which: Any) -> pa.Array:
    return pa.array(words).take(pa.array(np.asarray(which) % len(words)))


def _written(to: Path, blocks: Any) -> None:
    writer = None
    for block in blocks:
        writer = writer or csv.CSVWriter(to, block.schema, write_options=csv.WriteOptions(quoting_style="needed"))
        writer.write_table(block)
    writer.close()


def _as_gb18030(was: Path, to: Path) -> None:
    with was.open(encoding="utf-8", newline="") as source, to.open("w", encoding="gb18030", newline="") as target:
        while text := source.read(1 << 22):
            target.write(text)


def load(folder: Path, encoding: str) -> None:
    """Into a copy of the site that shares its files, which loading never changes in place."""
    root = folder / f"copy-{encoding}"
    shutil.copytree(folder / "site", root, copy_function=os.link)
    manifest = root / "lake" / "manifest.json"
    text = manifest.read_bytes()
    manifest.unlink()
    manifest.write_bytes(text)
    with job() as said:
        (report,) = intake.load(open_site(root), [folder / LOADED[encoding]])
    shutil.rmtree(root)
    report.insist()
    said(rows=report.counts.loaded, verdict=report.verdict)


def duckdb(folder: Path, encoding: str) -> None:
    import duckdb as peer

    db = peer.connect()
    db.execute("SET threads = 1")
    read = f"SELECT * FROM read_csv('{folder / LOADED[encoding]}', encoding = '{encoding}')"
    with job() as said:
        try:
            db.execute(f"CREATE TABLE t AS {read}")
        except peer.Error as error:
            sys.exit(str(error).strip().splitlines()[0])
    said(rows=db.execute("SELECT COUNT(*) FROM t").fetchall()[0][0])


def arrow(folder: Path, encoding: str) -> None:
    with job() as said:
        read = csv.read_csv(
            folder / LOADED[encoding], read_options=csv.ReadOptions(encoding=encoding, use_threads=False)
        )
    said(rows=read.num_rows)


JOBS = {each.__name__: each for each in (load, duckdb, arrow)}

if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        JOBS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
