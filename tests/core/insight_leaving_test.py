"""The model of leaving recovers known truth, equals published formulas and refuses what it cannot know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from core.insight_world import EVERYONE, HORIZON, SNAPSHOT, Shelf, World, policy, write
from keepline.canonical import table_hash
from keepline.engine import DuckDB, Engine
from keepline.errors import TooFewError
from keepline.insight.additive import EVENTS_EACH_DEGREE, check_events, fit_additive, maximum
from keepline.insight.calibration import auc, prior_shift, slope_and_intercept
from keepline.insight.inputs import Shown, choose, folds
from keepline.insight.leaving import fit_stack, weigh
from keepline.insight.scoring import score
from keepline.insight.training import Models, Sample, train
from keepline.insight.validation import Rows, splits
from keepline.periods import Month
from keepline.tables import FEATURES, LABELS, SCORES, TABLES


@pytest.fixture
def duckdb(tmp_path: Path) -> DuckDB:
    return DuckDB(spill=tmp_path / "spill")


def samples_of(world: World, folder: Path, *, count: int) -> list[Sample]:
    return [world.snapshot(SNAPSHOT + -HORIZON * (count - i), folder)[0] for i in range(count)]


def test_the_true_risk_is_found_again(duckdb: DuckDB, tmp_path: Path) -> None:
    world = World(6000, seed=3)
    models = train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=samples_of(world, tmp_path, count=3), seed=1)
    now, truth = world.snapshot(SNAPSHOT, tmp_path)
    score(
        duckdb,
        Shelf({}),
        policy(),
        models,
        snapshot=SNAPSHOT,
        features=now.features[0],
        only=EVERYONE,
        to=tmp_path / "s",
    )
    p = pq.read_table(tmp_path / "s")["leave_probability"].to_numpy()
    slope = np.polyfit(logit(p), logit(truth["p"]), 1)[0]
    best, ours = roc_auc_score(truth["left"], truth["p"]), roc_auc_score(truth["left"], p)
    assert 0.9 <= slope <= 1.1
    assert ours >= best - 0.02
    assert models.card["targets"]["leave"]["validation"]["method"] == "time_ordered"
    low, high = (models.card["targets"]["leave"]["validation"]["calibration_slope"][end] for end in ("low", "high"))
    assert low < 1 < high


def test_threads_change_no_bit_of_what_is_learnt(duckdb: DuckDB, tmp_path: Path) -> None:
    world = World(3000, seed=3)
    samples = samples_of(world, tmp_path, count=2)
    now, _ = world.snapshot(SNAPSHOT, tmp_path)
    scores, cards = [], []
    for threads in (1, 2):
        models = train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=samples, seed=1, threads=threads)
        to = tmp_path / f"scores-{threads}"
        score(duckdb, Shelf({}), policy(), models, snapshot=SNAPSHOT, features=now.features[0], only=EVERYONE, to=to)
        scores.append(to.read_bytes())
        cards.append(models.card)
    assert scores[0] == scores[1]
    assert cards[0] == cards[1]


def test_the_curves_are_the_penalised_maximum() -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=(400, 6))
    y = (random.random(400) < expit(x[:, 0] - 1)).astype(float)
    ours = maximum(x, y, np.ones(400), penalty=2.0)
    oracle = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(x, y)
    assert ours[0] == pytest.approx(oracle.intercept_[0], abs=1e-4)
    assert ours[1:] == pytest.approx(oracle.coef_[0], abs=1e-4)


def test_degrees_are_the_trace_of_the_ridge_hat_matrix() -> None:
    random = np.random.default_rng(6)
    flags = (random.random((500, 3)) < 0.4).astype(float)
    y = (random.random(500) < 0.3).astype(float)
    made = fit_additive(np.asfortranarray(flags), y, np.ones(500))
    x = (flags - flags.mean(axis=0)) / flags.std(axis=0)
    p = expit(made.logit(flags))
    inner = (x * (p * (1 - p))[:, None]).T @ x
    hat = np.linalg.solve(inner + made.penalty * np.eye(3), inner)
    assert made.degrees == pytest.approx(np.trace(hat), rel=1e-4)


@pytest.mark.parametrize("events", [30, 51])
def test_few_events_buy_few_degrees(events: int) -> None:
    random = np.random.default_rng(events)
    matrix = np.asfortranarray(random.lognormal(size=(900, 40)))
    y = np.zeros(900)
    y[:events] = 1
    made = fit_additive(matrix, y, np.ones(900))
    assert made.degrees <= events / EVENTS_EACH_DEGREE


def test_twenty_nine_events_are_refused_and_thirty_are_not() -> None:
    y = np.zeros(500)
    y[:29] = 1
    with pytest.raises(TooFewError, match="29 events"):
        check_events(y)
    y[29] = 1
    check_events(y)


def test_too_few_leavers_leave_scores_unknown_and_the_card_says_why(duckdb: DuckDB, tmp_path: Path) -> None:
    world = World(300, seed=4, monthly_rate=0.005)
    samples = samples_of(world, tmp_path, count=1)
    models = train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=samples, seed=1)
    told = models.card["targets"]["leave"]["refused"]
    assert models.leave is None
    assert "30" in told["en"]
    assert "30" in told["zh"]
    row = scored(duckdb, models, samples[0].features[0], tmp_path / "s")[0]
    assert row["risk_band"] == "unknown"
    assert [row[name] for name in ("leave_probability", "value_fen", "reason_1", "leave_monthly")] == [None] * 4


def test_without_samples_nothing_is_known_of_leaving(duckdb: DuckDB, tmp_path: Path) -> None:
    now, _ = World(50, seed=2).snapshot(SNAPSHOT, tmp_path)
    models = train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=[], seed=1)
    rows = scored(duckdb, models, now.features[0], tmp_path / "s")
    assert len(rows) == 50
    assert {row["risk_band"] for row in rows} == {"unknown"}
    assert {row["value_fen"] for row in rows} == {None}


def scored(engine: Engine, models: Models, features: Path, to: Path, **leaving: object) -> list[dict[str, object]]:
    score(
        engine,
        Shelf({}),
        policy(**leaving),
        models,
        snapshot=SNAPSHOT,
        features=features,
        only=EVERYONE,
        to=to,
    )
    rows: list[dict[str, object]] = pq.read_table(to).to_pylist()
    return rows


def test_a_window_that_ends_after_the_snapshot_is_refused(duckdb: DuckDB, tmp_path: Path) -> None:
    late, _ = World(50, seed=2).snapshot(SNAPSHOT + -HORIZON + 1, tmp_path)
    with pytest.raises(TooFewError, match="ends after"):
        train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=[late], seed=1)


def test_nobody_is_scored_by_a_model_that_saw_their_outcome(duckdb: DuckDB, tmp_path: Path) -> None:
    world = World(900, seed=8, monthly_rate=0.05)
    now, truth = world.snapshot(SNAPSHOT, tmp_path)
    one = {"learn_from": "this_snapshot"}
    before = train(duckdb, Shelf({}), policy(**one), snapshot=SNAPSHOT, samples=[now], seed=1)
    first = scored(duckdb, before, now.features[0], tmp_path / "a", **one)[7]
    labels = pq.read_table(now.labels[0]).to_pydict()
    labels["left_within"][7] = not truth["left"][7]
    write(labels, LABELS, now.labels[0])
    after = train(duckdb, Shelf({}), policy(**one), snapshot=SNAPSHOT, samples=[now], seed=1)
    second = scored(duckdb, after, now.features[0], tmp_path / "b", **one)[7]
    assert before.card["targets"]["leave"]["validation"]["method"] == "cross_fitted"
    assert first["leave_probability"] == second["leave_probability"]
    assert before.version != after.version


def test_scores_are_the_same_on_both_engines_and_again(engine: Engine, tmp_path: Path) -> None:
    world = World(600, seed=9, monthly_rate=0.05)
    samples = samples_of(world, tmp_path, count=1)
    now, _ = world.snapshot(SNAPSHOT, tmp_path)
    shelf = Shelf({"attributes": own_facts(world, tmp_path / "own.parquet")})
    hashes = set()
    for i, each in enumerate((DuckDB(), engine)):
        models = train(each, shelf, policy(), snapshot=SNAPSHOT, samples=samples, seed=1)
        to = tmp_path / f"{i}.parquet"
        given = {"snapshot": SNAPSHOT, "features": now.features[0], "only": EVERYONE, "to": to}
        score(each, shelf, policy(), models, **given)
        hashes.add((models.version, table_hash([to], SCORES)))
    assert len(hashes) == 1


def test_own_facts_carried_are_read_and_no_month_of_the_lake(engine: Engine, tmp_path: Path) -> None:
    world = World(600, seed=9, monthly_rate=0.05)
    samples = samples_of(world, tmp_path, count=1)
    now, _ = world.snapshot(SNAPSHOT, tmp_path)
    own = own_facts(world, tmp_path / "own.parquet")
    shelf, empty = Shelf({"attributes": own}), Shelf({})
    models = train(engine, shelf, policy(), snapshot=SNAPSHOT, samples=samples, seed=1)
    hashes = []
    for shown in (shelf, Shown(empty, latest={"attributes": own}), Shown(shelf, of=(now.features[0],)), empty):
        to = tmp_path / f"{len(hashes)}.parquet"
        given = {"snapshot": SNAPSHOT, "features": now.features[0], "only": EVERYONE, "to": to}
        score(engine, shown, policy(), models, **given)
        hashes.append(table_hash([to], SCORES))
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]


def own_facts(world: World, path: Path) -> Path:
    rows = {
        "customer_id": np.repeat(world.ids, 2),
        "month": ["2024-01"] * (2 * world.customers),
        "name": ["Contract", "Handsets"] * world.customers,
        "number": [None if i % 2 == 0 else float(i % 5) for i in range(2 * world.customers)],
        "code": [("monthly" if i % 4 else "two years") if i % 2 == 0 else None for i in range(2 * world.customers)],
    }
    return write(rows, TABLES["attributes"], path)


def test_scores_do_not_depend_on_the_cut_into_batches(duckdb: DuckDB, tmp_path: Path) -> None:
    from keepline.insight.scoring import Scorer

    world = World(700, seed=10, monthly_rate=0.06)
    samples = samples_of(world, tmp_path, count=1)
    models = train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=samples, seed=1)
    batch = pq.read_table(samples[0].features[0]).combine_chunks().to_batches()[0]
    scorer = Scorer(models, policy())
    whole = scorer(batch).to_pylist()
    alone = [scorer(batch.slice(i, 1)).to_pylist()[0] for i in range(0, 700, 70)]
    assert alone == whole[::70]


def test_whom_an_offer_holds_does_not_make_the_others_look_safer(duckdb: DuckDB, tmp_path: Path) -> None:
    """Two fifths are reached in the first, second or third month, and nobody reached leaves any more."""
    world, random = World(12_000, seed=21, monthly_rate=0.03), np.random.default_rng(3)
    [sample] = samples_of(world, tmp_path, count=1)
    table = pq.read_table(sample.labels[0])
    left, n = table["left_within"].to_numpy(), table.num_rows
    until = np.where(random.random(n) < 0.4, (random.integers(0, 3, n) + 0.5) / 3, 1.0)
    reached = (until < 1) & ~(left & (random.random(n) < until))
    told = {"left_within": left & ~reached, "alone_share": np.where(reached, until, 1.0)}
    for name, values in told.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    means = []
    for columns in (table, table.drop_columns("alone_share").append_column("alone_share", pa.nulls(n, pa.float64()))):
        pq.write_table(columns.select(LABELS.names), sample.labels[0])
        models = train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=[sample], seed=1)
        rows = scored(duckdb, models, sample.features[0], tmp_path / "s")
        means.append(float(np.mean([row["leave_probability"] for row in rows])) / float(left.mean()))
        assert len(models.card["notes"]) == (len(means) == 1)
    assert means[0] == pytest.approx(1, abs=0.08)
    assert means[1] < 0.86


def test_where_most_were_reached_everybody_is_learnt_from_and_the_card_says_so(duckdb: DuckDB, tmp_path: Path) -> None:
    world = World(900, seed=12, monthly_rate=0.15)
    [sample] = samples_of(world, tmp_path, count=1)
    table = pq.read_table(sample.labels[0])
    most = np.where(np.arange(table.num_rows) % 5 < 3, 0.5, 1.0)
    told = table.set_column(table.schema.get_field_index("alone_share"), "alone_share", pa.array(most))
    pq.write_table(told.select(LABELS.names), sample.labels[0])
    models = train(duckdb, Shelf({}), policy(), snapshot=SNAPSHOT, samples=[sample], seed=1)
    assert models.card["targets"]["leave"]["customers"] == table.num_rows - table["left_within"].null_count
    assert "60.0% of the samples" in models.card["notes"][0]["en"]
    assert "a world with these offers" in models.card["notes"][0]["en"]


def test_over_sampled_leavers_need_the_true_rate_or_value_abstains(duckdb: DuckDB, tmp_path: Path) -> None:
    world = World(900, seed=11, monthly_rate=0.15)
    samples = samples_of(world, tmp_path, count=1)
    means = {}
    for rate in (None, 0.02):
        said = {"oversampled": True, "true_monthly_rate": rate}
        models = train(duckdb, Shelf({}), policy(**said), snapshot=SNAPSHOT, samples=samples, seed=1)
        rows = scored(duckdb, models, samples[0].features[0], tmp_path / "s", **said)
        means[rate] = (rows[0]["value_fen"], float(np.mean([row["leave_probability"] for row in rows])))
        assert bool(models.card["notes"]) is (rate is None)
    assert means[None][0] is None
    assert means[0.02][0] is not None
    assert means[0.02][1] < 0.12 < means[None][1]


def test_learnt_from_over_sampled_leavers_probabilities_are_those_of_everybody(duckdb: DuckDB, tmp_path: Path) -> None:
    """As many stayers as leavers are kept of a base of whom six in a hundred leave in three months."""
    world = World(16_000, seed=23)
    sample, truth = world.snapshot(SNAPSHOT + -HORIZON, tmp_path)
    labels = pq.read_table(sample.labels[0])
    stayed = np.flatnonzero(~truth["left"])
    kept = np.sort(np.r_[np.flatnonzero(truth["left"]), np.random.default_rng(1).choice(stayed, truth["left"].sum())])
    pq.write_table(labels.take(kept), sample.labels[0])
    monthly = 1 - (1 - float(truth["left"].mean())) ** (1 / HORIZON)
    said = {"oversampled": True, "true_monthly_rate": monthly}
    models = train(duckdb, Shelf({}), policy(**said), snapshot=SNAPSHOT, samples=[sample], seed=1)
    now, fresh = world.snapshot(SNAPSHOT, tmp_path)
    rows = scored(duckdb, models, now.features[0], tmp_path / "s", **said)
    p = np.array([row["leave_probability"] for row in rows], dtype=float)
    assert models.card["targets"]["leave"]["events"] == pytest.approx(len(kept) / 2, abs=1)
    assert p.mean() == pytest.approx(fresh["p"].mean(), rel=0.12)
    assert np.polyfit(logit(p), logit(fresh["p"]), 1)[0] == pytest.approx(1, abs=0.15)
    wrong = np.abs(p - fresh["p"]).mean()
    assert wrong < 0.3 * fresh["p"].mean()


def test_the_prior_correction_gives_the_true_rate_back() -> None:
    shift = prior_shift(sample_rate=0.5, true_rate=0.02)
    assert expit(logit(0.5) + shift) == pytest.approx(0.02)


def test_auc_and_its_interval_equal_delong_by_pairs() -> None:
    random = np.random.default_rng(12)
    y = (random.random(300) < 0.2).astype(float)
    p = np.round(expit(random.normal(y, 1.0)), 2)  # ties on purpose
    left, stayed = p[y == 1], p[y == 0]
    wins = (left[:, None] > stayed) + 0.5 * (left[:, None] == stayed)
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / len(left) + wins.mean(axis=0).var(ddof=1) / len(stayed))
    made = auc(y, p)
    assert made["value"] == pytest.approx(roc_auc_score(y, p), abs=1e-6)
    assert made["high"] - made["value"] == pytest.approx(1.644854 * error, abs=2e-6)


def test_the_calibration_slope_sees_overconfidence() -> None:
    random = np.random.default_rng(13)
    z = random.normal(-2, 1, 20_000)
    y = (random.random(20_000) < expit(z)).astype(float)
    assert slope_and_intercept(y, expit(z))["slope"]["value"] == pytest.approx(1, abs=0.08)
    assert slope_and_intercept(y, expit(2 * z))["slope"]["value"] == pytest.approx(0.5, abs=0.05)


def test_a_base_that_knows_nothing_gets_no_weight() -> None:
    random = np.random.default_rng(14)
    z = random.normal(-1, 1.5, 5000)
    y = (random.random(5000) < expit(z)).astype(float)
    intercept, weights = weigh(np.column_stack([z, random.normal(size=5000)]), y)
    assert weights[0] == pytest.approx(1, abs=0.08)
    assert weights[1] <= 0.05
    assert intercept == pytest.approx(0, abs=0.12)


def test_judging_comes_after_training_with_a_gap_or_on_other_customers() -> None:
    ids = np.arange(300)

    def rows(months: list[int]) -> Rows:
        every = np.concatenate([ids for _ in months])
        return Rows(np.zeros((len(every), 1)), np.zeros(len(every)), every, np.repeat(months, 300))

    method, [(seen, judged)] = splits(rows([10, 13]), horizon=3)
    assert (method, seen.sum(), judged.sum()) == ("time_ordered", 300, 300)
    close = rows([11, 13])
    method, pairs = splits(close, horizon=3)
    assert method == "time_ordered_other_customers"
    assert all(not set(close.ids[a]) & set(close.ids[b]) for a, b in pairs)
    assert sum(b.sum() for _, b in pairs) == 300
    assert splits(rows([13]), horizon=3)[0] == "cross_fitted"


def test_names_of_things_are_no_inputs(tmp_path: Path) -> None:
    world = World(3000, seed=15)
    sample, _ = world.snapshot(Month.parse("2026-01"), tmp_path)
    table = pq.read_table(sample.features[0])
    named = table.set_column(table.schema.names.index("district"), "district", [[f"d{i}" for i in range(3000)]])
    inputs = choose(named, ())
    assert ("district", "too_many_levels") in {(d.name, d.why) for d in inputs.dropped}
    assert "district" not in inputs.names
    assert "tenure_months" in inputs.names


def test_folds_are_even_and_lasting() -> None:
    fold = folds(np.arange(10_000), salt="outer", count=5)
    assert np.abs(np.bincount(fold) - 2000).max() < 200
    assert folds(np.array([42]), salt="outer", count=5)[0] == fold[42]


@pytest.mark.data
def test_the_recipe_holds_the_mark_on_the_telco_file(data_dir: Path) -> None:
    import pandas as pd

    file = pd.read_csv(data_dir / "ibm-telco" / "Telco-Customer-Churn.csv").drop(columns="customerID")
    y = (file.pop("Churn") == "Yes").to_numpy(float)
    file["TotalCharges"] = pd.to_numeric(file["TotalCharges"], errors="coerce")
    matrix = np.asfortranarray(pd.get_dummies(file, dtype=float).to_numpy(float))
    ids = np.arange(len(y))
    fold = folds(ids, salt="outer", count=5)
    found = []
    for i in range(5):
        made = fit_stack(matrix[fold != i], y[fold != i], ids[fold != i], seed=1, sizes=("small", "long"))
        found.append(roc_auc_score(y[fold == i], made.logit(matrix[fold == i])))
    assert np.mean(found) >= 0.845


@pytest.mark.parametrize(("history", "seen"), [(11, False), (12, True), (None, True)])
def test_a_sum_over_more_months_than_were_known_is_no_input(history: int | None, seen: bool) -> None:
    columns = {c.name: pa.nulls(4, FEATURES.arrow.field(c.name).type) for c in FEATURES.columns}
    columns |= {name: pa.array([1, 2, 3, 4], pa.int64()) for name in ("revenue_12m_fen", "revenue_fen")}
    chosen = choose(pa.table(columns), (), history=history)
    assert ("revenue_12m_fen" in chosen.names) is seen
    assert "revenue_fen" in chosen.names
    assert (("revenue_12m_fen", "short_history") in [(d.name, d.why) for d in chosen.dropped]) is not seen
