"""A month under a tariff: exact to the fen, in the order its file says, and refused where the file is unclear."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.plain_biller import bills
from core.tariff_cast import batch_of, random_customers, random_tariff, tariff_of
from keepline.errors import PolicyError
from keepline.policy.tariff import MOST_PRICE, MOST_USE, Charge, Choice, Tier, read_tariff
from keepline.rating.billing import amount, bill, parted
from keepline.rating.choice import moving

EACH, MANY, FULL = 20, 400, 10_000
HEAD = """version = "1"
valid_from = 2026-11-01
id = "family"
name = { zh = "家庭", en = "family" }
"""


def agreeing(tariffs: int, *, seed: int) -> tuple[int, int]:
    """Months billed, and those on which the plain biller says another fen."""
    dice, months, different = random.Random(seed), 0, 0
    for _ in range(tariffs):
        said = random_tariff(dice)
        customers = random_customers(dice, EACH, said)
        wanted = bills(said, customers)
        made = bill(tariff_of(said), batch_of(said, customers))
        found = dict(zip(made["customer_id"].to_pylist(), made["after_fen"].to_pylist(), strict=True))
        months += len(found)
        different += sum(found[who] != fen for who, fen in wanted.items())
    return months, different


def test_random_tariffs_bill_random_customers_to_the_fen_as_a_plain_biller_does() -> None:
    assert agreeing(MANY, seed=1) == (MANY * EACH, 0)


@pytest.mark.full
def test_ten_thousand_random_tariffs_bill_to_the_fen(found: Callable[..., None]) -> None:
    months, different = agreeing(FULL, seed=2)
    found(
        "10,000 random tariffs: bills that differ from a plain biller's",
        f"{different} of {months:,}",
        demand="0",
        source="a biller of fractions, one customer after the other, in tests/core/plain_biller.py",
    )
    assert different == 0


def ints(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


def fen(charge: Charge, *use: int, customers: int = 1, lines: int = 1) -> list[int]:
    return list(amount(charge, use=ints(*use), customers=customers, lines=ints(*[lines] * len(use))))


def test_a_begun_step_counts_whole_and_the_allowance_comes_off_first() -> None:
    charge = Charge(use="voice", included=600, step=60, per=60, tiers=(Tier(fen=15),))
    assert fen(charge, 0, 600, 601, 660, 661) == [0, 0, 15, 15, 30]


def test_tiers_price_each_part_or_all_of_the_use() -> None:
    tiers = (Tier(fen=10), Tier(above=100, fen=5))
    assert fen(Charge(use="data", tiers=tiers), 100, 101, 200) == [1000, 1005, 1500]
    assert fen(Charge(use="data", tiers=tiers, tiering="whole"), 100, 101, 200) == [1000, 505, 1000]


def test_half_a_fen_goes_where_the_file_says() -> None:
    for rounding, wanted in (("half_up", [0, 1, 1]), ("up", [1, 1, 1]), ("down", [0, 0, 0])):
        charge = Charge(use="data", per=10, tiers=(Tier(fen=1),), rounding=rounding)
        assert fen(charge, 4, 5, 9) == wanted


def test_a_cap_grows_with_the_lines() -> None:
    charge = Charge(use="data", tiers=(Tier(fen=10),), cap_fen=100, cap_line_fen=50)
    assert fen(charge, 5, 50, lines=2) == [50, 200]


def test_the_largest_use_and_price_there_may_be_are_exact() -> None:
    charge = Charge(use="data", per=7, tiers=(Tier(fen=MOST_PRICE),), rounding="up")
    assert fen(charge, MOST_USE) == [-(-MOST_USE * MOST_PRICE // 7)]


def test_the_parts_of_a_shared_charge_add_up_to_it() -> None:
    dice = np.random.default_rng(3)
    own = dice.integers(0, 10**9, 40)
    whole = ints(*[10**9 + 7] * 40)
    parts = parted(whole, use=ints(*[int(own.sum())] * 40), upto=np.cumsum(own), own=own)
    assert parts.sum() == 10**9 + 7
    assert np.abs(parts - (10**9 + 7) * own / own.sum()).max() <= 1


def test_who_saves_less_than_inertia_stays() -> None:
    likely, least, most = moving(Choice(), np.array([0.0, 400.0, 600.0, 1000.0, 1001.0, 2001.0]))
    assert list(likely) == [0, 0, 0, 0, 1, 1]
    assert list(least) == [0, 0, 0, 0, 0, 1]
    assert list(most) == [0, 0, 1, 1, 1, 1]


def test_a_gradual_choice_is_a_logit_about_the_inertia() -> None:
    choice = Choice(spread_fen=500, considering=0.6, considering_low=0.4, considering_high=0.8)
    likely, least, most = moving(choice, np.array([1000.0, 1000.0 + 500 * np.log(3)]))
    assert likely == pytest.approx([0.3, 0.45])
    assert (least < likely).all()
    assert (likely < most).all()


@pytest.mark.parametrize(
    ("said", "where", "zh"),
    [
        ("base_fee = 1", "base_fee", "没有这一项"),
        ("", "charges nothing", "没有任何收费"),
        ("base_fen = 9.5", "base_fen", "应为整数"),
        ('[[charge]]\nuse = "data"\ntiers = [{ above = 5, fen = 1 }]', "first begins above 0", "第一档须自 0 起"),
        ('[[charge]]\nuse = "dta"\ntiers = [{ fen = 1 }]', "charge.0.use", "只能是"),
        ('[[charge]]\nuse = "roaming"\nshared = "organisation"\ntiers = [{ fen = 1 }]', "shared", "不能由同一单位"),
        (
            '[[charge]]\nuse = "voice"\ntiers = [{ fen = 1 }]\n[[charge]]\nuse = "voice_onnet"\ntiers = [{ fen = 1 }]',
            "not both",
            "请只写 voice",
        ),
        ('base_fen = 1\nreplaces = ["recurring", "recuring"]', "replaces.1", "只能是"),
        ("base_fen = 1\n[choice]\ninertia_low_fen = 3000", "at most the likely", "不得大于中间值"),
        (
            'base_fen = 1\neligible = [{ feature = "kind", one_of = ["person"] }]\n[[charge]]\nuse = "data"\n'
            'shared = "organisation"\ntiers = [{ fen = 1 }]',
            "leave one out",
            "请删去其中之一",
        ),
    ],
)
def test_an_unclear_tariff_is_refused_with_its_place_in_both_languages(
    said: str, where: str, zh: str, tmp_path: Path
) -> None:
    file = tmp_path / "tariff.toml"
    file.write_text(HEAD + said, encoding="utf-8")
    with pytest.raises(PolicyError) as refused:
        read_tariff(file)
    assert where in refused.value.en
    assert zh in refused.value.zh
    assert str(file) in refused.value.zh
