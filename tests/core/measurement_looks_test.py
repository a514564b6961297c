"""Looks at a pilot with a rule: what the tables say of it, and that what the rule decided against is not used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_policy import small_policy

from core.measurement_pilots_test import DRAWN, Pilot, measured, offer
from keepline import engine as engines
from keepline.errors import PolicyError
from keepline.measurement.looks import wave_of
from keepline.policy.documents import Offer, Policy

EFFECT = {"source": "experiment", "experiment_id": "pilot-care"}


def policy_with(**rule: Any) -> Policy:
    pilot = {"customers": 4_000, "looks": 1} | rule
    return small_policy(offers={"offer": [offer("care", EFFECT) | {"pilot": pilot}]})


def looked(folder: Path, pilot: Pilot, policy: Policy) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of LOOKS and of PILOTS."""
    pilots = measured(engines.start("duckdb"), folder, pilot, policy)
    return pq.read_table(folder / "looks.parquet").to_pylist(), pilots


def test_a_good_offer_is_rolled_out_and_its_difference_is_the_planted_one(tmp_path: Path) -> None:
    looks, pilots = looked(tmp_path, Pilot(4_000, extra_fen=300, seed=2), policy_with())
    (one,) = looks
    assert (one["verdict"], one["look"], one["looks"], one["month"]) == ("roll_out", 1, 1, str(DRAWN))
    # leavers bring it for the month they stay alone, so a little less than 300 arrives
    assert one["low"] < 300 * 0.75 < one["high"]
    assert one["low"] > 0
    assert {row["verdict"] for row in pilots if row["outcome"] == "margin"} == {"measured"}


def test_the_same_offer_is_stopped_and_not_used_where_more_was_wanted(tmp_path: Path) -> None:
    looks, pilots = looked(tmp_path, Pilot(4_000, extra_fen=300, seed=2), policy_with(worth_month_fen=900))
    assert looks[0]["verdict"] == "stop"
    assert {row["verdict"] for row in pilots if row["outcome"] in ("leave", "margin")} == {"no_effect"}


def test_before_the_last_look_a_doubtful_pilot_goes_on(tmp_path: Path) -> None:
    looks, _ = looked(tmp_path, Pilot(1_000, seed=4), policy_with(customers=40_000, looks=6))
    assert looks[0]["verdict"] == "keep_looking"
    assert looks[0]["share"] == pytest.approx(0.025, rel=0.05)


def test_customers_missing_from_one_arm_stop_every_conclusion(tmp_path: Path) -> None:
    looks, pilots = looked(tmp_path, Pilot(4_000, extra_fen=300, seed=2), policy_with(treated_share=0.6))
    assert looks[0]["verdict"] == "lots_in_doubt"
    assert looks[0]["difference"] is None
    assert looks[0]["ratio_p"] < 0.001
    assert {row["verdict"] for row in pilots if row["outcome"] == "margin"} == {"no_effect"}


def test_an_offer_without_a_rule_has_no_looks(tmp_path: Path) -> None:
    policy = small_policy(offers={"offer": [offer("care", EFFECT)]})
    assert looked(tmp_path, Pilot(2_000, seed=2), policy)[0] == []


def test_a_rule_for_an_assumed_effect_is_refused() -> None:
    said = offer("care", {"source": "assumed"}) | {"pilot": {"customers": 4_000}}
    with pytest.raises((PolicyError, ValueError), match="pilot"):
        small_policy(offers={"offer": [said]})


def people(rows: int, **columns: Any) -> pa.Table:
    plain = {
        "in_base": [True] * rows, "margin_3m_fen": [300 + i for i in range(rows)],
        "margin_stayed_fen": [200 + 2 * i for i in range(rows)], "arm": ["treated", "held_out"] * (rows // 2),
        "plan_month": [None] * rows, "answer": [None] * rows,
    }  # fmt: skip
    return pa.table({name: pa.array(values, TYPES[name]) for name, values in (plain | columns).items()})


TYPES = {"in_base": pa.bool_(), "margin_3m_fen": pa.int64(), "margin_stayed_fen": pa.int64(), "arm": pa.string(),
         "plan_month": pa.string(), "answer": pa.string()}  # fmt: skip


def costly() -> Offer:
    said = offer("care", EFFECT) | {"contact_cost_fen": 100, "benefit_cost_fen": 1_000}
    return small_policy(offers={"offer": [said]}).offers.offer[0]


def test_each_treated_customer_pays_for_what_they_got() -> None:
    rows, months = 400, 2
    before = wave_of(people(rows), offer_free(), months=months)
    answers = ["accepted" if i % 4 == 0 else None for i in range(rows)]
    arrived = [str(DRAWN) if i % 2 == 0 else None for i in range(rows)]
    after = wave_of(people(rows, plan_month=arrived, answer=answers), costly(), months=months)
    assert before is not None
    assert after is not None
    assert after.estimate - before.estimate == pytest.approx(-(100 + 0.5 * 1_000) / months, rel=0.1)


def test_where_no_delivery_is_on_record_everyone_treated_is_charged_what_policy_expects() -> None:
    free, charged = (wave_of(people(400), one, months=2) for one in (offer_free(), costly()))
    assert free is not None
    assert charged is not None
    assert charged.estimate - free.estimate == pytest.approx(-(100 + 1_000) / 2, rel=1e-6)


def offer_free() -> Offer:
    return small_policy(offers={"offer": [offer("care", EFFECT)]}).offers.offer[0]


@pytest.mark.parametrize("column", ["arm", "in_base"])
def test_lots_of_one_arm_alone_are_no_wave(column: str) -> None:
    alone = {"arm": ["treated"] * 400, "in_base": [i % 2 == 0 for i in range(400)]}[column]
    assert wave_of(people(400, **{column: alone}), offer_free(), months=2) is None


def test_those_left_alone_for_all_offers_stand_against_each(tmp_path: Path) -> None:
    """Two offers share the customers left alone under '*'; each is compared with all of them."""
    pilot = Pilot(6_000, extra_fen=300, seed=6)
    third = np.arange(6_000) % 3
    pilot.treated = third > 0
    pilot.after = pilot.bill + 600 * (third == 1) + np.random.default_rng(1).integers(-300, 300, 6_000)
    names = np.array(["*", "care", "other"])[third]
    pilot.offer_of = dict(zip(pilot.ids, names.tolist(), strict=True))
    rule = {"pilot": {"customers": 8_000, "looks": 1}}
    policy = small_policy(offers={"offer": [offer(name, EFFECT) | rule for name in ("care", "other")]})
    looks, _ = looked(tmp_path, pilot, policy)
    assert {row["offer_id"]: (row["verdict"], row["held_out"]) for row in looks} == {
        "care": ("roll_out", 2_000), "other": ("stop", 2_000),
    }  # fmt: skip
