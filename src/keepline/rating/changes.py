"""What a planned tariff changes for each customer over some months, and the sums that tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.engine import Engine, Files, Range, Scan
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.tariff import Choice
from keepline.rating.choice import chosen
from keepline.sqlmodel import SqlModel
from keepline.tables import TABLES, TARIFF_CHANGES

REACH_90 = 1.6449  # errors to either side of a 90 % interval
SIZES_FEN = (-10_000, -5_000, -2_000, -500, 0, 500, 2_000, 5_000, 10_000)  # of a month's change, where groups part
BY = ("class", "kind", "district")
SUMS = """COUNT(*) AS customers, SUM(months) AS months, SUM(today_fen) AS today_fen, SUM(after_fen) AS after_fen,
SUM(CASE WHEN change_fen < 0 THEN 1 ELSE 0 END) AS gain, SUM(CASE WHEN change_fen > 0 THEN 1 ELSE 0 END) AS lose,
SUM(CASE WHEN change_fen < 0 THEN change_fen ELSE 0 END) AS saved_fen,
SUM(CASE WHEN change_fen > 0 THEN change_fen ELSE 0 END) AS added_fen,
SUM(moves) AS moving, SUM(ROUND(moves * change_fen, 4)) AS chosen_fen"""
ALL = f"""SELECT {SUMS}, SUM(moves_low) AS moving_low, SUM(moves_high) AS moving_high,
SUM(ROUND(moves_low * change_fen, 4)) AS chosen_low_fen, SUM(ROUND(moves_high * change_fen, 4)) AS chosen_high_fen
FROM tariff_changes"""
LUCK = """SELECT SUM(ROUND(group_change * group_change * moves * (1 - moves), 4)) AS variance,
SUM(ROUND(group_change * group_change * moves_low * (1 - moves_low), 4)) AS variance_low,
SUM(ROUND(group_change * group_change * moves_high * (1 - moves_high), 4)) AS variance_high FROM (
SELECT group_id, CAST(SUM(change_fen) AS DOUBLE) AS group_change, MAX(moves) AS moves, MAX(moves_low) AS moves_low,
MAX(moves_high) AS moves_high FROM tariff_changes GROUP BY group_id) AS g"""
STATES = "SELECT state AS code, COUNT(*) AS months FROM rated GROUP BY state ORDER BY 1"
Row = dict[str, Any]


@dataclass(frozen=True)
class Sums:
    """The sums over all customers, by group, and why what was not billed was not. Amounts in fen."""

    whole: Row
    luck: Row
    by: dict[str, list[Row]]
    states: dict[str, int]


def change(
    engine: Engine,
    lake: Lake,
    choice: Choice,
    *,
    month: Month,
    rated: Sequence[Path],
    classes: Sequence[Path],
    eligible: exp.Query | None,
    together: bool,
    only: Range | None,
    to: Path,
) -> int:
    """Write TARIFF_CHANGES of one range from the rated months; ``together``: groups are seen whole."""
    scan = Scan(TABLES["rated"], (Files(tuple(rated)),))
    engine.see("rated", scan, only)
    engine.see("rated_of_all", scan, None if together else only)
    engine.see("classes", Scan(TABLES["classes"], (Files(tuple(classes)),)), only)
    engine.see("customers", lake.scan("customers", month), only)
    mine = exp.column("customer_id", table="o")
    tree = exp.true() if eligible is None else mine.isin(query=eligible)
    query = _model().query.transform(lambda n: tree.copy() if isinstance(n, exp.Placeholder) else n)
    ordered = sqlmodel.declared(sqlmodel.as_query(query), TARIFF_CHANGES)
    return engine.map(ordered, partial(_chosen, choice), TARIFF_CHANGES, to)


def _chosen(choice: Choice, batch: pa.RecordBatch) -> pa.RecordBatch:
    return chosen(choice, batch)


def summed(engine: Engine, *, changes: Sequence[Path], rated: Sequence[Path]) -> Sums:
    """Totals, groups and states of what was written."""
    engine.see("tariff_changes", Scan(TARIFF_CHANGES, (Files(tuple(changes)),)))
    engine.see("rated", Scan(TABLES["rated"], (Files(tuple(rated)),)))
    by = {name: _rows(engine, _grouped(exp.column(name))) for name in BY}
    by["size"] = _rows(engine, _grouped(_size()))
    states = {row["code"]: int(row["months"]) for row in _rows(engine, STATES)}
    return Sums(_rows(engine, ALL)[0], _rows(engine, LUCK)[0], by, states)


def _grouped(key: exp.Expr) -> exp.Query:
    made = parse_one(f"SELECT {SUMS} FROM tariff_changes", read="duckdb")
    query = sqlmodel.as_query(made)
    assert isinstance(query, exp.Select)
    columns = [exp.alias_(key.copy(), "code"), *query.selects]
    return query.select(*columns, append=False).group_by(key.copy()).order_by("code NULLS LAST")


def _size() -> exp.Expr:
    """The place of a month's change among SIZES_FEN: how many of them it lies above, nothing apart from little."""
    tree = exp.Case()
    for place, most in enumerate(SIZES_FEN):
        column = exp.column("change_month_fen")
        if most == 0:
            tree = tree.when(exp.LT(this=column.copy(), expression=exp.Literal.number(0)), exp.Literal.number(place))
            tree = tree.when(exp.EQ(this=column, expression=exp.Literal.number(0)), exp.Literal.number(place + 1))
            continue
        number = exp.convert(most)
        test = exp.LTE(this=column, expression=number) if most < 0 else exp.LT(this=column, expression=number)
        tree = tree.when(test, exp.Literal.number(place + (most > 0)))
    return tree.else_(exp.Literal.number(len(SIZES_FEN) + 1))


def _rows(engine: Engine, query: exp.Query | str) -> list[Row]:
    asked = sqlmodel.as_query(parse_one(query, read="duckdb")) if isinstance(query, str) else query
    return [{name: _plain(value) for name, value in row.items()} for row in engine.fetch(asked).to_pylist()]


def _plain(value: Any) -> Any:
    """Sums come as decimals from one engine and as whole numbers from the other."""
    return value if value is None or isinstance(value, (str, float, int)) else int(value)


@cache
def _model() -> SqlModel:
    return sqlmodel.load("keepline.rating", "changes")


def sql_models() -> dict[str, tuple[SqlModel, dict[str, SqlModel]]]:
    return {"changes": (_model(), {})}
