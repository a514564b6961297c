"""Whether the probabilities of leaving still come true, month by month: from the judgements of past plans.

A month is out of true where, among those left alone, more or fewer left than forecast by over a fifth of the forecast
and over three standard errors, sqrt(p (1 - p) / n) of the mean forecast p; or where the slope of Cox's line
(accuracy.py) lies with its whole interval outside 0.7 to 1.4. Both conditions together keep chance and small bases
quiet: three errors are reached by chance in 1 month of 370, and a level a little off is what every year brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from keepline.measurement.judgement import EVENTS_MIN

OFF_SHARE = 0.2
ERRORS = 3.0
SLOPE_LOW, SLOPE_HIGH = 0.7, 1.4
Row = dict[str, Any]


def watch_calibration(judgements: Sequence[Row]) -> list[Row]:
    """Every judged month, oldest first: forecast and outcome, and how it is out of true, if it is."""
    judged = sorted((row for row in judgements if row["verdict"] == "judged"), key=lambda row: row["plan_month"])
    rows: list[Row] = []
    since: dict[str, str] = {}
    for row in judged:
        found = _out(row)
        month = str(row["plan_month"])
        since = {what: since.get(what, month) for what in found}
        said = {"plan_month": month, "predicted": row["predicted"], "observed": row["observed"]["value"]}
        rows.append(said | {"out": [{"what": what, "since": first} for what, first in since.items()]})
    return rows


def _out(row: Row) -> list[str]:
    """too_low and too_high are of the probabilities; too_bold and too_timid of their spread."""
    n, p, seen = row["customers"], row["predicted"], row["observed"]["value"]
    if row["left"] < EVENTS_MIN or not 0 < p < 1:
        return []
    found = []
    off = (seen - p) / sqrt(p * (1 - p) / n)
    if abs(off) > ERRORS and abs(seen / p - 1) > OFF_SHARE:
        found.append("too_low" if off > 0 else "too_high")
    slope = row["calibration_slope"] or {}
    if slope.get("high") is not None and slope["high"] < SLOPE_LOW:
        found.append("too_bold")
    if slope.get("low") is not None and slope["low"] > SLOPE_HIGH:
        found.append("too_timid")
    return found


def calibration_warnings(rows: Sequence[Row]) -> list[dict[str, str]]:
    """In words, of the latest judged month: what is out of true, since when, what to do."""
    return [_warned(rows[-1], **out) for out in rows[-1]["out"]] if rows else []


def _warned(row: Row, *, what: str, since: str) -> dict[str, str]:
    zh, en = SAID[what]
    seen_zh = f"{row['plan_month']} 预测 {row['predicted']:.1%}，实际 {row['observed']:.1%}"
    seen_en = f"of {row['plan_month']} {row['predicted']:.1%} were forecast to leave and {row['observed']:.1%} did"
    return {
        "since": since,
        "zh": f"自 {since} 的方案起，{zh}（{seen_zh}）。{WHAT_ZH}",
        "en": f"since the plan of {since} {en} ({seen_en}); {WHAT_EN}",
    }


SAID = {
    "too_low": ("离网概率偏低", "probabilities of leaving have been too low"),
    "too_high": ("离网概率偏高", "probabilities of leaving have been too high"),
    "too_bold": ("离网概率过于极端，高的太高、低的太低", "probabilities of leaving have been too bold, high and low"),
    "too_timid": ("离网概率拉不开差距", "probabilities of leaving have been too much alike"),
}
WHAT_ZH = (
    "请看变动的数据，核对离网记录是否完整、离网口径是否改过；离网率若确实变了，"
    "可在 leaving.toml 中减少 training_snapshots，只学较近的账期。"
)
WHAT_EN = (
    "look at the inputs that moved, check that departures are recorded whole and that leaving means what it meant; if "
    "the rate has truly changed, lower training_snapshots in leaving.toml, so that only recent months are learnt from"
)
