"""From prices to a plan: give way where a limit is overrun, then fill what is left.

Prices choose for every customer at once, so at the margin a few may be too many or too few. The
moves that lose least against the prices are made first, both when giving way and when filling up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from keepline.decisions.prices import reduced
from keepline.decisions.problem import NONE, Bools, Ints, Prices, Problem, chunks, ties, usage

FILL_PASSES_MAX = 5
BLOCK = 8192


@dataclass(frozen=True)
class Moves:
    """Possible moves: a customer, the candidate moved to (NONE: nothing), and what is lost in units."""

    customer: Ints
    to: Ints
    loss: Ints


class Plan:
    """A choice under way, and the room left in each limit; below zero where one is overrun."""

    def __init__(self, problem: Problem, choice: Ints) -> None:
        used, means = usage(problem, choice), problem.means
        self.problem, self.choice = problem, choice.copy()
        self.money = means.money - used.money
        self.channels = means.channels - used.channels
        self.minutes = means.minutes - used.minutes

    @property
    def overrun(self) -> bool:
        return bool(self.money < 0 or (self.channels < 0).any() or (self.minutes < 0).any())

    def strained(self, choice: Ints, low: int) -> Bools:
        """Which of the customers from ``low`` on use a limit that is overrun by their choice."""
        kinds, kind = self.problem.kinds, self.problem.kind[choice]
        manager = self.problem.manager[low : low + len(choice)]
        money = (kinds.cost[kind] > 0) & (self.money < 0)
        contacts = np.append(self.channels < 0, False)[kinds.channel[kind]]
        minutes = np.append(self.minutes < 0, False)[manager] & (kinds.minutes[kind] > 0)
        return np.asarray((choice != NONE) & (money | contacts | minutes))

    def improves(self, customer: Ints, to: Ints) -> Bools:
        """Which moves gain more than the choice and would fit the room left."""
        problem, kinds, now = self.problem, self.problem.kinds, self.choice[customer]
        none, manager = now == NONE, self.problem.manager[customer]
        old, new = problem.kind[np.where(none, 0, now)], problem.kind[to]
        gains = problem.gain[to] > np.where(none, 0, problem.gain[np.where(none, 0, now)])
        money = kinds.cost[new] - np.where(none, 0, kinds.cost[old]) <= self.money
        same = ~none & (kinds.channel[new] == kinds.channel[old])
        contacts = same | np.append(self.channels > 0, True)[kinds.channel[new]]
        takes = kinds.minutes[new] - np.where(none, 0, kinds.minutes[old])
        minutes = (manager == NONE) | (takes <= np.append(self.minutes, 0)[manager])
        return np.asarray(gains & money & contacts & minutes)

    def change(self, customer: int, to: int) -> list[tuple[int, int]]:
        """Each limit's room now and what the move takes of it (negative: gives back)."""
        new, old = self._use(to), self._use(int(self.choice[customer]))
        pairs = [(self.money, new[0] - old[0])]
        for channel in {new[1], old[1]} - {NONE}:
            pairs.append((int(self.channels[channel]), int(new[1] == channel) - int(old[1] == channel)))
        manager = self.problem.manager[customer]
        if manager != NONE:
            pairs.append((int(self.minutes[manager]), new[2] - old[2]))
        return pairs

    def move(self, customer: int, to: int) -> None:
        new, old = self._use(to), self._use(int(self.choice[customer]))
        self.money -= new[0] - old[0]
        for channel, sign in ((new[1], 1), (old[1], -1)):
            if channel != NONE:
                self.channels[channel] -= sign
        manager = self.problem.manager[customer]
        if manager != NONE:
            self.minutes[manager] -= new[2] - old[2]
        self.choice[customer] = to

    def _use(self, candidate: int) -> tuple[int, int, int]:
        """Money, channel and minutes of one choice."""
        if candidate == NONE:
            return 0, NONE, 0
        kind, kinds = self.problem.kind[candidate], self.problem.kinds
        return int(kinds.cost[kind]), int(kinds.channel[kind]), int(kinds.minutes[kind])


def repaired(problem: Problem, choice: Ints, prices: Prices) -> Ints:
    """A choice within every limit, to which hardly an offer can be added."""
    plan = Plan(problem, choice)
    for gather in (_away, _nothing):
        if plan.overrun:
            _give_way(plan, _moves(plan, prices, gather))
    for _ in range(FILL_PASSES_MAX):
        if not _fill_up(plan, _moves(plan, prices, _better)):
            break
    return plan.choice


def _give_way(plan: Plan, moves: Moves) -> None:
    """Make room: no move may overrun another limit, nor overrun one further."""
    moved: set[int] = set()
    for customer, to in zip(moves.customer.tolist(), moves.to.tolist(), strict=True):
        if not plan.overrun:
            return
        if customer in moved:
            continue
        takes = plan.change(customer, to)
        eases = any(room < 0 and take < 0 for room, take in takes)
        if eases and all(take <= max(room, 0) for room, take in takes):
            plan.move(customer, to)
            moved.add(customer)


def _fill_up(plan: Plan, moves: Moves) -> int:
    """Use the room left: moves that gain and fit; how many were made.

    Room only shrinks for most, so each block is sifted again before it is gone through.
    """
    made = 0
    for low in range(0, len(moves.to), BLOCK):
        customers, to = moves.customer[low : low + BLOCK], moves.to[low : low + BLOCK]
        fits = plan.improves(customers, to)
        for pair in zip(customers[fits].tolist(), to[fits].tolist(), strict=True):
            if plan.improves(*(np.array([value]) for value in pair)).all():
                plan.move(*pair)
                made += 1
    return made


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
    order = np.lexsort((to, customer, loss))
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
