"""Into which month a file goes: told by the answer, and asked where the mapping writes a month for every file."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_intake import BILLS, FREE, HEAD, OTHER, PHONE, Intake, held, phones, row

from keepline.lake import intake
from keepline.lake.store import open_lake


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


FIXED = BILLS.replace('month = "账期"', 'month = { constant = "2026-10" }')


def fees(count: int, amount: int) -> str:
    return "手机号,金额\n" + "".join(f"{number},{amount}\n" for number in phones(count))


def test_next_months_file_under_a_month_that_the_mapping_writes_is_held_and_replaces_nothing(here: Intake) -> None:
    here.maps(bills=FIXED + FREE)
    assert here.load("bills.csv", fees(40, 10)).verdict == "accepted"
    before = open_lake(here.site.lake).files
    for name in ("bills.csv", "bills-11.csv"):
        report = held(here.load(name, fees(41, 20)), "month_again")
        assert (report.tables, report.months) == ({}, {})
        for lang in ("en", "zh"):
            assert "bills 2026-10: 40 / 40" in report.text(lang)
            assert "--accept month_again" in report.text(lang)
    assert open_lake(here.site.lake).files == before


def test_a_correction_of_a_month_that_the_mapping_writes_is_loaded_as_one(here: Intake) -> None:
    """When it is accepted, and without a word where it changes little, or meets few of the month's rows."""
    here.maps(bills=FIXED + FREE)
    here.load("bills.csv", fees(40, 10))
    assert here.load("bills.csv", fees(40, 10).replace(",10\n", ",11\n", 2)).counts.updated == 2
    assert here.load("bills-few.csv", fees(20, 12)).counts.updated == 20
    more = "手机号,金额\n" + "".join(f"{number},10\n" for number in phones(90)[40:])
    assert here.load("bills-more.csv", more).counts.loaded == 50
    assert here.load("bills-all.csv", fees(90, 13), accept=["month_again"]).counts.updated == 90
    here.maps(bills=FIXED.replace("2026-10", "2026-11") + FREE)
    assert here.load("bills-next.csv", fees(90, 14)).counts.loaded == 90


def test_a_month_that_the_file_itself_says_is_corrected_without_a_word(here: Intake) -> None:
    here.bills(*(row(number) for number in phones(40)))
    assert here.bills(*(row(number, amount="13") for number in phones(40))).counts.updated == 40


def test_the_answer_names_rows_by_table_and_month(here: Intake) -> None:
    here.bills(row(month="2026-08"))
    path = here.put("bills-more.csv", f"{HEAD}\n{row(month='2026-08', amount='9')}\n{row()}\n{row(OTHER)}\n")
    for report in (intake.check(here.site, [path])[0], intake.load(here.site, [path])[0]):
        assert "\n  bills 2026-08: updated 1\n  bills 2026-09: loaded 2" in report.text("en")
        assert "\n  bills 2026-08: 更新 1\n  bills 2026-09: 新增 2" in report.text("zh")
    years = here.bills(*(row(month=f"2025-{month:02}") for month in range(1, 13)))
    assert "\n  bills 2025-01 … 2025-12: loaded 12" in years.text("en")
    listed = here.load("customers.csv", f"手机号,账期\n{PHONE},2026-09\n")
    assert "\n  customers 2026-09: loaded 1\n  contact_details: loaded 1" in listed.text("en")
