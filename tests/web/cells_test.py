"""Cells of a CSV: text that no spreadsheet reckons with, and numbers that it does."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from keepline_web.exports.cells import BOM, Csv, cell, yuan


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "＋", "－", "＠"])
def test_text_that_begins_a_formula_is_inert(start: str) -> None:
    assert cell(start + "cmd|'/c calc'!A1") == "'" + start + "cmd|'/c calc'!A1"


def test_numbers_stay_numbers_below_zero_too() -> None:
    assert [cell(value) for value in (-5, Decimal("-12.30"), 0, None, yuan(-5), yuan(123456))] == [
        "-5", "-12.30", "0", "", "-0.05", "1234.56",
    ]  # fmt: skip


def test_quotes_commas_and_line_ends_come_back_as_they_were() -> None:
    file = io.BytesIO()
    Csv(file).line(['say "a, b"', "one\r\ntwo", "张三"])
    text = file.getvalue().removeprefix(BOM).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [['say "a, b"', "one\r\ntwo", "张三"]]
