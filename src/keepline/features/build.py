"""Features of a snapshot's base, and labels of a past base: SQL models, their views and parameters put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Files, Range, Scan
from keepline.errors import PolicyError, TooFewError
from keepline.features.known import Knowledge, known_months
from keepline.features.lacks import Lack, lacking
from keepline.lake.store import Lake
from keepline.periods import Month, months_between
from keepline.policy.conditions import Condition
from keepline.policy.documents import Policy
from keepline.policy.margins import POINTS, basis_points
from keepline.sqlmodel import SqlModel
from keepline.tables import FEATURES, LABELS, TABLES

__all__ = ["Lack", "Stage", "build_features", "build_labels", "column_origins", "lacking", "sql_models"]

Values = dict[str, sqlmodel.Value]

OUTCOMES = ("bills", "usage", "departures", "deliveries", "approvals")  # what the outcome window is read from
PARTS = (
    "people",
    "spend",
    "used",
    "complained",
    "contacted",
    "faulty",
    "owed",
    "held",
    "answered",
    "brought",
    "circle",
    "granted",
    "promised",
    "drawn",
    "gone",
)
# How many months of each table are read; None: all, where the latest row at or before the snapshot counts.
WINDOWS: dict[str, int | None] = {
    "customers": None,
    "lines": None,
    "plans": None,
    "departures": None,
    "bills": 12,
    "usage": 6,
    "payments": 6,
    "contacts": 6,
    "approvals": 6,
    "promises": 12,
    "experiments": 12,
    "complaints": 12,
    "survey_answers": 12,
    "network_faults": 3,
    "call_edges": 3,
}
# Seen whole, because rows of other ranges count: who was brought, and which peers left.
SEEN_WHOLE: dict[str, tuple[str, int]] = {"referrals": ("referrals", 12), "departures_anywhere": ("departures", 3)}


@dataclass(frozen=True)
class Stage:
    """A model and the models it reads by name: what the static check and lineage need."""

    model: SqlModel
    parts: dict[str, SqlModel]

    def check(self) -> None:
        """Refuse the model or a part that breaks the subset or disagrees with its table."""
        for part in self.parts.values():
            sqlmodel.check(part)
        sqlmodel.check(self.model, self.parts)

    @property
    def query(self) -> exp.Query:
        """The whole query, its placeholders still open."""
        return self.model.with_parts({name: part.query for name, part in self.parts.items()}).query

    def bound(self, values: Values) -> exp.Query:
        """The whole query with every placeholder filled."""
        parts = {name: _bind(part, values).query for name, part in self.parts.items()}
        return _bind(self.model, values).with_parts(parts).query

    @property
    def schema(self) -> sqlmodel.Schema:
        """Types of every view the query reads."""
        models = (self.model, *self.parts.values())
        return {view: sqlmodel.view_types(TABLES[table]) for model in models for view, table in model.views.items()}

    def origins(self) -> dict[str, set[str]]:
        """For each output column the columns of the lake's tables, as ``table.column``, that it comes from."""
        table_of = {view: table for model in (self.model, *self.parts.values()) for view, table in model.views.items()}
        found = sqlmodel.origins(self.query, self.schema)
        return {column: {_in_lake(source, table_of) for source in sources} for column, sources in found.items()}


def _in_lake(source: str, table_of: dict[str, str]) -> str:
    view, name = source.replace("months_ago", "month").split(".")
    return f"{table_of[view]}.{name}"


def build_features(engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, only: Range, to: Path) -> int:
    """Write the features of one range of the base of ``snapshot``; return the customers.

    The base is everyone active in the snapshot month by policy who has not left, or has come
    back. Raises TooFewError when the lake has no customers or no bills of that month.
    """
    _require(lake, snapshot)
    for table, months in WINDOWS.items():
        engine.see(table, lake.scan(table, snapshot, months=months), only)
    for view, (table, months) in SEEN_WHOLE.items():
        engine.see(view, lake.scan(table, snapshot, months=months))
    values: Values = {
        **Knowledge(lake, snapshot).flags(),
        **basis_points(policy.value),
        "month": str(snapshot),
        "month_end": snapshot.last_day,
    }
    everyone = _features().bound(values)
    return engine.write(_active(everyone, policy.leaving.active_when), FEATURES, to)


def _require(lake: Lake, snapshot: Month) -> None:
    absent = [table for table in ("customers", "bills") if not lake.has(table)]
    if absent or snapshot not in lake.months("bills"):
        what = " and ".join(absent) or f"bills of {snapshot}"
        raise TooFewError(
            f"the lake holds no {what}; customers and bills are the two tables nothing can be done without: load them",
            f"数据湖中没有 {what}；customers 与 bills 是必需的两张表，请先装载",
            code="required_table_absent",
        )


def _active(everyone: exp.Query, conditions: Sequence[Condition]) -> exp.Select:
    """The base: any one of the conditions holds. Scores come after features and may not be asked for."""
    foreign = [condition.feature for condition in conditions if condition.feature not in FEATURES.names]
    if foreign or not conditions:
        why = f"asks for {', '.join(foreign)}, known only later" if foreign else "is empty, so nobody would be active"
        raise PolicyError(
            f"leaving.toml: active_when {why}; use features of docs/tables.md, for example revenue_fen above 0",
            "leaving.toml：active_when 只能使用 docs/tables.md 中的特征，且至少一条，例如 revenue_fen 大于 0",
            code="active_when",
        )
    holds = exp.or_(*[condition.tree("everyone") for condition in conditions])
    return exp.select(*FEATURES.names).from_(everyone.subquery("everyone")).where(holds)


def build_labels(
    engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, base: Path, only: Range, to: Path
) -> int:
    """Write what became of one part of a past base within the policy's horizon; return the customers.

    The only reader of rows after ``snapshot``. Raises TooFewError when the lake does not hold
    the whole outcome window, unless policy learns from this one labelled snapshot.
    """
    last = snapshot + policy.leaving.horizon_months
    outcome = {table: lake.window(table, snapshot + 1, last) for table in OUTCOMES}
    _require_window(outcome, policy, first=snapshot + 1, last=last)
    engine.see("features", Scan(FEATURES, (Files((base,)),)), only)
    for table, scan in outcome.items():
        engine.see(table, scan, only)
    stage = _labels(policy.leaving.left_when)
    return engine.write(stage.bound(_label_values(lake, policy, outcome, last)), LABELS, to)


def _label_values(lake: Lake, policy: Policy, outcome: dict[str, Scan], last: Month) -> Values:
    billed = known_months(outcome["bills"], "amount_fen")
    recorded = bool(Knowledge(lake, last).months("departures", "customer_id", within=0))
    return {
        **basis_points(policy.value),
        "horizon": policy.leaving.horizon_months,
        "leaving_known": recorded or policy.leaving.left_when == "silent",
        "port_out_known": bool(Knowledge(lake, last).months("departures", "kind", within=0)),
        "bills_at_end": 0 in billed,
        "bills_within": bool(billed),
        "downgrade_keeps_bp": POINTS - round(policy.leaving.downgrade_fall_share * POINTS),
    }


def _require_window(outcome: dict[str, Scan], policy: Policy, *, first: Month, last: Month) -> None:
    """A month nobody has loaded would make everyone silent, or nobody leave."""
    if policy.leaving.learn_from == "this_snapshot" and policy.leaving.left_when == "departure":
        return
    seen = known_months(outcome["bills"], "customer_id")
    if policy.leaving.left_when == "silent":
        seen |= known_months(outcome["usage"], "customer_id")
    absent = [str(month) for month in months_between(first, last) if last - month not in seen]
    if absent:
        raise TooFewError(
            f"the outcome window {first} to {last} is not whole: nothing is loaded of {', '.join(absent)}",
            f"结果窗口 {first} 至 {last} 不完整：{'、'.join(absent)} 没有数据",
            code="window_open",
        )


def _bind(model: SqlModel, values: Values) -> SqlModel:
    wanted = {str(node.this) for node in model.query.find_all(exp.Placeholder)}
    return model.bind(**{name: value for name, value in values.items() if name in wanted})


def _load(name: str) -> SqlModel:
    return sqlmodel.load("keepline.features", name)


def _features() -> Stage:
    return Stage(_load("features"), {name: _load(name) for name in PARTS})


def _labels(left_when: str) -> Stage:
    name = "left_silent" if left_when == "silent" else "left_recorded"
    return Stage(_load("labels"), {"gone_within": _load(name)})


def sql_models() -> list[Stage]:
    """Every SQL model of this room with its parts, for the static check and lineage."""
    return [_features(), _labels("departure"), _labels("silent")]


def column_origins(column: str) -> set[str]:
    """The lake's columns, as ``table.column``, that a feature comes from."""
    return _feature_origins()[column]


@cache
def _feature_origins() -> dict[str, set[str]]:
    """Traced once: the models do not change while a process runs."""
    return _features().origins()
