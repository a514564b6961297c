"""The allocation problem in compact arrays: who could get what, what it uses, and our means.

Gains are whole fen. Prices and reduced gains are integers in units of 2^-26 fen, so that
sums are exact and no machine's float decides who is treated. Equal gains are told apart by
``customer_id``: the smaller comes first by less than 1/64 of a fen.

Memory: 6 bytes a candidate (gain 4, kind 2; 4 where there are very many kinds) and 20 a
customer (id 8, start 8, manager 4). Of all customers there is one block at a time (``blocks``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepline.engine import ID_SPACE

Ints = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

UNIT = 1 << 26  # units in one fen
TIES = 1 << 20  # the most units by which a smaller id comes first
TIE_STEP = ID_SPACE // TIES  # ids that are ahead alike
GAIN_MAX = 1 << 31  # fen; larger gains would not fit 64 bits in units
PRICE_MAX = 1 << 60  # units that the use of one offer may cost
NONE = -1
CHUNK = 1 << 16  # customers looked at together


@dataclass(frozen=True)
class Kinds:
    """The distinct (offer, cost, minutes) of the candidates; usually one an offer."""

    offer: tuple[str, ...]
    cost: Ints  # fen
    channel: Ints  # index into Means.channels, NONE where the channel has no limit
    minutes: Ints  # manager minutes; 0 for offers without a manager


@dataclass(frozen=True)
class Means:
    """Our limits: money in fen, contacts of each limited channel, minutes of each limited manager."""

    money: int
    channels: Ints
    minutes: Ints

    def less(self, used: Usage) -> Means:
        """What is left when so much is used."""
        return Means(self.money - used.money, self.channels - used.channels, self.minutes - used.minutes)


@dataclass(frozen=True)
class Problem:
    """Customers in order of id, each with one candidate or more; every candidate gains and could fit."""

    customer_id: Ints
    start: Ints  # first candidate of each customer, and the count of candidates at the end
    manager: Ints  # index into Means.minutes, NONE where no limit binds the customer's manager
    gain: Ints  # fen
    kind: Ints
    kinds: Kinds
    means: Means

    @property
    def customers(self) -> int:
        return len(self.customer_id)

    @property
    def candidates(self) -> int:
        return len(self.gain)

    @property
    def places(self) -> type[np.integer]:
        """The type that places of candidates fit in."""
        return np.int32 if self.candidates < 2**31 else np.int64

    def owner(self, low: int, high: int) -> Ints:
        """For each candidate of customers ``low`` to ``high``, the customer's place counted from ``low``."""
        return np.repeat(np.arange(high - low), np.diff(self.start[low : high + 1]))

    def only(self, keep: Bools) -> Problem:
        """The problem of the customers to keep; kinds and means stay."""
        if keep.all():
            return self
        counts = np.diff(self.start)
        rows = np.repeat(keep, counts)
        start = np.concatenate([[0], np.cumsum(counts[keep])])
        return Problem(
            self.customer_id[keep], start, self.manager[keep], self.gain[rows], self.kind[rows], self.kinds, self.means
        )

    def each(self, step: int, *, first: int = 0) -> Problem:
        """Every ``step``-th customer from one on; the means stay."""
        place = np.arange(first, self.customers, step)
        counts = self.start[place + 1] - self.start[place]
        start = np.concatenate([[0], np.cumsum(counts)])
        rows = np.arange(start[-1], dtype=self.places)
        rows += np.repeat((self.start[place] - start[:-1]).astype(self.places), counts)
        return Problem(
            self.customer_id[place],
            start,
            self.manager[place],
            self.gain[rows],
            self.kind[rows],
            self.kinds,
            self.means,
        )

    def compact(self) -> Problem:
        """The same in the types the loops are compiled for; nothing is copied that has them."""
        narrow = np.int16 if len(self.kinds.offer) < 2**15 else np.int32
        return Problem(
            self.customer_id.astype(np.int64, copy=False),
            self.start.astype(np.int64, copy=False),
            self.manager.astype(np.int32, copy=False),
            self.gain.astype(np.int32, copy=False),
            self.kind.astype(narrow, copy=False),
            self.kinds,
            self.means,
        )


@dataclass(frozen=True)
class Prices:
    """What one unit of each limit costs, in 2^-26 fen: a fen of money, a contact, a minute."""

    money: int
    channels: Ints
    minutes: Ints

    def of_kinds(self, kinds: Kinds) -> Ints:
        """The price of each kind, minutes left out."""
        by_channel = np.append(self.channels, 0)  # NONE points at the last place
        return np.asarray(kinds.cost * self.money + by_channel[kinds.channel], dtype=np.int64)


def ties(customer_id: Ints) -> Ints:
    """A fraction of one fen in favour of the smaller id."""
    return np.asarray(TIES - 1 - customer_id // TIE_STEP, dtype=np.int64)


def total(units: Ints) -> int:
    """The exact sum of what is above zero, too large for 64 bits when customers are many."""
    above = np.maximum(units, 0)
    return int((above // UNIT).sum()) * UNIT + int((above % UNIT).sum())


def chunks(customers: int) -> list[tuple[int, int]]:
    """Cuts that do not depend on parts or engines."""
    return [(low, min(low + CHUNK, customers)) for low in range(0, max(customers, 1), CHUNK)]


def first_where(test: Bools, start: Ints) -> Ints:
    """The first place in each segment where the test holds; the length of the test where none does."""
    places = np.where(test, np.arange(len(test)), len(test))
    return np.asarray(np.minimum.reduceat(places, start))


@dataclass(frozen=True)
class Usage:
    """What a choice uses."""

    money: int
    channels: Ints
    minutes: Ints

    @classmethod
    def none(cls, means: Means) -> Usage:
        """Of nothing."""
        return cls(0, np.zeros(len(means.channels), dtype=np.int64), np.zeros(len(means.minutes), dtype=np.int64))

    def plus(self, other: Usage) -> Usage:
        return Usage(self.money + other.money, self.channels + other.channels, self.minutes + other.minutes)


def usage(problem: Problem, choice: Ints) -> Usage:
    """Exact use of every limit by a choice of candidates (NONE for nothing)."""
    kinds, limited = problem.kinds, len(problem.means.minutes)
    counts, minutes = np.zeros(len(kinds.offer), dtype=np.int64), np.zeros(limited)
    for low, high in chunks(problem.customers):
        who = np.flatnonzero(choice[low:high] != NONE) + low
        kind, manager = problem.kind[choice[who]], problem.manager[who]
        counts += np.bincount(kind, minlength=len(counts))
        bound = manager != NONE
        minutes += np.bincount(manager[bound], kinds.minutes[kind[bound]], limited)  # far below 2^53
    return Usage(int(counts @ kinds.cost), by_channel(problem, counts), minutes.astype(np.int64))


def by_channel(problem: Problem, counts: Ints | Floats) -> Ints:
    """Contacts of each limited channel, from the count of each kind."""
    total = np.zeros(len(problem.means.channels), dtype=np.asarray(counts).dtype)
    bound = problem.kinds.channel != NONE
    np.add.at(total, problem.kinds.channel[bound], np.asarray(counts)[bound])
    return np.asarray(total)
