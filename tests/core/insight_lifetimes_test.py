"""Which model of lifetime values whom: cohorts by tenure, top-ups of the prepaid, the rate where these abstain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

from core.insight_world import SNAPSHOT, World, policy
from keepline.engine import ID_SPACE, Engine, Files, Range, Scan
from keepline.errors import TooFewError
from keepline.insight import topups
from keepline.insight.card import lifetimes_card
from keepline.insight.cohorts import Cohort, later_rates, learn_cohort
from keepline.insight.lifetime.retention import survival
from keepline.insight.scoring import score
from keepline.insight.training import train
from keepline.insight.value import READS, ValueModel, discounts, worth
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.sampled import Sampled
from keepline.tables import TABLES

VALUE = policy().value
COHORT = Cohort((0.8, 20.0, 1.2), 3, 1000, 100)
TRUE = (3.0, 1.0, 0.8, 9.0)  # of months with a top-up
AMOUNT = (8.0, 5.0, 1500.0)
Vector = np.ndarray


def by(lifetime: str) -> Policy:
    made = policy()
    return replace(made, value=made.value.model_copy(update={"lifetime": lifetime}))


def test_a_planted_curve_is_learnt_from_samples_by_tenure() -> None:
    random = np.random.default_rng(1)
    tenure = random.integers(0, 120, 300_000)
    p = np.array([0.8, 20.0, 1.2])
    ages = tenure // 3
    chance = 1 - survival(p, ages + 1, given=ages)
    made = learn_cohort(tenure.astype(float), (random.random(len(tenure)) < chance).astype(float), period=3)
    assert made is not None
    months = np.array([0.0, 30, 90])
    assert made.monthly(months) == pytest.approx(Cohort(tuple(p), 3, 0, 0).monthly(months), rel=0.05)  # type: ignore[arg-type]


def test_few_leavers_teach_no_curve() -> None:
    tenure = np.arange(500.0) % 100
    assert learn_cohort(tenure, (np.arange(500) < 29).astype(float), period=3) is None
    assert learn_cohort(np.full(10, np.nan), np.zeros(10), period=3) is None


def test_months_of_one_period_give_its_survival() -> None:
    monthly = COHORT.monthly(np.array([30.0, 31.0, 32.0]))
    stays = survival(np.array(COHORT.parameters), np.array([11.0]), given=10.0)
    assert np.prod(1 - monthly) == pytest.approx(stays[0])


def test_the_own_part_of_a_risk_is_carried_on_beside_the_curve() -> None:
    tenure, monthly = np.array([40.0, 40.0]), np.array([0.01, 0.05])
    made = later_rates(COHORT, tenure=tenure, monthly=monthly, lasting=0.5, months=24)
    assert made[1] - made[0] == pytest.approx(np.full(24, 0.02))
    own = COHORT.monthly(40.0 + np.arange(3.0)).mean()
    level = later_rates(COHORT, tenure=tenure[:1], monthly=np.array([own]), lasting=0.5, months=24)
    assert level[0] == pytest.approx(COHORT.monthly(40.0 + np.arange(24.0)))


def test_value_by_cohort_is_the_margin_of_the_months_stayed() -> None:
    nothing = {name: np.full(2, np.nan) for name in READS}
    told = {"margin_3m_fen": np.full(2, 30_000.0), "tenure_months": np.array([40.0, np.nan])}
    model = ValueModel(3, 0.02, lasting=0.5, cohort=COHORT)
    made = worth(model, VALUE, column=nothing | told, monthly=np.full(2, 0.05))
    later = later_rates(COHORT, tenure=np.array([40.0]), monthly=np.array([0.05]), lasting=0.5, months=12)[0]
    stays = np.cumprod(1 - np.r_[np.full(3, 0.05), later[3:]])
    assert made.value[0] == pytest.approx(10_000 * stays @ discounts(VALUE))
    as_before = worth(ValueModel(3, 0.02, lasting=0.5), VALUE, column=nothing | told, monthly=np.full(2, 0.05))
    assert made.value[1] == as_before.value[1]  # no tenure, no curve


class Prepaid:
    """Customers who top up in some months and then stop, with bills of twelve months and their true prospects."""

    def __init__(self, customers: int, *, skips: bool = True, seed: int = 1) -> None:
        random = np.random.default_rng(seed)
        n = customers
        self.ids = np.arange(1, n + 1)
        buys = random.beta(*TRUE[:2], n) if skips else np.ones(n)
        leaves, age = random.beta(*TRUE[2:], n), random.integers(3, 12, n)
        life = np.minimum(random.geometric(leaves) - 1, age)
        month = np.arange(12)
        self.active = (month <= life[:, None]) & (month <= age[:, None]) & (random.random((n, 12)) < buys[:, None])
        self.active[:, 0] = True
        self.age = age
        mean = AMOUNT[0] / random.gamma(AMOUNT[1], 1 / AMOUNT[2], n)
        self.amounts = random.gamma(AMOUNT[0], mean[:, None] / AMOUNT[0], (n, 12))
        late = np.where(self.active, month, 0).max(axis=1)
        gap = age - late
        here = ((1 - buys) * (1 - leaves)) ** gap
        gone = leaves * (1 - here) / (1 - (1 - buys) * (1 - leaves))
        ahead = (1 - leaves[:, None]) ** np.arange(1, 13) @ discounts(VALUE)
        self.truth = VALUE.margin_share["topup"] * mean * here / (here + gone) * buys * ahead
        self.late = late

    def bills(self, folder: Path) -> Scan:
        """Each customer's first month is as long ago as their age; the last customer has a contract."""
        who, month = np.nonzero(self.active)
        ago = self.age[who] - month
        files = []
        for each in range(12):
            mine = ago == each
            rows = {
                "customer_id": self.ids[who[mine]],
                "month": [str(SNAPSHOT + -each)] * int(mine.sum()),
                "component": np.where(who[mine] == len(self.ids) - 1, "recurring", "topup"),
                "amount_fen": np.rint(self.amounts[who[mine], month[mine]]).astype(np.int64),
            }
            path = folder / f"bills-{each}.parquet"
            pq.write_table(pa.table(rows, schema=TABLES["bills"].arrow), path)
            files.append(Files((path,), each))
        return Scan(TABLES["bills"], tuple(files))


class Bills:
    """A lake that holds bills alone."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan

    def scan(self, table: str, snapshot: Month, *, months: int | None = None) -> Scan:
        _ = snapshot, months
        assert table == "bills"
        return self._scan

    def has(self, table: str) -> bool:
        return table == "bills"

    def months(self, table: str) -> list[Month]:
        _ = table
        return [SNAPSHOT + ago for ago in range(-24, 1)]


def test_what_prepaid_customers_bring_is_recovered_on_both_engines(engine: Engine, tmp_path: Path) -> None:
    people = Prepaid(6_000)
    model = topups.learn_topups(engine, Bills(people.bills(tmp_path)), VALUE, snapshot=SNAPSHOT)
    assert model.customers == 5_999  # not the one under contract
    rows = engine.fetch(topups.active_query()).sort_by("customer_id")
    column = {name: rows.column(name).cast("double").to_numpy() for name in topups.COLUMNS}
    made = topups.brought(model, column, policy=VALUE, reach_of_error=1.645)
    truth = people.truth[:-1]
    assert made.mine.all()
    assert spearmanr(made.value, truth).statistic > 0.8
    assert made.value.sum() == pytest.approx(truth.sum(), rel=0.05)
    inside = (made.value - made.reach <= truth) & (truth <= made.value + made.reach)
    assert 0.85 <= inside.mean() <= 0.97
    assert model.months == pytest.approx(TRUE, rel=0.4)


def test_of_a_large_base_a_share_of_its_prepaid_customers_teaches_the_same(engine: Engine, tmp_path: Path) -> None:
    people, some = Prepaid(6_000), Sampled(0.5)
    people.ids = np.sort(np.random.default_rng(3).integers(0, ID_SPACE, 6_000))
    mine = int(((people.ids[:-1] >= some.low) & (people.ids[:-1] < some.high)).sum())
    lake = Bills(people.bills(tmp_path))
    model = topups.learn_topups(engine, lake, VALUE, snapshot=SNAPSHOT, some=some)
    assert model.customers == mine
    assert 2_500 < mine < 3_500
    assert model.months == pytest.approx(TRUE, rel=0.4)


def test_who_never_skips_a_month_is_left_to_the_rate_of_leaving(engine: Engine, tmp_path: Path) -> None:
    """As in the simulated operator: silence there is departure, which the rate of leaving tells better."""
    scan = Prepaid(1_000, skips=False).bills(tmp_path)
    with pytest.raises(TooFewError, match="0 skipped a month") as refused:
        topups.learn_topups(engine, Bills(scan), VALUE, snapshot=SNAPSHOT)
    [prepaid, others] = lifetimes_card(ValueModel(3, no_topups={"zh": refused.value.zh, "en": refused.value.en}))
    assert (prepaid["who"], others["model"]) == ("none", "rate")


def test_a_lake_without_top_ups_teaches_nothing(engine: Engine) -> None:
    with pytest.raises(TooFewError, match="0 prepaid customers"):
        topups.learn_topups(engine, Bills(Scan(TABLES["bills"], ())), VALUE, snapshot=SNAPSHOT)


def test_prepaid_customers_are_scored_by_their_top_ups_and_others_by_their_rate(engine: Engine, tmp_path: Path) -> None:
    world = World(3_000, seed=4, monthly_rate=0.06)
    people = Prepaid(900)
    people.ids = world.ids[:900]
    samples = [world.snapshot(SNAPSHOT + -3, tmp_path)[0]]
    now = world.snapshot(SNAPSHOT, tmp_path / "now")[0]
    lake = Bills(people.bills(tmp_path))
    models = train(engine, lake, by("cohorts"), snapshot=SNAPSHOT, samples=samples, seed=1)
    plain = train(engine, lake, by("rate"), snapshot=SNAPSHOT, samples=samples, seed=1)
    assert models.value.topups is not None
    assert [each["who"] for each in models.card["value"]["who_by_what"]] == ["prepaid", "others"]
    everyone = Range(0, 0, 1 << 62)
    scores = []
    for each, said in ((models, by("cohorts")), (plain, by("rate"))):
        to = tmp_path / f"scores-{len(scores)}.parquet"
        score(engine, lake, said, each, snapshot=SNAPSHOT, features=now.features[0], only=everyone, to=to)
        scores.append(pq.read_table(to).to_pandas().set_index("customer_id"))
    by_topups, by_rate = scores
    prepaid = by_topups.index.isin(people.ids[:-1])
    assert (by_topups.growth_fen[prepaid] == 0).all()
    assert (by_topups.persistence_fen[prepaid] != by_rate.persistence_fen[prepaid]).mean() > 0.99
    assert (by_topups.value_low_fen <= by_topups.value_fen).all()
    assert (by_topups.leave_probability == by_rate.leave_probability).all()
    others = by_topups.persistence_fen[~prepaid] / by_rate.persistence_fen[~prepaid]
    assert others.between(0.8, 1.25).all()


def test_where_value_abstains_it_does_so_for_the_prepaid_too() -> None:
    place = np.zeros(topups.WINDOW**3, dtype=np.int64)
    one = np.ones(1)
    model = ValueModel(3, topups=topups.TopUps(TRUE, AMOUNT, 900, place, 5 * one, one, 6 * one))
    told = {name: np.array([2.0]) for name in topups.COLUMNS} | {"margin_3m_fen": np.array([900.0])}
    column = {name: np.array([np.nan]) for name in READS} | told
    assert np.isnan(worth(model, VALUE, column=column, monthly=np.array([np.nan])).value[0])
    assert worth(model, VALUE, column=column, monthly=np.array([0.1])).growth[0] == 0
