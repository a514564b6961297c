"""From which of the operator's columns a published number comes: stage by stage back to their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keepline.errors import KeeplineError
from keepline.features.build import column_origins
from keepline.lake.mapping import source_columns
from keepline.site import Site
from keepline.tables import FEATURES, LAKE, TABLES

# What a stage reads to make a column, where the stage is mathematics or policy and not one
# SQL model. "features.*" are the inputs of the models, named one by one when traced.
MODEL = ("features.*", "labels.left_within", "attributes.number", "attributes.code")
MARGIN = ("features.margin_fen", "features.margin_3m_fen", "features.margin_12m_fen", "features.months_billed")
PERSISTENCE = (*MARGIN, "scores.leave_monthly")
STAYING = (
    "scores.leave_probability",
    "labels.left_after",
    "features.tenure_months",
    "features.contract_months_left",
)
EFFECT = ("pilots.coefficient", "scores.leave_probability", "scores.value_fen", "scores.expected_months")
STEPS: dict[str, tuple[str, ...]] = {
    "features.complaints_12m": ("complaints.complaint_id",),  # rows are counted, no column is summed
    "features.referrals_12m": ("referrals.referrer_id",),
    "scores.leave_probability": MODEL,
    "scores.leave_monthly": ("scores.leave_probability",),
    "scores.expected_months": ("scores.leave_monthly",),
    "scores.port_out_probability": (*MODEL, "labels.ported_within"),
    "scores.downgrade_probability": (*MODEL, "labels.downgraded_within"),
    **dict.fromkeys((f"scores.stay_{months}m" for months in (1, 3, 6, 12, 24)), STAYING),
    "scores.risk_band": ("scores.leave_probability",),
    "scores.reason_1": MODEL,
    "scores.reason_2": MODEL,
    "scores.reason_3": MODEL,
    "scores.persistence_fen": PERSISTENCE,
    "scores.growth_fen": (*PERSISTENCE, "features.revenue_slope_fen"),
    "scores.word_of_mouth_fen": (*MARGIN, "features.referrals_12m"),
    "scores.value_fen": ("scores.persistence_fen", "scores.growth_fen", "scores.word_of_mouth_fen"),
    "scores.value_low_fen": ("scores.value_fen", "labels.margin_after_fen"),
    "scores.value_high_fen": ("scores.value_fen", "labels.margin_after_fen"),
    "scores.loyalty": (
        "scores.leave_probability",
        "features.tenure_months",
        "features.revenue_change",
        "features.stay_intention",
    ),
    "scores.loyalty_kind": ("features.products", "features.recommend", "features.discount_3m_fen"),
    "scores.model_version": MODEL,
    "pilots.*": (
        "experiments.arm",
        "experiments.offer_id",
        "deliveries.answer",
        "departures.month",
        "bills.amount_fen",
        "features.*",
        "scores.leave_probability",
    ),
    "learners.*": (
        "experiments.arm",
        "deliveries.answer",
        "departures.month",
        "bills.amount_fen",
        "features.*",
        "scores.leave_probability",
    ),
    "looks.*": (
        "experiments.arm",
        "deliveries.answer",
        "departures.month",
        "bills.amount_fen",
        "features.margin_3m_fen",
    ),
    "price_sensitivity.*": (
        "price_quotes.price_fen",
        "price_quotes.list_price_fen",
        "price_quotes.bought",
        "price_quotes.by_lot",
        "price_quotes.aim",
        "features.kind",
        "features.plan_price_fen",
        "features.tenure_months",
    ),
    "circles.*": ("call_edges.customer_id", "call_edges.peer_id", "call_edges.calls", "departures.customer_id"),
    "circles.brought_12m": ("features.referrals_12m",),
    "win_back.customer_id": ("departures.customer_id",),
    "win_back.left_month": ("departures.month",),
    "win_back.kind": ("departures.kind",),
    "win_back.reason": ("departures.reason",),
    "win_back.margin_3m_fen": ("bills.amount_fen", "bills.component", "departures.month"),
    "win_back.district": ("customers.district",),
    "win_back.manager_id": ("customers.manager_id",),
    "win_back.may_contact": ("customers.consent", "customers.blacklisted"),
    "candidates.manager_id": ("features.manager_id",),
    "candidates.*": EFFECT,
    "classes.*": ("features.*",),
    "drivers.*": ("features.*",),
    "niches.*": ("features.*", "attributes.code"),
    "decisions.state": (
        "candidates.gain_fen",
        "features.consent",
        "features.blacklisted",
        "features.arrears_months",
        "features.contacts_out_1m",
        "features.days_since_contact",
        "features.complaints_open",
        "features.months_since_lots",
        "managers.visit_minutes",
        "managers.authority_fen",
    ),
    "decisions.arm": ("features.customer_id",),
    "decisions.offer_id": ("candidates.gain_fen", "candidates.cost_fen"),
    "decisions.channel": ("decisions.offer_id",),
    "decisions.manager_id": ("features.manager_id",),
    "decisions.reason": ("decisions.state",),
    "decisions.gain_fen": ("candidates.gain_fen",),
    "decisions.cost_fen": ("candidates.cost_fen",),
    "decisions.model_version": ("scores.model_version",),
    "assignments.margin_before_fen": ("features.margin_3m_fen",),
    "assignments.*": ("candidates.gain_fen", "candidates.cost_fen", "features.customer_id"),
    "schedule.*": ("decisions.offer_id", "candidates.minutes", "scores.leave_probability"),
    "effects.*": (
        "assignments.arm",
        "assignments.offer_id",
        "deliveries.delivered_on",
        "deliveries.cost_fen",
        "bills.amount_fen",
        "departures.month",
    ),
    "labels.left_within": ("departures.month", "bills.amount_fen", "usage.voice_s"),
    "labels.ported_within": ("departures.kind",),
    "labels.downgraded_within": ("bills.amount_fen",),
    "labels.margin_after_fen": ("bills.amount_fen",),
    "labels.alone_share": ("deliveries.month",),
}
LAKE_NAMES = {table.name for table in LAKE}
MADE_BY_US = {"month", "policy_version", "model_version"}


@dataclass(frozen=True)
class Lineage:
    """The way back from one column: every step, the lake columns, and the operator's own."""

    column: str
    steps: dict[str, list[str]]
    lake: list[str]
    operator: dict[str, list[str]]  # lake column -> "mapping: their column"

    def to_dict(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "steps": self.steps,
            "lake_columns": self.lake,
            "operator_columns": self.operator,
        }

    def text(self, lang: str) -> str:
        head = f"{self.column} 的来源" if lang == "zh" else f"where {self.column} comes from"
        unknown = "（本站点映射未提供）" if lang == "zh" else "(no mapping of this site provides it)"
        ours = "（由 keepline 写入：账期或版本号）" if lang == "zh" else "(written by keepline: the month or a version)"
        lines = [f"  {name} ← {', '.join(sources)}" for name, sources in self.steps.items() if sources]
        ends = [f"  {name} ⇐ {'; '.join(self.operator.get(name, [])) or unknown}" for name in self.lake] or [
            f"  {ours}"
        ]
        label = "运营商的列" if lang == "zh" else "the operator's columns"
        return "\n".join([head, *lines, label, *ends])


def trace(site: Site, column: str) -> Lineage:
    """Walk back from ``table.column`` to the operator's files."""
    _known(column)
    steps: dict[str, list[str]] = {}
    waiting = [column]
    while waiting:
        here = waiting.pop()
        if here in steps or here.split(".")[0] in LAKE_NAMES:
            continue
        steps[here] = sorted(_sources(here))
        waiting.extend(steps[here])
    ends = sorted({s for sources in steps.values() for s in sources if s.split(".")[0] in LAKE_NAMES})
    if not ends and column.split(".")[0] in LAKE_NAMES:
        ends = [column]
    return Lineage(column, steps, ends, {end: found for end in ends if (found := source_columns(site, end))})


def _known(column: str) -> None:
    table, _, name = column.partition(".")
    if table not in TABLES or name not in TABLES[table].names:
        raise KeeplineError(
            f"{column!r} is no declared column; write TABLE.COLUMN as in docs/tables.md, e.g. decisions.gain_fen",
            f"{column!r} 不是已声明的列；请按 docs/tables.md 写成 表.列，例如 decisions.gain_fen",
            code="no_column",
        )


def _sources(column: str) -> set[str]:
    table, name = column.split(".")
    if table == FEATURES.name and column not in STEPS:
        return column_origins(name)
    if name in MADE_BY_US and column not in STEPS:
        return set()
    if name == "customer_id":
        return {"customers.customer_id"}
    named = STEPS.get(column, STEPS.get(f"{table}.*", ()))
    return {each for source in named for each in _spread(source)}


def _spread(source: str) -> list[str]:
    """``features.*`` as the features a model may read."""
    if source != "features.*":
        return [source]
    return [f"features.{name}" for name in FEATURES.names if name not in ("customer_id", "month")]
