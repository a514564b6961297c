"""How urgent customers are, as whole numbers that can be counted digit by digit, so that no list of all is sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepline.decisions.problem import Floats, Ints

Keys = npt.NDArray[np.uint64]
SIGN = np.uint64(1 << 63)
DIGIT, DIGITS = 16, 4  # bits that are counted at a time, and how often


def urgency(risk: Floats) -> Keys:
    """Numbers in the order of falling probability of leaving; unknown (NaN) comes last."""
    falling = 0.0 - np.nan_to_num(risk, nan=-1.0)
    bits = falling.view(np.uint64)
    return np.asarray(np.where(bits >= SIGN, ~bits, bits | SIGN))


class Some(NamedTuple):
    """Some customers in order of their places: each one's group and urgency."""

    customer: Ints
    group: Ints
    key: Keys


@dataclass(frozen=True)
class Cut:
    """Where a group is cut: the first customer of those that follow, in order of urgency and then of place."""

    key: int
    customer: int

    def after(self, some: Some) -> npt.NDArray[np.bool_]:
        """Who is not before it."""
        return np.asarray((some.key > self.key) | ((some.key == self.key) & (some.customer >= self.customer)))


class _Search:
    """One place in the order of a group, found digit by digit."""

    def __init__(self, group: int, place: int) -> None:
        self.group, self.left, self.key, self.customer = group, place, 0, -1

    def mine(self, some: Some, bits: int) -> Some:
        """Those who agree in the digits known, which are those above so many bits."""
        same = some.key >> np.uint64(bits) == np.uint64(self.key) if bits < DIGIT * DIGITS else True
        here = (some.group == self.group) & same
        return Some(*(column[here] for column in some))

    def narrow(self, counts: Ints) -> None:
        before = np.concatenate([[0], np.cumsum(counts)])
        digit = int(np.searchsorted(before, self.left, side="right")) - 1
        self.key, self.left = (self.key << DIGIT) | digit, self.left - int(before[digit])


def cuts(everyone: Callable[[], Iterator[Some]], places: Sequence[tuple[int, int]]) -> list[Cut]:
    """For each group and place in its order (radix selection; Knuth 1998), who is there; all are read five times."""
    searches = [_Search(*place) for place in places]
    for digit in range(DIGITS if searches else 0):
        bits = DIGIT * (DIGITS - 1 - digit)
        counts = np.zeros((len(searches), 1 << DIGIT), dtype=np.int64)
        for some in everyone():
            for n, search in enumerate(searches):
                key = search.mine(some, bits + DIGIT).key >> np.uint64(bits)
                counts[n] += np.bincount((key & np.uint64((1 << DIGIT) - 1)).astype(np.int64), minlength=1 << DIGIT)
        for n, search in enumerate(searches):
            search.narrow(counts[n])
    for some in everyone() if searches else ():
        for search in searches:
            here = search.mine(some, 0).customer
            if 0 <= search.left < len(here) and search.customer < 0:
                search.customer = int(here[search.left])
            search.left -= len(here)
    return [Cut(search.key, search.customer) for search in searches]
