"""From prices to a plan: give way where a limit is overrun, then fill what is left.

Prices choose for every customer at once, so at the margin a few may be too many or too few. The
moves that lose least against the prices are made first, both when giving way and when filling up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from keepline.decisions import moving
from keepline.decisions.moving import Room, Uses
from keepline.decisions.prices import reduced
from keepline.decisions.problem import NONE, Bools, Ints, Prices, Problem, chunks, ties, usage

FILL_PASSES_MAX = 5


@dataclass(frozen=True)
class Moves:
    """Possible moves: a customer, the candidate moved to (NONE: nothing), and what is lost in units."""

    customer: Ints
    to: Ints
    loss: Ints


class Plan:
    """A choice under way, and the room left in each limit; below zero where one is overrun."""

    def __init__(self, problem: Problem, choice: Ints) -> None:
        used, means, kinds = usage(problem, choice), problem.means, problem.kinds
        self.problem, self.choice = problem, choice.astype(np.int64)
        money = np.array([means.money - used.money], dtype=np.int64)
        channels, minutes = (means.channels - used.channels), (means.minutes - used.minutes)
        self.room = Room(money, channels.astype(np.int64), minutes.astype(np.int64))
        told, by_kind = problem.compact(), (kinds.cost, kinds.channel, kinds.minutes)
        self.uses = Uses(told.gain, told.kind, told.manager, *(column.astype(np.int64) for column in by_kind))

    @property
    def overrun(self) -> bool:
        return any(bool((room < 0).any()) for room in self.room)

    def strained(self, choice: Ints, low: int) -> Bools:
        """Which of the customers from ``low`` on use a limit that is overrun by their choice."""
        kinds, kind = self.problem.kinds, self.problem.kind[choice]
        manager = self.problem.manager[low : low + len(choice)]
        money = (kinds.cost[kind] > 0) & (self.room.money[0] < 0)
        contacts = np.append(self.room.channels < 0, False)[kinds.channel[kind]]
        minutes = np.append(self.room.minutes < 0, False)[manager] & (kinds.minutes[kind] > 0)
        return np.asarray((choice != NONE) & (money | contacts | minutes))

    def improves(self, customer: Ints, to: Ints) -> Bools:
        """Which moves gain more than the choice and would fit the room left."""
        problem, kinds, now = self.problem, self.problem.kinds, self.choice[customer]
        none, manager = now == NONE, self.problem.manager[customer]
        old, new = problem.kind[np.where(none, 0, now)], problem.kind[to]
        gains = problem.gain[to] > np.where(none, 0, problem.gain[np.where(none, 0, now)])
        money = kinds.cost[new] - np.where(none, 0, kinds.cost[old]) <= self.room.money[0]
        same = ~none & (kinds.channel[new] == kinds.channel[old])
        contacts = same | np.append(self.room.channels > 0, True)[kinds.channel[new]]
        takes = kinds.minutes[new] - np.where(none, 0, kinds.minutes[old])
        minutes = (manager == NONE) | (takes <= np.append(self.room.minutes, 0)[manager])
        return np.asarray(gains & money & contacts & minutes)


def repaired(problem: Problem, choice: Ints, prices: Prices) -> Ints:
    """A choice within every limit, to which hardly an offer can be added."""
    plan = Plan(problem, choice)
    for gather in (_away, _nothing):
        if plan.overrun:
            moves = _moves(plan, prices, gather)
            moving.give_way(plan.uses, plan.room, plan.choice, moves.customer, moves.to)
    for _ in range(FILL_PASSES_MAX):
        moves = improving(plan, prices)
        if not moving.fill_up(plan.uses, plan.room, plan.choice, moves.customer, moves.to):
            break
    return plan.choice.astype(choice.dtype)


def improving(plan: Plan, prices: Prices) -> Moves:
    """Moves that gain and would fit the room left, the least loss first."""
    return _moves(plan, prices, _better)


def within(problem: Problem, choice: Ints) -> bool:
    """Whether every limit holds."""
    used, means = usage(problem, choice), problem.means
    held = (used.channels <= means.channels).all() and (used.minutes <= means.minutes).all()
    return bool(used.money <= means.money and held)


@dataclass(frozen=True)
class _Look:
    """Some customers as seen when moves are gathered: their candidates, and where they stand."""

    low: int
    owner: Ints  # place of each candidate's customer among them
    rows: Ints  # the candidates
    left: Ints  # what the prices leave of each candidate, in units
    now: Ints  # choice of each customer
    now_left: Ints  # what the prices leave of it


def _looks(plan: Plan, prices: Prices) -> Iterator[_Look]:
    problem = plan.problem
    for low, high in chunks(problem.customers):
        owner, first = problem.owner(low, high), int(problem.start[low])
        left = reduced(problem, low=low, high=high, prices=prices) + ties(problem.customer_id[low:high])[owner]
        now = plan.choice[low:high]
        now_left = np.where(now == NONE, 0, left[np.where(now == NONE, 0, now - first)])
        yield _Look(low, owner, np.arange(first, int(problem.start[high])), left, now, now_left)


Gather = Callable[[Plan, _Look], Moves]


def _moves(plan: Plan, prices: Prices, gather: Gather) -> Moves:
    """All moves of one kind, the least loss first; equal ones by customer, then by offer."""
    found = [gather(plan, look) for look in _looks(plan, prices)]
    customer, to, loss = (np.concatenate([getattr(m, n) for m in found]) for n in ("customer", "to", "loss"))
    order = np.argsort(loss, kind="stable")  # gathered by customer and offer
    return Moves(customer[order], to[order], loss[order])


def _away(plan: Plan, look: _Look) -> Moves:
    """From a strained choice to any other candidate of the customer."""
    strained = plan.strained(look.now, look.low)[look.owner]
    return _to_candidates(look, strained & (look.rows != look.now[look.owner]))


def _nothing(plan: Plan, look: _Look) -> Moves:
    """From a strained choice to nothing."""
    place = np.flatnonzero(plan.strained(look.now, look.low))
    return Moves(place + look.low, np.full(len(place), NONE), look.now_left[place])


def _better(plan: Plan, look: _Look) -> Moves:
    """To candidates that gain more than the choice and would fit the room left."""
    return _to_candidates(look, plan.improves(look.low + look.owner, look.rows))


def _to_candidates(look: _Look, test: Bools) -> Moves:
    place = look.owner[test]
    return Moves(place + look.low, look.rows[test], look.now_left[place] - look.left[test])
