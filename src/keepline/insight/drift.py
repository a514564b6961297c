"""Whether what the models see has moved since they learnt: the population stability index of every input.

    PSI = sum over bins of (q - p) log(q / p)

p is the share of the training samples in a bin, q that of this month's customers; bins are tenths of the samples,
the levels of a code, and what is unknown. 0: nothing moved; from 0.1 it shows, from 0.25 it is much (Siddiqi 2006,
Credit Risk Scorecards, chapter 9). Where nothing moved, PSI / (1/n + 1/m) is chi-square with one degree less than
bins (Yurdakul 2018, Statistical Properties of Population Stability Index), which tells a move from chance. How far
the samples lie apart among themselves is what is usual for the input: seasons come and go without a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from keepline.insight.inputs import Inputs, Numbers, Vector
from keepline.periods import in_chinese
from keepline.tables import FEATURES

SHOWS, MUCH = 0.1, 0.25
TIMES_USUAL = 2.0
CHANCE = 0.01  # of one false alarm in any input of a month
TENTHS = np.linspace(0.1, 0.9, 9)
CUSTOMERS_MAX = 20_000  # of the month, by lot: a move that shows needs no more
CUSTOMERS_MIN = 200
PICKED = {
    "zh": "训练样本经过挑选（离网客户被放大），其数据不能与全体客户相比",
    "en": "the samples were picked (leavers over-sampled), so their inputs cannot be compared with those of everybody",
}
THE_SAME = {
    "zh": "模型就是在本月数据上训练的，无从比较",
    "en": "the models learnt from this very month, so there is nothing to compare",
}
TOO_FEW = {
    "zh": f"少于 {CUSTOMERS_MIN} 户，无法区分变化与偶然",
    "en": f"under {CUSTOMERS_MIN} customers a move cannot be told from chance",
}
NO_MODEL = {"zh": "没有模型", "en": "there is no model"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Watched:
    """One input as it was in the samples. ``borders`` are of a number's bins; a code has its levels instead."""

    name: str
    columns: tuple[int, ...]
    borders: tuple[float, ...]
    counts: Vector  # customers of all samples by bin, the unknown or unseen last
    usual: float | None  # the farthest that one sample lies from the others; None with one sample
    middle: tuple[float, float] | None  # median and mean of a number

    def counted(self, matrix: Vector) -> Vector:
        if not self.borders:
            levels = matrix[:, self.columns].sum(axis=0)
            return np.append(levels, len(matrix) - levels.sum())
        values = matrix[:, self.columns[0]]
        known = values[~np.isnan(values)]
        inside = np.bincount(np.searchsorted(self.borders, known, side="left"), minlength=len(self.borders) + 1)
        return np.append(inside, len(values) - len(known)).astype(np.float64)


def stability(before: Vector, now: Vector) -> float:
    """PSI of two rows of counts; half a customer more in each bin, so that an empty one has a logarithm."""
    p, q = ((each + 0.5) / (each.sum() + 0.5 * len(each)) for each in (before, now))
    return float(((q - p) * np.log(q / p)).sum())


def by_chance(before: Vector, now: Vector, *, inputs: int) -> float:
    """The PSI that no input of the month reaches by chance in 99 of 100 months."""
    bins = int(((before > 0) | (now > 0)).sum())
    return float(chi2.ppf(1 - CHANCE / inputs, max(bins - 1, 1)) * (1 / before.sum() + 1 / now.sum()))


def watch(inputs: Inputs, matrix: Vector, months: Numbers) -> tuple[Watched, ...]:
    """What to compare the months to come with."""
    columns: dict[str, list[int]] = {}
    for i, column in enumerate(inputs.columns):
        columns.setdefault(column.name if column.level is not None else f"{column.name}\x00", []).append(i)
    return tuple(
        _watched(name.rstrip("\x00"), tuple(at), "\x00" in name, matrix, months) for name, at in columns.items()
    )


def _watched(name: str, columns: tuple[int, ...], is_number: bool, matrix: Vector, months: Numbers) -> Watched:
    borders: tuple[float, ...] = ()
    middle = None
    if is_number:
        values = matrix[:, columns[0]]
        known = values[~np.isnan(values)]
        borders = tuple(float(b) for b in np.unique(np.quantile(known, TENTHS, method="inverted_cdf")))
        middle = _middle(known)
    empty = Watched(name, columns, borders, np.zeros(0), None, middle)
    each = [empty.counted(matrix[months == month]) for month in np.unique(months)]
    whole = np.sum(each, axis=0)
    usual = max(stability(whole - one, one) for one in each) if len(each) > 1 else None
    return Watched(name, columns, borders, whole, usual, middle)


def moved(watched: Sequence[Watched], matrix: Vector, *, month: str, before: Mapping[str, str]) -> Row:
    """The index of every input, and those that moved, the farthest first, each with words and since when.

    ``before``: since when the inputs told of in the publication before have moved.
    """
    if len(matrix) < CUSTOMERS_MIN:
        return quiet(TOO_FEW)
    found, told = {}, []
    for each in watched:
        now = each.counted(matrix)
        psi = stability(each.counts, now)
        found[each.name] = round(psi, 4)
        if psi > max(_limit(each.usual), by_chance(each.counts, now, inputs=len(watched))):
            told.append(_row(each, now, matrix, psi=psi, since=before.get(each.name, month)))
    told.sort(key=lambda row: (-row["psi"], row["input"]))
    return {"checked": len(found), "psi": found, "moved": told, "refused": None}


def quiet(why: dict[str, str]) -> Row:
    """Nothing was compared, and why."""
    return {"checked": 0, "psi": {}, "moved": [], "refused": why}


def _limit(usual: float | None) -> float:
    return MUCH if usual is None else max(SHOWS, TIMES_USUAL * usual)


def _row(each: Watched, now: Vector, matrix: Vector, *, psi: float, since: str) -> Row:
    values = matrix[:, each.columns[0]] if each.borders else np.zeros(0)
    known = values[~np.isnan(values)]
    row = {
        "input": each.name,
        "psi": round(psi, 4),
        "usual": None if each.usual is None else round(each.usual, 4),
        "since": since,
        "middle_before": each.middle,
        "middle_now": _middle(known) if len(known) else None,
        "unknown_before": round(float(each.counts[-1] / each.counts.sum()), 4),
        "unknown_now": round(float(now[-1] / now.sum()), 4),
    }
    return row | _said(row)


def _said(row: Row) -> dict[str, str]:
    column = next((c for c in FEATURES.columns if c.name == row["input"]), None)
    zh, en = (column.zh, column.en) if column else (row["input"], row["input"])
    much = row["psi"] >= MUCH
    how_zh, how_en = _how(row)
    return {
        "zh": f"自{in_chinese(row['since'])}起，“{zh}”与训练样本相比{'明显' if much else ''}变了{how_zh}"
        f"（稳定性指数 {row['psi']:.2f}）。请先核对这项数据的来源、单位与缺失；"
        "若变化属实，模型会随结果逐月学到，此前请对风险与原因多留余地。",
        "en": f'Since {row["since"]} "{en}" has moved {"far " if much else ""}from the training samples{how_en} '
        f"(stability index {row['psi']:.2f}): check source, unit and gaps of this input; if the change is real, the "
        "models take it up as outcomes become known, and until then leave room in what they say of risk and reasons.",
    }


def _how(row: Row) -> tuple[str, str]:
    was, is_now = row["unknown_before"], row["unknown_now"]
    if abs(is_now - was) >= SHOWS:
        return f"：未知的占比由 {was:.0%} 变为 {is_now:.0%}", f": unknown for {was:.0%} then, for {is_now:.0%} now"
    then, here = row["middle_before"], row["middle_now"]
    if then is None or here is None:
        return "", ""
    zh, en, i = ("均值", "mean", 1) if then[0] == here[0] else ("中位数", "median", 0)
    return f"：{zh}由 {then[i]:.4g} 变为 {here[i]:.4g}", f": the {en} went from {then[i]:.4g} to {here[i]:.4g}"


def _middle(known: Vector) -> tuple[float, float]:
    return round(float(np.median(known)), 6), round(float(known.mean()), 6)
