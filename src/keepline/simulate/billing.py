"""What a month of use costs: the bill by component, and the margin policy sees in it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from keepline.periods import Month
from keepline.simulate import people, world
from keepline.simulate.state import Array, Customers

FEN_A_GB = 500  # beyond the allowance
OVERAGE_CAP_FEN = 6000  # a line and month
PREPAID_FEN_A_GB = 700
PREPAID_FEN_A_MINUTE = 12
SWING_KEEPS, SWING_SPREAD = 0.7, 0.06  # use swings back; spread of one month, log
MOOD_ON_USE = -0.45
Components = dict[str, Array]


def season(month: Month) -> float:
    """Use is a little higher in the holiday months; log."""
    return 0.03 * float(np.cos(2 * np.pi * (month.index % 12 - 1) / 12.0))


def bill(c: Customers, month: Month, *, data_kb: Array, voice_s: Array, rng: np.random.Generator) -> Components:
    """The whole bill of ``month`` in fen, each component; ``data_kb`` and ``voice_s`` are of one line."""
    count = len(c)
    roams = rng.random(count) < 0.6
    happens = rng.random(count) < 0.004
    return {
        "recurring": people.recurring_fen(c) + extra(c, month),
        "overage": _whole(overage_a_line(data_kb, world.DATA[c.plan]) * c.mobiles * ~c.prepaid),
        "topup": _whole(prepaid_charge(data_kb, voice_s) * c.prepaid),
        "roaming": _whole(c.roaming_fen * roams * rng.gamma(2.0, 0.5, count)),
        "value_added": c.value_added_fen.astype("int64"),
        "one_off": np.where(happens, 19900, 0).astype("int64"),
        "discount": -discount(c, month),
    }


def extra(c: Customers, month: Month) -> Array:
    return np.where(c.extra_until >= month.index, c.extra_fen, 0)


def discount(c: Customers, month: Month) -> Array:
    return np.where(c.discount_end >= month.index, c.discount_fen, 0)


def overage_a_line(data_kb: Array, allowance_kb: Array) -> Array:
    beyond = np.maximum(data_kb - allowance_kb, 0) / world.GB * FEN_A_GB
    return np.asarray(np.minimum(beyond, OVERAGE_CAP_FEN))


def prepaid_charge(data_kb: Array, voice_s: Array) -> Array:
    return data_kb / world.GB * PREPAID_FEN_A_GB + voice_s / 60 * PREPAID_FEN_A_MINUTE


def _whole(fen: Array) -> Array:
    return np.round(fen).astype("int64")


def margin(parts: Mapping[str, Array], shares: Mapping[str, float]) -> Array:
    """Margin in fen by the shares that policy states."""
    return np.asarray(np.sum([amount * shares[name] for name, amount in parts.items()], axis=0))


def expected_use(level: Array, c: Customers, *, months: int, mood: Array, month: Month) -> Array:
    """Mean of the log of use ``months`` on, in ``month``, when trouble is expected to stand at ``mood``."""
    return np.asarray(level + c.growth * months + season(month) + c.swing * SWING_KEEPS**months + MOOD_ON_USE * mood)


def use_spread(months: int) -> float:
    """Standard deviation of log use that far ahead."""
    kept = SWING_KEEPS**2
    return SWING_SPREAD * float(np.sqrt((1 - kept**months) / (1 - kept)))


def expected_overage_a_line(log_use: Array, spread: float, allowance_kb: Array) -> Array:
    """Mean of :func:`overage_a_line` over a log-normal use: the difference of two call options."""
    top = allowance_kb + OVERAGE_CAP_FEN / FEN_A_GB * world.GB
    return (_call(log_use, spread, allowance_kb) - _call(log_use, spread, top)) / world.GB * FEN_A_GB


def _call(mean: Array, spread: float, strike: Array) -> Array:
    """E max(e^X - strike, 0) for X normal; Black (1976) without discounting."""
    d = (mean - np.log(np.maximum(strike, 1.0))) / spread
    return np.asarray(np.exp(mean + spread**2 / 2) * ndtr(d + spread) - strike * ndtr(d))


def expected_margin(
    c: Customers, month: Month, *, months: int, mood: Array, drift: Array, shares: Mapping[str, float]
) -> Array:
    """Expected margin in fen of ``month``, ``months`` on, for who still stays; without what offers add.

    ``drift`` is the expected monthly change of the recurring charge by moving between plans, a share.
    """
    spread = use_spread(months)
    data = expected_use(c.data_level, c, months=months, mood=mood, month=month)
    voice = expected_use(c.voice_level, c, months=months, mood=mood, month=month)
    grown = np.exp(spread**2 / 2)
    return margin(
        {
            "recurring": people.recurring_fen(c) * (1 + drift) ** months,
            "overage": expected_overage_a_line(data, spread, world.DATA[c.plan]) * c.mobiles * ~c.prepaid,
            "topup": prepaid_charge(np.exp(data) * grown, np.exp(voice) * grown) * c.prepaid,
            "roaming": c.roaming_fen * 0.6,
            "value_added": c.value_added_fen.astype("float64"),
            "one_off": np.full(len(c), 0.004 * 19900),
            "discount": -discount(c, month).astype("float64"),
        },
        shares,
    )
