"""One customer is explained in both languages, and people who sell cannot tell who is held out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path

import pytest
from decisions_cast import MONTH, Row, Stage, features_of, policy_with, stage, write

from keepline import engine as engines
from keepline.decisions import words
from keepline.decisions.checks import RULES
from keepline.decisions.drivers import DriverSeen
from keepline.decisions.explain import Explainer, Explanation
from keepline.engine import Engine
from keepline.holdout import is_held_out
from keepline.tables import CHANNELS, STATES

SALT, SHARE = "lot", 0.3
DRAWN = [i for i in range(50_010, 50_400) if is_held_out(i, salt=SALT, share=SHARE)]
OTHERS = [i for i in range(50_010, 50_400) if not is_held_out(i, salt=SALT, share=SHARE)]
SCORED = {"loyalty": "wavering", "loyalty_kind": "price", "risk_band": "high", "reason_1": "complaints",
          "value_low_fen": 80_000, "value_high_fen": 120_000, "persistence_fen": 90_000, "growth_fen": 6_000,
          "word_of_mouth_fen": 4_000, "stay_1m": 0.94, "stay_3m": 0.8, "stay_12m": 0.55}  # fmt: skip
CLASS = {"class": "key", "previous_class": "potential", "move": "up", "rule": "fee", "reason_zh": "月租高",
         "reason_en": "high fee", "month": str(MONTH)}  # fmt: skip
REASONS = {"complaints": {"zh": "近一年有投诉", "en": "complained within the last twelve months"}}


def published(
    engine: Engine, root: Path, people: list[Row], *, managers: Sequence[Row] = (), **limits: object
) -> Stage:
    """A folder as a publication has it; the manifest holds what explain reads."""
    policy = policy_with(limits={"held_out_salt": SALT, "held_out_share": SHARE} | limits)
    made = stage(engine, root, [SCORED | row for row in people], policy=policy, managers=managers)
    made.build()
    manifest = {"plan": made.decide(), "model_card": {"words": {"reasons": REASONS}}}
    (root / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    write(
        root / "classes" / "part-00000.parquet", "classes", [CLASS | {"customer_id": r["customer_id"]} for r in people]
    )
    return made


def explained(made: Stage, who: int) -> Explanation:
    found = Explainer(made.root, month=MONTH, policy=made.policy).explain(who)
    assert found is not None
    return found


@pytest.fixture
def duck(tmp_path: Path) -> Engine:
    return engines.start("duckdb", spill=tmp_path / "spill")


@pytest.fixture
def made(duck: Engine, tmp_path: Path) -> Stage:
    """Alike in all but the id; two contacts go round. One who would gain more is held out."""
    alike = [features_of(who) for who in (*OTHERS[:6], *DRAWN[:3])]
    odd = [features_of(1, consent=None), features_of(2, kind="organisation")]
    return published(duck, tmp_path / "site", [*odd, *alike], channel_contacts={"sms": 2}, money_fen=10**6)


def test_people_who_sell_read_the_same_of_held_out_and_below_the_cut(duck: Engine, tmp_path: Path) -> None:
    """Even when the held-out customer would gain more, and the prices would choose them."""
    low = [features_of(who) for who in OTHERS[:4]]
    rich = [features_of(DRAWN[0], value_fen=100_000, leave_probability=0.4)]
    made = published(duck, tmp_path / "site", [*low, *rich], channel_contacts={"sms": 2}, money_fen=10**6)
    rows = made.by_customer("decisions")
    held_out, below = DRAWN[0], next(who for who, row in rows.items() if row["state"] == "below_cut")
    assert rows[held_out]["state"] == "held_out"
    one, other = explained(made, held_out), explained(made, below)
    for lang in ("zh", "en"):
        assert one.text(lang, "seller").replace(str(held_out), "") == other.text(lang, "seller").replace(str(below), "")
        assert one.text(lang, "analyst").replace(str(held_out), "") != other.text(lang, "analyst")
    dicts = [e.to_dict("seller") | {"customer_id": 0} for e in (one, other)]
    assert dicts[0] == dicts[1]
    assert "held_out" not in json.dumps(dicts)
    assert "对照" not in one.text("zh", "seller")


def test_people_who_sell_do_not_read_who_is_in_a_running_pilot(duck: Engine, tmp_path: Path) -> None:
    """Whoever is in it and on no list to be treated is left alone by it, and must stay so."""
    people = [features_of(who) for who in OTHERS[:4]] + [features_of(OTHERS[9], months_since_lots=1)]
    made = published(duck, tmp_path / "site", people, channel_contacts={"sms": 2}, money_fen=10**6)
    below = next(who for who, row in made.by_customer("decisions").items() if row["state"] == "below_cut")
    one, other = explained(made, OTHERS[9]), explained(made, below)
    assert one.decision["state"] == "in_pilot"
    for lang in ("zh", "en"):
        assert one.text(lang, "seller").replace(str(OTHERS[9]), "") == other.text(lang, "seller").replace(
            str(below), ""
        )
    assert one.to_dict("seller") | {"customer_id": 0} == other.to_dict("seller") | {"customer_id": 0}
    assert "结果：试点观察中：所参加的试点尚在观察期内" in one.text("zh", "analyst")
    assert "in a running pilot: takes part in a pilot that is still being measured" in one.text("en", "analyst")
    assert words.PILOT_RUNNING in one.offers[0].obstacles


def test_who_is_in_a_pilot_and_would_be_in_no_plan_without_it_reads_so(duck: Engine, tmp_path: Path) -> None:
    """Below the cut would be impossible for them, and so would tell of the pilot."""
    facts: dict[int, Row] = {
        60_001: {"kind": "organisation"},  # the visit alone suits, and there is no manager
        60_003: {"value_fen": None},
        60_005: {"kind": "organisation", "manager_id": "M2"},
    }
    people = [features_of(who, **said) for who, said in facts.items()]
    people += [features_of(who + 1, months_since_lots=1, **said) for who, said in facts.items()]
    managers = [{"manager_id": "M2", "month": "2026-09", "district": "D2", "visit_minutes": 600, "authority_fen": 100}]
    made = published(duck, tmp_path / "site", [*people, *(features_of(who) for who in OTHERS[:4])], managers=managers)
    rows = made.by_customer("decisions")
    for outside in facts:
        one, other = explained(made, outside + 1), explained(made, outside)
        assert one.decision["state"] == "in_pilot"
        assert one.decision["reason"] in words.WITHOUT_PILOT
        assert rows[outside]["state"] != "in_pilot"
        for lang in ("zh", "en"):
            said = [each.text(lang, "seller").replace(str(each.customer_id), "") for each in (one, other)]
            assert said[0] == said[1]
        assert one.to_dict("seller") | {"customer_id": 0} == other.to_dict("seller") | {"customer_id": 0}
        assert "试点" in one.text("zh", "analyst")


def test_the_workbench_reads_the_same_states_of_them() -> None:
    text = resources.files("keepline.front").joinpath("accounts.sql").read_text(encoding="utf-8")
    cases = re.findall(r"d\.reason (?:IN \(([^)]*)\)|= ('[^']*')) THEN '(\w+)'", text)
    told = {code: state for many, one, state in cases for code in re.findall(r"'(\w+)'", many or one)}
    assert told == {reason: state for reason, (state, _) in words.WITHOUT_PILOT.items()}


def test_the_analyst_reads_the_arm_and_what_the_prices_chose(made: Stage) -> None:
    rows = made.by_customer("decisions")
    held = [who for who, row in rows.items() if row["state"] == "held_out"]
    treated = next(who for who, row in rows.items() if row["state"] == "treated")
    for who in held[:1]:
        assert "组别：对照组；按价选中：流量礼包" in explained(made, who).text("zh", "analyst")
    told = explained(made, treated)
    assert "in the plan" in told.text("en", "analyst")
    assert told.to_dict("analyst")["arm"] == "treated"
    assert "to do: data gift" in told.text("en", "seller")


OTHER: Row = {
    "class": "important", "previous_class": "ordinary", "loyalty": "loyal", "loyalty_kind": "inertia",
    "risk_band": "low", "state": "no_gain", "reason": "gain_not_positive", "channel": "letter",
    "kind": "organisation", "offer_id": "visit", "star_rating": "5", "basis": "segment", "arm": "held_out",
}  # fmt: skip
CIRCLE: Row = {
    "circle": 3, "circle_size": 40, "ties": 5, "influence": 2.5, "influence_rank": 7, "rank_in_circle": 2,
    "circle_callers": 6, "circles_reached": 4, "spread": 0.4, "leader": False, "gatekeeper": True, "circle_left_3m": 2,
    "leader_left_3m": False, "brought_12m": 1,
}  # fmt: skip
PRICE: Row = {"segment": "person/low/old", "basis": "own", "elasticity": -0.7, "low": -0.9, "high": -0.6, "quotes": 8}
QUOTES: Row = {"by_lot": 4000, "aimed": 700, "left_out": 12, "mean": -1.2}


def another(name: str, value: object) -> object:
    """Another value of a field, far enough away to read otherwise."""
    if name in OTHER:
        return OTHER[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}-other"
    return 2 * value + 123_456 if isinstance(value, int | float) else 123_456


def variants(found: Explanation) -> dict[str, Explanation]:
    """The explanation with one fact changed, by the fact's name; whom it is about and of what month is told anyhow."""
    made = {}
    for part in ("features", "scores", "classes", "decision", "price", "quotes", "circle"):
        row: Row = getattr(found, part)
        for name in row.keys() - {"customer_id", "month"}:
            if name == "channel" and row["offer_id"] is None:  # null exactly when nothing is to be done
                continue
            changed = {part: row | {name: another(name, row[name])}}
            if name == "manager_id":  # one fact, on two rows
                changed = {each: getattr(found, each) | {name: "M9"} for each in ("features", "decision")}
            made[f"{part}.{name}"] = replace(found, **changed)
    first, *rest = found.offers
    for one in fields(first):
        value = getattr(first, one.name)
        new = (words.NEEDS["consent"],) if one.name == "obstacles" else another(one.name, value)
        new = words.Words("别名", "another name") if one.name == "name" else new
        both = {
            name: new for name in ("gain_low_fen", "gain_high_fen") if one.name in ("gain_low_fen", "gain_high_fen")
        }
        if one.name != "offer_id":  # an id for machines; people read the name
            made[f"offers.{one.name}"] = replace(found, offers=(replace(first, **(both or {one.name: new})), *rest))
    made["drivers"] = replace(found, drivers=(DriverSeen("quality", 0.4, 1.0, ("satisfaction",), ()),))
    made["risks"] = replace(found, risks=(words.NEEDS["effect"],))
    made["interval"] = replace(found, interval=0.5)
    return made


def test_people_who_sell_read_in_sentences_what_a_program_reads_and_nothing_else(made: Stage) -> None:
    treated = next(who for who, row in made.by_customer("decisions").items() if row["state"] == "treated")
    for who in (treated, 1):
        found = replace(explained(made, who), price=PRICE, quotes=QUOTES, circle=CIRCLE)
        text, told = [found.text(lang, "seller") for lang in ("zh", "en")], found.to_dict("seller")
        seen = {
            name: ([one.text(lang, "seller") for lang in ("zh", "en")] != text, one.to_dict("seller") != told)
            for name, one in variants(found).items()
        }
        assert {name: differs for name, differs in seen.items() if differs[0] != differs[1]} == {}
        shown = {name for name, differs in seen.items() if differs[0]}
        assert {"scores.value_fen", "scores.loyalty_kind", "classes.previous_class"} <= shown
        assert {"scores.leave_probability", "scores.stay_3m", "drivers", "decision.arm", "circle.spread"}.isdisjoint(
            shown
        )


def test_it_tells_class_value_loyalty_and_risk_with_reasons(made: Stage) -> None:
    found = explained(made, OTHERS[0])
    zh, en = found.text("zh"), found.text("en")
    for said in ("重点大客户（月租高）", "上月潜在大客户", "价值：1,000.00 元（90% 区间 800.00 至 1,200.00）",
                 "游离客户", "价格", "概率 20.0%", "近一年有投诉", "效果为假设"):  # fmt: skip
        assert said in zh
    for said in ("key account (high fee)", "word of mouth 40.00", "wavering", "complained within", "effect assumed"):
        assert said in en


def test_it_tells_analysts_when_a_customer_may_leave(made: Stage) -> None:
    found = explained(made, OTHERS[0])
    assert "仍在网的概率：1 个月后 94.0%、3 个月后 80.0%、12 个月后 55.0%" in found.text("zh")
    assert "chance to be here still: 94.0% after 1 month, 80.0% after 3 months, 55.0%" in found.text("en")
    assert "here still" not in found.text("en", "seller")


def test_it_tells_which_condition_failed_and_what_is_known_instead(made: Stage) -> None:
    gift, visit = explained(made, 2).offers
    assert gift.obstacles[0].zh == "要求客户类型属于个人，现为单位"
    assert gift.obstacles[0].en == "asks for person or organisation to be one of person; it is organisation"
    assert visit.obstacles[0] == words.NEEDS["manager"]
    refused = explained(made, 1)
    assert words.NEEDS["consent"] in refused.offers[0].obstacles
    assert words.REASONS["consent_unknown"].en in refused.text("en", "seller")


def test_the_price_of_the_means_is_taken_off_the_gain(made: Stage) -> None:
    rows = made.by_customer("decisions")
    below = next(who for who, row in rows.items() if row["state"] == "below_cut")
    gift = explained(made, below).offers[0]
    assert gift.gain_fen is not None
    assert gift.left_fen is not None
    assert gift.left_fen <= 0 < gift.gain_fen


def test_a_customer_outside_the_base_has_no_explanation(made: Stage) -> None:
    explainer = Explainer(made.root, month=MONTH, policy=made.policy)
    assert [explainer.explain(who) for who in (987_654, 0, -1, 1 << 62, 1 << 70)] == [None] * 5


def test_every_word_is_there_in_both_languages() -> None:
    assert set(words.STATES) == set(STATES)
    assert set(words.CHANNELS) == set(CHANNELS)
    for table in (words.STATES, words.REASONS, words.ARMS, words.CHANNELS, words.CLASSES, words.LOYALTY, words.RISKS):
        assert all(said.zh and said.en and said.zh != said.en for said in table.values())
    assert all(len(line.split(" | ")) == 3 for line in RULES.strip().splitlines())
