"""Price sensitivity recovers what was planted, says how little it knows, and says nothing where nothing was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.insight_world import EVERYONE, SNAPSHOT, write
from core.small_lake import lake_of
from keepline import sqlmodel
from keepline.canonical import table_hash
from keepline.decisions import pricing
from keepline.engine import Engine, ranges
from keepline.insight import price
from keepline.insight.elasticity import Cells, expected, lines, slopes
from keepline.insight.shrinkage import shrink
from keepline.tables import FEATURES, PRICE_SENSITIVITY, TABLES

PRICES = (600, 800, 1000, 1200, 1400)
MONTHS = [str(SNAPSHOT + -ago) for ago in range(12)]
PLANS = {"low": 3900, "middle": 9900, "high": 15900}
TRUTH = {"low": -2.2, "middle": -1.4, "high": -0.7}
OWN = 0.4  # how customers of a segment differ


class World:
    """Persons quoted by lot, others with prices aimed at leavers, organisations never."""

    def __init__(
        self, folder: Path, *, persons: int = 1500, aimed: bool = False, scored: bool = True, seed: int = 7
    ) -> None:
        dice = np.random.default_rng(seed)
        self.ids = np.sort(dice.choice(1 << 61, persons + 40, replace=False)) + 1
        bands = np.array(list(PLANS))[dice.integers(0, 3, len(self.ids))]
        kinds = np.where(np.arange(len(self.ids)) < persons, "person", "organisation")
        self.elasticity = np.array([TRUTH[band] for band in bands]) + dice.normal(0, OWN, len(self.ids))
        level = np.exp(dice.normal(0, 0.3, len(self.ids)))
        risk = dice.random(len(self.ids))
        rows: list[dict[str, Any]] = []
        for at in np.flatnonzero(kinds == "person"):
            for month in MONTHS:
                tier = int(np.clip(4 - 5 * risk[at] + dice.normal(0, 1), 0, 4)) if aimed else int(dice.integers(5))
                mean = level[at] * (PRICES[tier] / 1000) ** self.elasticity[at] * np.exp(-1.5 * risk[at] * aimed)
                rows.append(
                    {
                        "customer_id": int(self.ids[at]), "month": month, "product_id": "pack",
                        "price_fen": PRICES[tier], "list_price_fen": 1000, "bought": float(dice.poisson(mean)),
                        "by_lot": not aimed, "aim": float(risk[at]) if aimed and scored else None,
                    }
                )  # fmt: skip
        self.lake = lake_of(folder / "lake", price_quotes=rows)
        columns = {
            "customer_id": self.ids.tolist(),
            "month": [str(SNAPSHOT)] * len(self.ids),
            "kind": kinds.tolist(),
            "plan_price_fen": [PLANS[band] for band in bands],
            "tenure_months": [36] * len(self.ids),
        }
        self.features = write(columns, FEATURES, folder / "features.parquet")
        self.folder, self.persons = folder, kinds == "person"

    def told(self, engine: Engine) -> tuple[list[dict[str, Any]], price.PriceModel]:
        work = self.folder / engine.name
        work.mkdir()
        model = price.learn(engine, self.lake, snapshot=SNAPSHOT, features=(self.features,), work=work)
        to = work / "told.parquet"
        price.tell(engine, model, features=self.features, only=EVERYONE, to=to)
        return pq.read_table(to).to_pylist(), model


@pytest.mark.parametrize("name", ["price_alike", "price_quoted", "price_cells", "price_sums"])
def test_every_model_keeps_to_the_subset_and_its_table(name: str) -> None:
    model, parts = price.sql_models()[name]
    sqlmodel.check(model, parts)
    assert set(model.columns) <= set(TABLES[model.makes].names)


def test_planted_elasticities_come_back_with_honest_intervals(tmp_path: Path, engine: Engine) -> None:
    world = World(tmp_path)
    rows, model = world.told(engine)
    assert [row["customer_id"] for row in rows] == world.ids.tolist()
    known = [row for row, person in zip(rows, world.persons, strict=True) if person]
    truth = world.elasticity[world.persons]
    value, low, high = (np.array([row[name] for row in known]) for name in ("elasticity", "low", "high"))
    by_segment = np.array([TRUTH[row["segment"].split("/")[1]] for row in known])
    assert np.sqrt(np.mean((value - truth) ** 2)) < 0.95 * np.sqrt(np.mean((by_segment - truth) ** 2))
    assert 0.82 < np.mean((low < truth) & (truth < high)) < 0.95
    assert model.spread == pytest.approx(OWN, abs=0.15)
    assert {row["basis"] for row in known} <= {"own", "segment"}


def test_nothing_is_told_of_customers_of_whom_nothing_was_seen(tmp_path: Path, engine: Engine) -> None:
    world = World(tmp_path, persons=300)
    rows, _ = world.told(engine)
    organisations = [row for row, person in zip(rows, world.persons, strict=True) if not person]
    assert {row["basis"] for row in organisations} == {"unknown"}
    assert {row["elasticity"] for row in organisations} == {None}
    said = pricing.told(organisations[0], {"by_lot": 1}, "analyst")[0]
    assert "不知道" in said.zh
    assert "not known" in said.en


def test_prices_aimed_at_leavers_are_adjusted_by_the_score_or_left_out(tmp_path: Path, engine: Engine) -> None:
    adjusted, model = World(tmp_path / "scored", aimed=True).told(engine)
    mean = np.mean([row["elasticity"] for row in adjusted if row["elasticity"] is not None])
    assert mean == pytest.approx(np.mean(list(TRUTH.values())), abs=0.15)
    assert model.card["aimed"] == 1500 * len(MONTHS)
    rows, model = World(tmp_path / "unscored", aimed=True, scored=False).told(engine)
    assert {row["basis"] for row in rows} == {"unknown"}
    assert model.card["left_out"] == 1500 * len(MONTHS)


def test_ranges_tell_what_everybody_at_once_does(tmp_path: Path, engine: Engine) -> None:
    world = World(tmp_path, persons=300)
    _, model = world.told(engine)
    parts = [tmp_path / only.part for only in ranges(3, 1)]
    for only, part in zip(ranges(3, 1), parts, strict=True):
        price.tell(engine, model, features=world.features, only=only, to=part)
    assert table_hash(parts, PRICE_SENSITIVITY) == table_hash([model.folder / "told.parquet"], PRICE_SENSITIVITY)


def test_the_slope_of_a_group_is_the_maximum_of_its_conditional_likelihood() -> None:
    dice = np.random.default_rng(1)
    x = np.log(np.array(PRICES) / 1000)
    stratum, at = np.repeat(np.arange(4), 5), np.tile(x, 4)
    quotes = dice.integers(50, 100, 20).astype(float)
    bought = dice.poisson(quotes * np.exp(0.2 - 1.5 * at)).astype(float)
    cells = Cells(np.zeros(4, dtype=np.int64), stratum, at, quotes, bought, bought)
    found = slopes(cells, 1).values[0]

    def likelihood(e: float) -> float:
        weight = quotes * np.exp(e * at)
        share = weight / np.bincount(stratum, weight)[stratum]
        return float(bought @ np.log(share))

    tried = np.linspace(found - 0.5, found + 0.5, 2001)
    assert tried[np.argmax([likelihood(e) for e in tried])] == pytest.approx(found, abs=1e-3)
    assert np.bincount(stratum, quotes * expected(cells, np.array([found]))) == pytest.approx(
        np.bincount(stratum, bought)
    )


@pytest.mark.parametrize("scatter", [1, 3])
@pytest.mark.parametrize("each", [2, 3, 12])
def test_errors_are_honest_where_few_were_quoted_in_a_stratum(each: int, scatter: int) -> None:
    """A level is fitted to each stratum's few quotes, which takes the more of its residuals the fewer there are."""
    groups, strata, truth = 1500, 60, -1.4
    dice = np.random.default_rng(each)
    group = np.repeat(np.arange(groups), strata)
    stratum = np.repeat(np.arange(groups * strata), each)
    x = np.log(np.array(PRICES) / 1000)[dice.integers(0, len(PRICES), len(stratum))]
    level = dice.uniform(1, 3, len(group))[stratum]
    bought = scatter * dice.poisson(level * np.exp(truth * x) / scatter).astype(float)
    found = slopes(Cells(group, stratum, x, np.ones(len(x)), bought, bought**2), groups)
    away = (found.values - truth) / np.sqrt(found.variances)
    assert np.mean(found.variances) == pytest.approx(np.var(found.values), rel=0.12)
    assert 0.87 < np.mean(np.abs(away) < 1.6449) < 0.925


def test_a_group_that_bought_little_or_at_one_price_tells_nothing() -> None:
    x = np.log([0.8, 1.2, 1.0])
    cells = Cells(np.arange(2), np.array([0, 0, 1]), x, np.full(3, 9.0), np.array([2.0, 1.0, 99.0]), np.full(3, 9.0))
    assert np.isnan(slopes(cells, 2).values).all()


def test_lines_equal_least_squares_and_shrinkage_beats_them() -> None:
    dice = np.random.default_rng(2)
    errors: list[list[float]] = []
    inside: list[float] = []
    for _ in range(60):
        truth = dice.normal(-1.6, 0.5, 300)
        group = np.repeat(np.arange(300), 30)
        x = dice.normal(0, 0.12, 9000)
        y = dice.normal(3, 0.6, 300)[group] + truth[group] * x + dice.normal(0, 0.5, 9000)
        own = lines(group, x, y, 300)
        assert own.values[7] == pytest.approx(np.polyfit(x[group == 7], y[group == 7], 1)[0])
        told = shrink(own.values, own.variances)
        errors.append([float(np.sqrt(np.mean((each - truth) ** 2))) for each in (own.values, told.values)])
        inside.append(float(np.mean(np.abs(told.values - truth) < 1.6449 * told.errors)))
    assert np.mean(errors, axis=0)[1] < 0.6 * np.mean(errors, axis=0)[0]
    assert 0.88 < np.mean(inside) < 0.93


def test_groups_that_are_alike_are_told_alike() -> None:
    told = shrink(np.array([1.0, 1.1, 0.9, 1.0]), np.full(4, 1.0))
    assert told.values == pytest.approx(np.ones(4), abs=0.05)
    assert told.errors == pytest.approx(np.full(4, 0.8), abs=0.15)
    alone = shrink(np.array([-2.0]), np.array([0.25]))
    assert (alone.mean, alone.mean_error) == (-2.0, 0.5)


def test_a_spread_that_data_cannot_see_is_not_taken_to_be_none() -> None:
    assert price._spread(0.16, 0.001) == pytest.approx(0.4, abs=1e-3)
    assert 0.1 < price._spread(-0.1, 0.2) < price._spread(0.0, 0.2) < 0.6


def test_explain_calls_price_strong_or_weak_only_where_the_whole_interval_does() -> None:
    quotes = {"by_lot": 10, "aimed": 0, "left_out": 2}
    row = {"elasticity": -1.5, "low": -1.9, "high": -1.1, "basis": "own", "quotes": 7}
    for change, word in (({}, "strong"), ({"high": -0.2}, "not sure"), ({"low": -0.4, "high": 0.1}, "weak")):
        assert f"price sensitivity: {word}" in pricing.told(row | change, quotes, "analyst")[0].en
    assert "%" not in pricing.told(row, quotes, "seller")[0].en
    assert pricing.told(row, {}, "analyst") == []
