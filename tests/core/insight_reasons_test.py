"""Reasons are exact parts of the model, true of the customer, and said in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.insight_world import EVERYONE, HORIZON, SNAPSHOT, Shelf, World, policy, write
from keepline import sqlmodel
from keepline.engine import Engine
from keepline.features.build import take_features
from keepline.insight import win_back, words
from keepline.insight.additive import Additive, fit_additive
from keepline.insight.curves import Term
from keepline.insight.inputs import choose
from keepline.insight.reasons import FACTS, FAMILIES, OTHERWISE, strongest
from keepline.insight.scoring import score
from keepline.insight.training import Models, train
from keepline.placed import placed
from keepline.tables import FEATURES, TABLES


def rows(folder: Path) -> pa.Table:
    sample, _ = World(2000, seed=1).snapshot(SNAPSHOT, folder)
    return pq.read_table(sample.features[0])


def learnt(engine: Engine, folder: Path, *, seed: int) -> tuple[Models, dict[str, Any]]:
    """Models of a small world, and what scoring its present month is given."""
    world = World(900, seed=seed, monthly_rate=0.06)
    sample, _ = world.snapshot(SNAPSHOT + -HORIZON, folder)
    now, _ = world.snapshot(SNAPSHOT, folder)
    models = train(engine, Shelf({}), policy(), snapshot=SNAPSHOT, samples=[sample], seed=1)
    return models, {"snapshot": SNAPSHOT, "features": now.features[0], "only": EVERYONE}


def test_parts_add_up_to_the_log_odds(tmp_path: Path) -> None:
    table = rows(tmp_path)
    matrix = choose(table, ()).matrix(table)
    y = (np.random.default_rng(1).random(2000) < 0.1).astype(float)
    made = fit_additive(matrix, y, np.ones(2000))
    parts = [term.contribution(matrix[:, term.column]) for term in made.terms]
    assert sum(parts) + made.intercept == pytest.approx(made.logit(matrix))
    assert [part.mean() for part in parts] == pytest.approx([0] * len(parts), abs=1e-6)


def test_a_reason_is_named_only_where_its_fact_is_true(tmp_path: Path) -> None:
    table = rows(tmp_path)
    inputs = choose(table, ())
    at = [c.name for c in inputs.columns].index("complaints_12m")
    curves = Additive(
        0.0, (Term(at, 0.0, 9.0, None, 0.0, -1.0, 0.0),), 1.0, 1.0, "lines", 100, 0.0
    )  # raises everyone alike
    column = {name: np.full(2000, np.nan) for name in FACTS}
    column["complaints_12m"] = table["complaints_12m"].to_numpy().astype(float)
    found = strongest(inputs, curves, parts=curves.parts(inputs.matrix(table)), column=column)
    complained = column["complaints_12m"] > 0
    assert set(found[complained, 0]) == {"complaints"}
    assert set(found[~complained, 0]) == {"service_pattern"}
    assert set(found[:, 1]) == {None}


def test_last_months_reason_stays_first_while_it_is_nearly_as_strong(tmp_path: Path) -> None:
    table = rows(tmp_path)
    inputs = choose(table, ())
    names = [c.name for c in inputs.columns]
    flat = {"column": 0, "low": 0.0, "high": 9.0, "curve": None, "slope": 0.0, "unknown": 0.0}
    parts = {"complaints_12m": 1.0, "voice_change": 0.8, "tenure_months": 0.4}
    terms = tuple(Term(**flat | {"column": names.index(name), "centre": -part}) for name, part in parts.items())
    curves = Additive(0.0, terms, 1.0, 1.0, "lines", 100, 0.0)
    column = {name: np.full(2000, np.nan) for name in FACTS}
    column |= {"complaints_12m": np.ones(2000), "voice_change": np.full(2000, -0.5), "tenure_months": np.ones(2000)}
    before = np.array([None, "falling_use", "short_tenure", "arrears", "complaints"] * 400, dtype=object)
    given = {"parts": curves.parts(inputs.matrix(table)), "column": column}
    found = strongest(inputs, curves, **given, before=before)
    assert list(found[:5, 0]) == ["complaints", "falling_use", "complaints", "complaints", "complaints"]
    assert list(found[1]) == ["falling_use", "complaints", "short_tenure"]
    column["voice_change"] = np.zeros(2000)
    assert list(strongest(inputs, curves, **given, before=before)[1]) == ["complaints", "use_pattern", "short_tenure"]


def test_scores_take_the_reasons_of_the_month_before(engine: Engine, tmp_path: Path) -> None:
    models, given = learnt(engine, tmp_path, seed=7)
    score(engine, Shelf({}), policy(), models, **given, to=tmp_path / "fresh")
    fresh = pq.read_table(tmp_path / "fresh")
    swapped = fresh.set_column(fresh.schema.get_field_index("reason_1"), "reason_1", fresh["reason_2"])
    pq.write_table(swapped, tmp_path / "before")
    score(engine, Shelf({}), policy(), models, **given, previous=placed([tmp_path / "before"]), to=tmp_path / "again")
    again = pq.read_table(tmp_path / "again")
    first, second, held = (c.to_pylist() for c in (fresh["reason_1"], fresh["reason_2"], again["reason_1"]))
    kept = [h for h, s in zip(held, second, strict=True) if h == s and s is not None]
    assert kept
    assert all(h in (f, s) for f, s, h in zip(first, second, held, strict=True))


def test_some_customers_are_scored_as_they_would_be_among_all(engine: Engine, tmp_path: Path) -> None:
    models, given = learnt(engine, tmp_path, seed=8)
    score(engine, Shelf({}), policy(), models, **given, to=tmp_path / "all")
    everybody = pq.read_table(tmp_path / "all")
    some = everybody.take(list(range(0, len(everybody), 7)))
    drawn = {"customer_id": [*some["customer_id"].to_pylist(), 3], "month": [str(SNAPSHOT)] * (len(some) + 1)}
    path = write(drawn, TABLES["experiments"], tmp_path / "drawn.parquet")
    few = tmp_path / "few.parquet"
    take_features(engine, [given["features"]], only=given["only"], to=few, among=(path,))
    score(engine, Shelf({}), policy(), models, **given | {"features": few}, to=tmp_path / "some")
    assert pq.read_table(tmp_path / "some").equals(some)


def test_every_code_has_words_and_every_family_knows_its_features() -> None:
    codes = {code for family in FAMILIES for code in (family.code, family.otherwise)} | {OTHERWISE}
    assert codes == set(words.REASONS)
    assert {name for family in FAMILIES for name in family.features} <= set(FEATURES.names)
    assert all(said["zh"] and said["en"] for said in (*words.REASONS.values(), words.reason("own:Contract")))


def test_who_left_and_is_not_back_is_listed_with_reason_and_margin(engine: Engine, tmp_path: Path) -> None:
    left = {"customer_id": [1, 2, 3, 4], "month": [str(SNAPSHOT)] * 4, "kind": ["left"] * 4}
    reasons = ["price", "price", None, "price"]
    departures = write(left | {"reason": reasons}, TABLES["departures"], tmp_path / "d.parquet")
    bills = {"customer_id": [1, 2, 4, 9], "month": ["2026-09"] * 4, "component": ["recurring"] * 4}
    paid = write(bills | {"amount_fen": [1000, 3000, 9000, 500]}, TABLES["bills"], tmp_path / "b.parquet")
    said = {"customer_id": [1, 2, 3], "month": ["2026-01"] * 3, "consent": [True, True, None]}
    known = write(said | {"blacklisted": [False, True, False]}, TABLES["customers"], tmp_path / "c.parquet")
    back = write({"customer_id": [4, 9], "month": [str(SNAPSHOT)] * 2}, FEATURES, tmp_path / "f.parquet")
    shelf = Shelf({"departures": departures, "bills": paid, "customers": known}, {"bills": 1, "customers": 9})
    to = tmp_path / "win_back.parquet"
    win_back.build_win_back(engine, shelf, policy(), snapshot=SNAPSHOT, features=back, only=EVERYONE, to=to)
    found = {row["customer_id"]: row for row in pq.read_table(to).to_pylist()}
    assert {who: (row["reason"], row["margin_3m_fen"]) for who, row in found.items()} == {
        1: ("price", 550),
        2: ("price", 1650),
        3: ("unrecorded", None),
    }
    assert {who: row["may_contact"] for who, row in found.items()} == {1: True, 2: False, 3: False}
    assert win_back.count_win_back(engine, [to]) == [
        {"reason": "price", "customers": 2, "margin_3m_fen": 2200},
        {"reason": "unrecorded", "customers": 1, "margin_3m_fen": 0},
    ]


def test_the_win_back_model_is_in_the_subset() -> None:
    model, parts = win_back.sql_model()
    sqlmodel.check(parts["gone"])
    sqlmodel.check(model, parts)
