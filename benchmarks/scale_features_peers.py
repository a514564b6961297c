"""The peers' jobs of scale_features_bench.py: the same features as a user of pandas, Polars or DuckDB would write them.

usage: scale_features_peers.py WHO LISTS OUT     LISTS: the files and margins, as scale_features_jobs.py lists them
       WHO: pandas, polars, polars_streaming, polars_chunked, duckdb
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"  # before Polars is there

from measuring import job

CHUNKS_OF = 250_000  # customers
ID_SPACE = 1 << 62
DUCKDB_MEMORY = "14GB"
OF_BILLS = {"recurring": 4, "overage": 3, "discount": 3, "topup": 3}  # months of each component that are looked at
SUMS = ("voice_s", "voice_in_s", "offnet_s", "roaming_s", "data_kb", "sms", "topups", "dropped_calls")
NAMES = {"voice_in_s": "voice_in_3m_s", "roaming_s": "roaming_3m_s", "sms": "sms_3m", "topups": "topups_3m"}
NAMES |= {"dropped_calls": "dropped_calls_3m"}
MARGINS = {"": "_1m", "_3m": "_3m", "_12m": "_12m"}
ANY_USE = ("voice_s", "voice_in_s", "roaming_s", "data_kb", "sms", "active_days")
Lists = dict[str, Any]


# Polars


def polars(said: Lists, out: Path, *, engine: str = "in-memory") -> None:
    import polars as pl

    with job() as told:
        made = _polars_features(said, pl.lit(True)).collect(engine=engine)
        made.write_parquet(out / "made.parquet", compression="zstd", compression_level=1)
    told(rows=len(made))


def polars_streaming(said: Lists, out: Path) -> None:
    with job() as told:
        _polars_features(said, None).sink_parquet(out / "made.parquet", compression="zstd", compression_level=1)
    told()


def polars_chunked(said: Lists, out: Path) -> None:
    """By chunks of customers, whose rows lie next to each other."""
    import polars as pl

    count = -(-said["customers"] // CHUNKS_OF)
    with job() as told:
        for i in range(count):
            low, high = ID_SPACE * i // count, ID_SPACE * (i + 1) // count
            own = (pl.col("customer_id") >= low) & (pl.col("customer_id") < high)
            made = _polars_features(said, own).collect()
            made.write_parquet(out / f"made-{i:05d}.parquet", compression="zstd", compression_level=1)
    told()


def _polars_features(said: Lists, own: Any) -> Any:
    spent = _polars_spent(_polars_months(said["files"]["bills"], own), said["points"])
    used = _polars_used(_polars_months(said["files"]["usage"], own))
    owed = _polars_owed(_polars_months(said["files"]["payments"], own))
    both = spent.join(used, on="customer_id", how="full", coalesce=True)
    return both.join(owed, on="customer_id", how="full", coalesce=True)


def _polars_months(paths: list[str], own: Any) -> Any:
    import polars as pl

    each = [pl.scan_parquet(path).with_columns(ago=pl.lit(ago, pl.Int8)) for ago, path in enumerate(paths)]
    every = pl.concat(each)
    return every if own is None else every.filter(own)


def _polars_spent(bills: Any, points: dict[str, int]) -> Any:
    import polars as pl

    c, amount, ago = pl.col, pl.col("amount_fen"), pl.col("ago")
    share = c("component").replace_strict(points, default=0, return_dtype=pl.Int64)
    of = {name: amount.filter(c("component") == name).sum() for name in OF_BILLS}
    was_billed = (c("component") == "recurring").any().alias("has_recurring")
    month = bills.group_by("customer_id", "ago").agg(
        amount.sum().alias("billed"), (amount * share).sum().alias("margin"), was_billed, **of
    )

    def within(name: str, first: int, last: int) -> Any:
        return c(name).filter((ago >= first) & (ago <= last)).sum()

    whole = month.group_by("customer_id").agg(
        revenue_fen=within("billed", 0, 0),
        revenue_3m_fen=within("billed", 0, 2),
        revenue_12m_fen=c("billed").sum(),
        before=within("billed", 3, 5),
        tilt=(c("billed") * (5 - 2 * ago.cast(pl.Int64))).filter(ago <= 5).sum(),
        first_ago=ago.max(),
        months_billed=(c("billed") > 0).sum(),
        margin_1m=within("margin", 0, 0),
        margin_3m=within("margin", 0, 2),
        margin_12m=c("margin").sum(),
        has_recurring=c("has_recurring").any(),
        now=within("recurring", 0, 0),
        then=c("recurring").filter((ago == 3) & c("has_recurring")).max(),
        overage_3m_fen=within("overage", 0, 2),
        discount_3m_fen=-within("discount", 0, 2),
        topup_3m_fen=within("topup", 0, 2),
    )
    return _polars_of_months(whole)


def _polars_of_months(whole: Any) -> Any:
    """Changes, trends and margins from the sums."""
    import polars as pl

    c = pl.col
    long = c("first_ago") >= 5
    margins = {f"margin{ours}_fen": c(f"margin{theirs}") / 10_000 for ours, theirs in MARGINS.items()}
    return whole.select(
        "customer_id", "revenue_fen", "revenue_3m_fen", "revenue_12m_fen", "months_billed", "overage_3m_fen",
        "discount_3m_fen", "topup_3m_fen",
        revenue_change=pl.when(long & (c("before") > 0)).then((c("revenue_3m_fen") - c("before")) / c("before")),
        revenue_slope_fen=pl.when(long).then(2 * c("tilt") / 70),
        **{name: value.round(mode="half_away_from_zero") for name, value in margins.items()},
        recurring_fen=pl.when(c("has_recurring")).then(c("now")),
        recurring_drop_fen=(c("then") - c("now")).clip(lower_bound=0),
    )  # fmt: skip


def _polars_used(usage: Any) -> Any:
    import polars as pl

    c, ago = pl.col, pl.col("ago")
    some = pl.any_horizontal(c(name) > 0 for name in ANY_USE)
    whole = usage.group_by("customer_id").agg(
        voice_s=c("voice_s").filter(ago == 0).sum(),
        data_kb=c("data_kb").filter(ago == 0).sum(),
        active_days=c("active_days").filter(ago == 0).sum(),
        months_silent=ago.filter(some).min(),
        early=(ago >= 2).any(),
        voice_before=c("voice_s").filter((ago >= 1) & (ago <= 2)).sum(),
        data_before=c("data_kb").filter((ago >= 1) & (ago <= 2)).sum(),
        **{f"{name}_3m": c(name).filter(ago <= 2).sum() for name in SUMS},
    )

    def change(now: str, before: str) -> Any:
        return pl.when(c("early") & (c(before) != 0)).then((2 * c(now) - c(before)) / c(before))

    return whole.select(
        "customer_id", "voice_s", "data_kb", "active_days", "months_silent",
        voice_3m_s="voice_s_3m",
        data_3m_kb="data_kb_3m",
        voice_change=change("voice_s", "voice_before"),
        data_change=change("data_kb", "data_before"),
        offnet_share=pl.when(c("voice_s_3m") != 0).then(c("offnet_s_3m") / c("voice_s_3m")),
        **{ours: c(f"{name}_3m") for name, ours in NAMES.items()},
    )  # fmt: skip


def _polars_owed(payments: Any) -> Any:
    import polars as pl

    c, ago = pl.col, pl.col("ago")
    return payments.group_by("customer_id").agg(
        arrears_fen=c("arrears_fen").filter(ago == 0).sum(),
        arrears_months=c("arrears_months").filter(ago == 0).max(),
        late_6m=(c("arrears_fen") > 0).sum(),
    )


# pandas


def pandas(said: Lists, out: Path) -> None:
    import pandas as pd

    with job() as told:
        spent = _pandas_spent(_pandas_months(said["files"]["bills"], None), said["points"])
        used = _pandas_used(_pandas_months(said["files"]["usage"], None))
        owed = _pandas_owed(_pandas_months(said["files"]["payments"], ["customer_id", "arrears_fen", "arrears_months"]))
        made = pd.concat([spent, used, owed], axis=1)
        made.rename_axis("customer_id").reset_index().to_parquet(out / "made.parquet", compression="zstd")
    told(rows=len(made))


def _pandas_months(paths: list[str], columns: list[str] | None) -> Any:
    import pandas as pd

    months = []
    for ago, path in enumerate(paths):
        month = pd.read_parquet(path, columns=columns)
        months.append(month.drop(columns="month", errors="ignore").assign(ago=ago).astype({"ago": "int8"}))
    return pd.concat(months, ignore_index=True)


def _pandas_spent(bills: Any, points: dict[str, int]) -> Any:
    import numpy as np
    import pandas as pd

    bills["margin"] = bills["amount_fen"] * bills["component"].map(points).fillna(0).astype("int64")
    keys = ["customer_id", "ago"]
    month = bills.groupby(keys)[["amount_fen", "margin"]].sum().rename(columns={"amount_fen": "billed"})
    for name in OF_BILLS:
        month[name] = bills[bills["component"] == name].groupby(keys)["amount_fen"].sum()
    month = month.reset_index("ago")

    def within(name: str, first: int, last: int) -> Any:
        return month.loc[month["ago"].between(first, last), name].groupby("customer_id").sum()

    by, made = month.groupby("customer_id"), {}
    made["revenue_12m_fen"], first_ago = by["billed"].sum(), by["ago"].max()
    for months, name in ((0, ""), (2, "_3m"), (11, "_12m")):
        made[f"revenue{name}_fen"] = within("billed", 0, months)
        margin = within("margin", 0, months) / 10_000
        made[f"margin{name}_fen"] = np.trunc(margin + np.copysign(0.5, margin))  # half away from zero, as SQL rounds
    before = within("billed", 3, 5)
    tilt = ((5 - 2 * month["ago"].astype("int64")) * month["billed"])[month["ago"] <= 5].groupby("customer_id").sum()
    long = first_ago >= 5
    lately = made["revenue_3m_fen"].reindex(before.index).fillna(0)
    made["revenue_change"] = ((lately - before) / before.where(before > 0)).where(long)
    made["revenue_slope_fen"] = (2 * tilt.reindex(long.index).fillna(0) / 70).where(long)
    made["months_billed"] = (month["billed"] > 0).groupby("customer_id").sum()
    ever, now = by["recurring"].count() > 0, within("recurring", 0, 0)
    then = month.loc[(month["ago"] == 3) & month["recurring"].notna(), "recurring"]
    for name in ("overage", "discount", "topup"):
        made[f"{name}_3m_fen"] = within(name, 0, 2) * (-1 if name == "discount" else 1)
    made = pd.DataFrame(made)
    made["recurring_fen"] = now.reindex(made.index).fillna(0).where(ever)
    made["recurring_drop_fen"] = (then - now.reindex(then.index).fillna(0)).clip(lower=0)
    return made


def _pandas_used(usage: Any) -> Any:
    some = (usage[list(ANY_USE)] > 0).any(axis=1)
    lately = usage[usage["ago"] <= 2]
    made = lately.groupby("customer_id")[list(SUMS)].sum()
    now = usage[usage["ago"] == 0].groupby("customer_id")[["voice_s", "data_kb", "active_days"]].sum()
    before = lately[lately["ago"] >= 1].groupby("customer_id")[["voice_s", "data_kb"]].sum()
    early = usage.loc[usage["ago"] >= 2, "customer_id"].unique()
    made["offnet_share"] = made["offnet_s"] / made["voice_s"].where(made["voice_s"] != 0)
    made = made.rename(columns=NAMES | {"voice_s": "voice_3m_s", "data_kb": "data_3m_kb"}).drop(columns="offnet_s")
    made = made.reindex(made.index.union(usage["customer_id"].unique()))
    silent = usage.loc[some, ["customer_id", "ago"]].groupby("customer_id")["ago"].min()
    for name, change in (("voice_s", "voice_change"), ("data_kb", "data_change")):
        made[name] = now[name]
        known = before[name].where((before[name] != 0) & before.index.isin(early))
        made[change] = (2 * made[name].reindex(before.index).fillna(0) - known) / known
    made["active_days"], made["months_silent"] = now["active_days"], silent
    return made


def _pandas_owed(payments: Any) -> Any:
    now = payments[payments["ago"] == 0].groupby("customer_id")
    made = (payments["arrears_fen"] > 0).groupby(payments["customer_id"]).sum().to_frame("late_6m")
    made["arrears_fen"], made["arrears_months"] = now["arrears_fen"].sum(), now["arrears_months"].max()
    return made


# DuckDB


def duckdb(said: Lists, out: Path) -> None:
    """One query over everybody; what does not fit the memory goes beside the result and is told."""
    import duckdb as peer

    db, spill = peer.connect(), out / "spill"
    with job() as told:
        for setting in ("threads = 1", f"memory_limit = '{DUCKDB_MEMORY}'", "preserve_insertion_order = false"):
            db.execute(f"SET {setting}")
        db.execute(f"SET temp_directory = '{spill}'")
        db.execute(f"COPY ({_query(said)}) TO '{out}/made.parquet' (COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    shutil.rmtree(spill, ignore_errors=True)
    told()


def _query(said: Lists) -> str:
    months = {table: _months_of(paths) for table, paths in said["files"].items()}
    share = "CASE component " + " ".join(f"WHEN '{n}' THEN {p}" for n, p in said["points"].items()) + " ELSE 0 END"
    text = Path(__file__).with_name("scale_features_duckdb.sql").read_text(encoding="utf-8")
    return text.replace("$share", share).format(**months)


def _months_of(paths: list[str]) -> str:
    ago = "CASE filename " + " ".join(f"WHEN '{path}' THEN {ago}" for ago, path in enumerate(paths)) + " END"
    return f"(SELECT *, {ago} AS ago FROM read_parquet({paths!r}, filename = true))"


JOBS = {each.__name__: each for each in (pandas, polars, polars_streaming, polars_chunked, duckdb)}

if __name__ == "__main__":
    to = Path(sys.argv[3])
    to.mkdir(parents=True)
    JOBS[sys.argv[1]](json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")), to)
