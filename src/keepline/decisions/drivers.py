"""How the six drivers of loyalty read for one customer: how high, by what it is measured, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keepline.decisions import words
from keepline.decisions.words import Words
from keepline.policy.documents import Loyalty
from keepline.tables import DRIVERS

Row = Mapping[str, Any]


@dataclass(frozen=True)
class DriverSeen:
    """One driver: ``score`` 0 to 1, None where nothing is known; features it goes by, and those not known."""

    name: str
    score: float | None
    known: float
    measured_by: tuple[str, ...]
    missing: tuple[str, ...]


def reads(loyalty: Loyalty) -> set[str]:
    """The features that drivers are measured by."""
    return {name for driver in loyalty.driver for one in driver.evidence for name in (one.feature, *one.reads)}


def seen(row: Row, features: Row, loyalty: Loyalty) -> tuple[DriverSeen, ...]:
    """The drivers policy speaks of; none where the publication has no table of them."""
    if not row:
        return ()
    found = []
    for driver in loyalty.driver:
        there = [all(features.get(name) is not None for name in one.reads) for one in driver.evidence]
        named = [(one.feature, known) for one, known in zip(driver.evidence, there, strict=True)]
        found.append(
            DriverSeen(
                driver.name,
                row[driver.name],
                row[f"{driver.name}_known"],
                tuple(name for name, known in named if known),
                tuple(name for name, known in named if not known),
            )
        )
    return tuple(found)


def told(drivers: tuple[DriverSeen, ...]) -> list[Words]:
    """A line each, the highest first."""
    lines = [_line(one) for one in sorted(drivers, key=lambda one: (one.score is None, -(one.score or 0.0)))]
    return [Words("忠诚驱动（0 至 1）：", "what holds them, 0 to 1:"), *lines] if lines else []


def _line(one: DriverSeen) -> Words:
    named = DRIVERS.column(one.name)
    score = "--" if one.score is None else f"{one.score:.2f}"
    by = [words.column_of(name) for name in one.measured_by]
    lacks = [words.column_of(name) for name in one.missing]
    zh = "；".join(
        [
            *(["依据 " + "、".join(c.zh for c in by)] if by else []),
            *(["缺 " + "、".join(c.zh for c in lacks)] if lacks else []),
        ]
    )
    en = "; ".join(
        [
            *(["by " + " · ".join(c.en for c in by)] if by else []),
            *(["not known: " + " · ".join(c.en for c in lacks)] if lacks else []),
        ]
    )
    return Words(f"  {named.zh} {score}（{zh}）", f"  {named.en.split(',')[0]} {score} ({en})")


def as_dict(one: DriverSeen) -> dict[str, Any]:
    return vars(one) | {"measured_by": list(one.measured_by), "missing": list(one.missing)}
