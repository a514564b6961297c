"""Customers whose choice is the same at all prices that still come into question are settled; the few others remain.

What is settled uses up part of the means, and the rest is a smaller problem of the same kind. What the settled
choose is not kept: any prices of the box tell it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keepline.decisions import loops
from keepline.decisions.blocks import Block, Blocks
from keepline.decisions.loops import Crowd, Kept
from keepline.decisions.prices import Box, parts, rates_of
from keepline.decisions.problem import NONE, Ints, Kinds, Means, Problem, Usage, usage

NO_RISK = np.zeros(0)  # it settles nothing


@dataclass(frozen=True)
class Narrowed:
    """The few customers not settled, where they and their candidates are in the whole, and what the settled come to."""

    few: Problem
    customers: Ints
    candidates: Ints
    settled_fen: int
    used: Usage  # by the settled

    @classmethod
    def none(cls, blocks: Blocks) -> Narrowed:
        """Nobody is settled, and all are held."""
        whole = blocks.held()
        everyone = np.arange(whole.customers), np.arange(whole.candidates, dtype=whole.places)
        return cls(whole, *everyone, 0, Usage.none(whole.means))

    @classmethod
    def of(cls, blocks: Blocks, box: Box) -> Narrowed:
        """Only those whose choice differs among the prices of the box."""
        return narrowed(blocks, blocks.kinds, blocks.means, box)

    def closer(self, box: Box) -> Narrowed:
        """The same within a smaller box."""
        few = self.few
        found = narrowed([Block(few, 0, 0, NO_RISK)], few.kinds, few.means, box)
        places = self.customers[found.customers], self.candidates[found.candidates]
        return Narrowed(found.few, *places, self.settled_fen + found.settled_fen, self.used.plus(found.used))


class _Few(NamedTuple):
    """Some of the few."""

    customers: Ints
    candidates: Ints
    customer_id: Ints
    counts: Ints
    manager: Ints
    gain: Ints
    kind: Ints


def narrowed(blocks: Iterable[Block], kinds: Kinds, means: Means, box: Box) -> Narrowed:
    """The few of all blocks as one problem."""
    settled, used, found = 0, Usage.none(means), list[_Few]()
    for block in blocks:
        choice = np.empty(block.problem.customers, dtype=block.problem.places)
        found += _few(block, box, choice)
        settled += int(block.problem.gain[choice[choice != NONE]].sum(dtype=np.int64))
        used = used.plus(usage(block.problem, choice))
    few = _Few(*(np.concatenate(column) for column in zip(*found, strict=True)))
    start = np.concatenate([[0], np.cumsum(few.counts, dtype=np.int64)])
    own = (few.customer_id, start, few.manager, few.gain, few.kind)
    return Narrowed(Problem(*own, kinds, means.less(used)), few.customers, few.candidates, settled, used)


def _few(block: Block, box: Box, choice: Ints) -> Iterator[_Few]:
    """The few of a block, some at a time; what the others choose is written to ``choice``."""
    low, high = rates_of(block.problem, box.low), rates_of(block.problem, box.high)
    for at, first, crowd in parts(block.problem):
        size = len(crowd.manager)
        kept = Kept(np.empty(len(crowd.gain), np.int32), np.empty(size, np.int32), np.empty(size, np.int32))
        rows = kept.rows[: loops.narrow(crowd, low, high, kept)]
        choice[at : at + size] = np.where(kept.settled == NONE, NONE, kept.settled + np.int64(first))
        yield _of(crowd, rows, kept.counts, block.customer + at, block.candidate + first)


def _of(crowd: Crowd, rows: Ints, counts: Ints, customer: int, candidate: int) -> _Few:
    who = np.flatnonzero(counts)
    own = (crowd.ids[who], counts[who], crowd.manager[who], crowd.gain[rows], crowd.kind[rows])
    places: type[np.integer] = np.int32 if candidate + len(crowd.gain) < 2**31 else np.int64
    return _Few(who + customer, rows.astype(places) + places(candidate), *own)
