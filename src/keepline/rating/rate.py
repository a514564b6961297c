"""Past months billed under a planned tariff: one row a customer and month, on either engine."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Range
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.tariff import Tariff
from keepline.rating.billing import bill
from keepline.sqlmodel import SqlModel
from keepline.tables import METERED, POOLED, RATED

WINDOWS: Mapping[str, int | None] = {"bills": 1, "usage": 1, "lines": None, "plans": None, "affiliations": None}


def rate(engine: Engine, lake: Lake, tariff: Tariff, *, month: Month, only: Range | None, to: Path) -> int:
    """Write RATED for one month and range; return the rows. A shared allowance takes everybody at once: no range."""
    for table, months in WINDOWS.items():
        engine.see(table, lake.scan(table, month, months=months), only)
    query = sqlmodel.declared(_query(tariff, month), POOLED if tariff.pooled else METERED)
    return engine.map(query, partial(_billed, tariff), RATED, to)


def _billed(tariff: Tariff, batch: pa.RecordBatch) -> pa.RecordBatch:
    return bill(tariff, batch)


def _query(tariff: Tariff, month: Month) -> exp.Query:
    """What the tariff is billed on, with what its file decides put into the model."""
    trees: dict[str, exp.Expr] = {
        "replaced": exp.column("component").isin(*tariff.replaces) if tariff.replaces else exp.false(),
        "covered": exp.column("product", table="h").isin(*tariff.covered),
        "month_end": sqlmodel.literal(month.last_day),
        "together": sqlmodel.literal(tariff.pooled),
        "counted": exp.column(tariff.line),
        "moved": exp.GT(this=exp.column(tariff.line), expression=sqlmodel.literal(0 if tariff.needs_lines else -1)),
    }
    metered = _filled(_model("metered").query, trees)
    if not tariff.pooled:
        return metered
    pooled = _model("pooled")
    return _filled(pooled.with_parts({"metered": metered}).query, trees)


def _filled(query: exp.Query, trees: Mapping[str, exp.Expr]) -> exp.Query:
    def fill(node: exp.Expr) -> exp.Expr:
        return exp.paren(trees[str(node.this)].copy()) if isinstance(node, exp.Placeholder) else node

    return sqlmodel.as_query(query.transform(fill))


@cache
def _model(name: str) -> SqlModel:
    return sqlmodel.load("keepline.rating", name)


def sql_models() -> dict[str, tuple[SqlModel, dict[str, SqlModel]]]:
    """Every model of the room with the models it reads by name, for the static check."""
    metered = _model("metered")
    return {"metered": (metered, {}), "pooled": (_model("pooled"), {"metered": metered})}
