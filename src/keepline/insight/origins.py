"""From what insight makes each of its columns: traced where SQL makes them, else what the function is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keepline import sqlmodel
from keepline.insight import loyalty, price, reasons, staying, topups, training, value, win_back
from keepline.insight.circles import stage as circles
from keepline.insight.classes import classes_model, judged_model
from keepline.insight.drivers import drivers_model
from keepline.insight.inputs import OFFERED
from keepline.insight.niches import stage as niches
from keepline.policy.documents import Policy
from keepline.sqlmodel import SqlModel
from keepline.tables import CIRCLES, NICHES, PRICE_SENSITIVITY, Table

Origins = dict[str, set[str]]
OWN = {"attributes.number", "attributes.code"}
LEAVE = {"scores.leave_probability"}
CHANGED = {"labels.left_within", "labels.margin_after_fen"}  # past snapshots teach how margins change
MOUTH = {"features.margin_3m_fen"}  # and what a customer who is brought brings


def classes(policy: Policy) -> Origins:
    judged = judged_model(policy.classes).query
    query = classes_model().with_parts({"judged": judged}).query
    made = sqlmodel.made_of(query, {"features": "features", "classes_before": "classes"})
    ruled = made.keys() - {"customer_id", "month", "previous_class"}
    return {name: sources | ({"policy.classes"} if name in ruled else set()) for name, sources in made.items()}


def drivers(policy: Policy) -> Origins:
    return sqlmodel.made_of(drivers_model(policy.loyalty).query, {"features": "features"})


def departed() -> Origins:
    """Of WIN_BACK."""
    model, parts = win_back.sql_model()
    return _traced(model, parts) | {"customer_id": {"departures.customer_id"}}


def scores(policy: Policy, seen: Sequence[str] | None) -> Origins:
    """``seen``: the inputs the models of a publication took; None for all they may take."""
    inputs = _inputs(seen)
    taught = {name: {f"labels.{column}", "labels.alone_share"} for name, column in training.TARGETS.items()}
    worth = {name: _features(read) | LEAVE for name, read in value.MADE_OF.items()}
    for name in ("growth_fen", "value_fen", "value_low_fen", "value_high_fen"):
        worth[name] |= CHANGED
    for name in ("word_of_mouth_fen", "value_fen", "value_low_fen", "value_high_fen"):
        worth[name] |= MOUTH
    if policy.value.lifetime == "cohorts":
        bills = set().union(*sqlmodel.made_of(topups.active_query(), {"bills": "bills"}).values())
        worth = {name: sources | (bills if name != "word_of_mouth_fen" else set()) for name, sources in worth.items()}
    course = _features(staying.READS) | LEAVE | taught["leave"] | {"labels.left_after"}
    reason = inputs | taught["leave"] | _features(reasons.FACTS) | {"scores.reason_1"}
    return {
        **worth,
        "leave_probability": inputs | taught["leave"],
        "port_out_probability": inputs | taught["port_out"] | LEAVE,
        "downgrade_probability": inputs | taught["downgrade"],
        "leave_monthly": LEAVE,
        "risk_band": LEAVE | {"policy.leaving"},
        **dict.fromkeys(staying.AHEAD, course),
        **{f"reason_{place + 1}": reason for place in range(reasons.SHOWN)},
        "loyalty": _features(loyalty.CLASS_READS) | LEAVE | {"policy.loyalty"},
        "loyalty_kind": _features(loyalty.KIND_READS) | {"policy.loyalty"},
        "model_version": inputs.union(*taught.values(), CHANGED, {"labels.left_after"}),
    }


def found_niches() -> Origins:
    """Of NICHES: which groups there are hangs on all that customers are grouped by, and on what they did."""
    grouped = _features(niches.GROUPED_BY) | {"attributes.code"}
    return dict.fromkeys(_made(NICHES), grouped) | {"margin_fen": grouped | {"features.margin_fen"}}


def found_circles() -> Origins:
    """Of CIRCLES: every place in the graph hangs on who talks with whom, and on who left."""
    ties = sqlmodel.made_of(
        circles.sql_model().query, {"call_edges": "call_edges", "call_edges_anywhere": "call_edges"}
    )
    graph = set().union(*ties.values()) | {"win_back.customer_id"}
    return dict.fromkeys(_made(CIRCLES), graph) | {"brought_12m": {"features.referrals_12m"}}


def price_sensitivity() -> Origins:
    models = price.sql_models()
    alike, quoted = _traced(*models["price_alike"]), _traced(*models["price_quoted"])
    learnt = set().union(*quoted.values())
    return dict.fromkeys(_made(PRICE_SENSITIVITY), learnt) | {"segment": alike["segment"]}


def _traced(model: SqlModel, parts: dict[str, SqlModel]) -> Origins:
    views = {view: table for each in (model, *parts.values()) for view, table in each.views.items()}
    return sqlmodel.made_of(model.with_parts({name: part.query for name, part in parts.items()}).query, views)


def _made(table: Table) -> list[str]:
    """Its columns but for whom and when."""
    return [name for name in table.names if name not in ("customer_id", "month")]


def _inputs(seen: Sequence[str] | None) -> set[str]:
    offered = {column.name for column in OFFERED}
    if seen is None:
        return _features(offered) | OWN
    return _features(offered & set(seen)) | (OWN if set(seen) - offered else set())


def _features(names: Iterable[str]) -> set[str]:
    return {f"features.{name}" for name in names}
