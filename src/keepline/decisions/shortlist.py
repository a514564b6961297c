"""The candidates worth allocating, read part by part into compact arrays, and by lot told apart whom to leave alone.

Kept are candidates that gain, that the manager may give alone, and that fit the means by
themselves; the others can be in no plan. What is read does not depend on the engine, nor on
how customers are cut into parts, so neither does the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

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


class _Reader:
    """Numbers for kinds and managers as they turn up."""

    def __init__(self, policy: Policy, known: Mapping[str, Manager]) -> None:
        self.policy, self.known = policy, known
        self.offers = {offer.id: offer for offer in policy.offers.offer}
        self.channels = tuple(sorted(policy.limits.month_contacts))
        self.kinds: dict[Kind, int] = {}
        self.managers: dict[str, int] = {}

    def part(self, path: Path, scores: Path | None) -> Columns:
        table = pq.read_table(path, columns=COLUMNS).combine_chunks()
        codes, names = _codes(table["manager_id"])
        kind, told = _kinds(table)
        gain = _checked(_numbers(table["gain_fen"]))
        keep = (gain > 0) & self._allowed(told, names)[kind, codes]
        customer, counts = np.unique(_numbers(table["customer_id"])[keep], return_counts=True)
        opens = np.cumsum(counts) - counts
        manager = self._limited(names)[codes[keep]]
        return Columns(
            _risk(customer, scores),
            customer,
            _narrow(counts),
            (np.maximum.reduceat(manager, opens) if len(opens) else manager).astype(np.int32),
            gain[keep].astype(np.int32),
            _narrow(np.array([self.kinds.setdefault(k, len(self.kinds)) for k in told], dtype=np.int64))[kind[keep]],
        )

    def _allowed(self, told: Sequence[Kind], names: Sequence[str | None]) -> Bools:
        """By kind and manager: the manager may give it, and it fits the means by itself."""
        fits = [self._fits(kind, name) for kind in told for name in names]
        return np.array(fits, dtype=np.bool_).reshape(len(told), len(names))

    def _fits(self, kind: Kind, name: str | None) -> bool:
        offer_id, cost, minutes = kind
        if offer_id not in self.offers:
            raise PublicationError(
                f"candidates hold offer {offer_id!r}, which policy does not; make the candidates again",
                f"候选表含有政策中没有的优惠 {offer_id!r}；请重新生成候选",
                code="stale_candidates",
            )
        offer, limits = self.offers[offer_id], self.policy.limits
        known = self.known.get(name) if name is not None else None
        bound = known.authority_fen if known and limits.exceed_authority == "exclude" and by_manager(offer) else None
        own = minutes_of(name, self.known, limits) if name is not None else None
        authority = bound is None or unit_cost_fen(offer) <= bound
        contacts = limits.month_contacts.get(offer.channel, 1) > 0
        week = limits.manager_week_minutes
        hours = (own is None or minutes <= own) and (week is None or minutes <= week)
        return authority and contacts and cost <= limits.money_fen and hours

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
    """Each row's place in a list of the distinct values, null among them."""
    if not len(column):
        return np.zeros(0, dtype=np.int64), []
    whole = pc.dictionary_encode(column, null_encoding="encode").chunk(0)
    return np.asarray(whole.indices.to_numpy(), dtype=np.int64), whole.dictionary.to_pylist()


def _kinds(table: pa.Table) -> tuple[Ints, list[Kind]]:
    """The distinct (offer, cost, minutes) of a part, and each row's place among them."""
    offer, offers = _codes(table["offer_id"])
    cost, costs = np.unique(_numbers(table["cost_fen"]), return_inverse=True)
    minutes, spans = np.unique(_numbers(table["minutes"]), return_inverse=True)
    packed = (offer * len(cost) + costs) * len(minutes) + spans
    distinct, place = np.unique(packed, return_inverse=True)
    told = [(offers[d // len(minutes) // len(cost)], d // len(minutes) % len(cost), d % len(minutes)) for d in distinct]
    return place, [(str(o), int(cost[c]), int(minutes[m])) for o, c, m in told]


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
