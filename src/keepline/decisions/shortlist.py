"""The candidates worth allocating, read part by part into compact arrays, and by lot told apart whom to leave alone.

Kept are candidates that gain, that the manager may give alone, and that fit the means by
themselves; the others can be in no plan. What is read does not depend on the engine, nor on
how customers are cut into parts, so neither does the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.decisions.blocks import Blocks, Columns, Numbers, Piece, piece
from keepline.decisions.managers import Manager, minutes_of
from keepline.decisions.offers import by_manager, unit_cost_fen
from keepline.decisions.problem import GAIN_MAX, NONE, Bools, Floats, Ints, Kinds, Means
from keepline.errors import PublicationError
from keepline.holdout import held_out
from keepline.policy.documents import Policy

COLUMNS = ["customer_id", "offer_id", "manager_id", "gain_fen", "cost_fen", "minutes"]

ROWS = 1 << 17  # read at a time
CODES_MAX = 1 << 20  # for which a table of all is kept
UNBOUND = 1 << 62

Kind = tuple[str, int, int]  # offer, cost in fen, minutes


@dataclass(frozen=True)
class Shortlist:
    """Those who may be treated and those held out by lot, part by part, and the names behind their numbers."""

    open_to: Blocks
    alone: Blocks
    channels: tuple[str, ...]
    managers: tuple[str, ...]


def shortlist(
    parts: Sequence[Path],
    policy: Policy,
    known: Mapping[str, Manager],
    *,
    scores: Sequence[Path] | None = None,
    folder: Path | None = None,
) -> Shortlist:
    """Read the parts of CANDIDATES in order of customers, and of SCORES beside them; lay what is kept down in a folder.

    Where no folder is given, everyone is held.
    """
    reader = _Reader(policy, known)
    lots: list[tuple[Piece, Piece]] = []
    for number, path in enumerate(parts):
        told = reader.part(path, None if scores is None else scores[number])
        drawn = held_out(told.customer_id, salt=policy.limits.held_out_salt, share=policy.limits.held_out_share)
        places = [folder / f"{arm}-{number:05d}" if folder else None for arm in ("open", "alone")]
        lots.append((piece(told.only(~drawn), places[0]), piece(told.only(drawn), places[1])))
    kinds, kind_place = _sorted(reader.kinds)
    managers, manager_place = _sorted(reader.managers)
    numbers = Numbers(_narrow(kind_place), np.append(manager_place, NONE).astype(np.int32))
    given = (reader.described(kinds), reader.means(managers), folder)
    open_to, alone = (Blocks([numbers.of(pair[arm]) for pair in lots], *given) for arm in (0, 1))
    return Shortlist(open_to, alone, reader.channels, tuple(managers))


class _Rows(NamedTuple):
    """Candidates in order of customers."""

    customer_id: Ints
    manager: Ints
    gain: Ints
    kind: Ints


_NO_ROWS = _Rows(np.zeros(0, np.int64), *(np.zeros(0, np.int32) for _ in range(3)))


class _Reader:
    """Numbers for kinds and managers as they turn up."""

    def __init__(self, policy: Policy, known: Mapping[str, Manager]) -> None:
        self.policy, self.known = policy, known
        self.offers = {offer.id: offer for offer in policy.offers.offer}
        self.channels = tuple(sorted(policy.limits.month_contacts))
        self.kinds: dict[Kind, int] = {}
        self.managers: dict[str, int] = {}

    def part(self, path: Path, scores: Path | None) -> Columns:
        """A part, which is in order of customers."""
        read = [self._rows(table) for table in _tables(path)]
        rows = _Rows(*(np.concatenate(column) for column in zip(*(_NO_ROWS, *read), strict=True)))
        opens = np.flatnonzero(np.append(True, rows.customer_id[1:] != rows.customer_id[:-1])[: len(rows.gain)])
        customer, counts = rows.customer_id[opens], _narrow(np.diff(opens, append=len(rows.gain)))
        manager = np.maximum.reduceat(rows.manager, opens) if len(opens) else rows.manager
        return Columns(_risk(customer, scores), customer, counts, manager, rows.gain, _narrow(rows.kind))

    def _rows(self, table: pa.Table) -> _Rows:
        """The candidates of a table that are worth allocating."""
        codes, names = _codes(table["manager_id"])
        kind, told = _kinds(table)
        gain = _checked(_numbers(table["gain_fen"]))
        keep = np.flatnonzero((gain > 0) & self._allowed(told, names)[kind, codes])
        number = np.array([self.kinds.setdefault(k, len(self.kinds)) for k in told], dtype=np.int32)
        customer, manager = _numbers(table["customer_id"])[keep], self._limited(names)[codes[keep]]
        return _Rows(customer, manager.astype(np.int32), gain[keep].astype(np.int32), number[kind[keep]])

    def _allowed(self, told: Sequence[Kind], names: Sequence[str | None]) -> Bools:
        """By kind and manager: the manager may give it, and it fits the means by itself."""
        needs = np.array([self._needs(kind) for kind in told], dtype=np.int64).reshape(-1, 2)
        has = np.array([self._has(name) for name in names], dtype=np.int64).reshape(-1, 2)
        return np.asarray((needs[:, None, :] <= has[None, :, :]).all(axis=2))

    def _needs(self, kind: Kind) -> tuple[int, int]:
        """Authority and minutes that giving it takes; more than anyone has where it fits no means."""
        offer_id, cost, minutes = kind
        if offer_id not in self.offers:
            raise PublicationError(
                f"candidates hold offer {offer_id!r}, which policy does not; make the candidates again",
                f"候选表含有政策中没有的优惠 {offer_id!r}；请重新生成候选",
                code="stale_candidates",
            )
        offer, limits = self.offers[offer_id], self.policy.limits
        contacts, week = limits.month_contacts.get(offer.channel, 1), limits.manager_week_minutes
        fits = contacts > 0 and cost <= limits.money_fen and (week is None or minutes <= week)
        bound = limits.exceed_authority == "exclude" and by_manager(offer)
        return unit_cost_fen(offer) if bound else 0, minutes if fits else UNBOUND + 1

    def _has(self, name: str | None) -> tuple[int, int]:
        """Authority and minutes of a manager; those of none, and what is not limited, suffice for all that fits."""
        if name is None:
            return UNBOUND, UNBOUND
        known = self.known.get(name)
        own = minutes_of(name, self.known, self.policy.limits)
        authority = None if known is None else known.authority_fen
        return UNBOUND if authority is None else authority, UNBOUND if own is None else own

    def _limited(self, names: Sequence[str | None]) -> Ints:
        """A number for each manager whose minutes are limited, NONE for the rest."""
        numbers = [NONE] * len(names)
        for place, name in enumerate(names):
            if name is not None and minutes_of(name, self.known, self.policy.limits) is not None:
                numbers[place] = self.managers.setdefault(name, len(self.managers))
        return np.array(numbers, dtype=np.int64)

    def described(self, kinds: Sequence[Kind]) -> Kinds:
        channel = [self.offers[offer].channel for offer, _, _ in kinds]
        places = [self.channels.index(c) if c in self.channels else NONE for c in channel]
        return Kinds(
            tuple(offer for offer, _, _ in kinds),
            np.array([cost for _, cost, _ in kinds], dtype=np.int64),
            np.array(places, dtype=np.int64),
            np.array([minutes for _, _, minutes in kinds], dtype=np.int64),
        )

    def means(self, managers: Sequence[str]) -> Means:
        limits = self.policy.limits
        minutes = [minutes_of(name, self.known, limits) or 0 for name in managers]
        contacts = [limits.month_contacts[channel] for channel in self.channels]
        return Means(limits.money_fen, np.array(contacts, dtype=np.int64), np.array(minutes, dtype=np.int64))


def _tables(path: Path) -> Iterator[pa.Table]:
    """A part, so many of its row groups at a time as are not too many rows."""
    file = pq.ParquetFile(path, read_dictionary=["offer_id", "manager_id"])
    groups = range(file.num_row_groups)
    step = max(1, ROWS * len(groups) // max(1, file.metadata.num_rows))
    for first in groups[::step]:
        read = file.read_row_groups(groups[first : first + step], columns=COLUMNS, use_threads=False)
        yield read.unify_dictionaries().combine_chunks()


def _numbers(column: pa.ChunkedArray) -> Ints:
    """Whole numbers; an unknown gain counts as none."""
    return np.asarray(pc.fill_null(column, 0).to_numpy(), dtype=np.int64)


def _checked(gain: Ints) -> Ints:
    """Gains that fit the arithmetic of the allocation; larger ones are a mistake of units."""
    if gain.max(initial=0) >= GAIN_MAX:
        raise PublicationError(
            f"a candidate gains {int(gain.max())} fen, more than {GAIN_MAX}; look for a mistake of units in the bills",
            f"有候选的预期增量为 {int(gain.max())} 分，超过 {GAIN_MAX} 分；请检查账单的金额单位",
            code="gain_too_large",
        )
    return gain


def _codes(column: pa.ChunkedArray) -> tuple[Ints, list[Any]]:
    """Each row's place in a list of distinct values, null the last of them."""
    whole = column.combine_chunks()
    told = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    values = [*told.dictionary.to_pylist(), None]
    return np.asarray(pc.fill_null(told.indices, len(values) - 1).to_numpy(zero_copy_only=False), np.int64), values


def _kinds(table: pa.Table) -> tuple[Ints, list[Kind]]:
    """The distinct (offer, cost, minutes) of a table, and each row's place among them."""
    columns = [_codes(table[name]) for name in ("offer_id", "cost_fen", "minutes")]
    (offer, offers), (cost, costs), (minutes, spans) = columns
    packed = (offer * len(costs) + cost) * len(spans) + minutes
    distinct, place = _distinct(packed, len(offers) * len(costs) * len(spans))
    told = [(offers[d // len(spans) // len(costs)], costs[d // len(spans) % len(costs)], spans[d % len(spans)])
            for d in distinct.tolist()]  # fmt: skip
    return place, [(str(o), int(c or 0), int(m or 0)) for o, c, m in told]


def _distinct(codes: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct codes below a size in order, and each one's place among them."""
    if size > CODES_MAX:
        distinct, place = np.unique(codes, return_inverse=True)
        return distinct, np.asarray(place)
    seen = np.zeros(size, dtype=np.bool_)
    seen[codes] = True
    return np.flatnonzero(seen), (np.cumsum(seen, dtype=np.int64) - 1)[codes]


def _risk(customers: Ints, scores: Path | None) -> Floats:
    """The probability of leaving of each customer; NaN where unknown."""
    risk = np.full(len(customers), np.nan)
    if scores is None:
        return risk
    table = pq.read_table(scores, columns=["customer_id", "leave_probability"])
    ids, chance = table["customer_id"].to_numpy(), table["leave_probability"].to_numpy()
    place = np.searchsorted(customers, ids)
    there = (place < len(customers)) & (np.append(customers, -1)[place] == ids)
    risk[place[there]] = chance[there]
    return risk


T = TypeVar("T", str, Kind)


def _sorted(numbered: Mapping[T, int]) -> tuple[list[T], Ints]:
    """The names in their own order, and for each former number the place in it."""
    names = sorted(numbered)
    place = np.zeros(len(names), dtype=np.int64)
    place[[numbered[name] for name in names]] = np.arange(len(names))
    return names, place


def _narrow(values: Ints) -> Ints:
    """Four bytes where they do, or two."""
    top = int(np.abs(values).max(initial=0))
    return values.astype(np.int16 if top < 2**15 else np.int32 if top < 2**31 else np.int64)
