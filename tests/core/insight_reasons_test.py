"""Reasons are exact parts of the model, true of the customer, and said in both languages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.insight_world import SNAPSHOT, Shelf, World, policy, write
from keepline.engine import Engine
from keepline.insight import words
from keepline.insight.additive import Additive, Term, fit_additive
from keepline.insight.inputs import choose
from keepline.insight.reasons import FAMILIES, OTHERWISE, strongest
from keepline.insight.scoring import NUMERIC
from keepline.insight.training import win_back
from keepline.tables import FEATURES, TABLES


def rows(folder: Path) -> pa.Table:
    sample, _ = World(2000, seed=1).snapshot(SNAPSHOT, folder)
    return pq.read_table(sample.features[0])


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
    column = {name: np.full(2000, np.nan) for name in NUMERIC}
    column["complaints_12m"] = table["complaints_12m"].to_numpy().astype(float)
    found = strongest(inputs, curves, matrix=inputs.matrix(table), column=column)
    complained = column["complaints_12m"] > 0
    assert set(found[complained, 0]) == {"complaints"}
    assert set(found[~complained, 0]) == {"service_pattern"}
    assert set(found[:, 1]) == {None}


def test_every_code_has_words_and_every_family_knows_its_features() -> None:
    codes = {code for family in FAMILIES for code in (family.code, family.otherwise)} | {OTHERWISE}
    assert codes == set(words.REASONS)
    assert {name for family in FAMILIES for name in family.features} <= set(FEATURES.names)
    assert all(said["zh"] and said["en"] for said in (*words.REASONS.values(), words.reason("own:Contract")))


def test_who_left_is_counted_by_reason_and_listed_by_margin(engine: Engine, tmp_path: Path) -> None:
    left = {"customer_id": [1, 2, 3], "month": [str(SNAPSHOT)] * 3, "kind": ["left"] * 3}
    departures = write(left | {"reason": ["price", "price", None]}, TABLES["departures"], tmp_path / "d.parquet")
    shelf = Shelf({"departures": departures})
    bills = {"customer_id": [1, 2, 9], "month": ["2026-09"] * 3, "component": ["recurring"] * 3}
    paid = write(bills | {"amount_fen": [1000, 3000, 500]}, TABLES["bills"], tmp_path / "b.parquet")
    shelf.files["bills"] = paid
    shelf.ago["bills"] = 1
    found = win_back(engine, shelf, policy(), snapshot=SNAPSHOT)
    assert [(e["reason"], e["customers"], e["margin_3m_fen"]) for e in found] == [
        ("price", 2, 2200),
        ("unrecorded", 1, 0),
    ]
    assert [one["customer_id"] for one in found[0]["listed"]] == [2, 1]
    assert found[0]["zh"] == "价格"
    assert found[1]["listed"] == []
