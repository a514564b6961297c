"""Numbers and sentences read as people of both languages read them, and only what is known is said."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from core.small_manifest import figures_of, manifest
from core.small_publication import publish, write_parts
from keepline import engine as engines
from keepline.report.card import card_figures, estimate, judgement_figures, wilson
from keepline.report.findings import FINDERS, excluded, findings
from keepline.report.means import limit_figures
from keepline.report.numbers import EMPTY, Money, count, decimal, percent, short_count
from keepline.report.page import render
from keepline.report.past import verdict_words
from keepline.report.phrases import district, hardest, in_words, worth
from keepline.report.pictures.niches import niches
from keepline.report.pictures.pricing import pricing
from keepline.report.pricing import price_figures
from keepline.report.quality import quality_figures
from keepline.report.reasons import reason_words
from keepline.report.tally import Shelf
from keepline.report.words import both

Figures = dict[str, Any]
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    duck = engines.start("duckdb")
    made = figures_of(duck, publish(tmp_path_factory.mktemp("publication"), customers=300), manifest())
    duck.close()
    return made


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (None, EMPTY, EMPTY),
        (0, "0", "0"),
        (999, "999", "999"),
        (1000, "1,000", "1,000"),
        (9999, "9,999", "9,999"),
        (10_000, "1万", "10K"),
        (3_562_000, "356.2万", "3.56M"),
        (170_123_456, "1.7亿", "170.12M"),
    ],
)
def test_large_counts_are_in_wan_and_yi_or_k_and_m(value: int | None, zh: str, en: str) -> None:
    assert short_count(value) == {"zh": zh, "en": en}


@pytest.mark.parametrize(
    ("fen", "zh", "en"),
    [
        (None, EMPTY, EMPTY),
        (710, "7.10元", "¥7.10"),
        (-700, "-7元", "-\u2060¥7"),
        (123_456, "1,235元", "¥1,235"),
        (1_234_567, "1.23万元", "¥12.35K"),
        (9_870_000_00, "987万元", "¥9.87M"),
    ],
)
def test_money_is_short_in_sentences(fen: int | None, zh: str, en: str) -> None:
    assert Money("CNY").short(fen) == {"zh": zh, "en": en}


def test_money_is_exact_in_tables_and_carries_its_currency() -> None:
    assert Money("CNY").exact(12_345_678) == "¥123,457"
    assert Money("CNY").exact(-90, 2) == "-\u2060¥0.90"
    assert Money("CNY").exact(-1) == "¥0"
    assert Money("THB").exact(100_00) == "THB 100"
    assert Money("THB").short(50_00) == {"zh": "50THB", "en": "THB 50"}


def test_what_is_not_known_is_never_a_zero() -> None:
    assert {count(None), percent(None), decimal(None), Money("CNY").exact(None)} == {EMPTY}


def test_halves_round_away_from_zero_as_people_round() -> None:
    assert (percent(0.0125), percent(-0.0125), decimal(2.675), count(-0.4)) == ("1.3%", "-1.3%", "2.68", "0")


def test_there_are_five_findings_each_in_two_languages(shown: Figures) -> None:
    said = shown["findings"]
    assert len(said) == 5
    assert len({finding["id"] for finding in said}) == 5
    for finding in said:
        assert HAN.search(finding["zh"])
        assert not HAN.search(finding["en"])
        assert re.search(r"\d", finding["en"])


def without(figures: Figures, **changes: Any) -> set[str]:
    """Ids of the findings when parts of the figures are other than they were."""
    changed = copy.deepcopy(figures)
    for place, value in changes.items():
        changed[place] = value
    return {finding["id"] for finding in findings(changed)}


def test_a_finding_that_is_not_supported_is_dropped(shown: Figures) -> None:
    assert "effect" not in without(shown, effects=[])
    assert "limit" not in without(shown, limits=[row | {"shadow_price": 0.0} for row in shown["limits"]])
    nobody = shown["plan"] | {"customers": 0}
    assert "plan" not in without(shown, plan=nobody)
    oversampled = shown["head"] | {"oversampled": True, "true_monthly_rate": None}
    assert "leaving" not in without(shown, head=oversampled)


def test_no_finding_speaks_of_running_pilots_since_the_workbench_shows_findings(shown: Figures) -> None:
    funnel = {"base": 100, "steps": [{"state": "in_pilot", "customers": 60}, {"state": "no_consent", "customers": 9}]}
    said = excluded(shown | {"funnel": funnel}, Money("CNY"))
    assert said is not None
    assert "9" in said["en"]
    assert "pilot" not in said["en"]


def test_every_finder_stays_silent_without_figures(shown: Figures) -> None:
    nothing = {
        "head": shown["head"],
        "concentration": [row | {"tops": []} for row in shown["concentration"]],
        "moves": {"judged_before": False, "flows": []},
        "leaving": {"bands": [], "reasons": [], "expected": {"leave": {"known": 0, "customers": None}}},
        "plan": {"customers": 0, "managers": []},
        "limits": [],
        "effects": [],
        "funnel": {"base": 0, "steps": []},
    }
    assert [find(nothing, Money("CNY")) for find in FINDERS] == [None] * len(FINDERS)


def test_a_plan_that_rests_on_assumptions_says_so(shown: Figures) -> None:
    changed = copy.deepcopy(shown)
    for offer in changed["plan"]["offers"]:
        offer["assumed"] = True
    said = next(finding for finding in findings(changed) if finding["id"] == "plan")
    assert "所用效果均为假设" in said["zh"]
    assert "every effect in it is assumed" in said["en"]


def test_the_limit_that_holds_the_plan_back_most_is_told(shown: Figures) -> None:
    assert hardest([row | {"shadow_price": 0.0} for row in shown["limits"]]) is None
    row = hardest(shown["limits"])
    assert row is not None
    number, said = worth(row, Money("CNY"))
    assert number == {"zh": "310元", "en": "¥310"}
    assert said["en"] == "One more visit hour in district D4 is worth ¥310"


@pytest.mark.parametrize(
    ("row", "en"),
    [
        ({"verdict": "no_delivery"}, "no record that the plan of 2014-08 was carried out"),
        ({"verdict": "too_few", "treated": 22, "held_out": 3, "needed": 412}, "about 412 are needed in each arm"),
        ({"verdict": "too_few", "treated": None, "held_out": None, "needed": None}, "too few"),
        ({"verdict": "window_open"}, "still open"),
        ({"verdict": "measured", "low": -1.0, "high": 2.0}, "not yet told apart from zero"),
        ({"verdict": "measured", "low": 1.0, "high": 2.0}, "better than those left alone"),
        ({"verdict": "measured", "low": -2.0, "high": -1.0}, "worse than those left alone"),
    ],
)
def test_a_verdict_is_spelled_out(row: dict[str, Any], en: str) -> None:
    said = verdict_words({"plan_month": "2014-08"} | row)
    assert en in said["en"]
    assert HAN.search(said["zh"])


def test_reasons_are_sentences_of_the_card_or_stand_for_themselves() -> None:
    card = {"falling_use": {"zh": "用量下降", "en": "use has fallen"}}
    assert reason_words("falling_use", card)["en"] == "use has fallen"
    assert "家庭号" in reason_words("own:家庭号", card)["en"]
    assert reason_words("tenure_months", card)["zh"] == "网龄"
    assert reason_words("quite_new", card) == {"zh": "quite_new", "en": "quite_new"}
    assert reason_words(None, card)["en"] == "no single reason stands out"


def test_an_empty_card_is_no_model_and_a_figure_without_an_interval_has_none() -> None:
    assert card_figures({})["models"] == []
    assert judgement_figures([]) == []
    assert estimate(0.07) == {"value": 0.07, "low": None, "high": None}
    assert estimate(None) is None


def test_wilsons_interval_is_the_published_one() -> None:
    low, high = wilson(0.1, 50, level=0.95)  # Newcombe 1998, Statistics in Medicine 17:857, method 3
    assert (round(low, 4), round(high, 4)) == (0.0435, 0.2136)


def test_the_share_who_take_an_offer_is_a_percentage(shown: Figures) -> None:
    assert "8.1% [6.6%, 9.6%]" in render(shown)


def test_a_model_that_was_refused_says_why_on_the_page(shown: Figures) -> None:
    page = render(shown)
    assert "No model of downgrade: only 21 events; at least 30 are needed" in page
    assert "only events" not in page


def test_simulated_data_say_so_and_real_data_do_not(shown: Figures) -> None:
    assert "模拟数据 Simulated data" in render(shown)
    real = shown | {"head": shown["head"] | {"simulated": False}}
    assert "模拟数据" not in render(real)


def test_over_sampled_leavers_are_said_with_the_rate_that_corrected_them(shown: Figures) -> None:
    head = shown["head"] | {"oversampled": True, "true_monthly_rate": 0.02}
    assert "true monthly rate of 2.00%" in render(shown | {"head": head})
    unknown = shown["head"] | {"oversampled": True, "true_monthly_rate": None}
    assert "probabilities rank customers" in render(shown | {"head": unknown})


def test_a_note_on_the_data_stands_on_the_page_and_is_escaped(shown: Figures) -> None:
    head = shown["head"] | {"data_note": {"zh": "样本<b>放大</b>", "en": "leavers & stayers"}, "name": "</script><i>"}
    page = render(shown | {"head": head})
    assert "样本&lt;b&gt;放大" in page
    assert "leavers &amp; stayers" in page
    assert "</script><i>" not in page


def test_the_page_is_the_same_every_time_and_whole_in_both_languages(shown: Figures) -> None:
    page = render(shown)
    assert page == render(copy.deepcopy(shown))
    body = page[page.index("<body>") : page.index('<script type="application/json"')]
    for text in re.findall(r'<span lang="en">([^<]*)</span>', body):
        assert text == "中文" or not HAN.search(text), text


def test_the_page_asks_nothing_of_any_network(shown: Figures) -> None:
    page = render(shown)
    assert "default-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    assert "@import" not in page
    assert "url(" not in page[: page.index("</style>")]


def test_a_years_files_of_one_kind_are_one_line_and_those_with_rows_set_aside_are_named(shown: Figures) -> None:
    told = {"mapping": "bills", "read": 10}
    rows = [told | {"path": f"in/bills-{i}.csv", "loaded": 10 - i, "set_aside": i} for i in (0, 1, 2)]
    found = quality_figures({"intake": rows}, shown["base"])
    (line,) = found["intake"]
    assert (line["source"], line["files"], line["read"], line["set_aside"]) == ("bills", 3, 30, 3)
    assert line["unchanged"] is None
    assert [row["file"] for row in found["aside"]] == ["bills-1.csv", "bills-2.csv"]


def test_hours_are_told_by_manager_where_no_district_is_known() -> None:
    said = {"limit": "manager:M7", "unit": "minutes", "price_unit": "fen/minute", "shadow_price": 5.5}
    (row,) = limit_figures({"limits": [said | {"available": 60, "used": 60}]})
    assert worth(row, Money("CNY"))[1]["en"] == "One more visit hour of manager M7 is worth ¥3.30"
    assert (row["share"], row["shadow_price"]) == (1.0, 330.0)


def test_each_limit_is_told_in_plain_words_and_one_that_does_not_bind_earns_nothing(shown: Figures) -> None:
    money, rows = Money("CNY"), {row["limit"]: row for row in shown["limits"]}
    said = in_words(rows["channel:sms"], money)
    assert said["en"] == "One more contact by SMS is worth ¥2.12; a tenth more earns at most ¥12.72"
    assert said["zh"] == "短信每多一次触达，值 2.12元；多一成，至多多得 12.72元"
    assert rows["hours:D4"]["tenth_fen"] == 186_000, "six hours more at 310 yuan"
    assert rows["money"]["tenth_fen"] == 137_000
    free = in_words(rows["channel:app"], money)
    assert free == both(
        "手机应用触达次数（尚余 459），多了也不会多得", "More of contacts by app (459 left) would earn nothing"
    )
    assert rows["channel:app"]["tenth_fen"] == 0


@pytest.mark.parametrize("change", [{"available": 0, "used": 0}, {"shadow_price": None}])
def test_where_a_limit_has_nothing_or_no_price_what_more_would_earn_is_not_told(change: dict[str, Any]) -> None:
    said = {"limit": "channel:app", "unit": "contacts", "zh": "手机应用触达次数", "en": "contacts by app"}
    row = {"shadow_price": 0.0, "available": 500, "used": 41} | change
    (told,) = limit_figures({"limits": [said | row]})
    assert told["tenth_fen"] is None
    assert in_words(told, Money("CNY"))["en"] == "What more of contacts by app would earn cannot be told"


def test_a_limit_of_which_there_is_nothing_is_told_once_though_it_has_a_price(shown: Figures) -> None:
    rows = [row | ({"available": 0, "used": 0} if row["limit"] == "channel:sms" else {}) for row in shown["limits"]]
    assert render(shown | {"limits": rows}).count("What more of contacts by SMS would earn cannot be told") == 1


def test_the_page_says_of_every_limit_what_more_of_it_would_earn(shown: Figures) -> None:
    page = render(shown)
    assert "a tenth more earns at most ¥12.72" in page
    assert "More of these would earn nothing: contacts by app (459 left)" in page
    assert "这些多了也不会多得：手机应用触达次数（尚余 459）" in page


@pytest.mark.parametrize(("name", "zh"), [("4", "区县 4 "), ("城东区", "城东区"), (None, "区县不详处")])
def test_a_district_is_named_as_people_name_it(name: str | None, zh: str) -> None:
    assert district(name)["zh"] == zh


def test_what_a_version_before_published_can_be_shown_again(shown: Figures) -> None:
    lately = ("looks", "drivers", "niches", "circles", "price", "drift", "past")
    old = {name: value for name, value in shown.items() if name not in lately}
    plan = {
        name: value
        for name, value in shown["plan"].items()
        if name not in ("held_out", "unsure", "gain_low_fen", "gain_high_fen")
    }
    page = render(old | {"plan": plan})
    assert "这个账期没有寻找细分客户群" in page
    assert "没有报价记录" in page


def test_customers_are_counted_by_their_answer_to_price_as_far_as_the_whole_interval_says_it(tmp_path: Path) -> None:
    said = [(-2.0, -2.5, -1.5), (-0.9, -1.2, -0.7), (-0.2, -0.4, -0.1), (-1.0, -2.0, 0.1), (None, None, None)]
    rows = {"customer_id": list(range(1, 6)), "month": ["2026-10"] * 5}
    rows |= {name: [one[place] for one in said] for place, name in enumerate(("elasticity", "low", "high"))}
    write_parts(tmp_path / "price_sensitivity", "price_sensitivity", rows)
    quotes = {"mean": -1.4, "mean_error": 0.2, "by_lot": 30, "aimed": 5, "left_out": 1}
    duck = engines.start("duckdb")
    figures = price_figures(Shelf(duck, tmp_path), quotes)
    duck.close()
    assert figures is not None
    assert [(row["strength"], row["customers"]) for row in figures["rows"]] == [
        ("strong", 1), ("middling", 1), ("weak", 1), ("unsure", 1), ("unknown", 1)
    ]  # fmt: skip
    head = {"month": "2026-10", "currency": "CNY"}
    (block,) = pricing({"price": figures, "head": head})["blocks"]
    assert "30 quotes by lot" in block["note"]["en"]
    assert "changes what is bought by -1.40% (90% interval -1.73% to -1.07%). From" in block["note"]["en"]
    assert "购买变化 -1.40%（90% 区间 -1.73% 至 -1.07%）。依据" in block["note"]["zh"]
    unknown = pricing({"price": figures | {"quotes": quotes | {"mean": None, "mean_error": None}}, "head": head})
    assert "The mean answer is not known. From 30" in unknown["blocks"][0]["note"]["en"]


def test_a_niche_is_told_with_units_and_in_words() -> None:
    row = {"niche": 1, "place": 1, "trait_1": "tenure_months", "value_1": "24-59", "trait_2": "age_years",
           "value_2": "60+", "customers": 205, "margin_fen": 1_351_327, "behaviour": "data_3m_kb", "difference": 1.3,
           "low": 1.1, "high": 1.5, "times": 2.7}  # fmt: skip
    coded = {"trait_1": "preferred_channel", "value_1": "sms", "trait_2": "own:tower", "value_2": "T7", "niche": 2}
    said = {"too_few": False, "customers": 900, "groups": 40, "found": [row, row | coded]}
    (block,) = niches({"niches": said, "head": {"month": "2026-10"}}, Money("CNY"))["blocks"]
    assert [line[0]["zh"] for line in block["rows"]] == [
        "网龄：24 至 59 个月，年龄：60 岁及以上", "偏好渠道：短信，自有信息“tower”：T7"
    ]  # fmt: skip
    assert [line[0]["en"] for line in block["rows"]] == [
        "months since the first line: 24 to 59 months, age of a person: 60 years or more",
        "channel chosen: SMS, own fact “tower”: T7",
    ]
