"""A table as CSV that no spreadsheet takes for a program: UTF-8 with BOM, text that looks like a formula made inert."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import BinaryIO

BOM = b"\xef\xbb\xbf"
# What begins a formula in one spreadsheet or another, the wide signs of a Chinese keyboard with them.
BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
Cell = str | int | Decimal | None


def cell(value: Cell) -> str:
    """A number as it is, also below zero; a text with an apostrophe before it where it would be reckoned with."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    return "'" + value if value.lstrip(" ").startswith(BEGINS_FORMULA) else value


def yuan(fen: int | None) -> Decimal | None:
    """Whole fen as yuan with two places, never through a float."""
    return None if fen is None else Decimal(fen).scaleb(-2)


class Csv:
    """A file being written line by line, with the checksum of what it holds so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sum, self.size = file, hashlib.sha256(), 0
        self._put(BOM)

    def line(self, values: Sequence[Cell]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerow([cell(value) for value in values])
        self._put(text.getvalue().encode("utf-8"))

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._sum.update(data)
        self.size += len(data)
