"""The month's niches: traits and behaviours read from a lot of the base, and the groups that stand out as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from keepline.engine import Engine, Files, Scan
from keepline.insight.inputs import LEVELS_MAX, Shelf, Vector, attribute_names, folds, numbers, rows_query, see_rows
from keepline.insight.niches.searching import Apart, Group, Searched, Trait, search
from keepline.insight.samples import looked_at
from keepline.periods import Month
from keepline.tables import FEATURES, NICHES
from keepline.written import write_rows

SAMPLE, SALT = 400_000, "niches"
TIMES_LEARNT = 2  # as many customers as models may learn from: groups are small
CUSTOMERS_MIN = 2000  # of whom groups are looked for; with fewer every group is too small
HELD = 4.0  # standard deviations; a few accounts of another size make no niche
BANDS = {  # upper ends; the last band is open
    "age_years": (24, 34, 44, 59),
    "tenure_months": (5, 23, 59, 119),
}
CODES = ("industry", "district", "star_rating", "listed_class", "preferred_channel")
A_LINE = ("voice_3m_s", "voice_in_3m_s", "data_3m_kb", "sms_3m", "roaming_3m_s")  # told for each line
AMOUNTS = ("overage_3m_fen", "discount_3m_fen", "topup_3m_fen", "peers")
PLAIN = ("offnet_share", "active_days")
BEHAVIOURS = (*A_LINE, *AMOUNTS, *PLAIN)
KINDS = ("kind", "plan_price_fen", "lines")  # what is usual is told within these
GROUPED_BY = tuple(dict.fromkeys((*CODES, *BANDS, *KINDS, *BEHAVIOURS)))
READS = ("customer_id", *GROUPED_BY, "margin_fen")
WINDOW = 3  # months of the behaviours; who came later has done less for that alone
PRICES = 4  # bands of the plan's price within which customers are of one kind


@dataclass(frozen=True)
class Behaviour:
    """What customers did: as it is, and in standard deviations from others of their kind and plan."""

    plain: Vector
    usual: Vector  # mean of their kind
    apart: Vector


def find_niches(
    engine: Engine, lake: Shelf, *, snapshot: Month, features: Sequence[Path], to: Path, learnt_from: int = SAMPLE
) -> dict[str, Any]:
    """Write NICHES; return what was searched, for the manifest. ``learnt_from``: most customers models learn from."""
    most = min(SAMPLE, TIMES_LEARNT * learnt_from)
    rows, attributes, share = _read(engine, lake, snapshot, features, most)
    searched = Searched((), 0, 0)
    made: list[dict[str, Any]] = []
    if len(rows) >= CUSTOMERS_MIN:
        kinds = _kinds(rows)
        behaviours = [_behaviour(rows, name, kinds) for name in BEHAVIOURS]
        halves = folds(rows["customer_id"].to_numpy(), salt=SALT, count=2) == 1
        searched = search(np.column_stack([one.apart for one in behaviours]), _traits(rows, attributes), halves)
        for number, group in enumerate(searched.groups, start=1):
            made += _rows(number, group, behaviours, rows, snapshot=snapshot, share=share)
    write_rows(made, NICHES, to)
    return {
        "customers": len(rows), "share": share, "groups": searched.looked_at, "chosen": searched.chosen,
        "too_few": len(rows) < CUSTOMERS_MIN, "found": made,
    }  # fmt: skip


def _read(
    engine: Engine, lake: Shelf, snapshot: Month, features: Sequence[Path], most: int
) -> tuple[pa.Table, tuple[str, ...], float]:
    """A lot of who was here for the whole window, with the operator's own facts, in order of customers."""
    scan, some = Scan(FEATURES, (Files(tuple(features), 0),)), looked_at(features, most)
    attributes: tuple[str, ...] = ()
    if lake.has("attributes"):
        engine.see("attributes", lake.scan("attributes", snapshot), some.alone)
        attributes = attribute_names(engine)
    see_rows(engine, lake, snapshot=snapshot, features=scan, attributes=attributes, only=some.alone)
    who, here = (exp.column(name, table="features") for name in ("customer_id", "tenure_months"))
    query = rows_query(attributes, columns=READS).where(here >= exp.Literal.number(WINDOW))
    return engine.fetch(query.order_by(who.copy())), attributes, some.share


def _kinds(rows: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Persons and organisations by bands of their plan's price: what is usual is told within each."""
    organisation = pc.fill_null(pc.equal(rows["kind"], "organisation"), False).to_numpy().astype(np.int64)
    price = numbers(rows["plan_price_fen"])
    known = price[~np.isnan(price)]
    ends = np.quantile(known, np.arange(1, PRICES) / PRICES) if len(known) else np.zeros(PRICES - 1)
    band = np.where(np.isnan(price), PRICES, np.searchsorted(ends, np.nan_to_num(price), side="left"))
    return np.asarray(organisation * (PRICES + 1) + band, dtype=np.int64)


def _behaviour(rows: pa.Table, name: str, kinds: np.ndarray[Any, np.dtype[np.int64]]) -> Behaviour:
    plain = numbers(rows[name])
    if name in A_LINE:
        plain = plain / np.maximum(np.nan_to_num(numbers(rows["lines"]), nan=1.0), 1.0)
    tamed = plain if name in PLAIN else np.log1p(np.maximum(plain, 0.0))
    strayed = tamed - _usual(tamed, kinds)
    spread = float(np.nanstd(strayed)) if (~np.isnan(strayed)).any() else 0.0
    apart = np.clip(strayed / spread, -HELD, HELD) if spread > 0 else np.full(len(plain), np.nan)
    return Behaviour(plain, _usual(plain, kinds), np.round(apart, 9))


def _usual(values: Vector, kinds: np.ndarray[Any, np.dtype[np.int64]]) -> Vector:
    """The mean of each customer's kind."""
    known = ~np.isnan(values)
    count = np.bincount(kinds, weights=known.astype(float))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(kinds, weights=np.where(known, values, 0.0)) / count
    return np.asarray(mean[kinds])


def _traits(rows: pa.Table, attributes: Sequence[str]) -> list[Trait]:
    """What customers are: codes, bands of age and tenure, and the operator's own codes."""
    found = [_coded(name, rows[name]) for name in CODES]
    found += [_banded(name, rows[name], ends) for name, ends in BANDS.items()]
    found += [_coded(f"own:{name}", rows[f"code_{place}"]) for place, name in enumerate(attributes)]
    return [trait for trait in found if 1 < len(trait.values) <= LEVELS_MAX]


def _coded(name: str, column: Any) -> Trait:
    encoded = column.combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    order = sorted(range(len(texts)), key=lambda place: texts[place])
    place_of = np.empty(len(texts) + 1, dtype=np.int64)
    place_of[order] = np.arange(len(texts))
    place_of[-1] = -1
    codes = pc.fill_null(encoded.indices, len(texts)).to_numpy(zero_copy_only=False)
    return Trait(name, tuple(texts[place] for place in order), place_of[codes])


def _banded(name: str, column: Any, ends: Sequence[int]) -> Trait:
    values = numbers(column)
    firsts = (0, *(end + 1 for end in ends))
    words = (*(f"{first}-{last}" for first, last in zip(firsts, ends, strict=False)), f"{firsts[-1]}+")
    codes = np.where(np.isnan(values), -1, np.searchsorted(ends, np.nan_to_num(values), side="left"))
    return Trait(name, words, codes.astype(np.int64))


def _rows(
    number: int, group: Group, behaviours: Sequence[Behaviour], rows: pa.Table, *, snapshot: Month, share: float
) -> list[dict[str, Any]]:
    margin = np.nan_to_num(numbers(rows["margin_fen"]))[group.members]
    named = [*group.traits, ("", "")][:2]
    about = {
        "niche": number, "month": str(snapshot), "trait_1": named[0][0], "value_1": named[0][1],
        "trait_2": named[1][0] or None, "value_2": named[1][1] or None,
        "customers": round(int(group.members.sum()) / share), "margin_fen": round(float(margin.sum()) / share),
    }  # fmt: skip
    return [about | _told(place, one, group, behaviours[one.behaviour]) for place, one in enumerate(group.apart, 1)]


def _told(place: int, one: Apart, group: Group, behaviour: Behaviour) -> dict[str, Any]:
    usual = float(np.nansum(behaviour.usual[group.members]))
    times = float(np.nansum(behaviour.plain[group.members])) / usual if usual > 0 else None
    return {
        "place": place, "behaviour": BEHAVIOURS[one.behaviour], "difference": round(one.difference, 6),
        "low": round(one.low, 6), "high": round(one.high, 6), "times": None if times is None else round(times, 6),
    }  # fmt: skip
