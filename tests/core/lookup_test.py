"""A customer's rows are found in one row group each, whatever the cut, and never taken from a part that changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.small_publication import publish
from keepline.engine import ID_SPACE, ranges
from keepline.errors import PublicationError
from keepline.footers import footer_of, one_group
from keepline.lookup import FOLDER, PART, Lookup, write_lookup
from keepline.tables import CANDIDATES, CLASSES, TABLES
from keepline.written import write_table

NAMES = ("features", "scores", "classes", "decisions", "assignments", "drivers", "price_sensitivity", "circles")


def rows_of(folder: Path, table: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for part in sorted((folder / table).glob("*.parquet")):
        for row in pq.read_table(part).to_pylist():
            found.setdefault(row["customer_id"], []).append(row)
    return found


def recut(folder: Path, rows: int) -> None:
    """The same parts in row groups of so many rows."""
    for part in folder.glob("*/part-*.parquet"):
        pq.write_table(pq.read_table(part), part, row_group_size=rows, compression="zstd")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = publish(tmp_path / "publication", customers=300)
    recut(made, 40)
    return made


def opened(folder: Path) -> Lookup:
    said = write_lookup(folder, NAMES)
    return Lookup(folder, NAMES, sha256=said["sha256"])


@pytest.mark.parametrize("written", [True, False])
def test_every_customer_is_found_in_every_table_and_nobody_else(folder: Path, written: bool) -> None:
    """By what was written with the month, or by looking through it when it is opened."""
    lookup = opened(folder) if written else Lookup(folder, NAMES)
    base = sorted(rows_of(folder, "features"))
    assert len(base) == 300
    strangers = [1, ID_SPACE - 1, *(who + 1 for who in base[:5]), *(who - 1 for who in base[-5:])]
    for table in NAMES:
        known = rows_of(folder, table)
        for who in (*base, *strangers):
            assert lookup.rows(table, who) == known.get(who, []), table


def test_a_customer_whose_rows_lie_on_both_sides_of_a_cut_is_found_whole(tmp_path: Path) -> None:
    rows = [
        {"customer_id": who, "offer_id": f"o{i:02}", "gain_fen": 100 * who + i}
        for who in range(1, 60)
        for i in range(7)
    ]
    names = [{name: row.get(name) for name in CANDIDATES.names} for row in rows]
    pq.write_table(pa.Table.from_pylist(names, schema=CANDIDATES.arrow), _part(tmp_path), row_group_size=5)
    lookup = Lookup(tmp_path, ["candidates"])
    for who in range(1, 60):
        assert [row["gain_fen"] for row in lookup.rows("candidates", who)] == [100 * who + i for i in range(7)]


def _part(folder: Path) -> Path:
    path = folder / "candidates" / "part-00000.parquet"
    path.parent.mkdir()
    return path


def test_parts_without_rows_hold_nobody(tmp_path: Path) -> None:
    only = ranges(3, 1)
    some = {"customer_id": [only[1].low + 5], "class": ["key"]}
    rows = pa.table({name: some.get(name, [None]) for name in CLASSES.names}, schema=CLASSES.arrow)
    for each, here in zip(only, (rows[:0], rows, rows[:0]), strict=True):
        write_table(here, CLASSES, tmp_path / "classes" / each.part)
    write_lookup(tmp_path, ["classes"])
    assert Lookup(tmp_path, ["classes"]).rows("classes", only[1].low + 5)[0]["class"] == "key"
    assert Lookup(tmp_path, ["classes"]).rows("classes", only[0].low + 5) == []


def test_what_it_takes_is_told_and_is_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    said = write_lookup(folder, NAMES)
    path = folder / FOLDER / PART
    groups = sum(pq.read_metadata(part).num_row_groups for part in folder.glob("*/part-*.parquet") if part != path)
    assert said["rows"] == groups - 1  # effects are kept by plan and offer, not by customer
    assert said["bytes"] == path.stat().st_size
    copy = shutil.copytree(folder, tmp_path / "again", ignore=shutil.ignore_patterns(FOLDER))
    assert write_lookup(copy, NAMES) == said


def test_a_column_that_a_part_lacks_is_unknown_and_one_too_many_is_not_told(folder: Path) -> None:
    for part in (folder / "scores").glob("*.parquet"):
        rows = pq.read_table(part).drop_columns(["stay_24m"])
        pq.write_table(rows.append_column("gone", pa.array([1] * len(rows))), part)
    who = next(iter(rows_of(folder, "scores")))
    found = Lookup(folder, ["scores"]).rows("scores", who)[0]
    assert list(found) == list(TABLES["scores"].names)
    assert found["stay_24m"] is None
    assert found["customer_id"] == who


def test_without_its_folder_a_month_is_looked_through(folder: Path) -> None:
    said = write_lookup(folder, NAMES)
    shutil.rmtree(folder / FOLDER)
    who, rows = next(iter(rows_of(folder, "features").items()))
    assert Lookup(folder, NAMES, sha256=said["sha256"]).rows("features", who) == rows


def test_a_lookup_that_is_not_as_it_was_written_is_refused_by_name(folder: Path) -> None:
    said = write_lookup(folder, NAMES)
    path = folder / FOLDER / PART
    whole = path.read_bytes()
    for damaged in (whole[:-20], b"", bytes([whole[0] ^ 1]) + whole[1:]):
        path.write_bytes(damaged)
        with pytest.raises(PublicationError, match="lookup") as refused:
            Lookup(folder, NAMES, sha256=said["sha256"])
        assert refused.value.code == "damaged_file"
        assert "已损坏" in refused.value.zh


def spoilt(part: Path, how: str) -> None:
    whole = part.read_bytes()
    if how == "gone":
        part.unlink()
    elif how == "short":
        part.write_bytes(whole[: len(whole) // 2])
    elif how == "zeros":  # its beginning, as a broken disk gives it back
        part.write_bytes(bytes(len(whole) // 2) + whole[len(whole) // 2 :])
    else:  # of other customers, and as long
        pq.write_table(pq.read_table(part).slice(7), part, row_group_size=40, compression="zstd")
        part.write_bytes((part.read_bytes() + bytes(len(whole)))[: len(whole)])


@pytest.mark.parametrize("how", ["gone", "short", "zeros", "others"])
def test_a_part_that_is_not_as_it_was_published_is_refused_by_name(folder: Path, how: str) -> None:
    lookup = opened(folder)
    who = min(rows_of(folder, "features"))
    part = folder / "features" / "part-00000.parquet"
    spoilt(part, how)
    with pytest.raises(PublicationError, match=r"features/part-00000\.parquet") as refused:
        lookup.rows("features", who)
    assert refused.value.code == "damaged_file"


def test_customers_out_of_order_are_refused_not_missed(folder: Path) -> None:
    first, last = sorted((folder / "classes").glob("*.parquet"))
    spare = first.with_name("spare")
    first.replace(spare)
    last.replace(first)
    spare.replace(last)
    with pytest.raises(PublicationError, match="not in order"):
        Lookup(folder, NAMES)


@pytest.mark.parametrize("columns", [1, 14, 15, 16, 200])
@pytest.mark.parametrize("groups", [1, 14, 15, 16, 40])
def test_a_footer_is_cut_to_any_of_its_row_groups(tmp_path: Path, columns: int, groups: int) -> None:
    """Below and above the counts that the compact protocol tells in one byte."""
    path = tmp_path / "x.parquet"
    values = np.arange(groups * 3)
    kinds = [values, values.astype(float), [None, *map(str, values[1:])], values % 2 == 0]
    made = pa.table({f"c{i}": kinds[i % len(kinds)] for i in range(columns)})
    pq.write_table(made, path, row_group_size=3, compression="zstd")
    footer, whole = footer_of(path), path.read_bytes()
    assert len(footer.groups) == groups
    for i in {0, groups // 2, groups - 1}:
        low, high = footer.groups[i]
        meta = one_group(whole[footer.begins : footer.head], whole[low:high])
        with pq.ParquetFile(path, metadata=meta) as file:
            assert file.read_row_group(0).equals(made.slice(3 * i, 3))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", b"PAR1" + bytes(20) + b"PAR1"])
def test_what_is_no_parquet_has_no_footer(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(pa.ArrowInvalid):
        footer_of(path)
