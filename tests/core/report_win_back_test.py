"""win-back.xlsx lists who left, may be contacted and brought margin; the most valuable first, and nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core.small_lake import write_rows
from core.small_manifest import figures_of, manifest, starter_policy
from core.small_publication import publish
from keepline import engine as engines
from keepline.report import win_back_book
from keepline.report.book import Names
from keepline.report.tally import Shelf
from keepline.report.win_back_book import write_win_back

LEFT: dict[str, Any] = {"month": "2026-10", "left_month": "2026-09", "kind": "port_out", "reason": "price"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = publish(tmp_path / "publication", customers=50)
    rows = [
        LEFT | {"customer_id": 7, "margin_3m_fen": 9_000, "may_contact": True, "manager_id": "M1"},
        LEFT | {"customer_id": 8, "margin_3m_fen": 90_000, "may_contact": True, "reason": "unrecorded", "kind": "left"},
        LEFT | {"customer_id": 9, "margin_3m_fen": 99_000, "may_contact": False},
        LEFT | {"customer_id": 10, "margin_3m_fen": None, "may_contact": True},
        LEFT | {"customer_id": 11, "margin_3m_fen": 0, "may_contact": True},
    ]
    write_rows(made / "win_back" / "part-00000.parquet", "win_back", rows)
    return made


def listed(folder: Path, **options: Any) -> list[tuple[Any, ...]]:
    engine, to = engines.start("duckdb"), folder / "win-back.xlsx"
    said = figures_of(engine, folder, manifest(simulated=True))
    options = {"names": None} | options
    write_win_back(Shelf(engine, folder), figures=said, policy=starter_policy(), to=to, **options)
    engine.close()
    return list(openpyxl.load_workbook(to)["赢回 Win-back"].iter_rows(values_only=True))


def test_only_those_who_may_be_contacted_and_brought_margin_the_most_first(folder: Path) -> None:
    rows = listed(folder)
    assert "模拟" in str(rows[0][0])
    people = [row for row in rows if row[3] == "2026-09"]
    assert [row[0] for row in people] == ["8", "7"]
    assert [row[6] for row in people] == [900, 90]
    assert "no reason recorded" in people[0][5]
    assert "price" in people[1][5]
    assert "ported out" in people[1][4]


def test_the_operators_numbers_are_shown_where_the_site_wants_them(folder: Path) -> None:
    rows = listed(folder, names=lambda ids: {who: f"N{who}" for who in ids})
    assert {row[0] for row in rows if row[3] == "2026-09"} == {"N8", "N7"}


@pytest.mark.parametrize("names", [None, lambda ids: {who: f"N{who}" for who in ids}])
def test_without_departures_the_list_is_empty_and_still_a_sheet(tmp_path: Path, names: Names | None) -> None:
    rows = listed(publish(tmp_path / "publication", customers=50), names=names)
    assert "Recorded reason" in str(rows[2])
    assert len(rows) == 3


def test_a_list_that_holds_a_part_says_how_many_there_are_and_where_all_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "of 2" not in str(listed(folder)[1][0])
    monkeypatch.setattr(win_back_book, "LISTED", 1)
    rows = listed(folder)
    assert [row[0] for row in rows if row[3] == "2026-09"] == ["8"]
    assert "(1 of 2; the whole list: keepline export win-back --month 2026-10 --out win-back.csv)" in str(rows[1][0])
    assert "共 2 户，此处列出前 1 户" in str(rows[1][0])
