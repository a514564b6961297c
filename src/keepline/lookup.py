"""One customer's rows of a publication: which row group of which part holds them, read alone.

::

    published/2026-10/lookup/part-00000.parquet    a row for each row group of each table that is kept by customer

Parts hold one range of customers each, in order, so the first and the last customer of every row group find a
customer by bisection; with the place of the group's entry in its part's footer, nothing else of the part is read.
Publications without the folder, such as those of earlier versions, are looked through once when they are opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline.canonical import file_hash
from keepline.columns import Table, columns_of
from keepline.errors import PublicationError
from keepline.footers import footer_of, one_group
from keepline.tables import TABLES
from keepline.written import write_table

Row = dict[str, Any]
KEY = "customer_id"
FOLDER, PART = "lookup", "part-00000.parquet"
PLACES = Table("lookup", ("of_table", "part", "begins"), "where each row group lies", "查找索引", columns_of("""
of_table text - - | published table | 数据表
part text - - | file of the part | 分片
size int bytes - | bytes of the part | 分片字节数
first_id int - id | first customer of the row group | 首个客户
last_id int - id | last customer of the row group | 末个客户
rows int count - | rows of the row group | 行数
footer int bytes - | where the part's footer begins | 文件尾起点
head int bytes - | where its list of row groups begins | 行组表起点
begins int bytes - | where the row group's entry begins | 行组条目起点
ends int bytes - | where it ends | 行组条目终点"""))  # fmt: skip


def by_customer(tables: Sequence[str]) -> list[str]:
    """Those of the tables that are kept by customer."""
    return [name for name in tables if TABLES[name].key[0] == KEY]


def write_lookup(folder: Path, tables: Sequence[str]) -> Row:
    """Write where the row groups of these tables lie; what the manifest says of it."""
    to = folder / FOLDER / PART
    parts = ((table, part) for table in sorted(by_customer(tables)) for part in _parts(folder, table))
    rows = write_table(_together(places_of(table, part) for table, part in parts), PLACES, to)
    return {"rows": rows, "bytes": to.stat().st_size, "sha256": file_hash(to)}


def _together(each: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([PLACES.arrow.empty_table(), *each])


def _parts(folder: Path, table: str) -> list[Path]:
    return sorted((folder / table).glob("part-*.parquet"))


def places_of(table: str, part: Path) -> pa.Table:
    """Where each row group of one part lies; groups without rows hold nobody."""
    meta, footer, size = pq.read_metadata(part), footer_of(part), part.stat().st_size
    key = meta.schema.names.index(KEY)
    held = [(meta.row_group(i), *footer.groups[i]) for i in range(meta.num_row_groups) if meta.row_group(i).num_rows]
    bounds = [_bounds(part, group.column(key).statistics, i) for i, (group, _, _) in enumerate(held)]
    said = [
        [table, part.name, size, *ends, group.num_rows, footer.begins, footer.head, *where]
        for (group, *where), ends in zip(held, bounds, strict=True)
    ]
    columns = list(zip(*said, strict=True)) or [()] * len(PLACES.columns)
    return pa.table(dict(zip(PLACES.names, columns, strict=True)), schema=PLACES.arrow)


def _bounds(part: Path, told: Any, group: int) -> tuple[int, int]:
    """First and last customer of a row group, as its statistics tell; read where they tell nothing."""
    if told is not None and told.has_min_max:
        return int(told.min), int(told.max)
    ids = pq.ParquetFile(part).read_row_group(group, columns=[KEY])[KEY]
    return int(ids[0].as_py()), int(ids[-1].as_py())


@dataclass(frozen=True)
class _Places:
    """The row groups of one table, in order of customers; ``part`` numbers the names of ``parts``."""

    parts: list[str]
    part: Any
    numbers: Mapping[str, Any]  # arrays of whole numbers, by the names of PLACES

    def holding(self, customer_id: int) -> Iterator[int]:
        """The groups a customer's rows may lie in: one, or neighbours where the cut went through them."""
        first, last = self.numbers["first_id"], self.numbers["last_id"]
        at = int(np.searchsorted(last, customer_id))
        while at < len(last) and first[at] <= customer_id:
            yield at
            at += 1


class Lookup:
    """A publication's tables by customer, opened once and asked often; several threads may ask at once."""

    def __init__(
        self,
        folder: Path,
        tables: Sequence[str],
        *,
        sha256: str | None = None,
        only: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """``sha256`` is what the manifest says of the folder ``lookup``; none where it says nothing.

        ``only`` names the columns that are wanted of a table, where not all are.
        """
        self.folder = folder
        self._names = {name: _wanted(name, (only or {}).get(name)) for name in tables}
        told = _told(folder, by_customer(tables), sha256)
        self._places = {name: _places(folder / name, told) for name in by_customer(tables)}

    def rows(self, table: str, customer_id: int) -> list[Row]:
        """The customer's rows in the table's declared columns; a column that its part lacks is unknown."""
        places, names = self._places[table], self._names[table]
        found = [row for at in places.holding(customer_id) for row in self._read(table, places, at, customer_id)]
        return [{name: row.get(name) for name in names} for row in found]

    def _read(self, table: str, places: _Places, at: int, customer_id: int) -> list[Row]:
        path = self.folder / table / places.parts[places.part[at]]
        place = {name: int(values[at]) for name, values in places.numbers.items()}
        try:
            group = _group(path, place, [KEY, *self._names[table]])
            ids = group[KEY].to_numpy()
        except (pa.ArrowException, KeyError, OSError) as error:
            raise _damaged(path, str(error), "读取失败") from error
        if (len(ids), ids[0], ids[-1]) != (place["rows"], place["first_id"], place["last_id"]):
            raise _damaged(path, "it holds other customers than were published", "其中的客户与发布时不同")
        low, high = np.searchsorted(ids, [customer_id, customer_id + 1])
        rows: list[Row] = group.slice(low, high - low).to_pylist()
        return rows


def _wanted(table: str, only: Collection[str] | None) -> list[str]:
    return [name for name in TABLES[table].names if only is None or name in only]


def _group(path: Path, place: Mapping[str, int], columns: list[str]) -> pa.Table:
    """One row group, and of the footer its own entry alone."""
    with pa.memory_map(str(path)) as file:
        if file.size() != place["size"]:
            raise pa.ArrowInvalid(f"{file.size()} bytes, of {place['size']} that were published")
        head = file.read_at(place["head"] - place["footer"], place["footer"])
        meta = one_group(head, file.read_at(place["ends"] - place["begins"], place["begins"]))
        with pq.ParquetFile(file, metadata=meta) as reader:
            return reader.read_row_group(0, columns=columns, use_threads=False)


def _told(folder: Path, tables: Sequence[str], sha256: str | None) -> pa.Table:
    """What was written when the month was published; made here where it was not, or somebody took it away."""
    path = folder / FOLDER / PART
    if sha256 is None or not path.exists():
        return _together(places_of(table, part) for table in tables for part in _parts(folder, table))
    if file_hash(path) != sha256:
        raise _damaged(path, "not as it was published", "内容与发布时不同")
    return pq.read_table(path)


def _places(folder: Path, told: pa.Table) -> _Places:
    own = told.filter(pc.equal(told["of_table"], folder.name)).combine_chunks()
    numbers = {name: own[name].to_numpy() for name in PLACES.names if name not in ("of_table", "part")}
    ends = np.stack([numbers["first_id"], numbers["last_id"]], axis=1).ravel()
    if (ends[1:] < ends[:-1]).any():
        raise _damaged(folder, "its customers are not in order", "其中的客户未按顺序排列")
    parts = (
        own["part"].dictionary_encode().combine_chunks() if len(own) else pa.array([], pa.string()).dictionary_encode()
    )
    return _Places(parts.dictionary.to_pylist(), parts.indices.to_numpy(), numbers)


def _damaged(path: Path, en: str, zh: str) -> PublicationError:
    return PublicationError(
        f"{path} is damaged ({en}); restore the month from a backup, or publish it anew: keepline run --replace",
        f"{path} 已损坏（{zh}）；请从备份恢复该账期，或用 keepline run --replace 重新发布",
        code="damaged_file",
    )
