"""What each past plan earned, against those the lot left alone, and nothing at all where that cannot be known.

Both arms were chosen by the same rule before the lot, so they are compared as assigned,
whether or not the offer reached them (intention to treat).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.measurement.once import Keep, PastPlan, Proofs, made_anew, made_from, read_proofs
from keepline.measurement.outcomes import (
    PACKAGE,
    Window,
    compose,
    is_whole,
    leaving_is_known,
    parts_for,
    see_parts,
    see_window,
)
from keepline.measurement.statistics import (
    Adding,
    Difference,
    Sums,
    adjusted_variance,
    cuped,
    needed_each,
    shares,
    weighted,
)
from keepline.periods import Month
from keepline.placed import placed
from keepline.policy.documents import Policy
from keepline.tables import ARM_SUMS, ASSIGNMENTS, DECISIONS, EFFECTS
from keepline.written import write_rows

WHOLE_PLAN = "*"
CUSTOMERS_MIN = 30  # in each arm
KNOWN_MIN = 10  # customers under which we do not even guess how much they vary
RETENTION_SIZE = 0.02  # the difference in retention we would want to see: two points
MEASURES = ("margin", "retention")


@dataclass(frozen=True)
class Arm(Adding):
    """What is known of one arm of one offer; arms add over offers and over parts of customers."""

    customers: int = 0
    delivered: int = 0
    stayed: int = 0
    cost_fen: int = 0
    gain_fen: int = 0
    margin_fen: int = 0
    before_fen: int = 0
    margin_squares: float = 0.0
    before_squares: float = 0.0
    products: float = 0.0
    given: int = 0
    expected_cost_fen: int = 0

    @property
    def margin(self) -> Sums:
        known = (self.margin_fen, self.margin_squares, self.before_fen, self.before_squares, self.products)
        return Sums(self.customers, *known)


@dataclass(frozen=True)
class Arms(Adding):
    treated: Arm = Arm()
    held_out: Arm = Arm()

    def __add__(self, other: Arms) -> Arms:
        return Arms(self.treated + other.treated, self.held_out + other.held_out)


ArmSums = Callable[[PastPlan, Window], pa.Table]


def measure_plans(
    engine: Engine,
    lake: Lake,
    policy: Policy,
    *,
    snapshot: Month,
    past: Sequence[PastPlan],
    to: Path,
    keep: Keep = made_anew,
    proofs: Proofs | None = None,
) -> dict[str, dict[str, int]]:
    """Write EFFECTS: two rows (margin, retention) for each plan up to ``snapshot`` and each of its offers.

    Return by plan month what was expected of those treated who are compared. ``keep``: where sums that were made before
    are found. ``proofs``: what is on record of plans carried out, if it was read.
    """
    proofs = proofs or read_proofs(engine, lake, snapshot=snapshot, past=past)
    arm_sums = partial(_arm_sums, engine, lake, policy, proofs, keep)
    rows: list[dict[str, Any]] = []
    expected: dict[str, dict[str, int]] = {}
    for plan in sorted((p for p in past if p.month <= snapshot), key=lambda plan: plan.month):
        window = Window(plan.month, min(policy.leaving.horizon_months, snapshot - plan.month))
        found, offers = _plan_rows(lake, policy, proofs, arm_sums, plan=plan, window=window)
        rows += found
        expected |= {str(plan.month): _expected(offers)} if offers else {}
    write_rows(rows, EFFECTS, to)
    return expected


def _expected(offers: Sequence[Arms]) -> dict[str, int]:
    """Of the treated of those offers that are compared."""
    treated = sum(comparable(offers), Arms()).treated
    return {"customers": treated.customers, "gain_fen": treated.gain_fen, "cost_fen": treated.expected_cost_fen}


def _plan_rows(
    lake: Lake, policy: Policy, proofs: Proofs, arm_sums: ArmSums, *, plan: PastPlan, window: Window
) -> tuple[list[dict[str, Any]], list[Arms]]:
    """The rows of one plan, and the arms of its offers."""
    if window.months < 1 or not is_whole(lake, window=window, known=proofs.snapshot):
        return [_abstain(plan.month, measure=measure, verdict="window_open") for measure in MEASURES], []
    by_offer: dict[str, Arms] = defaultdict(Arms)
    for row in arm_sums(plan, window).to_pylist():
        arm = Arm(*(row[name] for name in ARM_SUMS.names[2:]))
        by_offer[row["offer_id"]] += Arms(**{row["arm"]: arm})
    verdict = "" if proofs.rows(plan.month) else "no_delivery"
    covered = window.months / policy.value.horizon_months
    about = {"plan_month": str(plan.month), "month": str(window.last)}
    whole = compare_plan(list(by_offer.values()), covered=covered, verdict=verdict)
    rows = [about | {"offer_id": WHOLE_PLAN} | row for row in whole]
    for offer_id, arms in by_offer.items():
        compared = compare(arms, covered=covered, verdict=verdict)
        rows += [about | {"offer_id": offer_id} | row for row in compared]
    if not leaving_is_known(lake, policy, window=window, known=proofs.snapshot):
        rows = [row for row in rows if row["measure"] != "retention"]
    return rows, list(by_offer.values())


def _arm_sums(
    engine: Engine, lake: Lake, policy: Policy, proofs: Proofs, keep: Keep, plan: PastPlan, window: Window
) -> pa.Table:
    """ARM_SUMS of each part of a plan, one part after the other."""
    query, known = arm_sums_query(policy, plan_month=plan.month, window=window), proofs.snapshot

    def make() -> pa.Table:
        made, decided = [ARM_SUMS.arrow.empty_table()], placed(plan.decisions)
        for part, only in placed(plan.assignments).parts:
            see_window(engine, lake, window=window, known=known, only=only)
            see_parts(engine, view="assignments", table=ASSIGNMENTS, parts=(part,))
            see_parts(engine, view="decisions", table=DECISIONS, parts=decided.of(only), only=only)
            engine.see("deliveries", lake.window("deliveries", plan.month + 1, known), only)
            engine.see("approvals", lake.window("approvals", plan.month + 1, window.last, known=known), only)
            made.append(engine.fetch(query).cast(ARM_SUMS.arrow))
        return pa.concat_tables(made)

    approved = lake.content("approvals", window.last, months=window.months, known=known)
    also = [proofs.content(plan.month), approved]
    named = made_from(lake, query, window=window, known=known, plans=[plan], also=also)
    return keep(ARM_SUMS, plan.month, named, make)


def arm_sums_query(policy: Policy, *, plan_month: Month, window: Window) -> exp.Query:
    """The sums over each arm; effects are made of nothing else."""
    people = sqlmodel.load(PACKAGE, "compared_people")
    sums = sqlmodel.load(PACKAGE, "arm_sums").bind(plan_month=str(plan_month))
    return compose(sums.query, parts_for(policy, window=window, people=people))


def compare(arms: Arms, *, covered: float, verdict: str = "") -> list[dict[str, Any]]:
    """The two rows of one offer. ``covered`` is the share of the value horizon that the window covers.

    A ``verdict`` that is given stands; otherwise the arms decide.
    """
    found = {"margin": _margin(arms), "retention": _retention(arms)}
    return _compared(arms, found, covered=covered, verdict=verdict)


def compare_plan(offers: Sequence[Arms], *, covered: float, verdict: str = "") -> list[dict[str, Any]]:
    """The two rows of a whole plan: its offers compared one by one, then weighted by customers treated.

    Customers of different offers differ far more than the arms of one offer do; pooling them
    would let a few large accounts that the lot put into one arm pass for an effect. Offers
    too small to compare are left out of the sum and of its counts; where all are, they are
    compared as one.
    """
    able = comparable(offers)
    weights = [arms.treated.customers for arms in able]
    found = {
        "margin": weighted([_margin(arms) for arms in able], weights),
        "retention": weighted([_retention(arms) for arms in able], weights),
    }
    return _compared(sum(able, Arms()), found, covered=covered, verdict=verdict)


def comparable(offers: Sequence[Arms]) -> list[Arms]:
    """Those with enough in either arm; where none has, all of them as one."""
    return [arms for arms in offers if _smaller(arms) >= CUSTOMERS_MIN] or [sum(offers, Arms())]


def _smaller(arms: Arms) -> int:
    return min(arms.treated.customers, arms.held_out.customers)


def _compared(arms: Arms, found: dict[str, Difference | None], *, covered: float, verdict: str) -> list[dict[str, Any]]:
    needed = {"margin": _needed_margin(arms, covered), "retention": _needed_retention(arms)}
    rows = []
    for measure in MEASURES:
        said = verdict or _verdict(arms, found[measure])
        row = _counts(arms) | {"measure": measure, "verdict": said}
        if said == "measured":
            row |= _figures(arms, found[measure], measure=measure)
        if said == "too_few" or (said == "measured" and _unclear(found[measure])):
            row["needed"] = needed[measure]
        rows.append(row)
    return rows


def _margin(arms: Arms) -> Difference | None:
    return cuped(arms.treated.margin, arms.held_out.margin)


def _retention(arms: Arms) -> Difference | None:
    treated, held_out = arms.treated, arms.held_out
    return shares((treated.stayed, treated.customers), (held_out.stayed, held_out.customers))


def _verdict(arms: Arms, found: Difference | None) -> str:
    if arms.treated.customers and not arms.treated.delivered:
        return "no_delivery"
    return "too_few" if _smaller(arms) < CUSTOMERS_MIN or found is None else "measured"


def _unclear(found: Difference | None) -> bool:
    return found is not None and found.includes_zero


def _counts(arms: Arms) -> dict[str, Any]:
    treated, held_out = arms.treated, arms.held_out
    given = {"treated_given": treated.given, "held_out_given": held_out.given}
    return {"treated": treated.customers, "held_out": held_out.customers, "delivered": treated.delivered} | given


def _figures(arms: Arms, found: Difference | None, *, measure: str) -> dict[str, Any]:
    """Money to the hundredth of a fen, shares to the millionth: the engines agree that far."""
    if found is None:
        return {}
    digits = 2 if measure == "margin" else 6
    said: dict[str, Any] = {
        "treated_mean": round(found.treated, digits),
        "held_out_mean": round(found.held_out, digits),
        "difference": round(found.estimate, digits),
        "low": round(found.low, digits),
        "high": round(found.high, digits),
    }
    if measure == "margin":
        cost = arms.treated.cost_fen
        said |= {"earned_fen": round(found.estimate * arms.treated.customers) - cost, "cost_fen": cost}
    return said


def _needed_margin(arms: Arms, covered: float) -> int | None:
    """To see what the plan itself expected to bring from a customer within the window.

    The difference is measured before cost, and a gain is told after it, so the expected cost is added back.
    """
    both = arms.treated + arms.held_out
    if both.customers < KNOWN_MIN:
        return None
    expected = (both.gain_fen + both.expected_cost_fen) / both.customers * min(covered, 1.0)
    return _at_least(needed_each(adjusted_variance([arms.treated.margin, arms.held_out.margin]), expected))


def _needed_retention(arms: Arms) -> int | None:
    customers = arms.treated.customers + arms.held_out.customers
    if customers < KNOWN_MIN:
        return None
    share = (arms.treated.stayed + arms.held_out.stayed) / customers
    return _at_least(needed_each(share * (1 - share), RETENTION_SIZE))


def _at_least(needed: int | None) -> int | None:
    return None if needed is None else max(needed, CUSTOMERS_MIN)


def _abstain(month: Month, *, measure: str, verdict: str) -> dict[str, Any]:
    return {"plan_month": str(month), "offer_id": WHOLE_PLAN, "measure": measure, "verdict": verdict}
