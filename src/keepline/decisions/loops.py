"""What each customer takes at given prices, in one pass over the candidates.

Sums of units come as whole fen and the rest, since together they can pass 64 bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keepline.compiled import compiled
from keepline.decisions.problem import NONE, TIE_STEP, TIES, UNIT

SHIFT = UNIT.bit_length() - 1
REST = UNIT - 1


class Crowd(NamedTuple):
    """The arrays of a problem: customer ``i`` has candidates ``start[i]`` to ``start[i + 1]``."""

    start: Any
    kind: Any
    gain: Any
    manager: Any
    ids: Any


class Rates(NamedTuple):
    """Prices: of each kind without its minutes, the minutes of each kind, and of a minute by manager."""

    kind: Any
    minutes: Any
    minute: Any


@compiled
def choose(crowd: Crowd, rates: Rates, choice: Any) -> None:
    """Each customer's candidate with the most left above zero, the first of equal ones, or NONE."""
    for i in range(len(crowd.start) - 1):
        m = crowd.manager[i]
        minute = rates.minute[m] if m >= 0 else 0
        best, pick = crowd.ids[i] // TIE_STEP - (TIES - 1), NONE
        for j in range(crowd.start[i], crowd.start[i + 1]):
            k = crowd.kind[j]
            left = (np.int64(crowd.gain[j]) << SHIFT) - rates.kind[k] - minute * rates.minutes[k]
            if left > best:
                best, pick = left, j
        choice[i] = pick


@compiled
def worth(crowd: Crowd, rates: Rates) -> tuple[int, int]:
    """What is left to all customers together."""
    whole, rest = 0, 0
    for i in range(len(crowd.start) - 1):
        m = crowd.manager[i]
        minute = rates.minute[m] if m >= 0 else 0
        best = 0
        for j in range(crowd.start[i], crowd.start[i + 1]):
            k = crowd.kind[j]
            best = max(best, (np.int64(crowd.gain[j]) << SHIFT) - rates.kind[k] - minute * rates.minutes[k])
        whole += best >> SHIFT
        rest += best & REST
    return whole, rest


@compiled
def taken(crowd: Crowd, rates: Rates, counts: Any) -> tuple[int, int]:
    """What is left to all customers together, ties counted; adds how many take each kind."""
    whole, rest = 0, 0
    for i in range(len(crowd.start) - 1):
        m = crowd.manager[i]
        minute = rates.minute[m] if m >= 0 else 0
        tie = TIES - 1 - crowd.ids[i] // TIE_STEP
        best, pick = -tie, NONE
        for j in range(crowd.start[i], crowd.start[i + 1]):
            k = crowd.kind[j]
            left = (np.int64(crowd.gain[j]) << SHIFT) - rates.kind[k] - minute * rates.minutes[k]
            if left > best:
                best, pick = left, j
        if pick >= 0:
            counts[crowd.kind[pick]] += 1
            whole += (best + tie) >> SHIFT
            rest += (best + tie) & REST
    return whole, rest


class Kept(NamedTuple):
    """Where ``narrow`` writes: rows of candidates kept, how many each customer keeps, and the settled choices."""

    rows: Any
    counts: Any
    settled: Any


@compiled
def narrow(crowd: Crowd, low: Rates, high: Rates, kept: Kept) -> int:
    """Which candidates could be chosen at some prices between two; how many these are.

    One that is worth less at the lowest prices than another at the highest can not. Where one
    alone is left, and is worth something at the highest prices, the customer is settled.
    """
    at = 0
    for i in range(len(crowd.start) - 1):
        m, begin, surest = crowd.manager[i], at, 0
        cheap = low.minute[m] if m >= 0 else 0
        dear = high.minute[m] if m >= 0 else 0
        for j in range(crowd.start[i], crowd.start[i + 1]):
            k = crowd.kind[j]
            surest = max(surest, (np.int64(crowd.gain[j]) << SHIFT) - high.kind[k] - dear * high.minutes[k])
        needed = surest if surest > 0 else crowd.ids[i] // TIE_STEP - (TIES - 1) + 1
        for j in range(crowd.start[i], crowd.start[i + 1]):
            k = crowd.kind[j]
            if (np.int64(crowd.gain[j]) << SHIFT) - low.kind[k] - cheap * low.minutes[k] >= needed:
                kept.rows[at] = j
                at += 1
        kept.settled[i] = NONE
        if at == begin + 1 and surest > 0:
            kept.settled[i] = kept.rows[begin]
            at = begin
        kept.counts[i] = at - begin
    return at
