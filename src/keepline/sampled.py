"""Whom models learn from, and by whom a month is looked at: everybody, or those whose pseudonyms lie in one interval.

A pseudonym is 62 bits of HMAC-SHA256 under the site's own key, so an interval holds each customer with the same chance,
whatever else is true of them and of others: a simple random sample (Bernoulli), drawn once when the key was. Lots by
MD5 of a salt and the pseudonym (pilots, those left alone, folds) tell nothing about it, nor it about them. Files lie in
the order of customers, so the rows of others need not even be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keepline.engine import ID_SPACE, Range

LOOKED_AT, LEARNT_FROM = 1, 2  # the month that is looked at is told by others than models learnt from


@dataclass(frozen=True)
class Sampled:
    """A share of all customers. Of two shares the smaller lies within the larger; the share 1 is everybody."""

    share: float = 1.0
    third: int = LEARNT_FROM  # around which third of the space; small shares around two of them have nobody in both

    @property
    def width(self) -> int:
        return min(ID_SPACE, round(self.share * ID_SPACE))

    @property
    def low(self) -> int:
        """On no border of a power of two of ranges, and at neither end, since ties are broken by the pseudonym."""
        return (ID_SPACE - self.width) * self.third // 3

    @property
    def high(self) -> int:
        return self.low + self.width

    def within(self, cut: Sequence[Range]) -> list[Range]:
        """The ranges that hold some of them, each narrowed to those."""
        narrowed = [replace(each, low=max(each.low, self.low), high=min(each.high, self.high)) for each in cut]
        return [each for each in narrowed if each.low < each.high]

    @property
    def alone(self) -> Range | None:
        """What an engine needs be shown to show it them and nobody else; None for everybody."""
        return Range(0, self.low, self.high) if self.share < 1 else None


EVERYBODY = Sampled()
