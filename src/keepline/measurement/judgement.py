"""How past probabilities and values did, once their horizon is over.

Judged are customers whom no plan of the window treated: an offer changes what would have
happened, so the treated say nothing about the forecast. Every judgement states this. A plan
of which no delivery is on record was not carried out, and treated nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Range
from keepline.lake.store import Lake
from keepline.measurement.accuracy import Cells, Estimate, auc, brier, calibration, merge, tenths, top_tenth_lift
from keepline.measurement.effects import PastPlan, delivered_rows
from keepline.measurement.outcomes import (
    PACKAGE,
    Window,
    compose,
    discounts,
    is_whole,
    leaving_is_known,
    parts_for,
    ranges_of,
    see_parts,
    see_window,
)
from keepline.measurement.statistics import shares_interval
from keepline.measurement.words import judgement_words
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.policy.margins import basis_points
from keepline.tables import DECISIONS, SCORE_CELLS, SCORES

EVENTS_MIN = 10  # under this the interval is shown with a warning


def judge(
    engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, past: Sequence[PastPlan]
) -> list[dict[str, Any]]:
    """One JSON-able judgement for each past publication, oldest first, with its sentence in both languages.

    ``verdict`` is ``judged``, ``window_open`` (the horizon is not over), ``months_absent`` (not
    all of it is loaded), ``leaving_unknown`` (no departures on record) or ``nobody`` (none had a
    probability and was left untreated). Only ``judged`` carries figures.
    """
    found = []
    for plan in sorted((p for p in past if p.month < snapshot), key=lambda plan: plan.month):
        said = _judged(engine, lake, policy, snapshot=snapshot, plan=plan, past=past)
        zh, en = judgement_words(said)
        found.append(said | {"zh": zh, "en": en})
    return found


def _judged(
    engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, plan: PastPlan, past: Sequence[PastPlan]
) -> dict[str, Any]:
    window = Window(plan.month, policy.leaving.horizon_months)
    past = [p for p in past if delivered_rows(engine, lake, snapshot=snapshot, plan=p)]
    about: dict[str, Any] = {"plan_month": str(plan.month), "month": str(window.last), "horizon_months": window.months}
    about["judged_on"] = "untreated"
    if why := _cannot(lake, policy, snapshot=snapshot, window=window):
        return about | {"verdict": why}
    cells = _cells(engine, lake, policy, window=window, plan=plan, past=past)
    if cells is None:
        return about | {"verdict": "nobody"}
    said = about | {"verdict": "judged"} | accuracy(cells)
    return said | {"value": _value(engine, lake, policy, snapshot=snapshot, plan=plan, past=past)}


def _cannot(lake: Lake, policy: Policy, *, snapshot: Month, window: Window) -> str:
    """Why a forecast cannot be judged; empty when it can."""
    if window.last > snapshot:
        return "window_open"
    if not is_whole(lake, policy, window=window):
        return "months_absent"
    return "" if leaving_is_known(lake, policy, until=window.last) else "leaving_unknown"


def accuracy(cells: Cells) -> dict[str, Any]:
    """The figures of a judgement, JSON-able."""
    n, left = int(cells.people), int(cells.leavers)
    low, high = shares_interval(left, n)
    line = calibration(cells)
    lift = top_tenth_lift(cells)
    return {
        "customers": n,
        "left": left,
        "warning": "few_events" if left < EVENTS_MIN else None,
        "predicted": round(float(cells.probability.sum()) / n, 6),
        "observed": {"value": round(left / n, 6), "low": round(low, 6), "high": round(high, 6)},
        "auc": _said(auc(cells)),
        "calibration_slope": _said(line.slope if line else None),
        "calibration_intercept": _said(line.intercept if line else None),
        "brier": round(brier(cells), 6),
        "top_tenth_lift": None if lift is None else round(lift, 4),
        "tenths": [{name: round(value, 6) for name, value in row.items()} for row in tenths(cells)],
    }


def _said(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    ends = (estimate.value, estimate.low, estimate.high)
    return {k: None if v is None else round(v, 4) for k, v in zip(("value", "low", "high"), ends, strict=True)}


def _cells(
    engine: Engine, lake: Lake, policy: Policy, *, window: Window, plan: PastPlan, past: Sequence[PastPlan]
) -> Cells | None:
    people = sqlmodel.load(PACKAGE, "judged_people")
    cells = sqlmodel.load(PACKAGE, "score_cells")
    query = compose(cells.query, parts_for(policy, window=window, people=people))
    tables = []
    for part, only in ranges_of(plan.scores):
        see_window(engine, lake, window=window, only=only)
        see_parts(engine, view="scores", table=SCORES, parts=(part,))
        _see_treated(engine, window=window, past=past, only=only)
        tables.append(engine.fetch(query).cast(SCORE_CELLS.arrow))
    whole = merge(tables or [SCORE_CELLS.arrow.empty_table()])
    return whole if whole.people else None


def _see_treated(engine: Engine, *, window: Window, past: Sequence[PastPlan], only: Range) -> None:
    """Decisions of this plan and of every plan carried out within the window, in one view."""
    within = [plan for plan in past if window.snapshot <= plan.month < window.last]
    parts = tuple(part for plan in within for part in plan.decisions)
    see_parts(engine, view="decisions", table=DECISIONS, parts=parts, only=only)


def _value(
    engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, plan: PastPlan, past: Sequence[PastPlan]
) -> dict[str, Any] | None:
    """Published value against the discounted margin that followed; None until the value horizon is over."""
    window = Window(plan.month, policy.value.horizon_months)
    if window.last > snapshot or not is_whole(lake, policy, window=window):
        return None
    query = _value_query(policy, window)
    rows: list[dict[str, Any]] = []
    for part, only in ranges_of(plan.scores):
        see_window(engine, lake, window=window, only=only)
        see_parts(engine, view="scores", table=SCORES, parts=(part,))
        _see_treated(engine, window=window, past=past, only=only)
        rows += engine.fetch(query).to_pylist()
    return _value_said(rows)


def _value_query(policy: Policy, window: Window) -> exp.Query:
    people = sqlmodel.load(PACKAGE, "judged_people").query
    sums = sqlmodel.load(PACKAGE, "value_sums").bind(plan_month=str(window.snapshot), **basis_points(policy.value))
    factors = discounts(policy.value.discount_rate_year, months=window.months)
    return compose(sums.query, {"people": people, "discounts": factors})


def _value_said(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    total = {name: sum(row[name] for row in rows) for name in ("customers", "predicted_fen", "realised_fen", "inside")}
    if not total["customers"]:
        return None
    predicted = total["predicted_fen"]
    return {
        "customers": total["customers"],
        "predicted_fen": predicted,
        "realised_fen": total["realised_fen"],
        "realised_share": round(total["realised_fen"] / predicted, 4) if predicted else None,
        "inside_share": round(total["inside"] / total["customers"], 4),
    }
