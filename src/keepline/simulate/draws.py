"""Random draws that depend on seed, month, block and purpose alone, never on what was drawn before.

A month can therefore be made again by another process and comes out the same to the byte,
and a new use of randomness does not move the draws of the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from keepline.periods import Month


@dataclass(frozen=True)
class Draws:
    """All randomness of one block of customers in one month."""

    seed: int
    month: Month
    block: int = 0

    def of(self, purpose: str) -> np.random.Generator:
        """A fresh generator for one purpose; the same purpose gives the same numbers again."""
        digest = hashlib.md5(purpose.encode(), usedforsecurity=False).digest()
        words = [self.seed, self.month.index, self.block, int.from_bytes(digest[:4], "big")]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))
