"""A lake of a few rows for tests: say the rows, columns left out are null.

``lake_of(folder, bills=[dict(customer_id=1, month="2026-10", …)], …)`` writes one file a table
and month and switches the lake to them, as intake does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from keepline.canonical import file_hash
from keepline.lake import store
from keepline.lake.store import Lake, LakeFile
from keepline.tables import TABLES

Row = Mapping[str, Any]


def write_rows(path: Path, table: str, rows: Sequence[Row]) -> Path:
    """One Parquet file of a declared table, in key order."""
    declared = TABLES[table]
    foreign = {name for row in rows for name in row} - set(declared.names)
    assert not foreign, f"{table} has no columns {sorted(foreign)}"
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in declared.key))
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [row.get(name) for row in ordered] for name in declared.names}
    pq.write_table(pa.table(columns, schema=declared.arrow), path)
    return path


def add_rows(lake: Lake, **tables: Sequence[Row]) -> Lake:
    """The lake with more rows, in new files beside the old ones."""
    files = list(lake.files)
    for table, rows in tables.items():
        for month in sorted({str(row["month"]) for row in rows}):
            of_month = [row for row in rows if row["month"] == month]
            place = f"{table}/{month}/{len(files):05d}.parquet"
            path = write_rows(lake.root / place, table, of_month)
            files.append(LakeFile(table, month, place, len(of_month), file_hash(path)))
    return store.switch(lake, files, lake.sources)


def lake_of(root: Path, **tables: Sequence[Row]) -> Lake:
    """A new lake holding just these rows."""
    return add_rows(Lake(root, ()), **tables)
