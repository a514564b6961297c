"""Small pictures drawn on the server: bars in a row, so that a page shows them without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, GAP = 320, 96, 0.28
LABELS = 5  # at most so many under the bars; so few bars have their values above them


@dataclass(frozen=True)
class Bar:
    """One bar: what stands under it, its value, and the value as people read it."""

    label: str
    value: float | None
    said: str
    marked: bool = False


def bars_of(values: Sequence[Bar]) -> dict[str, Any]:
    """Places and sizes of the bars; values below zero hang from the line."""
    known = [bar.value for bar in values if bar.value is not None]
    high, low = max([0.0, *known]), min([0.0, *known])
    span = (high - low) or 1.0
    step = WIDTH / max(1, len(values))
    zero = HEIGHT * high / span
    drawn = []
    for place, bar in enumerate(values):
        value = bar.value or 0.0
        tall = max(abs(value) / span * HEIGHT, 1.5 if bar.value else 0.0)
        drawn.append(
            {
                "x": round(place * step + step * GAP / 2, 2),
                "y": round(zero - tall if value >= 0 else zero, 2),
                "width": round(step * (1 - GAP), 2),
                "height": round(tall, 2),
                "bar": bar,
            }
        )
    tops = [
        {"x": round(bar["x"] + bar["width"] / 2, 2), "y": round(bar["y"] - 4, 2), "text": bar["bar"].said}
        for bar in (drawn if len(values) <= LABELS else [])
    ]
    every = max(1, -(-len(values) // LABELS))
    labels = [
        {"x": round((place + 0.5) * step, 2), "text": bar.label}
        for place, bar in enumerate(values)
        if (len(values) - 1 - place) % every == 0
    ]
    return {"bars": drawn, "tops": tops, "labels": labels, "zero": round(zero, 2), "width": WIDTH, "height": HEIGHT}
