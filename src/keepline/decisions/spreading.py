"""From the month's plan to its weeks, so that every week's contacts and hours suffice.

Weeks are alike to the customer, so the month's plan is made first; its means are what the weeks have
together, and its certificate therefore holds for every plan by weeks too. The longest visits are placed
first, each in the earliest week with room (first fit decreasing; Johnson 1974). Where a week has contacts left but no
hours, another visit of the manager goes to another week. Who fits no week even so gives way, and what that leaves is
filled up with others who fit. Within one manager, channel and length the most urgent come first.

Those who take minutes are held, since hours make them few. Of all others of a channel it is enough to know how
many there are, and how urgent the first of each week is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from keepline.decisions.allocation import Allocation, Exceptions, Priced, held
from keepline.decisions.blocks import Blocks
from keepline.decisions.moving import Left, Room, Uses, Visits, place_all, place_more
from keepline.decisions.offered import BEFORE_ALL, Offered, joined, next_moves, open_kinds, with_minutes
from keepline.decisions.problem import NONE, Floats, Ints, Kinds, Means, Problem, Usage
from keepline.decisions.urgency import Some, cuts
from keepline.decisions.weeks import Weekly, Weeks, contacted

AHEAD = 1 << 18  # moves that are held at a time


def spread(problem: Problem, plan: Allocation, weeks: Weeks, risk: Floats) -> Allocation:
    """The plan of a problem that is held, with a week for everyone in it."""
    who = np.flatnonzero(plan.choice != plan.ruled)
    told = Priced(plan.prices, Exceptions(who, plan.choice[who]), plan.gain_fen, plan.bound_fen, plan.used)
    return held(problem, by_weeks(Blocks.of(problem, risk), told, weeks), risk)


def by_weeks(blocks: Blocks, plan: Priced, weeks: Weeks, *, ahead: int = AHEAD) -> Priced:
    """The plan with a week for everyone in it."""
    looked = [with_minutes(block, plan) for block in blocks]
    if not looked:
        return replace(plan, weekly=Weekly(np.zeros(0, np.int64), np.zeros(0, np.int64), (), ()))
    made = _Spreading(blocks.kinds, blocks.means, plan, weeks)
    made.place(joined([timed for timed, _ in looked]), np.sum([others for _, others in looked], axis=0)[1:])
    last = BEFORE_ALL
    while open_kinds(blocks.kinds, made.room).any():
        moves = next_moves(blocks, made.plan, made.room, last, ahead)
        made.fill(moves)
        if len(moves.to) < ahead:
            break
        last = (int(moves.loss[-1]), int(moves.to[-1]))
    return made.dealt(blocks)


class _Spreading:
    """A plan on its way to weeks, and those who take minutes or were moved, the former first.

    ``choice`` is each one's place among the candidates offered.
    """

    def __init__(self, kinds: Kinds, means: Means, plan: Priced, weeks: Weeks) -> None:
        self.kinds, self.means, self.month = kinds, means, plan
        self.by_kind = tuple(column.astype(np.int64) for column in (kinds.cost, kinds.channel, kinds.minutes))
        minutes = np.full((len(means.minutes), weeks.contacts.shape[1]), weeks.minutes, dtype=np.int64)
        self.left = Left(weeks.contacts.astype(np.int64), minutes)
        left = means.less(plan.used)
        room = (np.array([left.money], dtype=np.int64), left.channels.astype(np.int64), left.minutes.astype(np.int64))
        self.room, self.others = Room(*room), np.zeros_like(self.left.contacts)

    def place(self, timed: Offered, others: Ints) -> None:
        """Place those who take minutes, then so many others by channel; give back what those who fit no week used."""
        everyone = np.arange(len(timed.to))
        self.offered = self.people = timed
        self.choice, self.week = everyone.copy(), np.full(len(everyone), NONE, dtype=np.int64)
        self.timed, self.visits = len(everyone), _visits(timed, len(self.means.minutes))
        minutes = self.kinds.minutes[timed.kind]
        order = np.lexsort((everyone, -timed.gain.astype(np.int64), -minutes))
        place_all(self._uses(), self.left, self.visits, order, self.choice, self.week)
        self._give_back(timed.only(self.choice == NONE))
        for week in range(self.left.contacts.shape[1]):
            taken = np.minimum(others, self.left.contacts[:, week])
            self.others[:, week], others = taken, others - taken
        self.left.contacts[:] -= self.others

    def _uses(self) -> Uses:
        return Uses(self.offered.gain, self.offered.kind, self.people.manager, *self.by_kind)

    def _give_back(self, gone: Offered) -> None:
        cost, channel, minutes = (column[gone.kind] for column in self.by_kind)
        self.room.money[0] += cost.sum()
        np.add.at(self.room.channels, channel[channel != NONE], 1)
        np.add.at(self.room.minutes, gone.manager[gone.manager != NONE], minutes[gone.manager != NONE])

    def fill(self, moves: Offered) -> None:
        """Make the moves that the month and some week have room for, in their order."""
        first = np.unique(moves.customer, return_index=True)[1]
        new = moves.only(first[~np.isin(moves.customer[first], self.people.customer)])
        nothing, known = np.full(len(new.to), NONE, dtype=np.int64), len(self.offered.to)
        self.people, self.offered = joined([self.people, new]), joined([self.offered, moves])
        self.choice, self.week = np.append(self.choice, nothing), np.append(self.week, nothing)
        order = np.argsort(self.people.customer)
        who = order[np.searchsorted(self.people.customer[order], moves.customer)]
        to = np.arange(known, len(self.offered.to))
        place_more(self._uses(), self.room, self.left, self.visits, self.choice, self.week, who, to)
        self._forget()

    def _forget(self) -> None:
        """Those to whom nothing was done and nothing is, and the moves that were not made."""
        first = np.arange(self.timed)
        rows = np.union1d(first, self.choice[self.choice != NONE])
        kept = np.union1d(first, np.flatnonzero(self.choice != NONE))
        choice = self.choice[kept]
        self.people, self.offered, self.week = self.people.only(kept), self.offered.only(rows), self.week[kept]
        self.choice = np.where(choice == NONE, NONE, np.searchsorted(rows, choice))

    @property
    def plan(self) -> Priced:
        """The plan as it now is."""
        there = self.choice != NONE
        to = np.where(there, self.offered.to[self.choice], NONE)
        differs = to != self.people.ruled
        month = self.month.exceptions
        stays = ~np.isin(month.customer, self.people.customer)
        customer = np.append(month.customer[stays], self.people.customer[differs])
        order = np.argsort(customer)
        gained = self.offered.gain[self.choice[there]].sum(dtype=np.int64)
        gain = self.month.gain_fen + int(gained - self.offered.gain[: self.timed].sum(dtype=np.int64))
        left = Usage(int(self.room.money[0]), self.room.channels, self.room.minutes)
        used = self.means.less(left)
        return replace(
            self.month,
            exceptions=Exceptions(customer[order], np.append(month.to[stays], to[differs])[order]),
            gain_fen=gain,
            used=Usage(used.money, used.channels, used.minutes),
        )

    def dealt(self, blocks: Blocks) -> Priced:
        """The plan with its weeks, among customers who use the same the earlier to the more urgent."""
        there = self.choice != NONE
        people, offered, week = self.people.only(there), self.offered.only(self.choice[there]), self.week[there]
        channel, minutes = self.by_kind[1][offered.kind], self.by_kind[2][offered.kind]
        plain = (minutes == 0) & (channel != NONE)
        np.add.at(self.others, (channel[plain], week[plain]), 1)
        ends = np.cumsum(self.others, axis=1)
        places = [(c, int(end)) for c, row in enumerate(ends) for end in row[:-1] if end < row[-1]]
        plan, timed = self.plan, minutes > 0

        def everyone() -> Iterator[Some]:
            return (contacted(block, plan.of(block)[1]) for block in blocks)

        same = (minutes[timed], channel[timed], people.manager[timed])
        who, made = _dealt(people.only(timed), week[timed], same)
        return replace(plan, weekly=Weekly(who, made + 1, [c for c, _ in places], cuts(everyone, places)))


def _visits(timed: Offered, managers: int) -> Visits:
    """Whom each manager with limited minutes is to visit."""
    who = np.flatnonzero(timed.manager != NONE)
    manager = timed.manager[who]
    first = np.searchsorted(np.sort(manager), np.arange(managers + 1))
    return Visits(who[np.argsort(manager, kind="stable")], first.astype(np.int64))


def _dealt(people: Offered, week: Ints, same: tuple[Ints, ...]) -> tuple[Ints, Ints]:
    """Customers in order and their weeks, dealt anew among those who use the same."""
    told = np.lexsort((people.customer, -np.nan_to_num(people.risk, nan=-1.0), *same))
    dealt = np.lexsort((week, *same))
    made = np.empty_like(week)
    made[told] = week[dealt]
    order = np.argsort(people.customer)
    return people.customer[order], made[order]
