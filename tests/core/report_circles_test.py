"""What the report and explain say of circles: counts and never names, and why there are none where there are none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.small_lake import write_rows
from core.small_manifest import figures_of, manifest
from core.small_publication import publish
from keepline import engine as engines
from keepline.decisions.influence import as_dict, told
from keepline.report.numbers import Money
from keepline.report.pictures.circles import circles

CARD = {"base": 50, "circles": 2, "in_circles": 40, "leader_left": 7, "abstains": None}
YUAN = Money("CNY")
ROW: dict[str, Any] = {
    "circle": 4, "circle_size": 12, "ties": 9, "influence": 2.24, "influence_rank": 31, "rank_in_circle": 1,
    "circle_callers": 8, "circles_reached": 5, "spread": 0.71, "leader": True, "gatekeeper": True,
    "circle_left_3m": 2, "leader_left_3m": False, "brought_12m": 1,
}  # fmt: skip
ALONE = dict.fromkeys(ROW) | {"ties": 0, "leader": False, "gatekeeper": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return publish(tmp_path / "publication", customers=50)


def section(folder: Path, card: dict[str, Any] | None) -> dict[str, Any]:
    engine = engines.start("duckdb")
    said = figures_of(engine, folder, manifest(simulated=True) | {"circles": card})
    engine.close()
    return circles(said, YUAN)


def test_leaders_at_risk_are_counted_with_the_others_of_their_circles(folder: Path) -> None:
    scores = pq.read_table(folder / "scores").to_pylist()
    rows = [
        {"customer_id": row["customer_id"], "month": "2026-10", "circle": 1, "circle_size": 10, "ties": 3,
         "leader": place < 3, "gatekeeper": place == 3, "brought_12m": 0}
        for place, row in enumerate(sorted(scores, key=lambda row: row["customer_id"]))
    ]  # fmt: skip
    shutil.rmtree(folder / "circles")
    write_rows(folder / "circles" / "part-00000.parquet", "circles", rows)
    leaders = {row["customer_id"] for row in rows if row["leader"]}
    risky = sum(row["customer_id"] in leaders and row["risk_band"] in ("high", "medium") for row in scores)
    made = section(folder, CARD)
    text = str(made)
    shown = made["blocks"][1]
    assert [cells[1] for cells in shown["rows"]] == ["3", "1", "46", "0"]
    assert shown["rows"][0][3] == str(risky)
    assert shown["title"]["zh"] == f"3 位意见领袖中 {risky} 位离网风险高或中，他们的圈内还有 {9 * risky} 户"
    assert "2 circles hold 40 customers (80% of the base)" in text
    assert not any(str(row["customer_id"]) in text for row in rows)


def test_without_a_graph_or_with_too_little_of_one_the_section_says_so(folder: Path) -> None:
    assert "brings no calls" in str(section(folder, None))
    few = {"base": 50, "abstains": {"zh": "交往圈太稀", "en": "too little of a calling graph"}}
    assert "too little of a calling graph" in str(section(folder, few))


def test_explain_tells_the_circle_the_part_and_who_left_in_both_languages() -> None:
    (said,) = told(ROW)
    assert said.zh == (
        "交往圈：第 4 圈，共 12 户，其中 8 户打给该客户；影响力为平均的 2.2 倍，圈内第 1；意见领袖；"
        "联络人，连接 5 个其他圈子；近一年推荐了 1 位新客户；圈内近三月 2 户离网"
    )
    assert said.en == (
        "circle: number 4, of 12 customers, 8 of whom call them; influence 2.2 times the mean, place 1 in the circle; "
        "opinion leader; gatekeeper to 5 other circles; brought 1 new customer in a year; "
        "2 of the circle left within three months"
    )
    assert as_dict(ROW)["circle_callers"] == 8


def test_explain_says_who_talks_with_nobody_and_nothing_where_there_is_no_graph() -> None:
    assert told(ALONE)[0].en == "circle: no calls with other customers in three months"
    assert told({}) == []
    assert as_dict({}) == {}
