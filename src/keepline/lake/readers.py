"""Rows of CSV, Excel and Parquet in batches, each row with its line and raw text; oddities named, never dropped."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine as calamine

from keepline.lake.garbled import garbled
from keepline.lake.mapping import Bounds, Source
from keepline.lake.opening import Opened, text_stream
from keepline.lake.refusals import refusal
from keepline.lake.setaside import is_set_aside, unguarded
from keepline.lake.values import as_text, tidy
from keepline.written import read_batches

BATCH_ROWS = 20_000
BATCH_CHARS = 32 << 20
PARQUET_ROWS, BUFFER = 65_536, 1 << 20  # and bytes of each column read ahead
TOTAL_WORDS = frozenset(["合计", "总计", "小计", "总和", "合计:", "总计:", "total", "total:", "grand total", "sum"])


@dataclass(frozen=True)
class Odd:
    """A row that is no plain row: blank, a total, or broken. ``rule`` says which."""

    ordinal: int
    line: int
    rule: str
    fields: tuple[str, ...]
    raw: str


@dataclass
class Batch:
    """Plain rows, column by column when asked, and the odd ones that stood between them."""

    ordinals: np.ndarray[Any, np.dtype[np.int64]]
    lines: Sequence[int]
    column: Callable[[int], pa.Array]
    fields: Callable[[int], Sequence[str]]
    raw: Callable[[int], str]
    odd: list[Odd] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.ordinals)

    @property
    def read(self) -> int:
        return len(self.ordinals) + len(self.odd)


class Reader(Protocol):
    """A file being read: its header, then its batches, once."""

    header: list[str]
    notes: dict[str, int]

    def batches(self) -> Iterator[Batch]: ...


def reader(opened: Opened, source: Source, bounds: Bounds) -> Reader:
    """The reader for what the file is."""
    if opened.kind == "parquet":
        return ParquetRows(opened)
    return (ExcelRows if opened.kind == "excel" else TextRows)(opened, source, bounds)


Record = tuple[int, list[str], str, str]  # line, fields, rule ("" when plain), raw text


class RecordRows:
    """What text and Excel share: records become batches of text columns."""

    header: list[str]

    def __init__(self) -> None:
        self.notes: dict[str, int] = {}

    def _records(self) -> Iterator[Record]:
        raise NotImplementedError

    def batches(self) -> Iterator[Batch]:
        records, ordinal = self._records(), 0
        while True:
            batch, ordinal, more = self._cut(records, ordinal)
            if batch.read:
                yield batch
            if not more:
                return

    def _cut(self, records: Iterator[Record], ordinal: int) -> tuple[Batch, int, bool]:
        rows: list[tuple[str, ...]] = []  # lists would be walked by each round of Python's collector
        lines: list[int] = []
        raws: list[str] = []
        ordinals: list[int] = []
        odd: list[Odd] = []
        chars = 0
        more = False
        for line, fields, broken, raw in records:
            rule = broken or self._rule(fields)
            if rule:
                odd.append(Odd(ordinal, line, rule, tuple(fields), raw))
            else:
                rows.append(tuple(fields))
                lines.append(line)
                raws.append(raw)
                ordinals.append(ordinal)
            ordinal += 1
            chars += len(raw)
            if len(rows) + len(odd) >= BATCH_ROWS or chars >= BATCH_CHARS:
                more = True
                break
        return _text_batch(rows, lines, raws, ordinals, odd), ordinal, more

    def _rule(self, fields: list[str]) -> str:
        """Blank, a total, of another width, or plain; empty columns at the end are cut off."""
        first = fields[0] if fields else ""
        if not first or first.isspace():
            first = next((cell for cell in fields if cell and not cell.isspace()), "")
            if not first:
                return "blank_rows"
        if len(first) < 12 and not first[0].isdigit() and tidy(first).lower() in TOTAL_WORDS:
            return "total_row"
        width = len(self.header)
        if len(fields) > width and not any(cell.strip() for cell in fields[width:]):
            del fields[width:]
            self.notes["trailing_delimiter"] = self.notes.get("trailing_delimiter", 0) + 1
        return "" if len(fields) == width else "column_count"


def _text_batch(
    rows: list[tuple[str, ...]], lines: list[int], raws: list[str], ordinals: list[int], odd: list[Odd]
) -> Batch:
    turned: list[tuple[str, ...]] = []

    def column(index: int) -> pa.Array:
        if not turned:
            turned.extend(zip(*rows, strict=True))
        return pa.array(turned[index] if rows else [], pa.string())

    return Batch(
        ordinals=np.array(ordinals, dtype=np.int64),
        lines=lines,
        column=column,
        fields=lambda position: rows[position],
        raw=lambda position: raws[position],
        odd=odd,
    )


class _Endless(Exception):  # noqa: N818  a signal within this file
    """A quoted row has gone on for too many lines."""


class _Lines:
    """Physical lines for the CSV parser; remembers those of the row at hand, so that they can be given back."""

    def __init__(self, stream: io.TextIOBase, most: int) -> None:
        self._stream, self._most = stream, most
        self._back: deque[str] = deque()
        self.row: list[str] = []
        self.number = 0  # lines handed out

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.row) >= self._most:
            raise _Endless
        line = self._back.popleft() if self._back else next(self._stream)
        self.row.append(line)
        self.number += 1
        return line

    def keep_first(self) -> str:
        """Give all lines of the row back but the first."""
        first, rest = self.row[0], self.row[1:]
        self._back.extendleft(reversed(rest))
        self.number -= len(rest)
        self.row = [first]
        return first


class TextRows(RecordRows):
    """CSV with any delimiter and encoding."""

    def __init__(self, opened: Opened, source: Source, bounds: Bounds) -> None:
        super().__init__()
        self._opened, self._source, self._bounds = opened, source, bounds
        self._shielded = is_set_aside(opened.path)
        with text_stream(opened) as stream:
            lines = _Lines(stream, bounds.record_lines_max)
            self._skip(lines)
            self.header = list(source.header) or self._header(lines)

    def _skip(self, lines: _Lines) -> None:
        """Lines above the header, such as the title of a report."""
        if self._source.header:
            return
        for _ in range(self._source.header_row - 1):
            next(lines, None)
            lines.row = []

    def _header(self, lines: _Lines) -> list[str]:
        try:
            return next(self._parser(lines))
        except StopIteration as error:
            raise refusal("empty_file", file=self._opened.path.name) from error
        except (csv.Error, _Endless) as error:
            raise refusal("unreadable", file=self._opened.path.name, said=error) from error

    def _parser(self, lines: _Lines) -> Iterator[list[str]]:
        quote = self._source.quote
        if not quote:
            return csv.reader(lines, delimiter=self._opened.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        return csv.reader(lines, delimiter=self._opened.delimiter, quotechar=quote, strict=True)

    def _records(self) -> Iterator[Record]:
        with text_stream(self._opened) as stream:
            lines = _Lines(stream, self._bounds.record_lines_max)
            self._skip(lines)
            if not self._source.header:
                next(self._parser(lines))
            yield from self._rows(lines)

    def _rows(self, lines: _Lines) -> Iterator[Record]:
        parser = self._parser(lines)
        while True:
            lines.row = []
            start = lines.number + 1
            try:
                fields = next(parser)
                fields = [unguarded(cell) for cell in fields] if self._shielded else fields
                raw = lines.row[0] if len(lines.row) == 1 else "".join(lines.row)
                yield start, fields, "" if raw.isascii() else garbled(raw), raw
            except StopIteration:
                return
            except (csv.Error, _Endless) as error:
                rule = _broken(error, lines)
                raw = lines.keep_first() if rule == "open_quote" else "".join(lines.row)
                parser = self._parser(lines)
                yield start, [], rule, raw[:1000]


def _broken(error: Exception, lines: _Lines) -> str:
    """Which rule a row breaks that the parser refuses."""
    said = str(error)
    if "field limit" in said:
        return "field_too_long"
    return "bad_quotes" if "expected after" in said and len(lines.row) == 1 else "open_quote"


class ExcelRows(RecordRows):
    """One sheet of a workbook, old or new; a workbook is read as a whole, which Excel's own limits bound."""

    def __init__(self, opened: Opened, source: Source, bounds: Bounds) -> None:  # noqa: ARG002
        super().__init__()
        self._rows = _sheet(opened, source)
        self._first = 1 if source.header else source.header_row + 1
        if len(self._rows) < self._first - 1 or not self._rows:
            raise refusal("empty_file", file=opened.path.name)
        self.header = list(source.header) or _cut_end([cell_text(cell) for cell in self._rows[source.header_row - 1]])

    def _records(self) -> Iterator[Record]:
        width = len(self.header)
        for line in range(self._first, len(self._rows) + 1):
            fields = [cell_text(cell) for cell in self._rows[line - 1]]
            fields = _cut_end(fields) + [""] * (width - len(_cut_end(fields)))
            raw = _joined(fields)
            yield line, fields, "" if raw.isascii() else garbled(raw), raw


def _sheet(opened: Opened, source: Source) -> list[list[Any]]:
    filled = filled_sheets(opened, source)
    if len(filled) > 1:
        raise refusal("several_sheets", file=opened.path.name, said=", ".join(filled))
    if not filled:
        raise refusal("empty_file", file=opened.path.name)
    return next(iter(filled.values()))


def filled_sheets(opened: Opened, source: Source) -> dict[str, list[list[Any]]]:
    """The sheets of a workbook that have rows, by name; the one that is named, where one is."""
    name = opened.path.name
    try:
        with calamine.CalamineWorkbook.from_path(str(opened.path)) as book:
            if source.sheet and source.sheet not in book.sheet_names:
                raise refusal("no_sheet", file=name, said=source.sheet)
            wanted = [source.sheet] if source.sheet else book.sheet_names
            sheets = {s: book.get_sheet_by_name(s).to_python(skip_empty_area=False) for s in wanted}
    except calamine.PasswordError as error:
        raise refusal("password", file=name) from error
    except calamine.CalamineError as error:
        raise refusal("unreadable", file=name, said=error) from error
    return {s: rows for s, rows in sheets.items() if any(any(c != "" for c in row) for row in rows)}


def _cut_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def cell_text(cell: Any) -> str:
    """A cell as text; whole numbers without .0, days as YYYY-MM-DD."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell == int(cell) else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    return "" if cell is None else str(cell)


def _joined(fields: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


class ParquetRows:
    """Typed columns; a row's line is its number, its raw text the row as CSV."""

    def __init__(self, opened: Opened) -> None:
        self.notes: dict[str, int] = {}
        try:
            self._file = pq.ParquetFile(opened.path, pre_buffer=False, buffer_size=BUFFER)  # however long a row group
        except (pa.ArrowInvalid, OSError) as error:
            raise refusal("unreadable", file=opened.path.name, said=error) from error
        self.header = list(self._file.schema_arrow.names)

    def batches(self) -> Iterator[Batch]:
        start = 0
        for found in read_batches(self._file, PARQUET_ROWS):
            yield _typed_batch(found, start)
            start += found.num_rows


def _typed_batch(found: pa.RecordBatch, start: int) -> Batch:
    def fields(position: int) -> list[str]:
        row = found.slice(position, 1)
        return [as_text(column)[0].as_py() or "" for column in row.columns]

    return Batch(
        ordinals=np.arange(start, start + found.num_rows, dtype=np.int64),
        lines=range(start + 1, start + found.num_rows + 1),
        column=found.column,
        fields=fields,
        raw=lambda position: _joined(fields(position)),
    )
