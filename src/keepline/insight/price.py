"""How what each customer buys answers to its price: their own purchases, drawn to those of customers alike (K8).

Only quotes whose price was drawn by lot, or was aimed by a score that is on record, are learnt from: past discounts
went to those about to leave, who buy less anyway, so that price seems to matter less, or the wrong way. Quotes by lot
compare within segment, product and month; aimed ones within a twentieth of the score as well. The rest is left out.

1. Each segment's elasticity from its cells (``elasticity.py``), drawn to all segments (``shrinkage.py``).
2. Each customer's own, one scoring step from the segment's e, their own level set free: s / I. What is told is
   e + w s / I with w = o² / (o² + f / I). o is how much customers of a segment differ, from E s² = f I + o² I²; f is
   how much more purchases scatter than counts, from their distances to what is expected (Pearson). Without own
   quotes it is the segment's, as unsure as customers differ. Where nothing was seen of a segment, nothing is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.engine import Engine, Files, Range, Scan
from keepline.insight.elasticity import Cells, expected, slopes
from keepline.insight.inputs import Shelf, Vector
from keepline.insight.shrinkage import Shrunk, shrink
from keepline.periods import Month
from keepline.sqlmodel import SqlModel
from keepline.tables import (
    FEATURES,
    PRICE_CELLS,
    PRICE_LEVELS,
    PRICE_SEGMENTS,
    PRICE_SENSITIVITY,
    PRICE_SUMS,
    Table,
)

MONTHS = 24
REACH_90 = 1.6449  # errors to either side of a 90 % interval
OWN_MIN = 0.1  # weight of a customer's own purchases from which they are named as the basis
KNOWN_MIN = 1e-6  # of information
UNSEEN_SHARE = 0.5  # of the mean: how customers differ where nothing tells it
CUSTOMERS_MIN = 100  # of those below, for how customers differ
FREEDOM_MIN, BOUGHT_MIN = 5, 2  # who was quoted so often and bought so much tells it
SCATTER_MIN = 1e-3
COUNTS = """SELECT SUM(CASE WHEN COALESCE(by_lot, FALSE) THEN 1 ELSE 0 END) AS by_lot,
SUM(CASE WHEN NOT COALESCE(by_lot, FALSE) AND aim IS NOT NULL THEN 1 ELSE 0 END) AS aimed,
SUM(CASE WHEN NOT COALESCE(by_lot, FALSE) AND aim IS NULL THEN 1 ELSE 0 END) AS left_out FROM price_quotes"""
MOMENTS = f"""WITH told AS (SELECT information, of_one, score * score / NULLIF(information, 0) AS step,
scattered, freedom - 1 AS free FROM price_sums
WHERE information > {KNOWN_MIN} AND freedom >= {FREEDOM_MIN} AND bought >= {BOUGHT_MIN})
SELECT COUNT(*) AS n, SUM(information) AS information, SUM(of_one) AS of_one, SUM(step) AS steps,
SUM(step * step) AS squares, SUM((scattered - step) / NULLIF(free, 0)) AS scatter FROM told"""
TOLD = """SELECT a.customer_id, a.month, a.segment, s.elasticity, s.error, COALESCE(o.quotes, 0) AS quotes,
COALESCE(o.score, 0) AS score, COALESCE(o.information, 0) AS information
FROM alike AS a LEFT JOIN price_segments AS s ON s.segment = a.segment
LEFT JOIN price_sums AS o ON o.customer_id = a.customer_id ORDER BY a.customer_id"""
Row = dict[str, Any]


@dataclass(frozen=True)
class PriceModel:
    """What all share: how much customers of a segment differ, how much purchases scatter, and the tables learnt."""

    spread: float  # standard deviation of elasticities between customers of a segment
    scatter: float  # variance over mean of purchases
    folder: Path
    card: Row


def known(lake: Shelf) -> bool:
    """Whether there are quotes at all; without any nothing is told, written or shown."""
    return lake.has("price_quotes")


def learn(engine: Engine, lake: Shelf, *, snapshot: Month, features: tuple[Path, ...], work: Path) -> PriceModel:
    """Learn from all quotes up to the snapshot; ``work`` takes the tables that customers are told from."""
    engine.see("price_quotes", lake.scan("price_quotes", snapshot, months=MONTHS))
    engine.see("features", Scan(FEATURES, (Files(features, 0),)))
    counts = {name: int(n or 0) for name, n in _fetch(engine, COUNTS)[0].items()}
    engine.write(_query("price_cells"), PRICE_CELLS, cells := work / "price_cells.parquet")
    rows = pq.read_table(cells)
    segments = rows.column("segment").unique().to_pylist()
    of, table = _cells(rows, segments)
    own = slopes(of, len(segments))
    told = np.isfinite(own.values)
    drawn = shrink(own.values[told], own.variances[told])
    _write_segments(work, segments, told=told, drawn=drawn, quotes=table)
    each = np.full(len(segments), np.nan)
    each[told] = drawn.values
    _write_levels(work, rows, of, each)
    spread, scatter = _customers(engine, work, drawn)
    card = counts | {
        "segments": int(told.sum()),
        "segments_silent": int((~told).sum()),
        "mean": _number(drawn.mean) if told.any() else None,
        "mean_error": _number(drawn.mean_error) if told.any() else None,
        "spread_segments": _number(drawn.spread) if told.any() else None,
        "spread_customers": _number(spread),
        "scatter": _number(scatter),
    }
    return PriceModel(spread, scatter, work, card)


def _number(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _cells(rows: pa.Table, segments: list[str]) -> tuple[Cells, Row]:
    """The cells as numbers, and by segment how many quotes and purchases they hold."""
    strata = ("segment", "product_id", "month", "band")
    keys = list(zip(*(rows.column(name).to_pylist() for name in strata), strict=True))
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    number = {name: at for at, name in enumerate(segments)}
    group = np.array([number[key[0]] for key in place], dtype=np.int64)
    value = {name: _floats(rows, name) for name in ("price_fen", "list_price_fen", "quotes", "bought", "squares")}
    stratum = np.array([place[key] for key in keys], dtype=np.int64)
    x = np.asarray(np.round(np.log(value["price_fen"] / value["list_price_fen"]), 12), dtype=np.float64)
    made = Cells(group, stratum, x, value["quotes"], value["bought"], value["squares"])
    of = group[stratum] if len(keys) else stratum
    return made, {name: np.bincount(of, value[name], len(segments)) for name in ("quotes", "bought")}


def _floats(rows: pa.Table, name: str) -> Vector:
    return np.asarray(rows.column(name).to_numpy(), dtype=np.float64)


def _write_segments(work: Path, segments: list[str], *, told: Any, drawn: Shrunk, quotes: Row) -> None:
    """Segments of which something is known; the others are left out, and their customers told nothing."""
    columns = {
        "segment": [name for name, known_ in zip(segments, told, strict=True) if known_],
        "elasticity": np.round(drawn.values, 9),
        "error": np.round(drawn.errors, 9),
        "quotes": quotes["quotes"][told].astype(np.int64),
        "bought": quotes["bought"][told],
    }
    _put(work, PRICE_SEGMENTS, columns)


def _write_levels(work: Path, rows: pa.Table, of: Cells, each: Vector) -> None:
    """What a quote of each cell of a known segment is expected to sell."""
    kept = np.isfinite(each)[of.group[of.stratum]] if len(of.x) else np.zeros(0, dtype=bool)
    sold = expected(of, np.nan_to_num(each))
    names = ("segment", "product_id", "month", "band", "price_fen", "list_price_fen")
    columns: dict[str, Any] = {name: rows.column(name).filter(pa.array(kept)).combine_chunks() for name in names}
    columns |= {"log_price": of.x[kept], "expected": np.round(sold[kept], 12)}
    _put(work, PRICE_LEVELS, columns)


def _put(work: Path, table: Table, columns: Mapping[str, Any]) -> None:
    made = pa.table({name: columns[name] for name in table.names}, schema=table.arrow)
    pq.write_table(made, work / f"{table.name}.parquet")


def _customers(engine: Engine, work: Path, drawn: Shrunk) -> tuple[float, float]:
    """How customers of a segment differ, and how purchases scatter; those who bought at several prices tell it.

    Where too few did, customers are taken to differ as much as segments do, and by half the mean at least.
    """
    _show(engine, work, PRICE_LEVELS)
    engine.write(_query("price_sums"), PRICE_SUMS, work / f"{PRICE_SUMS.name}.parquet")
    _show(engine, work, PRICE_SUMS)
    found = _fetch(engine, MOMENTS)
    n, information, of_one, steps, squares, scattered = (float(value or 0) for value in found[0].values())
    scatter = max(scattered / n, SCATTER_MIN) if n else 1.0
    told = information - scatter * of_one  # of T purchases, T (T - 1) pairs tell how customers differ
    if n < CUSTOMERS_MIN or told <= 0:
        return float(np.fmax(drawn.spread, UNSEEN_SHARE * abs(drawn.mean))), scatter
    error = float(np.sqrt(max(squares - steps**2 / n, 1e-12))) / told
    return _spread((steps - scatter * n) / told, error), scatter


def _spread(squared: float, error: float) -> float:
    """A standard deviation from an uncertain estimate of its square, which may be below zero.

    Averaged over what the square may be, flat in it beforehand: a spread that data cannot see is not taken to be none.
    """
    tried = np.linspace(0.0, max(squared, 0.0) + 4 * error, 400)
    distance = ((tried - squared) / error) ** 2
    chances = np.exp(-0.5 * (distance - distance.min()))
    return float(np.sqrt(chances @ tried / chances.sum()))


def tell(engine: Engine, model: PriceModel, *, features: Path, only: Range, to: Path) -> int:
    """Write PRICE_SENSITIVITY for the customers of one part of FEATURES."""
    engine.see("features", Scan(FEATURES, (Files((features,), 0),)), only)
    for table in (PRICE_SEGMENTS, PRICE_SUMS):
        _show(engine, model.folder, table, only)
    query = parse_one(TOLD, read="duckdb")
    assert isinstance(query, exp.Select)
    query = query.with_("alike", as_=_model("price_alike").query.copy())
    return engine.map(query, Teller(model.spread, model.scatter), PRICE_SENSITIVITY, to)


@dataclass(frozen=True)
class Teller:
    """Tells a batch of customers; row by row."""

    spread: float
    scatter: float

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        column = {name: _numbers(rows, name) for name in ("elasticity", "error", "score", "information")}
        unknown = np.isnan(column["elasticity"])
        information = np.where(column["information"] > KNOWN_MIN, column["information"], 0.0)
        between = self.spread**2
        weight = between * information / np.maximum(between * information + self.scatter, 1e-12)
        step = np.divide(column["score"], information, out=np.zeros_like(information), where=information > 0)
        value = column["elasticity"] + weight * step
        reach = REACH_90 * np.sqrt(between * (1 - weight) + ((1 - weight) * column["error"]) ** 2)
        basis = np.select([unknown, weight >= OWN_MIN], ["unknown", "own"], "segment")
        made = {name: rows.column(name) for name in ("customer_id", "month", "segment", "quotes")}
        made["basis"] = pa.array(basis.tolist(), pa.string())
        for name, values in (("elasticity", value), ("low", value - reach), ("high", value + reach)):
            made[name] = pa.array(np.round(np.nan_to_num(values), 6), mask=unknown)
        return pa.record_batch([made[name] for name in PRICE_SENSITIVITY.names], schema=PRICE_SENSITIVITY.arrow)


def _numbers(rows: pa.RecordBatch, name: str) -> Vector:
    values = rows.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def _show(engine: Engine, work: Path, table: Table, only: Range | None = None) -> None:
    engine.see(table.name, Scan(table, (Files((work / f"{table.name}.parquet",)),)), only)


def _fetch(engine: Engine, query: str) -> list[Row]:
    rows: list[Row] = engine.fetch(sqlmodel.as_query(parse_one(query, read="duckdb"))).to_pylist()
    return rows


def _query(name: str) -> exp.Query:
    parts = {"alike": _model("price_alike").query, "quoted": _model("price_quoted").query}
    return _model(name).with_parts(parts).query


@cache
def _model(name: str) -> SqlModel:
    return sqlmodel.load("keepline.insight", name)


def sql_models() -> dict[str, tuple[SqlModel, dict[str, SqlModel]]]:
    """Every model with the models it reads by name, for the static check."""
    alike, quoted = _model("price_alike"), _model("price_quoted")
    return {
        "price_alike": (alike, {}),
        "price_quoted": (quoted, {"alike": alike}),
        "price_cells": (_model("price_cells"), {"quoted": quoted}),
        "price_sums": (_model("price_sums"), {"quoted": quoted}),
    }
