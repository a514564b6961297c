"""The month's plan: allocate our means over all candidates, then write what is done for each customer and why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from keepline.decisions import states
from keepline.decisions.arms import Assigned, assign
from keepline.decisions.base import see
from keepline.decisions.managers import Manager, managers, see_managers
from keepline.decisions.problem import Ints, Kinds
from keepline.decisions.shortlist import shortlist
from keepline.decisions.summary import Result, Totals, summary
from keepline.decisions.weeks import Weeks
from keepline.engine import Engine, Range
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.progress import Progress, Silent
from keepline.tables import ASSIGNMENTS, DECISIONS, SCHEDULE
from keepline.written import write_table


def decide(
    engine: Engine,
    lake: Lake,
    policy: Policy,
    *,
    snapshot: Month,
    ranges: Sequence[Range],
    features: Path,
    scores: Path,
    candidates: Path,
    decisions: Path,
    assignments: Path,
    schedule: Path,
    model_version: str,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the parts of DECISIONS, ASSIGNMENTS and, where policy knows weeks, SCHEDULE; return the plan's summary.

    The paths are folders of parts, one a range. Parts already there are whole and are kept.
    """
    told = progress or Silent()
    told.begin("分配资源", "allocating our means", len(ranges) + 1)
    see_managers(engine, lake, snapshot)
    with laid_beside(decisions) as folder:
        parts = ([table / only.part for only in ranges] for table in (candidates, scores))
        result = _allocated(policy, managers(engine, policy.limits), *parts, folder=folder)
        told.advance()
        kinds = result.short.open_to.kinds
        gaining = frozenset(kinds.offer)
        query = states.model(policy, snapshot=snapshot, model_version=model_version, gaining=gaining).query
        for only, here in zip(ranges, result.arms, strict=True):
            result.totals.add(here)
            _write_assignments(here, kinds, snapshot, features / only.part, assignments / only.part)
            if policy.limits.weeks is not None:
                _write_schedule(here, snapshot, schedule / only.part)
            if not (decisions / only.part).exists():
                _see_range(engine, only, features, scores, candidates, assignments)
                engine.write(query, DECISIONS, decisions / only.part)
            told.advance()
        return summary(engine, result, features=features, decisions=decisions)


def _allocated(
    policy: Policy, known: dict[str, Manager], candidates: Sequence[Path], scores: Sequence[Path], *, folder: Path
) -> Result:
    """The plan over all candidates, of which nothing is totalled yet."""
    short = shortlist(candidates, policy, known, scores=scores, folder=folder)
    arms = assign(short, Weeks.of(policy.limits, short.channels))
    return Result(policy, known, arms, Totals.none(short.open_to.kinds))


@contextmanager
def laid_beside(table: Path) -> Iterator[Path]:
    """A folder for the candidates worth allocating while they are, beside that of a table; gone afterwards."""
    folder = table.with_name("allocating")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _see_range(engine: Engine, only: Range, *folders: Path) -> None:
    for name, folder in zip(("features", "scores", "candidates", "assignments"), folders, strict=True):
        see(engine, name, folder / only.part)


def _write_assignments(rows: Assigned, kinds: Kinds, snapshot: Month, features: Path, to: Path) -> None:
    if to.exists():
        return
    margin = _looked_up(features, "margin_3m_fen", rows.customer_id)
    table = pa.table(
        {
            "customer_id": rows.customer_id,
            "month": [str(snapshot)] * len(rows.customer_id),
            "arm": np.where(rows.treated, "treated", "held_out").tolist(),
            "offer_id": [kinds.offer[kind] for kind in rows.kind.tolist()],
            "by_rule": rows.by_rule,
            "gain_fen": rows.gain,
            "cost_fen": kinds.cost[rows.kind],
            "margin_before_fen": margin,
        },
        schema=ASSIGNMENTS.arrow,
    )
    write_table(table, ASSIGNMENTS, to)


def _write_schedule(rows: Assigned, snapshot: Month, to: Path) -> None:
    customers, week = rows.customer_id[rows.treated], rows.week[rows.treated]
    columns = {"customer_id": customers, "month": [str(snapshot)] * len(customers), "week": week}
    write_table(pa.table(columns, schema=SCHEDULE.arrow), SCHEDULE, to)


def _looked_up(part: Path, column: str, customers: Ints) -> pa.Array:
    """A column of a part, in order of its key, for some of its customers; null for those it lacks."""
    table = pq.read_table(part, columns=["customer_id", column]).combine_chunks()
    ids = table["customer_id"].to_numpy()
    place = np.searchsorted(ids, customers)
    there = (place < len(ids)) & (np.append(ids, -1)[place] == customers)
    return table[column].take(pa.array(place, mask=~there)).combine_chunks()
