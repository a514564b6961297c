"""The room's SQL is held to its word without running, and numbers lead back to the operator's columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.small_lake import lake_of, random_lake
from keepline.errors import ModelError
from keepline.features.build import PARTS, WINDOWS, Stage, column_origins, lacking, sql_models
from keepline.features.carrying import MONTHS
from keepline.features.known import NOTHING_IS_ZERO
from keepline.periods import Month
from keepline.tables import CARRIED, FEATURES, LABELS, LATEST

NOW = Month.parse("2026-10")


@pytest.mark.parametrize("stage", sql_models(), ids=lambda stage: f"{stage.model.name} of {len(stage.parts)} parts")
def test_every_model_keeps_to_the_subset_and_its_table(stage: Stage) -> None:
    stage.check()
    made = {table.name: table for table in (FEATURES, CARRIED, LABELS, *LATEST.values())}
    assert stage.model.columns == made[stage.model.makes].names


def test_each_model_answers_a_question_on_one_page() -> None:
    for stage in sql_models():
        for model in (stage.model, *stage.parts.values()):
            assert model.question.endswith("?")
    folder = Path(__file__).parents[2] / "src/keepline/features"
    assert {path.stem for path in folder.glob("*.sql")} >= set(PARTS)
    assert all(len(path.read_text(encoding="utf-8").splitlines()) <= 120 for path in folder.glob("*.sql"))


def test_a_part_whose_column_is_renamed_or_retyped_fails_without_running() -> None:
    stage = sql_models()[0]
    ledger = stage.parts["ledger"]
    for old, new in (("revenue_fen", "revenue"), ("revenue_fen", "kind")):
        columns = [c.as_(new) if c.alias_or_name == old else c for c in ledger.query.selects]
        broken = replace(ledger, query=ledger.query.copy().select(*columns, append=False))
        with pytest.raises(ModelError):
            Stage(stage.model, stage.parts | {"ledger": broken}).check()


def test_features_come_from_the_columns_of_the_lake() -> None:
    assert column_origins("margin_fen") >= {"bills.amount_fen", "bills.component"}
    assert column_origins("tenure_months") == {"customers.joined_on", "lines.started_on"}
    assert column_origins("peers_left_3m") == {"departures.customer_id"}
    known = set(WINDOWS) | set(MONTHS) | {"referrals"}
    for name in FEATURES.names:
        assert {origin.split(".")[0] for origin in column_origins(name)} <= known, name
    assert all(name in FEATURES.names for name in NOTHING_IS_ZERO)


def test_what_is_lacking_is_said_with_what_it_costs(tmp_path: Path) -> None:
    bare = lake_of(
        tmp_path / "bare",
        customers=[{"customer_id": 1, "month": "2026-08", "consent": True}],
        bills=[{"customer_id": 1, "month": "2026-10", "component": "recurring", "amount_fen": 1}],
    )
    lacks = lacking(bare, NOW)
    assert "1 months" in lacks[0].en
    assert {"usage", "departures", "experiments", "lines"} <= {lack.table for lack in lacks}
    assert all(lack.zh and lack.en for lack in lacks)
    rich = random_lake(tmp_path / "rich", last=NOW, months=12, customers=20, seed=1)
    assert {lack.table for lack in lacking(rich, NOW)} == {
        "customers",
        "referrals",
        "managers",
        "deliveries",
    }
