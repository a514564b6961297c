"""How large a pilot of an offer must be, told from how the customers it suits varied until now.

What a look at the pilot compares is net margin a customer and month, with the time before taken out
(``measurement.looks``). Its variance is foreseen from two things that are known before: how margin of the
last three months strayed from the line on the nine before, and how many will leave and then bring none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from keepline.decisions.offers import expected_cost_fen
from keepline.engine import Engine
from keepline.errors import TooFewError
from keepline.holdout import held_out_tree
from keepline.measurement.looking import inflation
from keepline.measurement.sizing import Size, needed, smallest_effect
from keepline.measurement.statistics import POWER
from keepline.measurement.uplift import within_reach
from keepline.measurement.verdicts import EACH_MIN
from keepline.periods import Month
from keepline.piloting.eligible import eligible, offer_named, see_month
from keepline.policy.documents import Offer, Pilot, Policy, read_policy
from keepline.publication import demand
from keepline.run import started
from keepline.site import Site

READ = ("customer_id", "tenure_months", "margin_3m_fen", "margin_12m_fen", "leave_probability")
RECENT, BEFORE = 3, 9  # months that margin_3m_fen holds, and the others of margin_12m_fen
YEAR = RECENT + BEFORE
SAMPLE = 200_000  # customers read; a lot thins out more
SAMPLE_SALT = "pilot-size"
KNOWN_MIN = 200


@dataclass(frozen=True)
class Spread:
    """Variances of one customer's outcome: fen² a month, and of leaving within the horizon."""

    plain: float
    adjusted: float  # after the time before was taken out
    leaving: float

    @property
    def spared(self) -> float:
        """The share of customers that taking out the time before saves."""
        return 1 - self.adjusted / self.plain if self.plain > 0 else 0.0


@dataclass(frozen=True)
class PilotSize:
    """The answer; amounts in fen a customer and month, ``leave`` in shares, sizes in customers of both arms."""

    month: Month
    offer_id: str
    eligible: int
    read: int
    spread: Spread
    looks: int
    treated_share: float
    power: float
    worth_fen: float
    needed: Size | None
    planned: Size | None
    sees_fen: float | None  # the smallest effect ``planned`` sees
    sees_leave: float | None
    most_cost_fen: int | None

    def to_dict(self) -> dict[str, Any]:
        said = {"month": str(self.month), "spared_share": self.spread.spared}
        return asdict(self) | said | {"enough": self.enough, "planned_enough": self.planned_enough}

    @property
    def enough(self) -> bool | None:
        """Whether so many customers are there to be drawn."""
        return None if self.needed is None else self.needed.customers <= self.eligible

    @property
    def planned_enough(self) -> bool | None:
        """Whether so many as are planned are there, and see the effect that was asked for."""
        if self.planned is None:
            return None
        return self.planned.customers <= self.eligible and not self.blind

    @property
    def blind(self) -> bool:
        """So many as are planned would more likely miss the effect asked for than ``power`` allows."""
        return self.needed is not None and self.planned is not None and self.planned.customers < self.needed.customers


def pilot_size(
    site: Site,
    month: Month,
    offer_id: str,
    *,
    effect_fen: float | None = None,
    customers: int | None = None,
    power: float = POWER,
) -> PilotSize:
    """Answer from a published month alone. What is not asked for comes from ``[offer.pilot]`` of the site's policy.

    ``effect_fen`` is the smallest effect worth finding, a customer and month, beyond what policy asks of the
    offer; ``customers`` how many the pilot is to have, all looks and both arms together.
    """
    made = demand(site, month)
    policy = read_policy(site.policy, month)
    offer = offer_named(policy, offer_id)
    rule = offer.pilot or Pilot(customers=200, looks=1)
    with started(site) as engine:
        see_month(engine, made)
        found, total = _sample(engine, policy, offer)
    spread = _spread(found, policy.leaving.horizon_months)
    level = 1 - 2 * policy.offers.pilot_level
    grown = _grown(rule.looks, level=level, power=power)
    about = {"treated_share": rule.treated_share, "level": level, "power": power}
    enough = None if effect_fen is None else needed(spread.adjusted * grown, effect_fen, **about)
    planned = customers or (offer.pilot.customers if offer.pilot else None)
    size = None if planned is None else _size(planned, rule.treated_share)
    reach = {"level": level, "power": power}
    return PilotSize(
        month, offer_id, total, len(found), spread, rule.looks, rule.treated_share, power, effect_fen or 0.0,
        enough, size,
        None if size is None else smallest_effect(spread.adjusted * grown, size, **reach),
        None if size is None else smallest_effect(spread.leaving * grown, size, **reach),
        None if size is None else size.treated * expected_cost_fen(offer),
    )  # fmt: skip


def _sample(engine: Engine, policy: Policy, offer: Offer) -> tuple[pa.Table, int]:
    """At most about SAMPLE customers by a lot, and how many there are."""
    everyone = eligible(policy, offer, READ)
    count = exp.select(exp.alias_(exp.Count(this=exp.Star()), "customers")).from_(everyone.subquery("able"))
    total = int(engine.fetch(count).to_pylist()[0]["customers"])
    _demand_enough(total, offer)
    share = SAMPLE / total
    if share < 1:
        everyone = everyone.where(held_out_tree(SAMPLE_SALT, share, exp.column("customer_id", table="base")))
    return engine.fetch(everyone), total


def _demand_enough(customers: int, offer: Offer) -> None:
    if customers < 2 * EACH_MIN:
        raise TooFewError(
            f"the offer {offer.id} suits only {customers} customers who may be approached and are not in the control "
            f"group; a pilot needs {EACH_MIN} in each arm: widen its conditions in offers.toml",
            f"优惠 {offer.id} 只适合 {customers} 位可触达且不在对照组的客户；"
            f"试点每组至少 {EACH_MIN} 人：请放宽 offers.toml 中的适用条件",
            code="pilot_too_few",
        )


def _spread(rows: pa.Table, horizon: int) -> Spread:
    """Of the outcome a look compares, for a customer of the kind the offer suits.

    With y the margin a month of the last three months (within REACH), x that of the nine before, p the chance
    to leave and q = (h + 1) / 2h the share of a window of h months that who leaves in it misses on average::

        plain = Var(y) + E[p (1 − p)] q² E[y²]        adjusted = Var(y) (1 − ρ²) + the same
    """
    column = {name: rows[name].cast(pa.float64()).to_numpy() for name in READ[1:]}
    known = (column["tenure_months"] >= YEAR) & ~np.isnan(column["margin_3m_fen"]) & ~np.isnan(column["margin_12m_fen"])
    if known.sum() < KNOWN_MIN:
        raise TooFewError(
            f"only {int(known.sum())} customers the offer suits have been here for a year; how they vary is not known",
            f"适合该优惠的客户中在网满一年的只有 {int(known.sum())} 位，无法估计波动",
            code="pilot_too_new",
        )
    after = column["margin_3m_fen"][known] / RECENT
    before = (column["margin_12m_fen"][known] - column["margin_3m_fen"][known]) / BEFORE
    y = before + within_reach(after - before)
    chance = np.nan_to_num(column["leave_probability"])
    bernoulli = float((chance * (1 - chance)).mean())
    gone = bernoulli * ((horizon + 1) / (2 * horizon)) ** 2 * float((y * y).mean())
    plain = float(y.var(ddof=1))
    told = float(np.cov(y, before)[0, 1]) ** 2 / float(before.var(ddof=1)) if before.var() > 0 else 0.0
    return Spread(plain + gone, max(plain - told, 0.0) + gone, bernoulli)


def _grown(looks: int, *, level: float, power: float) -> float:
    """Looking early costs a few more customers for the same power."""
    return inflation([(k + 1) / looks for k in range(looks)], level=level, wanted=power) if looks > 1 else 1.0


def _size(customers: int, treated_share: float) -> Size:
    treated = ceil(customers * treated_share)
    return Size(customers, min(max(treated, 1), customers - 1))
