"""The treated customers in the order a manager works through them, streamed from the publication's parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
from sqlglot import exp

from keepline.engine import Files, Scan
from keepline.report.tally import Row, Shelf, model
from keepline.tables import TABLES, Column, Table, Type

BATCH = 2_000
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


@contextmanager
def plan_rows(shelf: Shelf) -> Iterator[tuple[int, Iterator[list[Row]]]]:
    """How many customers are treated, and their rows in order, a batch at a time.

    Each range of customers is joined apart and the joined rows are sorted together, so that
    only the plan itself, never the base, is held at once.
    """
    table = _table()
    with TemporaryDirectory(prefix=".plan-", dir=shelf.folder.parent) as place:
        joined = _join(shelf, table, Path(place))
        shelf.engine.see("plan_rows", Scan(table, (Files(joined),)))
        to = Path(place) / "sorted.parquet"
        rows = shelf.engine.write(exp.select(*table.names).from_("plan_rows"), table, to)
        yield rows, _batches(to)


def _join(shelf: Shelf, table: Table, place: Path) -> tuple[Path, ...]:
    query = model("plan_rows").query
    made = []
    for number, part in enumerate(shelf.parts(["decisions", "features", "classes", "scores", "schedule"])):
        shelf.see(part)
        to = place / f"part-{number:05d}.parquet"
        shelf.engine.write(query, table, to)
        made.append(to)
    return tuple(made)


def _batches(path: Path) -> Iterator[list[Row]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            yield batch.to_pylist()
