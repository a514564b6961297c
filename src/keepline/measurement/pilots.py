"""What pilots found: who takes each offer, what it changes in leaving and margin, or that there is nothing to use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats
from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Scan
from keepline.lake.store import Lake
from keepline.measurement import uplift
from keepline.measurement.found import (
    DIGITS,
    ONE,
    PLAIN_RISK,
    TAKEN,
    TAKEN_RISK,
    Found,
    learner_rows,
    line_rows,
    mean_row,
    outcome_rows,
    rounded,
    too_few,
)
from keepline.measurement.learners import Flags, Ints, Numbers
from keepline.measurement.looks import decided_against, look_rows, rule_of
from keepline.measurement.outcomes import PACKAGE, Window, compose, has_gaps, is_whole, parts_for, see_parts, see_window
from keepline.measurement.statistics import lots_p
from keepline.periods import Month
from keepline.policy.documents import Offer, Policy
from keepline.tables import FEATURES, LEARNERS, LOOKS, PILOTS, SCORES
from keepline.written import write_rows

Parts = tuple[Path, ...]

ARM_MIN = 100  # customers in each arm
EVENTS_MIN = 30  # departures in both arms together
VARIANCE_MIN = 0.01  # of leaving or staying: about that of one in a hundred
QUINTILES = 5
ALL_OFFERS = "*"
FEATURE_TERMS = (
    "tenure_months",
    "contract_months_left",
    "revenue_change",
    "recurring_fen",
    "overage_3m_fen",
    "discount_3m_fen",
    "data_change",
    "active_days",
    "lines",
    "products",
    "complaints_3m",
    "satisfaction",
)
SCORE_TERMS = (uplift.RISK,)
BEFORE = ("margin_3m_fen", *FEATURE_TERMS)
EFFECTS = ("leave", "margin")
OUTCOMES = (*EFFECTS, "taken")


@dataclass(frozen=True)
class PastSnapshot:
    """Features and scores of a past month, as they would have been known then."""

    month: Month
    features: Parts
    scores: Parts


@dataclass(frozen=True)
class Written:
    """Where the three tables go."""

    pilots: Path
    looks: Path
    learners: Path


def pilot_months(lake: Lake, policy: Policy, snapshot: Month) -> list[Month]:
    """Months with lots that the snapshot knows and an outcome window that is over: their customers are scored."""
    drawn = [month for month in lake.months("experiments") if lots_of(lake, month, snapshot).files]
    windows = [Window(month, policy.leaving.horizon_months) for month in drawn]
    return [
        w.snapshot
        for w in windows
        if w.last <= snapshot
        and is_whole(lake, window=w, known=snapshot)
        and not has_gaps(lake, policy, window=w, known=snapshot)
    ]


def lots_of(lake: Lake, month: Month, snapshot: Month) -> Scan:
    """The lots of a month as a later snapshot knows them: they are drawn and loaded after that month was published."""
    return lake.window("experiments", month, month, known=snapshot)


def measure_pilots(
    engine: Engine, lake: Lake, policy: Policy, *, snapshot: Month, past: Sequence[PastSnapshot], to: Written
) -> int:
    """Write PILOTS: one row a term for each offer and outcome; a single ``intercept`` row where nothing is used.

    LOOKS says where the pilots with a rule stand, and what a rule decided against is not used; LEARNERS says how well
    each learner told who responds.
    """
    wanted = set(pilot_months(lake, policy, snapshot))
    tables = [
        _participants(engine, lake, policy, known=known, snapshot=snapshot) for known in past if known.month in wanted
    ]
    people = pa.concat_tables(tables) if tables else None
    level = policy.offers.pilot_level
    rows: list[dict[str, Any]] = []
    looked: list[dict[str, Any]] = []
    learnt: list[dict[str, Any]] = []
    for offer, experiment_id, chosen in _pilots(policy, people):
        seen = _looks(policy, offer, experiment_id, chosen)
        about: dict[str, Any] = {"offer_id": offer.id, "experiment_id": experiment_id, "level": level}
        found, tried = pilot_rows(chosen, **about, stopped=decided_against(seen))
        rows, learnt, looked = rows + found, learnt + tried, looked + seen
    write_rows(looked, LOOKS, to.looks)
    write_rows(learnt, LEARNERS, to.learners)
    return write_rows(rows, PILOTS, to.pilots)


def _looks(policy: Policy, offer: Offer, experiment_id: str, people: pa.Table | None) -> list[dict[str, Any]]:
    rule, months = rule_of(offer, policy), policy.leaving.horizon_months
    if rule is None:
        return []
    chance = None if people is None or not len(people) else _lots(people)
    return look_rows(people, offer, rule=rule, months=months, experiment_id=experiment_id, lots_chance=chance)


def _participants(engine: Engine, lake: Lake, policy: Policy, *, known: PastSnapshot, snapshot: Month) -> pa.Table:
    """Everyone in a pilot of the month: arm, what was known then, what came of it."""
    window = Window(known.month, policy.leaving.horizon_months)
    see_window(engine, lake, window=window, known=snapshot)
    engine.see("experiments", lots_of(lake, known.month, snapshot))
    engine.see("deliveries", lake.window("deliveries", known.month, window.last, known=snapshot))
    see_parts(engine, view="features", table=FEATURES, parts=known.features)
    see_parts(engine, view="scores", table=SCORES, parts=known.scores)
    return engine.fetch(participants_query(policy, window))


def participants_query(policy: Policy, window: Window) -> exp.Query:
    """All that is ever read of who took part; what pilots find is made of these columns."""
    people = sqlmodel.load(PACKAGE, "pilot_people")
    return compose(_joined(), parts_for(policy, window=window, people=people))


def _joined() -> exp.Query:
    columns = [("e", name) for name in ("customer_id", "month", "experiment_id", "offer_id", "arm")]
    columns += [("f", name) for name in BEFORE] + [("s", name) for name in SCORE_TERMS]
    columns += [("o", name) for name in ("left_after", "months_stayed", "margin_stayed_fen")]
    columns += [("d", "answer"), ("d", "plan_month")]
    known = exp.column("customer_id", table="f").is_(exp.null()).not_()
    query = exp.select(*[exp.column(name, table=view) for view, name in columns], exp.alias_(known, "in_base"))
    query = query.from_(exp.alias_(exp.to_table("experiments"), "e", table=True))
    for view, alias in (("features", "f"), ("scores", "s"), ("outcomes", "o")):
        same = exp.column("customer_id", table=alias).eq(exp.column("customer_id", table="e"))
        query = query.join(exp.alias_(exp.to_table(view), alias, table=True), on=same, join_type="left")
    pairs = (("customer_id", "customer_id"), ("offer_id", "offer_id"), ("plan_month", "month"))
    arrived: list[exp.Expr] = [exp.column(ours, table="d").eq(exp.column(theirs, table="e")) for ours, theirs in pairs]
    arrived.append(exp.not_(exp.func("COALESCE", exp.column("withdrawn", table="d"), exp.false())))
    query = query.join(exp.alias_(exp.to_table("deliveries"), "d", table=True), on=exp.and_(*arrived), join_type="left")
    drawn = exp.column("arm", table="e").isin("treated", "held_out")  # without their counterparts
    return query.where(drawn).order_by(
        *[exp.column(name, table="e") for name in ("customer_id", "experiment_id", "month")]
    )


def _pilots(policy: Policy, people: pa.Table | None) -> Iterator[tuple[Offer, str, pa.Table | None]]:
    """Each offer with its pilot: the one policy names, else the latest that is over, if there is any.

    Those left alone under the offer ``*`` stand against every offer of their pilot.
    """
    for offer in policy.offers.offer:
        shared = (
            None
            if people is None
            else pc.and_(pc.equal(people["offer_id"], ALL_OFFERS), pc.equal(people["arm"], "held_out"))
        )
        mine = None if people is None else people.filter(pc.or_(pc.equal(people["offer_id"], offer.id), shared))
        named = offer.effect.experiment_id
        if not named and mine is not None and len(mine):
            last = mine.take(pc.sort_indices(mine, [("month", "descending"), ("experiment_id", "ascending")])[:1])
            named = last["experiment_id"][0].as_py()
        if named:
            yield offer, named, None if mine is None else mine.filter(pc.equal(mine["experiment_id"], named))


def pilot_rows(
    people: pa.Table | None, *, offer_id: str, experiment_id: str, level: float, stopped: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of one pilot and of its learners. Both outcomes decide together whether there is an effect to use.

    ``level`` is the chance that policy allows to each thing looked at; ``stopped``: its rule decided against it.
    """
    about: dict[str, Any] = {"offer_id": offer_id, "experiment_id": experiment_id}
    compared = None if people is None else _comparable(people)
    if people is None or compared is None:
        return [about | too_few(outcome, 0, 0) for outcome in OUTCOMES], []
    named = dict(about)
    about["lots_p"] = rounded(_lots(people), 6)
    taken, shares = _taken(compared)
    if shares is not None:
        compared = compared.append_column(TAKEN, pa.array(shares))
    found = {"leave": _leave(compared), "margin": _margin(compared)}
    useful = not stopped and _useful(found, level)
    rows = [row for outcome in EFFECTS for row in outcome_rows(outcome, found[outcome], useful)]
    tried = [named | row for outcome in EFFECTS for row in learner_rows(outcome, found[outcome], useful)]
    return [about | row for row in (*rows, *taken)], tried


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


def _taken(people: pa.Table) -> tuple[list[dict[str, Any]], Numbers | None]:
    """The rows that say who takes the offer, and each participant's share; an offer that never arrived is not taken.

    Too few when hardly an answer is on record: policy's own share counts then, and for everyone alike.
    """
    treated, answered = _treated(people), pc.is_valid(people["answer"]).to_numpy()
    if (treated & answered).sum() < ARM_MIN:
        return [too_few("taken", int(treated.sum()), 0)], None
    terms = _terms(people)
    said = pc.fill_null(pc.equal(people["answer"], "accepted"), False).to_numpy().astype(float)
    arrived = pc.is_valid(people["plan_month"]).to_numpy()
    found = uplift.who_take(terms, said, treated & (answered | ~arrived), _folds(people))
    about = mean_row("taken", found, int(treated.sum()), 0) | {"verdict": "measured"}
    return line_rows(about, found.line, terms, DIGITS["taken"]), found.shares


def _leave(people: pa.Table) -> Found:
    """Whoever is likelier to leave, and likelier to take the offer, can be held more often.

    Nobody leaves for having taken it: an offer after which more leave drives them away by contact, whoever takes it.
    """
    left = (~np.isnan(_column(people, "left_after"))).astype(float)
    risk = np.nan_to_num(_column(people, uplift.RISK), nan=0.0)
    size, name = (risk, PLAIN_RISK) if risk.any() else (np.ones(len(people)), ONE)
    if TAKEN in people.column_names and (risk * _column(people, TAKEN)).any():
        size, name = risk * _column(people, TAKEN), TAKEN_RISK
    enough, quiet = bool(left.sum() >= EVENTS_MIN), 1 / np.maximum(risk * (1 - risk), VARIANCE_MIN)
    found = _estimate(people, left, enough=enough, size=size, name=name, weight=quiet)
    if name == TAKEN_RISK and found.uplift is not None and found.uplift.errors > 0:
        return _estimate(people, left, enough=enough, size=np.ones(len(people)), name=ONE, weight=quiet)
    return found


def _margin(people: pa.Table) -> Found:
    """Margin a month while staying less the margin a month before; those gone at once had no such month."""
    staying = _column(people, "months_stayed") >= 1
    able = staying & ~np.isnan(_column(people, "margin_3m_fen"))
    chosen = _comparable(people.filter(pa.array(able)))
    if chosen is None:
        return Found(0, 0, uplift.standardise({}), ONE, np.zeros(0), None)
    after = _column(chosen, "margin_stayed_fen") / _column(chosen, "months_stayed")
    change = uplift.within_reach(after - _column(chosen, "margin_3m_fen") / 3)
    even = np.ones(len(chosen))
    if TAKEN in chosen.column_names:
        return _estimate(chosen, change, enough=True, size=_column(chosen, TAKEN), name=TAKEN, weight=even)
    return _estimate(chosen, change, enough=True, size=even, name=ONE, weight=even)


def _folds(people: pa.Table) -> Ints:
    return uplift.folds(people["customer_id"].to_numpy())


def _terms(people: pa.Table) -> uplift.Terms:
    return uplift.standardise({name: _column(people, name) for name in (*SCORE_TERMS, *FEATURE_TERMS)})


def _estimate(people: pa.Table, target: Numbers, *, enough: bool, size: Numbers, name: str, weight: Numbers) -> Found:
    treated = _treated(people)
    counts = (int(treated.sum()), int((~treated).sum()))
    terms = _terms(people)
    if not enough or min(counts) < ARM_MIN:
        return Found(*counts, terms, name, size, None)
    before = uplift.standardise({name: _column(people, name) for name in BEFORE})
    found = uplift.estimate(
        terms,
        before=before,
        target=target,
        treated=treated,
        share=_share(people),
        size=size,
        weight=weight,
        fold=_folds(people),
    )
    return Found(*counts, terms, name, size, found)


def _useful(found: Mapping[str, Found], level: float) -> bool:
    """Whether what was looked at would hardly come by chance, all of it together (Simes 1986).

    Sorted, the k-th of m chances is compared with k × level / m: an offer that changes nothing passes as
    often as the level says, however many things are looked at.
    """
    chances = sorted(chance for outcome, result in found.items() for chance in _by_chance(outcome, result))
    return any(chance < level * k / len(chances) for k, chance in enumerate(chances, start=1))


def _by_chance(outcome: str, found: Found) -> list[float]:
    """How likely an offer that changes nothing shows a mean and a plain effect as good, and customers as different."""
    if found.uplift is None:
        return []
    better = -1 if outcome == "leave" else 1
    some = bool((better * found.uplift.effect.at(found.terms.values, found.sizes) > 0).any())
    errors = (found.uplift.mean_errors, found.uplift.errors)
    return [*(float(stats.norm.sf(better * each)) for each in errors), found.uplift.differ_p if some else 1.0]


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
