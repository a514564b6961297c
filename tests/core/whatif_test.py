"""What a segment and a change in it are worth: equal to valuing everybody anew, with an interval that covers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from core.insight_world import STARTER, policy
from core.small_publication import write_parts
from keepline import console
from keepline.cli import cli
from keepline.engine import Engine
from keepline.errors import TooFewError, UsageError
from keepline.insight import value
from keepline.insight.lifetime.fitting import reach_of
from keepline.insight.value import ValueModel
from keepline.insight.whatif import Alike, fewer_leaving, more_loyal, segment_value
from keepline.newsite import make_site
from keepline.whatif import _alike, asked, parse_where

VALUE = policy().value
MODEL = ValueModel(
    3, 0.02, lasting=0.6, spread=0.55, floor_fen=500.0, learnt=True, mean_margin_fen=9000.0, referral=(0.5, 40.0)
)
MONTH = "2026-10"
Vector = np.ndarray


class Base:
    """Customers with margins, referrals, rates and loyalty."""

    def __init__(self, customers: int, *, seed: int = 1) -> None:
        random = np.random.default_rng(seed)
        self.loyal = (random.random(customers) < 0.4).astype(float)
        self.monthly = expit(random.normal(-3.6, 0.8, customers) - 0.7 * self.loyal)
        margin = 3 * np.exp(random.normal(8.5, 0.7, customers))
        nothing = {name: np.full(customers, np.nan) for name in value.READS}
        self.column = nothing | {
            "margin_3m_fen": margin,
            "revenue_3m_fen": 2 * margin,
            "tenure_months": random.integers(3, 99, customers).astype(float),
            "referrals_12m": random.poisson(0.1, customers).astype(float),
        }
        self.worth = self.valued(self.monthly)

    def valued(self, monthly: Vector) -> value.Worth:
        return value.worth(MODEL, VALUE, column=self.column, monthly=monthly)

    @property
    def alike(self) -> Alike:
        """Everybody an entry of their own."""
        own, word = self.worth.persistence + self.worth.growth, self.worth.word_of_mouth
        variances = ((self.worth.high - self.worth.value) / reach_of(VALUE.interval)) ** 2
        return Alike(self.monthly, self.loyal, np.ones(len(own)), own, word, own**2, word**2, variances)


def longer(base: Base, step: Vector | float) -> float:
    """Value of all with everybody's odds lower by a step, added up month by month."""
    told = base.monthly
    less = value.monthly_rate(expit(logit(1 - (1 - told) ** 3) - step), 3)
    later = value.later_rate(MODEL, told) * less / told
    months = np.arange(1, VALUE.horizon_months + 1)
    alive = np.cumprod(1 - np.where(months <= 3, less[:, None], later[:, None]), axis=1)
    own = base.worth.persistence + base.worth.growth
    weights = value.discounts(VALUE), value.brought_weights(MODEL, VALUE)
    sums = [value.staying(MODEL, told, each) for each in weights]
    return float(
        (own / sums[0] * (alive @ weights[0]) + base.worth.word_of_mouth / sums[1] * (alive @ weights[1])).sum()
    )


def test_a_segment_is_worth_what_its_customers_are() -> None:
    base = Base(3_000)
    made = segment_value(MODEL, VALUE, base.alike)
    assert made.fen == pytest.approx(base.worth.value.sum(), rel=1e-9)
    assert made.low < made.fen < made.high


def test_fewer_leaving_is_worth_what_valuing_everybody_anew_says() -> None:
    base = Base(3_000)
    made = fewer_leaving(MODEL, VALUE, base.alike, points=2)
    p = 1 - (1 - base.monthly) ** 3
    steps = np.linspace(0, 2, 20_001)
    falls = np.array([(p - expit(logit(p) - step)).mean() for step in steps[::200]])
    step = float(np.interp(0.02, falls, steps[::200]))
    assert made.gain.fen == pytest.approx(longer(base, step) - longer(base, 0.0), rel=1e-3)
    assert made.before - made.after == pytest.approx(0.02)
    assert 0 < made.gain.low < made.gain.fen < made.gain.high


def test_more_loyalty_is_worth_the_gap_between_loyal_and_others() -> None:
    base = Base(3_000)
    made = more_loyal(MODEL, VALUE, base.alike, points=5)
    other = base.loyal == 0
    odds = logit(1 - (1 - base.monthly) ** 3)
    gap = odds[other].mean() - odds[~other].mean()
    all_of_them = longer(base, np.where(other, gap, 0.0)) - longer(base, 0.0)
    assert made.gain.fen == pytest.approx(all_of_them * 0.05 * 3_000 / other.sum(), rel=1e-9)
    assert made.after < made.before


def test_customers_who_leave_alike_may_be_summed() -> None:
    base = Base(500)
    alike = base.alike
    twice = Alike(*(np.concatenate([each, each]) for each in vars(alike).values()))
    summed = replace(
        alike,
        **{name: 2 * each for name, each in vars(alike).items() if name not in ("monthly", "loyal")},
    )
    for one, other in zip(
        vars(fewer_leaving(MODEL, VALUE, twice, points=1)).values(),
        vars(fewer_leaving(MODEL, VALUE, summed, points=1)).values(),
        strict=True,
    ):
        assert np.array(list(vars(one).values()) if hasattr(one, "fen") else one) == pytest.approx(
            np.array(list(vars(other).values()) if hasattr(other, "fen") else other)
        )


def test_what_is_asked_beyond_all_is_refused_with_the_figures() -> None:
    base = Base(500)
    with pytest.raises(TooFewError, match="points fewer cannot be"):
        fewer_leaving(MODEL, VALUE, base.alike, points=60)
    with pytest.raises(TooFewError, match="have to become loyal"):
        more_loyal(MODEL, VALUE, base.alike, points=90)
    nobody = replace(base.alike, loyal=np.zeros(500))
    with pytest.raises(TooFewError, match="0 customers of the segment are known to be loyal"):
        more_loyal(MODEL, VALUE, nobody, points=5)


def test_the_interval_of_a_segment_covers_as_often_as_it_says() -> None:
    """Worlds in which the model's log-odds are off for all, customers differ for themselves, and margins are noisy."""
    base, random, z = Base(300), np.random.default_rng(7), reach_of(VALUE.interval)
    model, alike = MODEL, base.alike
    said = segment_value(model, VALUE, alike)
    own = np.sqrt(model.spread**2 - value.HIDDEN_SPREAD**2)
    inside = 0
    sums = value.staying(model, base.monthly, value.discounts(VALUE))
    for _ in range(400):
        shift = random.normal(0, own) + random.normal(0, value.HIDDEN_SPREAD, 300)
        p = expit(logit(1 - (1 - base.monthly) ** 3) + shift)
        stays = value.staying(model, value.monthly_rate(p, 3), value.discounts(VALUE))
        error = np.sqrt(value.relative_variance(model, value.margins(base.column, horizon=3, floor_fen=500.0)))
        level = (base.worth.persistence + base.worth.growth) / sums
        level = level * (1 + random.normal(0, 1, 300) * error + random.normal(0, value.ERROR_MIN))
        word = base.worth.word_of_mouth.sum() * (1 + random.normal(0, value.REFERRAL_SPREAD))
        inside += bool(said.low <= (level * stays).sum() + word <= said.high)
    assert z > 0
    assert 0.86 <= inside / 400 <= 0.96


def test_a_small_segment_is_less_sure_than_a_large_one() -> None:
    few, many = (segment_value(MODEL, VALUE, Base(n).alike) for n in (30, 30_000))
    assert (few.high - few.low) / few.fen > 1.3 * (many.high - many.low) / many.fen


def test_exactly_one_change_is_asked_for() -> None:
    assert asked(fewer_leaving=2.0, more_loyal=None) == ("fewer_leaving", 2.0)
    for fewer, more in ((None, None), (2.0, 5.0), (0.0, None), (None, 100.0), (float("nan"), None)):
        with pytest.raises(UsageError, match="one change"):
            asked(fewer_leaving=fewer, more_loyal=more)


@pytest.mark.parametrize("word", ["class", "=key", "margin_fen=3", "customer_id=1"])
def test_a_segment_is_cut_by_known_words_alone(word: str) -> None:
    with pytest.raises(UsageError, match="does not name a segment"):
        parse_where([word])


def published(folder: Path, base: Base) -> None:
    """The base as tables of a publication; every tenth customer has no value, every third is key."""
    count = len(base.monthly)
    ids = list(range(1, count + 1))
    unvalued = np.arange(count) % 10 == 0
    who = {"customer_id": ids, "month": [MONTH] * count}
    classes = ["key" if i % 3 == 0 else "ordinary" for i in ids]
    write_parts(folder / "classes", "classes", who | {"class": classes})
    write_parts(folder / "features", "features", who | {"kind": ["person"] * count, "district": ["D'1"] * count})
    whole = {
        f"{name}_fen": [None if un else round(v) for un, v in zip(unvalued, values, strict=True)]
        for name, values in (
            ("value", base.worth.value),
            ("value_high", base.worth.high),
            ("persistence", base.worth.persistence),
            ("growth", base.worth.growth),
            ("word_of_mouth", base.worth.word_of_mouth),
        )
    }
    loyalty = ["loyal" if one else "wavering" for one in base.loyal]
    rates = np.round(base.monthly, 9).tolist()
    write_parts(folder / "scores", "scores", who | whole | {"loyalty": loyalty, "leave_monthly": rates})


def test_a_segment_is_summed_alike_on_both_engines(engine: Engine, tmp_path: Path) -> None:
    base = Base(600)
    published(tmp_path, base)
    alike, unknown = _alike(engine, tmp_path, (("class", "key"), ("district", "D'1")), policy())
    ids = np.arange(1, 601)
    mine, valued = ids % 3 == 0, (ids - 1) % 10 != 0
    assert unknown == (mine & ~valued).sum()
    assert alike.total == (mine & valued).sum()
    own = np.round(base.worth.persistence) + np.round(base.worth.growth)
    assert alike.level.sum() == pytest.approx(own[mine & valued].sum())
    made = fewer_leaving(MODEL, VALUE, alike, points=1)
    kept = Alike(*(each[mine & valued] for each in vars(base.alike).values()))
    assert made.gain.fen == pytest.approx(fewer_leaving(MODEL, VALUE, kept, points=1).gain.fen, rel=1e-3)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    make_site(root, name="x")
    folder = root / "published" / MONTH
    published(folder, Base(600))
    shutil.copytree(STARTER, folder / "policy")
    told = {
        "monthly_rate": MODEL.monthly_rate,
        "lasting_share": MODEL.lasting,
        "leave_spread_log_odds": MODEL.spread,
        "mean_margin_fen": MODEL.mean_margin_fen,
    }
    card = {"horizon_months": 3, "value": told}
    manifest = {"month": MONTH, "publication_id": "0" * 64, "model_card": card}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return root


def test_the_command_answers_in_both_languages_and_for_machines(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["value", "what-if", "--site", str(site), "--month", MONTH, "--where", "class=key", "--fewer-leaving", "1"]
    monkeypatch.setattr("sys.argv", ["keepline", *words])
    assert console.run(cli) == 0
    told = capsys.readouterr().out
    assert "少离网 1 个百分点，值" in told
    assert "1 points fewer leaving is worth" in told
    monkeypatch.setattr("sys.argv", ["keepline", *words, "--json"])
    assert console.run(cli) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["gain_fen"]["low"] < answer["gain_fen"]["value"] < answer["gain_fen"]["high"]
    assert answer["leaving_before"] - answer["leaving_after"] == pytest.approx(0.01)
    assert answer["customers_without_value"] > 0


def test_a_segment_that_is_nobody_is_refused(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["value", "show", "--site", str(site), "--month", MONTH, "--where", "class=important"]
    monkeypatch.setattr("sys.argv", ["keepline", *words, "--json"])
    assert console.run(cli) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "empty_segment"
