"""A month is merged in pieces that fit the memory, with the same rows as at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from core.small_intake import BILLS, FREE, HEAD, Intake, phones, row
from keepline.engine import ID_SPACE
from keepline.lake.filereport import Counts
from keepline.lake.shelf import Shelf


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


def test_a_month_in_several_ranges_of_customers_is_the_same_as_in_one(
    here: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Intake(tmp_path / "other")
    rows = [row(phone, amount=str(i)) for i, phone in enumerate(phones(60))]
    first = here.bills(*rows[:40])
    whole = here.bills(*rows[20:], row(phones(1)[0], amount="7"))
    monkeypatch.setattr("keepline.lake.staging.BUCKET_ROWS", 10)
    assert other.bills(*rows[:40]).counts == first.counts
    assert other.bills(*rows[20:], row(phones(1)[0], amount="7")).counts == whole.counts
    assert other.rows("bills") == here.rows("bills")
    assert whole.counts == Counts(read=41, loaded=20, updated=1, unchanged=20)


TWO = "[[table]]" + BILLS.split("[[table]]")[1].replace("recurring", "overage").replace("金额", "超套")


def test_what_one_section_of_a_file_brought_stays_where_the_next_brings_nothing(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.lake.staging.BUCKET_ROWS", 10)
    here.maps(bills=BILLS + TWO + FREE)
    head = HEAD + ",超套\n"
    for amount in (5, 6):
        text = "".join(f"{phone},2026-09,{amount},1\n" for phone in phones(40))
        here.load("bills.csv", head + text)
    amounts = here.values("bills", "amount_fen")
    assert sorted(amounts) == [100] * 40 + [600] * 40


def test_lines_merged_by_their_number_lie_in_the_order_of_customers(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.lake.staging.BUCKET_ROWS", 20)
    here.maps(lines='[match]\nfiles = ["lines*"]\n[[table]]\nname = "lines"\nidentity = true\n' + FREE)
    head = "line_id,customer_id,month,product,started_on\n"
    step = ID_SPACE // 200
    text = "".join(f"{step * i + 1},{step * (i * 37 % 200) + 1},2026-09,mobile,2020-01-01\n" for i in range(200))
    assert here.load("lines.csv", head + text).counts.loaded == 200
    here.load("lines2.csv", head + f"{step * 3 + 1},{step * 111 + 1},2026-09,fixed,2020-01-01\n")
    found = here.rows("lines")
    assert [row["customer_id"] for row in found] == sorted(row["customer_id"] for row in found)
    assert len({row["line_id"] for row in found}) == 200
    assert sum(row["product"] == "fixed" for row in found) == 1


def test_one_late_row_is_merged_with_little_of_its_month_in_memory(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    *many, late = phones(201)
    here.bills(*(row(phone) for phone in many))
    monkeypatch.setattr("keepline.lake.staging.BUCKET_ROWS", 20)
    held, read = [], Shelf.read

    def watched(*given: Any, **how: Any) -> pa.Table:
        rows = read(*given, **how)
        held.append(rows.num_rows)
        return rows

    monkeypatch.setattr(Shelf, "read", watched)
    assert here.bills(row(late)).counts.loaded == 1
    assert len(here.rows("bills")) == 201
    assert sum(held) == 200
    assert max(held) < 50
