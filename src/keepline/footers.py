"""The footer of a Parquet file cut to one of its row groups, so that the group can be read without parsing the rest.

A footer lists every column of every row group, so it grows with the rows of a file, and parsing it costs more than
reading ten thousand rows does. Where the entry of each row group lies in it can be told once, when a month is
published.

Sources: Apache Parquet format, ``parquet.thrift`` (FileMetaData: 4 is the list of row groups); Apache Thrift, compact
protocol specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MAGIC = b"PAR1"
ENDING = 8  # length of the footer in four bytes, and the magic
ROW_GROUPS = 4  # the field of FileMetaData
BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = 3, 7, 8, 9, 10, 11, 12, 13
VARINTS = (4, 5, 6)
ONE_STRUCT, STOP = b"\x1c", b"\x00"  # the head of a list of one struct; the end of a struct


@dataclass(frozen=True)
class Footer:
    """Where a footer lies in its file. ``head`` is what stands before the row groups; each group is from, to."""

    begins: int
    head: int
    groups: tuple[tuple[int, int], ...]


def footer_of(path: Path) -> Footer:
    """Find the entry of each row group in a file's footer; places are counted from the beginning of the file."""
    with path.open("rb") as stream:
        end = stream.seek(0, 2)
        stream.seek(max(0, end - ENDING))
        last = stream.read(ENDING)
        begins = end - ENDING - int.from_bytes(last[:4], "little")
        if len(last) < ENDING or last[4:] != MAGIC or begins < len(MAGIC):
            raise pa.ArrowInvalid(f"{path}: no footer of Parquet at its end")
        stream.seek(begins)
        data = stream.read(end - ENDING - begins)
    try:
        head, groups = _row_groups(data)
    except IndexError as error:
        raise pa.ArrowInvalid(f"{path}: its footer ends too early") from error
    return Footer(begins, begins + head, tuple((begins + low, begins + high) for low, high in groups))


def one_group(head: bytes, group: bytes) -> pq.FileMetaData:
    """The metadata of a file that has this one row group, as far as it takes to read it."""
    footer = head + ONE_STRUCT + group + STOP
    return pq.read_metadata(pa.BufferReader(MAGIC + footer + len(footer).to_bytes(4, "little") + MAGIC))


def _row_groups(data: bytes) -> tuple[int, list[tuple[int, int]]]:
    """How many bytes stand before the list of row groups, and the bounds of each."""
    at = field = 0
    while kind := data[at] & 15:
        field, at = _field(data, at, field)
        if field == ROW_GROUPS:
            return at, _items(data, at)
        at = _past(data, at, kind)
    raise pa.ArrowInvalid("a footer of Parquet without row groups")


def _items(data: bytes, at: int) -> list[tuple[int, int]]:
    count, at = _list_head(data, at)
    found = []
    for _ in range(count):
        end = _past_struct(data, at)
        found.append((at, end))
        at = end
    return found


def _field(data: bytes, at: int, before: int) -> tuple[int, int]:
    """The number of the field whose head is here, and where its value begins."""
    if step := data[at] >> 4:
        return before + step, at + 1
    number, at = _varint(data, at + 1)
    return number >> 1, at  # zigzag; numbers of fields are never negative


def _past_struct(data: bytes, at: int) -> int:
    while kind := data[at] & 15:
        at = at + 1 if data[at] >> 4 else _past_varint(data, at + 1)
        at = _past(data, at, kind)
    return at + 1


def _past(data: bytes, at: int, kind: int) -> int:
    """Where what follows a value of this kind begins."""
    if kind in VARINTS:
        return _past_varint(data, at)
    if kind == BINARY:
        size, at = _varint(data, at)
        return at + size
    if kind == STRUCT:
        return _past_struct(data, at)
    if kind in (LIST, SET):
        return _past_list(data, at)
    if kind == MAP:
        return _past_map(data, at)
    return at + {DOUBLE: 8, UUID: 16, BYTE: 1}.get(kind, 0)  # a boolean field is told by its kind alone


def _past_list(data: bytes, at: int) -> int:
    kind = data[at] & 15
    count, at = _list_head(data, at)
    for _ in range(count):
        at = _past(data, at, max(kind, BYTE))  # in a list a boolean takes a byte
    return at


def _past_map(data: bytes, at: int) -> int:
    count, at = _varint(data, at)
    if not count:
        return at
    kinds, at = data[at], at + 1
    for _ in range(count):
        at = _past(data, _past(data, at, max(kinds >> 4, BYTE)), max(kinds & 15, BYTE))
    return at


def _list_head(data: bytes, at: int) -> tuple[int, int]:
    count = data[at] >> 4
    return (count, at + 1) if count < 15 else _varint(data, at + 1)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 128:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


def _past_varint(data: bytes, at: int) -> int:
    while data[at] & 128:
        at += 1
    return at + 1
