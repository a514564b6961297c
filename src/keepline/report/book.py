"""A workbook of a publication: its styles, its banner on simulated data, its own facts; written whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from keepline.periods import Month
from keepline.report.sheets import Sheet, Styles, open_sheet
from keepline.report.tally import Row
from keepline.report.words import SIMULATED, Words, both

Names = Callable[[Sequence[int]], dict[int, str]]


@dataclass(frozen=True)
class Field:
    """One column of a sheet of customers: its heading, width, style and what it shows of a row."""

    name: Words
    width: int
    style: str
    value: Callable[[Row], Any]


@dataclass(frozen=True)
class Book:
    """A workbook being written, and what every sheet of it says."""

    file: Any
    styles: Styles
    figures: dict[str, Any]

    @property
    def banner(self) -> Words | None:
        return SIMULATED if self.figures["head"]["simulated"] else None

    def sheet(self, name: str, title: Words) -> Sheet:
        said = self.figures["head"]
        about = both(f"{said['name']} {said['month']} {title['zh']}", f"{title['en']}")
        return open_sheet(self.file, name, about=about, banner=self.banner, styles=self.styles)


@contextmanager
def open_book(to: Path, figures: dict[str, Any]) -> Iterator[Book]:
    """A new workbook that takes its place at ``to`` when all of it is written."""
    partial = to.with_name(f".{to.name}.partial")
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}
    file = xlsxwriter.Workbook(str(partial), options)
    book = Book(file, Styles(file, figures["head"]["currency"]), figures)
    _properties(book)
    yield book
    try:
        file.close()
    except FileCreateError as error:  # around what the file system said
        raise _of_disk(error, partial) from error
    partial.replace(to)


def _of_disk(error: FileCreateError, path: Path) -> OSError:
    """The file system's own error, with the place it is about."""
    said = error.args[0]
    assert isinstance(said, OSError)
    said.filename = said.filename or str(path)
    return said


def _properties(book: Book) -> None:
    """The file's own facts; its date is the month's last day, so that equal plans give equal files."""
    said = book.figures["head"]
    last = Month.parse(said["month"]).last_day
    comment = f"{SIMULATED['zh']} {SIMULATED['en']}" if said["simulated"] else ""
    created = dt.datetime.combine(last, dt.time(), tzinfo=dt.UTC).replace(tzinfo=None)
    book.file.set_properties(
        {"title": f"{said['name']} {said['month']}", "author": "keepline", "comments": comment, "created": created}
    )


def named(batches: Iterator[list[Row]], names: Names | None) -> Iterator[Row]:
    """Rows with how the customer is shown: the operator's number, or the pseudonym as text."""
    for batch in batches:
        known = names([row["customer_id"] for row in batch]) if names and batch else {}
        for row in batch:
            yield row | {"customer": known.get(row["customer_id"], str(row["customer_id"]))}


def yuan(fen: int | None) -> float | None:
    return None if fen is None else fen / 100


def whole_list(what: str, month: str) -> Words:
    """How to have a list of which a workbook holds a part."""
    command = f"keepline export {what} --month {month} --out {what}.csv"
    return both(f"完整名单：{command}", f"the whole list: {command}")
