"""Candidates picked out of all blocks with what is known of their customers, and the moves that lose least."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keepline.decisions.allocation import Priced
from keepline.decisions.blocks import Block, Blocks
from keepline.decisions.moving import Room
from keepline.decisions.prices import reduced
from keepline.decisions.problem import NONE, Bools, Floats, Ints, Kinds, chunks, ties


class Offered(NamedTuple):
    """Candidates and their customers by place among all; what the prices choose for these customers."""

    customer: Ints
    to: Ints
    ruled: Ints
    manager: Ints
    kind: Ints
    gain: Ints
    risk: Floats
    loss: Ints  # in units, by choosing it instead of nothing; 0 where that does not matter

    def only(self, rows: Ints | Bools) -> Offered:
        columns: list[Any] = [column[rows] for column in self]
        return Offered(*columns)


Last = tuple[int, int]  # loss and place of a candidate
BEFORE_ALL: Last = (-(2**63), NONE)
AFTER_ALL = 2**63 - 1


def joined(parts: Sequence[Offered]) -> Offered:
    return Offered(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def offered(block: Block, who: Ints, rows: Ints, *, ruled: Ints, loss: Ints | None = None) -> Offered:
    """Candidates of customers of a block, both by their places there."""
    problem, chosen = block.problem, ruled[who].astype(np.int64)
    return Offered(
        who + np.int64(block.customer),
        rows + np.int64(block.candidate),
        np.where(chosen == NONE, NONE, chosen + block.candidate),
        problem.manager[who],
        problem.kind[rows],
        problem.gain[rows],
        block.risk[who],
        np.zeros(len(who), dtype=np.int64) if loss is None else loss,
    )


def with_minutes(block: Block, plan: Priced) -> tuple[Offered, Ints]:
    """What takes minutes of what is done; of all else how many there are by channel, none first."""
    kinds, (ruled, choice) = block.problem.kinds, plan.of(block)
    who = np.flatnonzero(choice != NONE)
    kind = block.problem.kind[choice[who]]
    timed = kinds.minutes[kind] > 0
    others = np.bincount(kinds.channel[kind[~timed]] + 1, minlength=len(block.problem.means.channels) + 1)
    return offered(block, who[timed], choice[who[timed]], ruled=ruled), others


def open_kinds(kinds: Kinds, room: Room) -> Bools:
    """Kinds that the money and contacts left allow."""
    return np.asarray((kinds.cost <= room.money[0]) & np.append(room.channels > 0, True)[kinds.channel])


def next_moves(blocks: Blocks, plan: Priced, room: Room, last: Last, ahead: int) -> Offered:
    """The moves after the last from nothing to what would fit the room left, those that lose least first."""
    found: list[Offered] = []
    most, size = AFTER_ALL, 0
    for block in blocks:
        for moves in _moves(block, plan, room):
            after = (moves.loss > last[0]) | ((moves.loss == last[0]) & (moves.to > last[1]))
            found.append(moves.only(after & (moves.loss < most)))
            size += len(found[-1].to)
            if size > 2 * ahead:
                found = [_first(joined(found), ahead)]
                most, size = int(found[0].loss[-1]), ahead  # those that follow and lose as much have larger places
    return _first(joined(found), ahead)


def _first(moves: Offered, ahead: int) -> Offered:
    return moves.only(np.lexsort((moves.to, moves.loss))[:ahead])


def _moves(block: Block, plan: Priced, room: Room) -> Iterator[Offered]:
    """All of a block, some customers at a time."""
    problem, kinds, (ruled, choice) = block.problem, block.problem.kinds, plan.of(block)
    fits = open_kinds(kinds, room)
    hours = np.append(room.minutes, AFTER_ALL)  # NONE points at the last
    for low, high in chunks(problem.customers):
        owner, first = problem.owner(low, high) + low, int(problem.start[low])
        kind = problem.kind[first : int(problem.start[high])]
        free = (choice[owner] == NONE) & fits[kind] & (kinds.minutes[kind] <= hours[problem.manager[owner]])
        rows = np.flatnonzero(free)
        left = reduced(problem, low=low, high=high, prices=plan.prices)[rows]
        who = owner[rows]
        loss = -left - ties(problem.customer_id[who])
        yield offered(block, who, rows + first, ruled=ruled, loss=loss)
