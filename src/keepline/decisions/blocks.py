"""All customers of a problem, block by block: held in memory, or laid down in files and read again as often as needed.

Laid down a customer takes some 22 bytes of disk and a candidate 6; in memory there is one block at a time. How
customers are cut into blocks changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keepline.decisions.problem import Bools, Floats, Ints, Kinds, Means, Problem

HELD = 1 << 19  # customers up to whom a sample is held


class Columns(NamedTuple):
    """Some customers in order of id: how likely they are to leave (NaN: unknown), their managers and candidates."""

    risk: Floats  # first, so that it can be read alone
    customer_id: Ints
    counts: Ints  # of candidates
    manager: Ints
    gain: Ints
    kind: Ints

    @classmethod
    def of(cls, problem: Problem, risk: Floats | None = None) -> Columns:
        known = unknown(problem.customers) if risk is None else risk
        own = (known, problem.customer_id, np.diff(problem.start).astype(np.int32), problem.manager)
        return cls(*own, problem.gain, problem.kind)

    @property
    def start(self) -> Ints:
        return np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])

    def only(self, keep: Bools) -> Columns:
        """The customers to keep."""
        rows = np.repeat(keep, self.counts)
        own = (self.risk[keep], self.customer_id[keep], self.counts[keep], self.manager[keep])
        return Columns(*own, self.gain[rows], self.kind[rows])

    def problem(self, kinds: Kinds, means: Means) -> Problem:
        """As a problem of its own, in the types the loops are compiled for."""
        own = Problem(self.customer_id, self.start, self.manager, self.gain, self.kind, kinds, means)
        return own.compact()


def unknown(customers: int) -> Floats:
    """Of so many customers nobody knows how likely they are to leave; takes no memory."""
    return np.broadcast_to(np.float64(np.nan), customers)


def joined(parts: Sequence[Columns]) -> Columns:
    """Neighbours as one."""
    return parts[0] if len(parts) == 1 else Columns(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True)
class Piece:
    """Some customers, wherever they lie, and what is known of them without reading them."""

    customers: int
    candidates: int
    best_fen: int  # what all would gain by the best for each
    read: Callable[[], Columns]
    risk: Callable[[], Floats]


def piece(told: Columns, place: Path | None) -> Piece:
    """Columns laid down at a place, or held where there is none."""
    size = (len(told.customer_id), len(told.gain), _best_fen(told.gain, told.start))
    if place is None:
        return Piece(*size, lambda: told, lambda: told.risk)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        for column in told:
            np.save(file, column)
    return Piece(*size, lambda: Columns(*_read(place, len(Columns._fields))), lambda: _read(place, 1)[0])


def _best_fen(gain: Ints, start: Ints) -> int:
    return int(np.maximum.reduceat(gain, start[:-1]).sum(dtype=np.int64)) if len(gain) else 0


def _read(place: Path, columns: int) -> list[Any]:
    with place.open("rb") as file:
        return [np.load(file) for _ in range(columns)]


@dataclass(frozen=True)
class Numbers:
    """The numbers that kinds and managers go by, at the places they got as they turned up; NONE is the last manager."""

    kind: Ints
    manager: Ints

    def of(self, told: Piece) -> Piece:
        def read() -> Columns:
            raw = told.read()
            return raw._replace(kind=self.kind[raw.kind], manager=self.manager[raw.manager])

        return Piece(told.customers, told.candidates, told.best_fen, read, told.risk)


@dataclass(frozen=True)
class Block:
    """A block as a problem, how many customers and candidates come before it, and how likely each is to leave."""

    problem: Problem
    customer: int
    candidate: int
    risk: Floats

    @property
    def end(self) -> int:
        return self.customer + self.problem.customers


@dataclass(frozen=True)
class Blocks:
    """Everyone of a problem. ``folder`` is where samples of it may be laid down."""

    pieces: Sequence[Piece]
    kinds: Kinds
    means: Means
    folder: Path | None = None
    whole: Block | None = None

    @classmethod
    def of(cls, problem: Problem, risk: Floats | None = None) -> Blocks:
        """A problem that is held."""
        told, known = problem.compact(), unknown(problem.customers) if risk is None else risk
        best = _best_fen(told.gain, told.start)
        whole = Piece(told.customers, told.candidates, best, lambda: Columns.of(told, known), lambda: known)
        return cls([whole], problem.kinds, problem.means, whole=Block(told, 0, 0, known))

    @property
    def customers(self) -> int:
        return self._firsts[-1][0]

    @property
    def candidates(self) -> int:
        return self._firsts[-1][1]

    @property
    def best_fen(self) -> int:
        """What all would gain by the best for each, without any limit."""
        return sum(each.best_fen for each in self.pieces)

    @cached_property
    def _firsts(self) -> list[tuple[int, int]]:
        """Customers and candidates before each piece, and in all."""
        sizes = ((each.customers, each.candidates) for each in self.pieces)
        return list(accumulate(sizes, lambda a, b: (a[0] + b[0], a[1] + b[1]), initial=(0, 0)))

    def block(self, number: int) -> Block:
        """The block of one piece; it may be empty."""
        if self.whole is not None:
            return self.whole
        told = self.pieces[number].read()
        return Block(told.problem(self.kinds, self.means), *self._firsts[number], told.risk)

    def __iter__(self) -> Iterator[Block]:
        """The blocks that are not empty."""
        return (self.block(number) for number, each in enumerate(self.pieces) if each.customers)

    def risks(self) -> Iterator[tuple[int, Floats]]:
        """How likely the customers are to leave, block by block, with the place of the first of each."""
        return ((self._firsts[n][0], each.risk()) for n, each in enumerate(self.pieces) if each.customers)

    def held(self) -> Problem:
        """Everyone at once."""
        if self.whole is not None:
            return self.whole.problem
        return joined([each.read() for each in self.pieces]).problem(self.kinds, self.means)

    def each(self, step: int) -> Blocks:
        """Every ``step``-th customer, with as much less means; pseudonyms are random, so this is a fair sample."""
        means = Means(self.means.money // step, self.means.channels // step, self.means.minutes // step)
        taken = (Columns.of(block.problem.each(step, first=-block.customer % step)) for block in self)
        if self.folder is None or self.customers <= HELD * step:
            return Blocks([piece(joined(list(taken)), None)], self.kinds, means)
        folder = self.folder / f"every-{step}"
        laid = [piece(columns, folder / f"{number:05d}") for number, columns in enumerate(taken)]
        return Blocks(laid, self.kinds, means, folder)

    def gathered(self, place: Ints) -> Columns:
        """The customers at some places, which are in order."""
        cuts = np.searchsorted(place, [first for first, _ in self._firsts])
        wanted = [(n, place[low:high]) for n, (low, high) in enumerate(pairwise(cuts.tolist())) if low < high]
        return joined([self._some(number, here) for number, here in wanted])

    def _some(self, number: int, place: Ints) -> Columns:
        keep = np.zeros(self.pieces[number].customers, dtype=np.bool_)
        keep[place - self._firsts[number][0]] = True
        return self.pieces[number].read().only(keep)
