"""The rule that decides a pilot: its mistakes counted in thousands of pilots, null and true, on realistic margins."""

from __future__ import annotations

import numpy as np
import pytest

from keepline.measurement.statistics import Sums, cuped_error, ratio_p
from keepline.measurement.verdicts import Look, Rule, Wave, looks_at, shares_of

PILOTS = 1_500
RULE = Rule(looks=4, customers=8_000)


def wave(rng: np.random.Generator, effect: float, *, each: int) -> Wave:
    """Margins as skewed as bills are, a wave's arms drawn anew, the time before told."""
    before = rng.gamma(2.0, 20.0, 2 * each)
    after = 0.8 * before + rng.gamma(1.5, 12.0, 2 * each)
    treated = np.arange(2 * each) % 2 == 1
    arms = [sums(after[arm] + effect * is_treated, before[arm]) for arm, is_treated in ((treated, 1), (~treated, 0))]
    found = cuped_error(arms[0], arms[1])
    assert found is not None
    return Wave(each, each, *found)


def sums(y: np.ndarray, x: np.ndarray) -> Sums:
    return Sums(len(y), y.sum(), (y * y).sum(), x.sum(), (x * x).sum(), (x * y).sum())


def pilots(effect: float, rule: Rule, *, each: int = 1_000, seed: int = 1) -> list[list[Look]]:
    rng = np.random.default_rng(seed)
    return [looks_at([wave(rng, effect, each=each) for _ in range(rule.looks)], rule) for _ in range(PILOTS)]


def test_an_idle_offer_is_rolled_out_in_one_pilot_of_twenty_at_most() -> None:
    """A 90 % interval has two sides; only one of them rolls out. Three errors of the simulation are allowed."""
    rolled = np.mean([looks[-1].verdict == "roll_out" for looks in pilots(0.0, RULE, each=250)])
    assert 0.030 < rolled < 0.067


def test_a_good_offer_is_rolled_out_and_mostly_before_the_last_look() -> None:
    looks = pilots(1.5, RULE, each=1_000)
    rolled = [[look.verdict for look in one].index("roll_out") for one in looks if one[-1].verdict == "roll_out"]
    assert len(rolled) / PILOTS > 0.95
    assert np.mean(rolled) < 2.5


def test_a_harmful_offer_is_stopped_early_and_hardly_ever_rolled_out() -> None:
    looks = pilots(-1.5, RULE, each=1_000)
    stopped = [one for one in looks if any(look.verdict == "stop" for look in one[:-1])]
    assert len(stopped) / PILOTS > 0.9
    assert not any(one[-1].verdict == "roll_out" for one in looks)


def test_the_last_look_always_decides() -> None:
    assert {looks[-1].verdict for looks in pilots(0.3, RULE, each=250)} == {"roll_out", "stop"}


def test_all_looks_together_hold_the_truth_nine_times_in_ten() -> None:
    held = [
        all(look.low is not None and look.high is not None and look.low <= 1.0 <= look.high for look in one)
        for one in pilots(1.0, RULE, each=250)
    ]
    assert 0.875 < np.mean(held) < 0.925


def test_what_must_be_worth_having_moves_the_line() -> None:
    rule = Rule(looks=4, customers=8_000, worth=1.5)
    rolled = np.mean([looks[-1].verdict == "roll_out" for looks in pilots(1.5, rule, each=1_000)])
    assert rolled < 0.067


def test_five_idle_offers_against_one_group_are_rolled_out_no_oftener_together() -> None:
    rng, rule, any_rolled = np.random.default_rng(4), Rule(looks=2, customers=4_000, arms=5), 0
    each = 200
    for _ in range(PILOTS):
        means = rng.normal(0, 1 / each**0.5, (2, 6))
        arms = [[Wave(each, each, float(m[arm] - m[0]), (2 / each) ** 0.5) for m in means] for arm in range(1, 6)]
        any_rolled += any(looks_at(waves, rule)[-1].verdict == "roll_out" for waves in arms)
    assert any_rolled / PILOTS < 0.067


def test_a_verdict_once_given_stays() -> None:
    waves = [Wave(1_000, 1_000, 5.0, 0.5), Wave(1_000, 1_000, -9.0, 0.5)]
    assert [look.verdict for look in looks_at(waves, Rule(looks=3, customers=6_000))] == ["roll_out", "roll_out"]


def test_lots_hardly_kept_to_end_every_conclusion() -> None:
    last = looks_at([Wave(1_000, 1_000, 5.0, 0.5)], Rule(looks=2, customers=4_000), lots_chance=0.0005)[-1]
    assert (last.verdict, last.estimate, last.low) == ("lots_in_doubt", None, None)


@pytest.mark.parametrize(("each", "verdict"), [(99, "too_few"), (100, "roll_out")])
def test_fewer_than_a_hundred_in_an_arm_say_nothing(each: int, verdict: str) -> None:
    assert looks_at([Wave(each, each, 50.0, 0.5)], Rule(looks=2, customers=400))[-1].verdict == verdict


def test_a_plan_overrun_before_its_last_look_keeps_something_for_it() -> None:
    waves = [Wave(4_000, 4_000, 0.0, 1.0)] * 3
    assert shares_of(waves, Rule(looks=3, customers=8_000)) == [1 - 2e-6, 1 - 1e-6, 1.0]


def test_customers_missing_from_one_arm_are_found() -> None:
    fair, missing = ratio_p(5_030, 4_970, treated_share=0.5), ratio_p(5_000, 4_600, treated_share=0.5)
    assert fair is not None
    assert missing is not None
    assert fair > 0.1
    assert missing < 0.001
    assert ratio_p(0, 0, treated_share=0.5) is None
