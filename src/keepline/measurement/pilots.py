"""What pilots found: the effect of each offer on leaving and on margin, for whom, or that there is none to use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.measurement import uplift
from keepline.measurement.outcomes import PACKAGE, Window, compose, is_whole, parts_for, see_parts, see_window
from keepline.measurement.statistics import lots_p
from keepline.measurement.uplift import Flags, Numbers, Uplift
from keepline.measurement.written import write_rows
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.tables import FEATURES, PILOTS, SCORES

Parts = tuple[Path, ...]

ARM_MIN = 100  # customers in each arm
EVENTS_MIN = 30  # departures in both arms together
QUINTILES = 5
FEATURE_TERMS = (
    "tenure_months",
    "contract_months_left",
    "revenue_change",
    "recurring_fen",
    "overage_3m_fen",
    "discount_3m_fen",
    "data_change",
    "active_days",
    "products",
    "complaints_3m",
    "satisfaction",
)
SCORE_TERMS = (uplift.RISK,)
BEFORE = ("margin_3m_fen", *FEATURE_TERMS)
DIGITS = {"leave": 9, "margin": 6}
OUTCOMES = ("leave", "margin")


@dataclass(frozen=True)
class PastSnapshot:
    """Features and scores of a past month, as they would have been known then."""

    month: Month
    features: Parts
    scores: Parts


@dataclass(frozen=True)
class Found:
    """One outcome of one pilot: who was compared and what came out; no uplift when there were too few."""

    treated: int
    held_out: int
    terms: uplift.Terms
    uplift: Uplift | None


def pilot_months(lake: Lake, policy: Policy, snapshot: Month) -> list[Month]:
    """Months in which lots were drawn and whose outcome window is over: their features and scores are needed."""
    windows = [Window(month, policy.leaving.horizon_months) for month in lake.months("experiments")]
    return [w.snapshot for w in windows if w.last <= snapshot and is_whole(lake, policy, window=w)]


def measure_pilots(
    engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, past: Sequence[PastSnapshot], to: Path
) -> int:
    """Write PILOTS: one row a term for each offer and outcome; a single ``intercept`` row where nothing is used."""
    wanted = set(pilot_months(lake, policy, snapshot))
    tables = [_participants(engine, lake, policy, known=known) for known in past if known.month in wanted]
    people = pa.concat_tables(tables) if tables else None
    rows: list[dict[str, Any]] = []
    for offer_id, experiment_id, chosen in _pilots(policy, people):
        rows += pilot_rows(chosen, offer_id=offer_id, experiment_id=experiment_id)
    return write_rows(rows, PILOTS, to)


def _participants(engine: Engine, lake: Lake, policy: Policy, *, known: PastSnapshot) -> pa.Table:
    """Everyone in a pilot of the month: arm, what was known then, what came of it."""
    window = Window(known.month, policy.leaving.horizon_months)
    see_window(engine, lake, window=window)
    engine.see("experiments", lake.window("experiments", known.month, known.month))
    see_parts(engine, view="features", table=FEATURES, parts=known.features)
    see_parts(engine, view="scores", table=SCORES, parts=known.scores)
    people = sqlmodel.load(PACKAGE, "pilot_people")
    return engine.fetch(compose(_joined(), parts_for(policy, window=window, people=people)))


def _joined() -> exp.Query:
    columns = [("e", name) for name in ("customer_id", "month", "experiment_id", "offer_id", "arm")]
    columns += [("f", name) for name in BEFORE] + [("s", name) for name in SCORE_TERMS]
    columns += [("o", name) for name in ("left_after", "months_stayed", "margin_stayed_fen")]
    known = exp.column("customer_id", table="f").is_(exp.null()).not_()
    query = exp.select(*[exp.column(name, table=view) for view, name in columns], exp.alias_(known, "in_base"))
    query = query.from_(exp.alias_(exp.to_table("experiments"), "e", table=True))
    for view, alias in (("features", "f"), ("scores", "s"), ("outcomes", "o")):
        same = exp.column("customer_id", table=alias).eq(exp.column("customer_id", table="e"))
        query = query.join(exp.alias_(exp.to_table(view), alias, table=True), on=same, join_type="left")
    return query.order_by(*[exp.column(name, table="e") for name in ("customer_id", "experiment_id", "month")])


def _pilots(policy: Policy, people: pa.Table | None) -> Iterator[tuple[str, str, pa.Table | None]]:
    """Each offer with its pilot: the one policy names, else the latest that is over, if there is any."""
    for offer in policy.offers.offer:
        mine = None if people is None else people.filter(pc.equal(people["offer_id"], offer.id))
        named = offer.effect.experiment_id
        if not named and mine is not None and len(mine):
            last = mine.take(pc.sort_indices(mine, [("month", "descending"), ("experiment_id", "ascending")])[:1])
            named = last["experiment_id"][0].as_py()
        if named:
            yield offer.id, named, None if mine is None else mine.filter(pc.equal(mine["experiment_id"], named))


def pilot_rows(people: pa.Table | None, *, offer_id: str, experiment_id: str) -> list[dict[str, Any]]:
    """The rows of one pilot. Both outcomes decide together whether there is an effect to use."""
    about: dict[str, Any] = {"offer_id": offer_id, "experiment_id": experiment_id}
    compared = None if people is None else _comparable(people)
    if people is None or compared is None:
        return [about | _too_few(outcome, 0, 0) for outcome in OUTCOMES]
    about["lots_p"] = _rounded(_lots(people), 6)
    found = {"leave": _leave(compared), "margin": _margin(compared)}
    useful = any(_useful(outcome, result) for outcome, result in found.items())
    return [about | row for outcome in OUTCOMES for row in _outcome_rows(outcome, found[outcome], useful)]


def _comparable(people: pa.Table) -> pa.Table | None:
    """Those who were in the base, in months where both arms were drawn."""
    inside = people.filter(people["in_base"])
    both = [
        month
        for month in pc.unique(inside["month"]).to_pylist()
        if len(pc.unique(inside.filter(pc.equal(inside["month"], month))["arm"])) > 1
    ]
    chosen = inside.filter(pc.is_in(inside["month"], value_set=pa.array(both, pa.string())))
    return chosen if len(chosen) else None


def _column(people: pa.Table, name: str) -> Numbers:
    """As doubles, unknown as NaN within this mathematics alone; rounded so that both engines agree."""
    values: Numbers = people[name].cast(pa.float64()).to_numpy()
    return np.round(values, 9)


def _treated(people: pa.Table) -> Flags:
    return np.asarray(pc.equal(people["arm"], "treated").to_numpy(), dtype=bool)


def _share(people: pa.Table) -> Numbers:
    """The chance to be treated: the share treated in the month the lots were drawn."""
    treated, month = _treated(people), people["month"].to_numpy()
    share = np.empty(len(people))
    for each in np.unique(month.astype(str)):
        inside = month == each
        share[inside] = treated[inside].mean()
    return share


def _leave(people: pa.Table) -> Found:
    left = (~np.isnan(_column(people, "left_after"))).astype(float)
    return _estimate(people, left, enough=left.sum() >= EVENTS_MIN, by_risk=True)


def _margin(people: pa.Table) -> Found:
    """Margin a month while staying less the margin a month before; those gone at once had no such month."""
    staying = _column(people, "months_stayed") >= 1
    able = staying & ~np.isnan(_column(people, "margin_3m_fen"))
    chosen = _comparable(people.filter(pa.array(able)))
    if chosen is None:
        return Found(0, 0, uplift.standardise({}), None)
    after = _column(chosen, "margin_stayed_fen") / _column(chosen, "months_stayed")
    return _estimate(chosen, after - _column(chosen, "margin_3m_fen") / 3, enough=True, by_risk=False)


def _estimate(people: pa.Table, target: Numbers, *, enough: bool, by_risk: bool) -> Found:
    treated = _treated(people)
    counts = (int(treated.sum()), int((~treated).sum()))
    terms = uplift.standardise({name: _column(people, name) for name in (*SCORE_TERMS, *FEATURE_TERMS)})
    if not enough or min(counts) < ARM_MIN:
        return Found(*counts, terms, None)
    before = uplift.standardise({name: _column(people, name) for name in BEFORE})
    risk = np.nan_to_num(_column(people, uplift.RISK), nan=0.0) if by_risk else None
    found = uplift.estimate(terms, before=before, target=target, treated=treated, share=_share(people), risk=risk)
    return Found(*counts, terms, found)


def _useful(outcome: str, found: Found) -> bool:
    """Surely better on average, or surely different between customers and better for some."""
    if found.uplift is None:
        return False
    better = -1 if outcome == "leave" else 1
    sure = (found.uplift.high < 0) if outcome == "leave" else (found.uplift.low > 0)
    some = bool((better * found.uplift.line.at(found.terms.values) > 0).any())
    return sure or (found.uplift.varies and some)


def _lots(people: pa.Table) -> float | None:
    """Whether the arms are alike in month, past margin and presence in the base, as lots make them."""
    margin, month = _column(people, "margin_3m_fen"), people["month"].to_numpy().astype(str)
    treated, known = _treated(people), ~np.isnan(margin)
    cuts = np.quantile(margin[known], np.arange(1, QUINTILES) / QUINTILES) if known.any() else np.zeros(0)
    stratum = np.where(known, np.searchsorted(cuts, np.nan_to_num(margin)), QUINTILES)
    pairs = []
    for each in np.unique(month):
        for number in range(QUINTILES + 1):
            inside = (month == each) & (stratum == number)
            pairs.append((int((inside & treated).sum()), int((inside & ~treated).sum())))
    return lots_p(pairs)


def _outcome_rows(outcome: str, found: Found, useful: bool) -> list[dict[str, Any]]:
    if found.uplift is None:
        return [_too_few(outcome, found.treated, found.held_out)]
    digits = DIGITS[outcome]
    about = {"outcome": outcome, "treated": found.treated, "held_out": found.held_out} | {
        "mean_effect": round(found.uplift.mean, digits),
        "low": round(found.uplift.low, digits),
        "high": round(found.uplift.high, digits),
        "verdict": "measured" if useful else "no_effect",
    }
    line = found.uplift.line
    intercept = round(line.intercept, digits) if useful else 0.0
    rows = [about | {"term": "intercept", "coefficient": intercept, "centre": 0.0, "scale": 1.0}]
    if not useful:
        return rows
    each = zip(found.terms.names, line.slopes, found.terms.centre, found.terms.scale, strict=True)
    return rows + [
        about
        | {"term": name, "coefficient": round(float(slope), digits), "centre": float(centre), "scale": float(scale)}
        for name, slope, centre, scale in each
    ]


def _too_few(outcome: str, treated: int, held_out: int) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "term": "intercept",
        "treated": treated,
        "held_out": held_out,
        "verdict": "too_few",
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
