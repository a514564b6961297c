"""The treated customers in the order a manager works through them, streamed from the publication's parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from sqlglot import exp

from keepline.engine import Files, Scan
from keepline.report.tally import Row, Shelf, model
from keepline.tables import TABLES, Column, Table, Type
from keepline.workfolder import own_folder
from keepline.written import read_batches

BATCH = 20_000  # the operator's numbers are asked for so many at once
SOURCES = {
    "features": (
        "district",
        "contract_months_left",
        "tenure_months",
        "months_to_birthday",
        "complaints_3m",
        "data_change",
        "voice_change",
        "revenue_change",
        "products",
    ),
    "classes": ("class",),
    "scores": ("reason_1", "reason_2", "reason_3"),
    "schedule": ("week",),
    "decisions": ("customer_id", "manager_id", "offer_id", "channel", "gain_fen", "cost_fen"),
}
ORDER = (
    Column("place", Type.TEXT, "manager, or ~ when there is none", "客户经理次序"),
    Column("rank_fen", Type.BIGINT, "gain, negative so that the most comes first", "增量次序", "fen"),
)


def _table() -> Table:
    model_columns = model("plan_rows").columns
    known = {name: TABLES[table].column(name) for table, names in SOURCES.items() for name in names}
    known |= {column.name: column for column in ORDER}
    columns = tuple(known[name] for name in model_columns)
    return Table("plan_rows", ("place", "rank_fen", "customer_id"), "rows of plan.xlsx", "方案表", columns)


@dataclass(frozen=True)
class Planned:
    """The treated in order. Where not all are listed, ``each`` is how many of a manager are, the best first."""

    table: Table
    file: Path
    count: int
    listed: int
    each: int | None

    def batches(self) -> Iterator[list[Row]]:
        """The listed rows, some at a time."""
        with pq.ParquetFile(self.file) as file:
            for batch in read_batches(file, BATCH):
                yield batch.to_pylist()


@contextmanager
def planned(shelf: Shelf, *, work: Path, most: int | None = None) -> Iterator[Planned]:
    """The treated customers; beyond ``most``, as many of each manager as leaves room for the others'.

    Each range of customers is joined apart and the joined rows are sorted together, so that
    only the plan itself, never the base, is held at once.
    """
    table = _table()
    with own_folder(work, "plan-") as place:
        joined = _join(shelf, table, place)
        shelf.engine.see("plan_rows", Scan(table, (Files(joined),)))
        counts = _counts(shelf)
        each = most_each(counts, most) if most is not None else None
        to = place / "sorted.parquet"
        listed = shelf.engine.write(_best(table, each), table, to)
        yield Planned(table, to, sum(counts), listed, each)


def most_each(counts: Sequence[int], most: int) -> int | None:
    """The most that can be listed of each, so that all together are at most ``most``; None where all can be.

    Whoever has fewer leaves room to the others. One of each is listed in any case.
    """
    left = most
    for place, count in enumerate(sorted(counts)):
        share = left // (len(counts) - place)
        if count > share:
            return max(1, share)
        left -= count
    return None


def _counts(shelf: Shelf) -> list[int]:
    """Customers in the plan, by manager."""
    customers = exp.alias_(exp.Count(this=exp.Star()), "customers")
    found = shelf.engine.fetch(exp.select("place", customers).from_("plan_rows").group_by("place"))
    counts: list[int] = found["customers"].to_pylist()
    return counts


def _best(table: Table, each: int | None) -> exp.Select:
    """All, or the best of each manager: who they are is found by three columns, however many are in the plan."""
    whole = exp.select(*table.names).from_("plan_rows")
    if each is None:
        return whole
    order = exp.Order(expressions=[exp.column("rank_fen"), exp.column("customer_id")])
    nth = exp.Window(this=exp.RowNumber(), partition_by=[exp.column("place")], order=order)
    counted = exp.select("customer_id", exp.alias_(nth, "nth")).from_("plan_rows").subquery("counted")
    best = exp.select("customer_id").from_(counted).where(exp.column("nth") <= exp.Literal.number(each))
    return whole.where(exp.column("customer_id").isin(query=best))


def _join(shelf: Shelf, table: Table, place: Path) -> tuple[Path, ...]:
    query = model("plan_rows").query
    made = []
    for number, part in enumerate(shelf.parts(["decisions", "features", "classes", "scores", "schedule"])):
        shelf.see(part)
        to = place / f"part-{number:05d}.parquet"
        shelf.engine.write(query, table, to)
        made.append(to)
    return tuple(made)
