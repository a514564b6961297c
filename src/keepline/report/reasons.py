"""Why a customer may leave, in words, from the code the model's own contributions gave."""

from __future__ import annotations

from collections.abc import Mapping

from keepline.report.words import Words, both
from keepline.tables import TABLES

NO_REASON = both("没有突出的原因", "no single reason stands out")
OWN = "own:"  # the operator's own facts, by their name


def reason_words(code: str | None, said: Mapping[str, Words]) -> Words:
    """The words the card gives for a code; an own fact or a feature by its name; else the code itself."""
    if code is None:
        return NO_REASON
    if code in said:
        return said[code]
    if code.startswith(OWN):
        name = code.removeprefix(OWN)
        return both(f"自有属性“{name}”与以往离网客户相近", f'the own fact "{name}" resembles that of earlier leavers')
    column = next((c for c in TABLES["features"].columns if c.name == code), None)
    return both(column.zh, column.en) if column else both(code, code)
