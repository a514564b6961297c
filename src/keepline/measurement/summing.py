"""Sums of both arms from one value and one past value a customer, in one pass that copies no arm.

The rows of an arm are told by a weight of one or nothing, block by block: a block stays in the processor's
cache, and picking rows out of large arrays, which costs most, is not needed.
"""

from __future__ import annotations

import numpy as np

from keepline.measurement.learners import Flags, Numbers
from keepline.measurement.statistics import Sums

BLOCK = 16_384  # customers; four such arrays of doubles lie in the second cache


def arms_of(y: Numbers, x: Numbers, treated: Flags) -> tuple[Sums, Sums]:
    """The treated and those left alone; all values must be finite."""
    totals = np.zeros((2, 6))
    for start in range(0, len(y), BLOCK):
        block = slice(start, start + BLOCK)
        lot = treated[block].astype(float)
        for arm, inside in enumerate((lot, 1.0 - lot)):
            mine, before = y[block] * inside, x[block] * inside
            totals[arm] += (
                *(inside.sum(), mine.sum(), mine @ mine),
                *(before.sum(), before @ before, before @ mine),
            )
    with_offer, alone = (Sums(round(n), *sums) for n, *sums in totals.tolist())
    return with_offer, alone
