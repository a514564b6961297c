"""The figures of a published month: aggregates alone, in one JSON-able value that the page and the plan are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlglot import exp

from keepline.engine import Engine
from keepline.policy.documents import Policy
from keepline.report.card import card_figures, drift_figures, judgement_figures, reasons_of
from keepline.report.concentration import concentration, value_bands
from keepline.report.drivers import driver_figures
from keepline.report.expected import past_figures
from keepline.report.findings import findings
from keepline.report.influence import circle_figures
from keepline.report.means import limit_figures, plan_figures
from keepline.report.past import effect_figures, learner_figures, look_figures, pilot_figures, win_back_figures
from keepline.report.pricing import price_figures
from keepline.report.quality import quality_figures, tenure_figures
from keepline.report.reasons import reason_words
from keepline.report.tally import Row, Shelf, group, model, total
from keepline.report.words import CLASSES, Words, both
from keepline.site import Settings
from keepline.tables import OF_PEOPLE, STATES, TABLES

BILLION = 1_000_000_000
SPREADS = {
    "revenue": ("features", "revenue_fen"),
    "margin": ("features", "margin_fen"),
    "value": ("scores", "value_fen"),
}


def figures(
    engine: Engine, folder: Path, *, manifest: dict[str, Any], policy: Policy, settings: Settings
) -> dict[str, Any]:
    """Everything the report shows of ``folder``, a publication or one in the making; no row of a customer."""
    shelf = Shelf(engine, folder)
    base = _base(shelf)
    effects = effect_figures(shelf, policy)
    spreads = {measure: _spread(shelf, *place) for measure, place in SPREADS.items()}
    found: dict[str, Any] = {
        "head": _head(manifest, policy, settings),
        "base": base,
        "concentration": [concentration(measure, rows) for measure, rows in spreads.items()],
        "moves": _moves(shelf),
        "grid": _grid(shelf, value_bands(spreads["value"])),
        "drivers": driver_figures(shelf),
        "niches": manifest.get("niches"),
        "price": price_figures(shelf, manifest.get("price")),
        "circles": circle_figures(shelf, manifest.get("circles")),
        "leaving": _leaving(shelf, manifest.get("model_card") or {}),
        "win_back": win_back_figures(manifest.get("win_back"), policy),
        "funnel": _funnel(shelf),
        "plan": plan_figures(shelf, policy=policy, summary=manifest.get("plan") or {}),
        "limits": limit_figures(manifest.get("plan") or {}),
        "effects": effects,
        "past": past_figures(manifest.get("past_plans"), effects),
        "pilots": pilot_figures(manifest.get("pilots"), policy),
        "looks": look_figures(manifest.get("looks"), policy),
        "learners": learner_figures((manifest.get("model_card") or {}).get("who_responds"), policy),
        "judgement": judgement_figures(manifest.get("judgement") or []),
        "drift": drift_figures(manifest.get("drift") or {}),
        "quality": quality_figures(manifest, base),
        "tenure": tenure_figures(shelf, policy),
    }
    return found | {"findings": findings(found)}


def _head(manifest: dict[str, Any], policy: Policy, settings: Settings) -> dict[str, Any]:
    told = {key: manifest.get(key) for key in ("month", "previous_month", "publication_id", "seed")}
    policies = [{key: row.get(key) for key in ("name", "version")} for row in manifest.get("policies") or []]
    return told | {
        "name": settings.name,
        "currency": settings.currency,
        "simulated": bool(settings.simulated or manifest.get("simulated")),
        "data_note": both(settings.data_note_zh, settings.data_note_en),
        "policies": policies,
        "model_version": (manifest.get("model_card") or {}).get("version"),
        "leave_months": policy.leaving.horizon_months,
        "oversampled": policy.leaving.oversampled,
        "true_monthly_rate": policy.leaving.true_monthly_rate,
        "left_when": policy.leaving.left_when,
        "high_from": policy.leaving.high_band_min,
        "medium_from": policy.leaving.medium_band_min,
        "value_months": policy.value.horizon_months,
        "discount_rate": policy.value.discount_rate_year,
        "held_out_share": policy.limits.held_out_share,
    }


def _spread(shelf: Shelf, table: str, column: str) -> list[Row]:
    amounts = exp.select(exp.alias_(exp.column(column), "amount_fen")).from_(table)
    return shelf.sums(model("spread").with_parts({"amounts": amounts}).query, [table], ["step_fen"])


def _base(shelf: Shelf) -> dict[str, Any]:
    """How many are in the base, what they brought in the month, and for how many each feature is known."""
    names = [c.name for c in TABLES["features"].columns if c.name not in ("customer_id", "month")]
    known = [_big(exp.Count(this=exp.column(name)), f"known_{name}") for name in names]
    sums = [_big(exp.Sum(this=exp.column(name)), name) for name in ("revenue_fen", "margin_fen", *OF_PEOPLE)]
    query = exp.select(_big(exp.Count(this=exp.Star()), "customers"), *sums, *known).from_("features")
    rows = shelf.sums(query, ["features"], [])
    if not rows:
        return {"customers": None, "revenue_fen": None, "margin_fen": None, "known": {}}
    row = rows[0]
    return {key: row[key] for key in ("customers", "revenue_fen", "margin_fen", *OF_PEOPLE)} | {
        "known": {name: row[f"known_{name}"] for name in names}
    }


def _big(tree: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(exp.cast(tree, "BIGINT"), name)


def _moves(shelf: Shelf) -> dict[str, Any]:
    keys = ("previous_class", "class", "move", "rule", "reason_zh", "reason_en")
    rows = shelf.sums(model("moves").query, ["classes", "features"], keys)
    sums = ("customers", "revenue_fen")
    flows = group(rows, ("previous_class", "class", "move"), sums)
    order = list(CLASSES)
    return {
        "judged_before": any(row["previous_class"] is not None for row in flows),
        "classes": sorted(group(rows, ("class",), sums), key=lambda r: order.index(r["class"])),
        "flows": sorted(flows, key=lambda r: (order.index(r["previous_class"] or "new"), order.index(r["class"]))),
        "rules": sorted(_rules(rows), key=lambda r: (order.index(r["class"]), -r["customers"], r["rule"] or "")),
    }


def _rules(rows: list[Row]) -> list[Row]:
    """Customers by the rule that decided, in the words most of them were given; some also name the class before."""
    sums = ("customers", "revenue_fen")
    worded = group(rows, ("class", "rule", "reason_zh", "reason_en"), sums)
    most: dict[tuple[str, str | None], Row] = {}
    for row in worded:
        place = (row["class"], row["rule"])
        if place not in most or row["customers"] > most[place]["customers"]:
            most[place] = row
    reasons = ("reason_zh", "reason_en")
    return [
        row | {name: most[row["class"], row["rule"]][name] for name in reasons}
        for row in group(rows, ("class", "rule"), sums)
    ]


def _grid(shelf: Shelf, bands: dict[str, int]) -> dict[str, Any]:
    query = model("grid").bind(top_fen=bands["top"], next_fen=bands["next"]).query
    rows = shelf.sums(query, ["scores"], ("band", "loyalty", "loyalty_kind"))
    sums = ("customers", "value_fen", "leave_known", "leave_e9")
    cells = [_rated(row) for row in group(rows, ("band", "loyalty"), sums)]
    return {
        "from_fen": bands,
        "value_known": total([row for row in rows if row["value_fen"] is not None], "customers") or 0,
        "value_fen": total(rows, "value_fen"),
        "cells": cells,
        "kinds": group(rows, ("loyalty", "loyalty_kind"), ("customers", "value_fen")),
    }


def _rated(row: Row, name: str = "leave") -> Row:
    """Replace the sum of probabilities by their mean; unknown when nobody was scored."""
    known, billionths = row.pop(f"{name}_known"), row.pop(f"{name}_e9")
    return row | {f"{name}_probability": round(billionths / BILLION / known, 6) if known else None}


def _leaving(shelf: Shelf, card: dict[str, Any]) -> dict[str, Any]:
    rows = shelf.sums(model("leaving").query, ["scores"], ("risk_band", "reason_1"))
    kinds = ("leave", "port_out", "downgrade")
    sums = ["customers", "value_fen", *(f"{kind}_{part}" for kind in kinds for part in ("known", "e9"))]
    bands = {row["risk_band"]: row for row in group(rows, ("risk_band",), sums)}
    return {
        "bands": [_rated(_expected(bands[b])) for b in ("high", "medium", "low", "unknown") if b in bands],
        "reasons": _reasons([row for row in rows if row["risk_band"] in ("high", "medium")], reasons_of(card)),
        "words": reasons_of(card),
        "card": card_figures(card),
        "expected": {kind: _sum_expected(rows, kind) for kind in kinds},
    }


def _expected(row: Row) -> Row:
    known = row["leave_known"]
    slim = {key: row[key] for key in ("risk_band", "customers", "value_fen", "leave_known", "leave_e9")}
    return slim | {"expected_leavers": round(row["leave_e9"] / BILLION, 2) if known else None}


def _sum_expected(rows: list[Row], kind: str) -> dict[str, Any]:
    known, billionths = total(rows, f"{kind}_known") or 0, total(rows, f"{kind}_e9")
    return {"known": known, "customers": round(billionths / BILLION, 2) if billionths is not None else None}


def _reasons(rows: list[Row], said: dict[str, Words]) -> list[Row]:
    """By leading reason, the most value first; those without a reason last."""
    found = sorted(
        group(rows, ("reason_1",), ("customers", "value_fen")),
        key=lambda r: (r["reason_1"] is None, -(r["value_fen"] or 0), -r["customers"], r["reason_1"] or ""),
    )
    return [row | {"words": reason_words(row["reason_1"], said)} for row in found]


def _funnel(shelf: Shelf) -> dict[str, Any]:
    """Every customer of the base in exactly one state, in the order they are tested."""
    rows = shelf.sums(model("states").query, ["decisions", "classes"], ("state", "class"))
    counted = {row["state"]: row["customers"] for row in group(rows, ("state",), ("customers",))}
    left = base = sum(counted.values())
    steps = []
    for state in STATES:
        if state not in counted:
            continue
        left -= counted[state]
        steps.append({"state": state, "customers": counted[state], "left": left})
    return {"base": base, "steps": steps, "by_class": rows}
