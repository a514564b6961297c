"""Who left lately and is not back, for which recorded reason, and what margin they brought: the win-back list (K6)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Files, Range, Scan
from keepline.insight.inputs import Shelf
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.policy.margins import basis_points
from keepline.sqlmodel import SqlModel
from keepline.tables import FEATURES, WIN_BACK

PACKAGE = "keepline.insight"
MONTHS = 3


def build_win_back(
    engine: Engine, lake: Shelf, policy: Policy, *, snapshot: Month, features: Path, only: Range, to: Path
) -> int:
    """Write the departed customers of one range; ``features`` is the range's part of the present base."""
    left = lake.scan("departures", snapshot, months=MONTHS)
    engine.see("departures", left, only)
    told = tuple(path for files in left.files for path in files.paths)
    engine.see("bills", lake.scan("bills", snapshot, months=2 * MONTHS).among(told), only)
    engine.see("customers", lake.scan("customers", snapshot).among(told), only)
    engine.see("features", Scan(FEATURES, (Files((features,), 0),)), only)
    model, parts = sql_model()
    gone = parts["gone"].bind(**basis_points(policy.value)).query
    return engine.write(model.bind(month=str(snapshot)).with_parts({"gone": gone}).query, WIN_BACK, to)


def sql_model() -> tuple[SqlModel, dict[str, SqlModel]]:
    """The model with the part it reads by name, for the static check and lineage."""
    return sqlmodel.load(PACKAGE, "win_back"), {"gone": sqlmodel.load(PACKAGE, "gone")}


def count_win_back(engine: Engine, parts: Sequence[Path]) -> list[dict[str, Any]]:
    """By reason: reason, customers and margin_3m_fen, the most margin first. No customer is in it."""
    engine.see("win_back", Scan(WIN_BACK, (Files(tuple(parts), 0),)))
    sums = [
        exp.alias_(exp.Count(this=exp.Star()), "customers"),
        exp.alias_(exp.func("COALESCE", exp.Sum(this=exp.column("margin_3m_fen")), exp.Literal.number(0)), "margin"),
    ]
    found = engine.fetch(exp.select("reason", *sums).from_("win_back").group_by("reason")).to_pylist()
    rows = [{"reason": r["reason"], "customers": int(r["customers"]), "margin_3m_fen": int(r["margin"])} for r in found]
    return sorted(rows, key=lambda row: (-row["margin_3m_fen"], row["reason"]))
