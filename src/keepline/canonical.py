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
    columns = {column.name: (_Texts if column.type is Type.TEXT else _Numbers)(column.type) for column in table.columns}
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(65_536, columns=list(table.names)):
            for name, column in columns.items():
                column.add(batch.column(name))
    return text_hash({name: column.digest() for name, column in columns.items()})


class _Numbers:
    """Numbers, days and truths: value and whether it is unknown, row by row, however they are cut into batches."""

    def __init__(self, kind: Type) -> None:
        self._kind, self._rows = kind, hashlib.sha256()

    def add(self, values: pa.Array) -> None:
        rows = np.empty(len(values), dtype=[("value", "<i8"), ("null", "u1")])
        rows["value"] = _numbers(values, self._kind)
        rows["null"] = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else 0
        self._rows.update(rows.view(np.uint8).data)

    def digest(self) -> str:
        return self._rows.hexdigest()


class _Texts:
    """Texts: their lengths, -1 where there is none, and all their bytes one after another."""

    def __init__(self, kind: Type) -> None:
        _ = kind
        self._lengths, self._bytes = hashlib.sha256(), hashlib.sha256()

    def add(self, values: pa.Array) -> None:
        lengths = pc.fill_null(pc.binary_length(values), -1)
        self._lengths.update(np.asarray(lengths.to_numpy(zero_copy_only=False), dtype="<i4").tobytes())
        filled = pc.fill_null(values, "").cast(pa.large_string())
        _, ends, content = filled.buffers()
        if content is not None:
            place = np.frombuffer(ends, dtype=np.int64)[filled.offset : filled.offset + len(filled) + 1]
            self._bytes.update(memoryview(content)[place[0] : place[-1]])

    def digest(self) -> str:
        return self._lengths.hexdigest() + self._bytes.hexdigest()


def _numbers(values: pa.Array, kind: Type) -> np.ndarray[Any, np.dtype[np.int64]]:
    if kind is Type.DOUBLE:
        filled = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
        millionths = filled * 1e6
        return np.asarray(np.rint(millionths, out=millionths), dtype=np.int64)
    if kind is Type.DATE:
        values = values.cast(pa.int32())
    return np.asarray(pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False))
