"""Drivers of loyalty: in proportion between worst and best, silent where nothing is known, alike on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from core.insight_world import policy
from core.small_publication import write_parts
from keepline.decisions.drivers import seen, told
from keepline.engine import Engine, ranges
from keepline.insight.drivers import build_drivers, drivers_model
from keepline.periods import Month
from keepline.policy.documents import Loyalty
from keepline.policy.drivers import DRIVERS, Driver, Evidence
from keepline.report.drivers import driver_figures
from keepline.report.pictures.drivers import drivers as shown
from keepline.report.talk import holding
from keepline.report.tally import Shelf

MONTH = Month.parse("2026-10")
NOTHING = {"customer_id": 1}
LOW = {"customer_id": 2, "satisfaction": 0.0, "dropped_calls_3m": 30, "district_faults_3m": 6, "complaints_12m": 4}
HIGH = {"customer_id": 3, "satisfaction": 1.0, "dropped_calls_3m": 0, "district_faults_3m": 0, "complaints_12m": 0,
        "star_rating": "5", "promises_broken_3m": 0, "granted_3m_fen": 10_000}  # fmt: skip
HALF = {"customer_id": 4, "dropped_calls_3m": 6, "overage_3m_fen": 150, "revenue_3m_fen": 1000, "star_rating": "3"}
FREE = {"customer_id": 5, "overage_3m_fen": 0, "revenue_3m_fen": 0, "star_rating": "gold"}
PEOPLE = (NOTHING, LOW, HIGH, HALF, FREE)


def published(folder: Path) -> Path:
    names = sorted({name for row in PEOPLE for name in row})
    rows: dict[str, list[Any]] = {name: [row.get(name) for row in PEOPLE] for name in names}
    write_parts(folder, "features", rows | {"month": [str(MONTH)] * len(PEOPLE)})
    return folder


def built(engine: Engine, tmp_path: Path) -> dict[int, dict[str, Any]]:
    features, found = published(tmp_path / "features"), {}
    for only in ranges(2, 1):
        to = tmp_path / "drivers" / only.part
        build_drivers(engine, policy(), snapshot=MONTH, features=features / only.part, only=only, to=to)
        found |= {row["customer_id"]: row for row in pq.read_table(to).to_pylist()}
    return found


def test_each_driver_runs_from_its_worst_to_its_best_over_what_is_known_on_both_engines(
    engine: Engine, tmp_path: Path
) -> None:
    found = built(engine, tmp_path)
    assert [found[1][name] for name in DRIVERS] == [None] * 6
    assert [found[1][f"{name}_known"] for name in DRIVERS] == [0.0] * 6
    assert (found[2]["quality"], found[2]["quality_known"]) == (0.0, 1.0)
    assert (found[3]["quality"], found[3]["honour"]) == (1.0, 1.0)
    assert (found[4]["quality"], found[4]["quality_known"]) == (0.5, 0.2)
    assert found[4]["perceived_value"] == pytest.approx(0.5)
    assert found[4]["honour"] == 0.5
    assert found[5]["perceived_value"] is None  # nothing is a share of nothing
    assert found[5]["honour"] is None  # a star policy does not speak of


def test_the_model_is_plain_sql_that_the_static_check_reads() -> None:
    model = drivers_model(policy().loyalty)
    assert model.reads == ("features",)
    model.bind(month=str(MONTH))


def test_what_is_measured_and_what_is_missing_is_told_with_the_highest_first(engine: Engine, tmp_path: Path) -> None:
    found = seen(built(engine, tmp_path)[3], HIGH, policy().loyalty)
    by_name = {one.name: one for one in found}
    assert by_name["quality"].missing == ()
    assert by_name["belonging"].measured_by == ()
    lines = told(found)
    assert (lines[1].zh.split()[0], lines[1].en.split()[0]) == ("质量", "quality")
    assert any("缺 " in line.zh and "not known: " in line.en for line in lines)
    assert told(seen({}, HIGH, policy().loyalty)) == []


def test_the_report_sets_the_loyal_beside_the_wavering_or_says_why_not(engine: Engine, tmp_path: Path) -> None:
    built(engine, tmp_path)
    loyalty = ["loyal", "wavering", "loyal", "wavering", "general"]
    who = {"customer_id": [row["customer_id"] for row in PEOPLE], "month": [str(MONTH)] * len(PEOPLE)}
    write_parts(tmp_path / "scores", "scores", who | {"loyalty": loyalty})
    rows = driver_figures(Shelf(engine, tmp_path))
    quality = rows[0]
    assert (quality["loyal"], quality["wavering"], quality["mean"]) == (1.0, 0.25, 0.5)
    figures = {"drivers": rows, "head": {"month": str(MONTH), "currency": "CNY"}}
    (block,) = shown(figures)["blocks"]
    assert block["rows"][0][0]["zh"] == "质量"
    (why,) = shown(figures | {"drivers": []})["blocks"]
    assert "loyalty.toml" in why["text"]["zh"]


@pytest.mark.parametrize(("values", "words"), [
    ({"feature": "satisfied"}, "is no feature"), ({"feature": "industry"}, "is no feature"),
    ({"feature": "lines", "worst": 1, "best": 1}, "are the same"),
    ({"feature": "star_rating", "codes": {"1": 2.0}}, "from 0 to 1"),
    ({"feature": "lines", "over": "industry"}, "is no feature"),
])  # fmt: skip
def test_evidence_that_measures_nothing_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Evidence(**values)


def test_who_sells_hears_what_holds_a_customer_most_and_least_where_the_two_are_far_apart() -> None:
    row = dict.fromkeys(DRIVERS) | {"dependence": 0.9, "quality": 0.5, "belonging": 0.1}
    assert holding(row) == {"zh": "留住客户的主要是依赖，最弱的是归属",
                            "en": "held most by what leaving would cost them, least by belonging"}  # fmt: skip
    assert holding(row | {"dependence": 0.5, "belonging": 0.4}) is None
    assert holding({"dependence": 0.9}) is None


def test_a_driver_stands_once() -> None:
    one = Driver(name="quality", evidence=(Evidence(feature="satisfaction"),))
    with pytest.raises(ValidationError, match="stands twice"):
        Loyalty(**policy().loyalty.model_dump() | {"driver": (one, one)})
