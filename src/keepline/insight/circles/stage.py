"""The month's circles: ties by range, then one graph of the whole base, written as one row a customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline import sqlmodel
from keepline.engine import Engine, Range
from keepline.insight.circles.finding import CIRCLE_LEAST, Found, callers, find, place_in_group
from keepline.insight.circles.graph import BATCH, Graph, Ints, read, rows_of
from keepline.insight.inputs import Shelf
from keepline.periods import Month
from keepline.sqlmodel import SqlModel
from keepline.tables import CIRCLES, TIES
from keepline.written import write_table

MONTHS = 3
MOST_ROWS = 50_000_000  # of TIES, two a tie, 155 bytes each tie: what 4 GB of memory hold
TIES_LEAST, SHARE_LEAST = 100, 0.05  # ties, and the share of the base that has any

Card = dict[str, Any]


def known(lake: Shelf, snapshot: Month) -> bool:
    """Whether any calls between customers are told within the window."""
    return any(files.paths for files in lake.scan("call_edges", snapshot, months=MONTHS).files)


def too_large(lake: Shelf, snapshot: Month, *, features: Sequence[Path]) -> Card | None:
    """What is said of a graph that one month's calls alone make larger than memory, before any tie is made.

    A month's rows are of different callers and called, so that two at most are one pair.
    """
    by_month = lake.scan("call_edges", snapshot, months=MONTHS).files
    most = max((rows_of(files.paths) for files in by_month), default=0)
    return {"base": rows_of(features), "abstains": _too_many(most)} if most > MOST_ROWS else None


def build_ties(engine: Engine, lake: Shelf, *, snapshot: Month, only: Range, to: Path) -> int:
    """Write with whom the customers of one range talk, seen from either end."""
    calls = lake.scan("call_edges", snapshot, months=MONTHS)
    engine.see("call_edges", calls, only)
    engine.see("call_edges_anywhere", calls)
    return engine.write(sql_model().bind(low=only.low, high=only.high).query, TIES, to)


def sql_model() -> SqlModel:
    return sqlmodel.load("keepline.insight", "ties")


def find_circles(
    *,
    snapshot: Month,
    ranges: Sequence[Range],
    ties: Sequence[Path],
    features: Sequence[Path],
    departed: Sequence[Path],
    to: Path,
) -> Card:
    """Write CIRCLES, a part a range, where the graph says enough; return what was found, for the manifest.

    ``features`` has a part for each of ``ranges``; ``departed`` are the parts of WIN_BACK: who left within the window
    belongs to the circles they left. Whoever talks is held in memory, the others are met range by range.
    """
    base, rows = rows_of(features), rows_of(ties)
    if rows > MOST_ROWS:
        return {"base": base, "abstains": _too_many(rows)}
    talking = _talking(ties)
    here = _among(talking, features)
    known = here | _among(talking, departed)
    graph, here = read(ties, talking[known]), here[known]
    with_ties = int((graph.degree[here] > 0).sum())
    if len(graph.indices) < 2 * TIES_LEAST or with_ties < SHARE_LEAST * base:
        return {"base": base, "abstains": _too_few(len(graph.indices) // 2, with_ties, base)}
    told = Told(graph, find(graph), here)
    table = told.table()
    who = graph.ids[here]
    for only, part in zip(ranges, features, strict=True):
        first, last = np.searchsorted(who, [only.low, only.high])
        write_table(_of_all(part, table.slice(first, last - first), snapshot), CIRCLES, to / only.part)
    return {"base": base} | told.card | {"abstains": None}


@dataclass(frozen=True)
class Told:
    """The circles as people are told of them: those of three members or more who are still here, largest first."""

    graph: Graph
    found: Found
    here: np.ndarray[Any, np.dtype[np.bool_]]

    @cached_property
    def _group(self) -> Ints:
        return np.asarray(self.found.group[self.here], dtype=np.int64)

    @cached_property
    def _sizes(self) -> Ints:
        """Members still here, by group."""
        count = int(self.found.group.max(initial=-1)) + 1
        return np.bincount(self._group[self._group >= 0], minlength=count)

    @cached_property
    def _number(self) -> Ints:
        """Of each group: 1 for the largest, 0 where too few are left."""
        group = self._group
        members = np.flatnonzero(group >= 0)
        first = np.full(len(self._sizes), len(group))
        np.minimum.at(first, group[members], members)
        order = np.lexsort((first, -self._sizes))
        number = np.zeros(len(order), dtype=np.int64)
        number[order] = np.arange(1, len(order) + 1)
        return np.where(self._sizes >= CIRCLE_LEAST, number, 0)

    @cached_property
    def _circle(self) -> Ints:
        """The circle of each customer, 0 for none."""
        return np.where(self._group >= 0, np.append(self._number, 0)[self._group], 0)

    def _of_group(self, which: np.ndarray[Any, np.dtype[np.bool_]]) -> Ints:
        """How many of ``which`` are in the group of each customer here."""
        group = self.found.group[which]
        counted = np.bincount(group[group >= 0], minlength=len(self._sizes))
        return np.asarray(np.append(counted, 0)[self._group], dtype=np.int64)

    def table(self) -> pa.Table:
        """One row a customer here who may have ties; null where somebody is in no circle, or talks with nobody."""
        found, here, circle = self.found, self.here, self._circle
        talks, inside = self._group >= 0, circle > 0
        turned_to, called_by = found.influence[here], callers(self.graph, np.where(here, found.group, -1))[here]
        gone = ~here
        columns = {
            "customer_id": pa.array(self.graph.ids[here]),
            "circle": _known(circle, inside),
            "circle_size": _known(np.append(self._sizes, 0)[self._group], inside),
            "ties": pa.array(self.graph.degree[here]),
            "influence": _known(turned_to, talks),
            "influence_rank": _known(place_in_group(np.where(talks, 0, 1), turned_to), talks),
            "rank_in_circle": _known(place_in_group(circle, called_by, turned_to), inside),
            "circle_callers": _known(called_by, inside),
            "circles_reached": _known(found.reached[here], talks),
            "spread": _known(found.spread[here], talks),
            "leader": pa.array(found.leader[here] & inside),
            "gatekeeper": pa.array(found.gatekeeper[here]),
            "circle_left_3m": _known(self._of_group(gone), inside),
            "leader_left_3m": _known(self._of_group(gone & found.leader) > 0, inside),
        }
        return pa.table(columns)

    @property
    def card(self) -> Card:
        """How much of a graph there was, and what was found in it."""
        circle, found = self._circle, self.found
        bereft = (self._of_group(~self.here & found.leader) > 0) & (circle > 0)
        return {
            "with_ties": int((self._group >= 0).sum()),
            "ties": len(self.graph.indices) // 2,
            "switchboards": self.graph.switchboards,
            "circles": int(circle.max(initial=0)),
            "in_circles": int((circle > 0).sum()),
            "leaders": int((found.leader[self.here] & (circle > 0)).sum()),
            "gatekeepers": int(found.gatekeeper[self.here].sum()),
            "leader_left": int(bereft.sum()),
        }


def _known(values: Any, where: Any) -> pa.Array:
    return pa.array(values, mask=~where)


def _talking(ties: Sequence[Path]) -> Ints:
    """Who has ties, sorted."""
    found = [np.unique(ids) for ids in _ids(ties)]
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *found]))


def _among(who: Ints, parts: Sequence[Path]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of ``who``, sorted, the parts name."""
    found = np.zeros(len(who), dtype=np.bool_)
    for ids in _ids(parts) if len(who) else ():
        at = np.minimum(np.searchsorted(who, ids), len(who) - 1)
        found[at[who[at] == ids]] = True
    return found


def _ids(parts: Sequence[Path]) -> Iterator[Ints]:
    for path in parts:
        for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=["customer_id"]):
            yield batch.column(0).to_numpy()


def _of_all(part: Path, talking: pa.Table, snapshot: Month) -> pa.Table:
    """The rows of CIRCLES of one range: of everybody in ``part``, with what is known of who talks."""
    rows = pq.read_table(part, columns=["customer_id", "referrals_12m"]).sort_by("customer_id").combine_chunks()
    at = pc.index_in(rows["customer_id"], talking["customer_id"].combine_chunks())
    found = talking.take(at.combine_chunks())
    none = {"ties": 0, "leader": False, "gatekeeper": False}
    columns = {name: found[name] for name in found.schema.names}
    columns |= {name: pc.fill_null(found[name], value) for name, value in none.items()}
    columns["customer_id"], columns["brought_12m"] = rows["customer_id"], rows["referrals_12m"]
    columns["month"] = pa.array([str(snapshot)] * len(rows), pa.string())
    return pa.table({name: columns[name] for name in CIRCLES.names})


def _too_few(ties: int, with_ties: int, base: int) -> dict[str, str]:
    return {
        "zh": f"交往圈太稀：{base:,} 户中只有 {with_ties:,} 户之间有通话（{ties:,} 对；至少需 {TIES_LEAST} 对、"
        f"{SHARE_LEAST:.0%} 的客户），不判断圈子与意见领袖",
        "en": f"too little of a calling graph: of {base:,} customers {with_ties:,} talk with one another ({ties:,} "
        f"pairs; {TIES_LEAST} pairs and {SHARE_LEAST:.0%} of customers are needed); no circles or leaders are told",
    }


def _too_many(rows: int) -> dict[str, str]:
    return {
        "zh": f"交往圈太大：至少 {rows // 2:,} 对通话，超过 {MOST_ROWS // 2:,} 对（约 4 GB 内存），"
        "未判断圈子与意见领袖；请只载入较常联系的对端",
        "en": f"too large a calling graph: at least {rows // 2:,} pairs, more than {MOST_ROWS // 2:,} (about 4 GB "
        "of memory); no circles or leaders are told; load the pairs who talk more often",
    }
