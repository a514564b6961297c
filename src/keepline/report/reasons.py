"""Why a customer may leave, in words, from the code the model's own contributions gave."""

from __future__ import annotations

from keepline.report.words import Words, both
from keepline.tables import TABLES

NO_REASON = both("没有突出的原因", "no single reason stands out")


def reason_words(code: str | None) -> Words:
    """A code is a feature, or a feature and the side it is on; anything else stands for itself."""
    if code is None:
        return NO_REASON
    feature, _, side = code.partition(":")
    column = next((c for c in TABLES["features"].columns if c.name == feature), None)
    if column is None:
        return both(code, code)
    return both(column.zh, column.en) if not side else both(f"{column.zh}（{side}）", f"{column.en} ({side})")
