"""One hash for a table's content, whatever engine, part or batch wrote it.

Rows are taken in key order, columns in declared order; doubles are rounded to six
decimals, so that the last bit of a float does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.tables import Table, Type


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def text_hash(value: Any) -> str:
    """SHA-256 of a plain value through its sorted JSON."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def table_hash(parts: Iterable[Path], table: Table) -> str:
    """SHA-256 over the parts of a table, which must be in key order together."""
    columns = {column.name: hashlib.sha256() for column in table.columns}
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(65_536, columns=list(table.names)):
            for column in table.columns:
                _add(columns[column.name], batch.column(column.name), column.type)
    return text_hash({name: column.hexdigest() for name, column in columns.items()})


def _add(hasher: Any, values: pa.Array, kind: Type) -> None:
    """Feed the rows one by one, so that the cut into batches does not matter."""
    if kind is Type.TEXT:
        rows = ("\x00\x1e" if text is None else f"{text}\x1e" for text in values.to_pylist())
        hasher.update("".join(rows).encode())
        return
    rows_of_bytes = np.empty(len(values), dtype=[("value", "<i8"), ("null", "u1")])
    rows_of_bytes["value"] = _numbers(values, kind)
    rows_of_bytes["null"] = values.is_null().to_numpy(zero_copy_only=False)
    hasher.update(rows_of_bytes.tobytes())


def _numbers(values: pa.Array, kind: Type) -> np.ndarray[Any, np.dtype[np.int64]]:
    if kind is Type.DOUBLE:
        filled = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
        return np.asarray(np.rint(filled * 1e6), dtype=np.int64)
    if kind is Type.DATE:
        values = values.cast(pa.int32())
    return np.asarray(pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False))
