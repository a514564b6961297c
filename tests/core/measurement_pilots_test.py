"""Pilots: the truth of a simulated one comes back, and nothing is used where nothing was found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_lake import lake_of, write_rows
from small_policy import small_policy

from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.engine import Engine
from keepline.lake.store import Lake, open_lake
from keepline.measurement import uplift
from keepline.measurement.learners import LEARNERS
from keepline.measurement.pilots import ARM_MIN, PastSnapshot, Written, measure_pilots, pilot_months
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.tables import PILOTS

DRAWN = Month.parse("2026-07")
SNAPSHOT = DRAWN + 2
Rows = list[dict[str, Any]]


def offer(offer_id: str, effect: dict[str, Any]) -> dict[str, Any]:
    prices = {"price_fen": 0, "list_price_fen": 0, "floor_price_fen": 0, "contact_cost_fen": 0, "benefit_cost_fen": 0}
    named = {"id": offer_id, "name": {"zh": offer_id, "en": offer_id}, "purpose": "profit", "channel": "sms"}
    return named | prices | {"effect": effect}


def policy_with(*offer_ids: str, **more: float) -> Policy:
    effect = {"source": "experiment", "experiment_id": "pilot-care"}
    return small_policy(offers=more | {"offer": [offer(offer_id, effect) for offer_id in offer_ids]})


class Pilot:
    """``n`` customers drawn by lot; the offer takes away ``held`` of the risk and adds ``extra_fen`` a month."""

    def __init__(self, n: int, *, held: float = 0.0, extra_fen: int = 0, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.ids = range(1, n + 1)
        self.treated = rng.random(n) < 0.5
        self.risk = np.round(1 / (1 + np.exp(1.5 - rng.normal(size=n))), 9)
        chance = self.risk * (1 - held * self.treated)
        self.left = rng.random(n) < chance
        self.offer_of: dict[int, str] = {}  # where it is not "care"
        self.answers: list[str | None] | None = None  # of the treated, where the operator recorded them
        self.bill = rng.integers(3000, 9000, n)
        self.after = self.bill + 2 * extra_fen * self.treated + rng.integers(-300, 300, n)

    def lake(self, folder: Path) -> Lake:
        arms = ["treated" if yes else "held_out" for yes in self.treated]
        drawn = {"experiment_id": "pilot-care", "month": str(DRAWN)}
        return lake_of(
            folder,
            experiments=[
                drawn | {"customer_id": c, "offer_id": self.offer_of.get(c, "care"), "arm": arm}
                for c, arm in zip(self.ids, arms, strict=True)
            ],
            bills=[self._bill(i, month) for i in range(len(self.ids)) for month in (DRAWN + 1, DRAWN + 2)],
            deliveries=self._deliveries(),
            departures=self._departures(),
        )

    def _departures(self) -> list[dict[str, Any]]:
        """All of the pilot in the second month, of others in the first, so that neither lacks them."""
        gone = [c for c, left in zip(self.ids, self.left, strict=True) if left]
        others = [{"customer_id": 10**6 + c, "month": str(DRAWN + 1)} for c in range(12)]
        return others + [{"customer_id": c, "month": str(DRAWN + 2)} for c in gone]

    def _deliveries(self) -> list[dict[str, Any]]:
        said = {"month": str(DRAWN + 1), "plan_month": str(DRAWN), "offer_id": "care"}
        pairs = zip(self.ids, self.answers or [], strict=False)
        return [said | {"customer_id": c, "answer": answer} for c, answer in pairs if self.treated[c - 1]]

    def _bill(self, i: int, month: Month) -> dict[str, Any]:
        said = {"customer_id": self.ids[i], "month": str(month), "component": "recurring"}
        return said | {"amount_fen": int(self.after[i])}

    def known(self, folder: Path) -> PastSnapshot:
        features = [
            {"customer_id": c, "month": str(DRAWN), "margin_3m_fen": int(bill * 3 // 2), "recurring_fen": int(bill)}
            for c, bill in zip(self.ids, self.bill, strict=True)
        ]
        scores = [
            {"customer_id": c, "month": str(DRAWN), "leave_probability": float(p)}
            for c, p in zip(self.ids, self.risk, strict=True)
        ]
        files = [write_rows(folder / f"{t}.parquet", t, r) for t, r in (("features", features), ("scores", scores))]
        return PastSnapshot(DRAWN, (files[0],), (files[1],))


def measured(engine: Engine, folder: Path, pilot: Pilot, policy: Policy, snapshot: Month = SNAPSHOT) -> Rows:
    lake, to = pilot.lake(folder / "lake"), folder / "pilots.parquet"
    written = Written(to, folder / "looks.parquet", folder / "learners.parquet")
    measure_pilots(engine, lake, policy, snapshot=snapshot, past=[pilot.known(folder)], to=written)
    return list(pq.read_table(to).to_pylist())


def test_lots_loaded_after_their_month_was_published_are_measured_as_if_they_had_been_there(tmp_path: Path) -> None:
    pilot, policy, to = Pilot(2000, held=0.4, extra_fen=200, seed=2), policy_with("care"), tmp_path / "pilots.parquet"
    pilot.answers = ["accepted" if bill > 6000 else "none" for bill in pilot.bill]
    there = measured(engines.start("duckdb"), tmp_path, pilot, policy)
    lake = open_lake(tmp_path / "lake")
    since = {"experiments": str(DRAWN + 1), "deliveries": str(SNAPSHOT)}
    late = [replace(f, holds_from=since.get(f.table, "")) for f in lake.files]
    written = Written(to, tmp_path / "looks.parquet", tmp_path / "learners.parquet")
    past = [pilot.known(tmp_path)]
    measure_pilots(
        engines.start("duckdb"), replace(lake, files=tuple(late)), policy, snapshot=SNAPSHOT, past=past, to=written
    )
    assert pq.read_table(to).to_pylist() == there
    assert {row["verdict"] for row in there} == {"measured"}


def effect_at(rows: Rows, outcome: str, **terms: float) -> float:
    """How a reader of PILOTS adds up the effect on one customer; unknown terms count as the centre."""
    factors = {"one": 1.0, "plain_risk": terms.get(uplift.RISK, 0.0)}
    total = 0.0
    for row in rows:
        if row["outcome"] == outcome and row["times"] in factors:
            alone = row["coefficient"] * factors[row["times"]]
            if row["term"] in terms:
                total += alone * (terms[row["term"]] - row["centre"]) / row["scale"]
            total += alone * (row["term"] == "intercept")
    return float(total)


def test_a_pilots_truth_comes_back(tmp_path: Path) -> None:
    pilot = Pilot(6000, held=0.4, extra_fen=200, seed=2)
    rows = measured(engines.start("duckdb"), tmp_path, pilot, policy_with("care"))
    leave, margin = (next(r for r in rows if r["outcome"] == o) for o in ("leave", "margin"))
    truth = float((-0.4 * pilot.risk).mean())
    assert {row["verdict"] for row in rows if row["outcome"] != "taken"} == {"measured"}
    assert leave["low"] <= truth <= leave["high"]
    assert margin["low"] <= 200 <= margin["high"]
    assert (leave["treated"], leave["held_out"]) == (int(pilot.treated.sum()), int((~pilot.treated).sum()))
    for risk in (0.1, 0.4):
        assert effect_at(rows, "leave", leave_probability=risk) == pytest.approx(-0.4 * risk, abs=0.05)
    assert leave["lots_p"] > 0.001
    [reach] = {row["reach"] for row in rows if row["times"] == "plain_risk"}
    assert 0 < reach < 0.4
    assert {row["reach"] for row in rows if row["times"] == "one"} == {None}


def test_who_takes_an_offer_is_known_by_line_and_a_plain_effect_grows_with_it(tmp_path: Path) -> None:
    pilot = Pilot(6000, seed=3)
    rich = pilot.bill > 6000
    pilot.answers = ["accepted" if yes else "none" for yes in rich]
    pilot.after = pilot.after + 2 * 300 * (rich & pilot.treated)
    rows = measured(engines.start("duckdb"), tmp_path, pilot, policy_with("care"))
    taken, margin = (next(row for row in rows if row["outcome"] == o) for o in ("taken", "margin"))
    assert taken["mean_effect"] == pytest.approx(rich[pilot.treated].mean(), abs=1e-6)
    assert (taken["treated"], taken["held_out"], taken["verdict"]) == (int(pilot.treated.sum()), 0, "measured")
    many, few = (effect_at(rows, "taken", recurring_fen=bill) for bill in (9000, 3000))
    assert many - few > 0.8
    of_takers = [row for row in rows if (row["outcome"], row["times"]) == ("margin", "taken")]
    by_taking = effect_at([row | {"times": "one"} for row in of_takers], "margin", recurring_fen=9000)
    assert margin["verdict"] == "measured"
    assert by_taking * min(many, 1) + effect_at(rows, "margin", recurring_fen=9000) == pytest.approx(300, abs=60)


def test_an_offer_after_which_more_leave_is_not_held_against_those_who_would_take_it(tmp_path: Path) -> None:
    pilot = Pilot(6000, extra_fen=300, seed=3)
    rich, luck = pilot.bill > 6000, np.random.default_rng(4).random(6000)
    pilot.answers = ["accepted" if yes else "none" for yes in rich]
    pilot.left |= pilot.treated & (luck < 0.05)
    rows = measured(engines.start("duckdb"), tmp_path, pilot, policy_with("care"))
    leave = [row for row in rows if row["outcome"] == "leave"]
    assert {row["times"] for row in leave} == {"one"}
    poor, wealthy = (effect_at(rows, "leave", recurring_fen=bill) for bill in (3500, 8500))
    assert poor == pytest.approx(wealthy, abs=0.02)
    assert 0.01 < wealthy < 0.08


def test_the_card_says_how_each_learner_ranked_and_which_have_a_say(tmp_path: Path) -> None:
    measured(engines.start("duckdb"), tmp_path, Pilot(6000, held=0.6, seed=2), policy_with("care"))
    rows = [row for row in pq.read_table(tmp_path / "learners.parquet").to_pylist() if row["outcome"] == "leave"]
    said = {row["learner"]: row for row in rows}
    assert set(said) == set(LEARNERS)
    assert said["plain"]["qini"] > 2 * said["plain"]["error"] > 0, "who is at risk responds more"
    assert said["plain"]["chosen"]
    assert all((row["kept"] is None) != row["chosen"] for row in rows)


def test_two_offers_against_one_group_left_alone_are_each_told_by_whom_they_suit(tmp_path: Path) -> None:
    """Care pleases those of small bills, gift those of large ones; neither is good for the others."""
    pilot = Pilot(9000, seed=6)
    rng, rich = np.random.default_rng(7), pilot.bill > 6000
    gift = pilot.treated & (rng.random(9000) < 0.5)
    pilot.offer_of = {c: "gift" if gift[c - 1] else "care" if pilot.treated[c - 1] else "*" for c in pilot.ids}
    pilot.after = pilot.after + 2 * np.where(pilot.treated, np.where(gift == rich, 300, -300), 0)
    rows = measured(engines.start("duckdb"), tmp_path, pilot, policy_with("care", "gift"))
    for offer_id, suits, not_suits in (("care", 3500, 8500), ("gift", 8500, 3500)):
        mine = [row for row in rows if row["offer_id"] == offer_id]
        assert {row["verdict"] for row in mine if row["outcome"] == "margin"} == {"measured"}
        assert effect_at(mine, "margin", recurring_fen=suits) > 150
        assert effect_at(mine, "margin", recurring_fen=not_suits) < -150


def test_answers_of_those_left_alone_or_unknown_do_not_count(tmp_path: Path) -> None:
    pilot = Pilot(2000, extra_fen=300, seed=4)
    rng = np.random.default_rng(1)
    said = np.where(rng.random(2000) < 0.4, "accepted", "refused")
    pilot.answers = [None if dark else str(one) for one, dark in zip(said, rng.random(2000) < 0.5, strict=True)]
    rows = measured(engines.start("duckdb"), tmp_path, pilot, policy_with("care"))
    taken = next(row for row in rows if row["outcome"] == "taken")
    assert taken["mean_effect"] == pytest.approx(0.4, abs=0.06)
    pilot.answers = [None] * 2000
    (tmp_path / "dark").mkdir()
    rows = measured(engines.start("duckdb"), tmp_path / "dark", pilot, policy_with("care"))
    assert next(row for row in rows if row["outcome"] == "taken")["verdict"] == "too_few"


def test_both_engines_find_the_same(engine: Engine, tmp_path: Path) -> None:
    pilot, policy = Pilot(600, held=0.8, extra_fen=300), policy_with("care")
    (tmp_path / "other").mkdir()
    measured(engine, tmp_path, pilot, policy)
    measured(engines.start("duckdb"), tmp_path / "other", pilot, policy)
    paths = [tmp_path / "pilots.parquet", tmp_path / "other" / "pilots.parquet"]
    assert table_hash(paths[:1], PILOTS) == table_hash(paths[1:], PILOTS)


def test_an_offer_that_does_nothing_or_harm_is_not_used(tmp_path: Path) -> None:
    rows = measured(engines.start("duckdb"), tmp_path, Pilot(1200, held=-0.1, extra_fen=-100), policy_with("care"))
    assert [(row["outcome"], row["term"], row["coefficient"]) for row in rows] == [
        ("leave", "intercept", 0.0),
        ("margin", "intercept", 0.0),
        ("taken", "intercept", None),
    ]
    assert [row["verdict"] for row in rows] == ["no_effect", "no_effect", "too_few"]


@pytest.mark.parametrize(("level", "at_most"), [(0.05, 7), (0.0125, 3)])
@pytest.mark.parametrize("answered", [False, True])
def test_an_offer_that_changes_nothing_passes_no_more_often_than_the_level(
    tmp_path: Path, answered: bool, level: float, at_most: int
) -> None:
    """More than ``at_most`` of 60 would come by chance in under one of fifty such tests."""
    engine, alarms = engines.start("duckdb"), 0
    policy = policy_with("care", pilot_level=level)
    for seed in range(60):
        pilot, folder = Pilot(600, seed=seed), tmp_path / str(seed)
        folder.mkdir()
        if answered:
            pilot.answers = ["accepted" if yes else "none" for yes in np.random.default_rng(seed).random(600) < 0.3]
        alarms += measured(engine, folder, pilot, policy)[0]["verdict"] == "measured"
    assert alarms <= at_most


@pytest.mark.parametrize(("n", "verdict"), [(2 * ARM_MIN - 20, "too_few"), (2 * ARM_MIN + 60, "measured")])
def test_a_pilot_of_fewer_than_a_hundred_an_arm_abstains(tmp_path: Path, n: int, verdict: str) -> None:
    rows = measured(engines.start("duckdb"), tmp_path, Pilot(n, extra_fen=1000), policy_with("care"))
    margin = next(row for row in rows if row["outcome"] == "margin")
    assert margin["verdict"] == verdict
    assert (margin["mean_effect"] is None) == (verdict == "too_few")


def test_a_pilot_still_running_or_never_drawn_counts_for_nothing(tmp_path: Path) -> None:
    pilot, policy = Pilot(300), policy_with("care", "gift")
    lake = pilot.lake(tmp_path / "months")
    assert pilot_months(lake, policy, SNAPSHOT) == [DRAWN]
    assert pilot_months(lake, policy, SNAPSHOT + -1) == []
    later = {"experiments": str(SNAPSHOT + 1)}
    unknown = replace(lake, files=tuple(replace(f, holds_from=later.get(f.table, "")) for f in lake.files))
    assert pilot_months(unknown, policy, SNAPSHOT) == []
    assert pilot_months(unknown, policy, SNAPSHOT + 1) == [DRAWN]
    rows = measured(engines.start("duckdb"), tmp_path, pilot, policy, snapshot=SNAPSHOT + -1)
    assert {(row["offer_id"], row["verdict"], row["treated"]) for row in rows} == {
        ("care", "too_few", 0),
        ("gift", "too_few", 0),
    }


def test_lots_that_were_not_kept_to_are_said_to_be_in_doubt(tmp_path: Path) -> None:
    pilot = Pilot(600)
    pilot.treated = np.array(pilot.bill) > np.median(pilot.bill)
    rows = measured(engines.start("duckdb"), tmp_path, pilot, policy_with("care"))
    assert rows[0]["lots_p"] < 0.001


def test_an_offer_that_names_no_pilot_takes_its_latest(tmp_path: Path) -> None:
    assumed = {"source": "assumed", "leave_reduction_share": 0.1}
    policy = small_policy(offers={"offer": [offer("care", assumed), offer("gift", assumed)]})
    rows = measured(engines.start("duckdb"), tmp_path, Pilot(300), policy)
    assert {(row["offer_id"], row["experiment_id"]) for row in rows} == {("care", "pilot-care")}
