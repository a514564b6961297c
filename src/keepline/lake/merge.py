"""New rows merged by key into the rows the lake has: loaded, updated, unchanged, or one of several equal ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from keepline.lake.sections import is_pseudonym
from keepline.tables import ARROW, Table, Type

Ints = np.ndarray[Any, np.dtype[np.int64]]

# What became of a source row; the greatest of what became of its parts.
IGNORED, UNCHANGED, UPDATED, LOADED, SET_ASIDE = 1, 2, 3, 4, 5
FATES = {"ignored": IGNORED, "unchanged": UNCHANGED, "updated": UPDATED, "loaded": LOADED, "set_aside": SET_ASIDE}

DENSE = 1 << 22  # codes up to this many are counted without being made dense


def key_codes(tables: Sequence[pa.Table], names: Sequence[str]) -> list[Ints]:
    """Equal numbers for rows equal in all of ``names``, over all tables; small enough to count by."""
    rows = sum(table.num_rows for table in tables)
    total: Ints = np.zeros(rows, dtype=np.int64)
    most = 1
    for name in names:
        column = pa.chunked_array([chunk for table in tables for chunk in table[name].chunks], type=_type(tables, name))
        encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
        width = len(encoded.dictionary)
        if width > 1:
            total = total * width + encoded.indices.to_numpy(zero_copy_only=False)
            most *= width
        if most > DENSE + 4 * rows:
            kinds, total = np.unique(total, return_inverse=True)
            most = len(kinds)
    cuts = np.cumsum([table.num_rows for table in tables])[:-1]
    return np.split(total, cuts)


def _type(tables: Sequence[pa.Table], name: str) -> pa.DataType:
    return tables[0].schema.field(name).type


@dataclass(frozen=True)
class Copies:
    """Rows that share a key within a file."""

    repeated: Ints  # positions of rows equal to an earlier one
    clashing: Ints  # positions of rows that differ from another of the same key


def copies(rows: pa.Table, table: Table, supplied: Sequence[str]) -> Copies:
    """Find rows that come twice: equal ones are taken once, different ones are all set aside."""
    (codes,) = key_codes([rows], table.key)
    nothing: Ints = np.array([], dtype=np.int64)
    counts = np.bincount(codes)
    if counts.size == 0 or int(counts.max()) == 1:
        return Copies(nothing, nothing)
    several = np.flatnonzero(counts[codes] > 1)
    (kinds,) = key_codes([rows.take(pa.array(several))], supplied)
    pairs, first = np.unique(codes[several] * (int(kinds.max()) + 1) + kinds, return_index=True)
    again = np.ones(len(several), dtype=np.bool_)
    again[first] = False
    keys, kinds_of_key = np.unique(pairs // (int(kinds.max()) + 1), return_counts=True)
    clash = np.isin(codes[several], keys[kinds_of_key > 1])
    return Copies(several[again], several[clash])


@dataclass(frozen=True)
class Merged:
    """The whole new content, and what became of every given row."""

    rows: pa.Table
    fates: np.ndarray[Any, np.dtype[np.uint8]]
    overruled: int = 0  # consents that the blacklist took back
    months: frozenset[str] = frozenset()  # whose rows changed, or came or went

    @property
    def changed(self) -> bool:
        return bool(np.any(self.fates >= UPDATED))


def merge(new: pa.Table, old: pa.Table, table: Table, supplied: Sequence[str], *, add_up: bool) -> Merged:
    """Merge by key. Columns the file supplies replace the lake's; the others keep what the lake has.

    Rows of one key are added up where the mapping says so; otherwise equal ones count once.
    """
    new_codes, old_codes = key_codes([new, old], table.key)
    if np.bincount(new_codes).max(initial=0) <= 1:
        keys, first, inverse, single = new_codes, None, np.arange(len(new_codes)), new
    else:
        keys, first, inverse = np.unique(new_codes, return_index=True, return_inverse=True)
        single = new.take(pa.array(first))
        single = _summed(new, single, inverse, table, supplied) if add_up else single
    place = np.full(int(max(new_codes.max(initial=-1), old_codes.max(initial=-1))) + 1, -1, dtype=np.int64)
    place[old_codes] = np.arange(len(old_codes))
    found = place[keys]
    before = old.take(pa.array(found, mask=found < 0))
    after, overruled = _overlaid(single, before, table, supplied)
    fates = np.where(found < 0, LOADED, np.where(_same(after, before), UNCHANGED, UPDATED)).astype(np.uint8)
    each = fates[inverse]
    if first is not None and not add_up:
        later = np.ones(len(each), dtype=np.bool_)
        later[first] = False
        each = np.where(later, IGNORED, each).astype(np.uint8)
    kept = np.ones(len(old_codes), dtype=np.bool_)
    kept[found[found >= 0]] = False
    whole = in_order(pa.concat_tables([old.filter(pa.array(kept)), after]), table)
    return Merged(whole, each, overruled, _months(before, after, fates))


def _months(before: pa.Table, after: pa.Table, fates: np.ndarray[Any, np.dtype[np.uint8]]) -> frozenset[str]:
    """Months in which a row was loaded or updated, or from which it moved."""
    if "month" not in after.schema.names:
        return frozenset()
    changed = pa.array(fates >= UPDATED)
    return frozenset(m for side in (before, after) for m in pc.unique(side["month"].filter(changed)).to_pylist() if m)


def _summed(new: pa.Table, single: pa.Table, inverse: Ints, table: Table, supplied: Sequence[str]) -> pa.Table:
    """Add up what is a number, but no pseudonyms; empty ones count nothing unless all are empty."""
    for name in supplied:
        column = table.column(name)
        if name in table.key or is_pseudonym(column) or column.type not in (Type.BIGINT, Type.DOUBLE):
            continue
        counted = pa.table({"group": inverse, "value": new[name]}).group_by("group").aggregate([("value", "sum")])
        total = counted.sort_by("group")["value_sum"].cast(ARROW[column.type])
        single = single.set_column(single.schema.get_field_index(name), name, total)
    return single


def _overlaid(single: pa.Table, before: pa.Table, table: Table, supplied: Sequence[str]) -> tuple[pa.Table, int]:
    """New values over old ones. A number on the blacklist consents to nothing; how many said otherwise."""
    columns = {name: single[name] if name in supplied else before[name] for name in table.names}
    overruled = 0
    if table.name == "customers":
        both = pc.and_(pc.fill_null(columns["consent"], False), pc.fill_null(columns["blacklisted"], False))
        overruled = pc.sum(both, min_count=0).as_py() or 0
        columns["consent"] = pc.if_else(both, False, columns["consent"])
    return pa.table(columns, schema=table.arrow), overruled


def _same(after: pa.Table, before: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Rows in which every column is equal, or empty in both."""
    same = np.ones(after.num_rows, dtype=np.bool_)
    if all(before[name].null_count == before.num_rows for name in before.schema.names):
        return ~same
    for name in after.schema.names:
        left, right = after[name], before[name]
        equal = pc.fill_null(pc.equal(left, right), False)
        both_empty = pc.and_(pc.is_null(left), pc.is_null(right))
        same &= pc.or_(equal, both_empty).to_numpy()
    return same


def in_order(rows: pa.Table, table: Table) -> pa.Table:
    """By customer where there is one, then by key."""
    names = dict.fromkeys([*(["customer_id"] if "customer_id" in table.names else []), *table.key])
    telling = [name for name in names if name != "month" or pc.count_distinct(rows["month"]).as_py() > 1]
    return rows.combine_chunks().sort_by([(name, "ascending") for name in telling]) if telling else rows
