"""The report's figures are right, alike on both engines, and say nothing of a single customer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from core.small_manifest import figures_of, manifest
from core.small_publication import publish
from keepline import engine as engines
from keepline import sqlmodel
from keepline.engine import Engine
from keepline.report.concentration import concentration, value_bands
from keepline.report.page import render
from keepline.report.tally import MODELS, model
from keepline.tables import STATES, TABLES

Figures = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("publication"), customers=400)


@pytest.fixture(scope="module")
def shown(folder: Path) -> Figures:
    duck = engines.start("duckdb")
    made = figures_of(duck, folder, manifest())
    duck.close()
    return made


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """An independent reading of a table's parts."""
    return [row for path in sorted((folder / table).glob("*")) for row in pq.read_table(path).to_pylist()]


def test_both_engines_give_the_same_figures(engine: Engine, folder: Path, shown: Figures) -> None:
    assert figures_of(engine, folder, manifest()) == shown


def test_the_exclusions_in_order_add_up_to_the_base(folder: Path, shown: Figures) -> None:
    steps = shown["funnel"]["steps"]
    assert shown["funnel"]["base"] == shown["base"]["customers"] == len(rows(folder, "features"))
    assert sum(step["customers"] for step in steps) == shown["funnel"]["base"]
    assert steps[-1]["left"] == 0
    assert [s["state"] for s in steps] == [s for s in STATES if s in {r["state"] for r in rows(folder, "decisions")}]


def test_sums_agree_with_a_plain_count_of_the_rows(folder: Path, shown: Figures) -> None:
    features, scores = rows(folder, "features"), rows(folder, "scores")
    treated = [row for row in rows(folder, "decisions") if row["state"] == "treated"]
    assert shown["base"]["revenue_fen"] == sum(row["revenue_fen"] for row in features)
    assert shown["base"]["known"]["consent"] == sum(row["consent"] is not None for row in features)
    assert shown["grid"]["value_fen"] == sum(row["value_fen"] for row in scores)
    assert sum(cell["customers"] for cell in shown["grid"]["cells"]) == len(scores)
    expected = sum(row["leave_probability"] for row in scores)
    assert shown["leaving"]["expected"]["leave"]["customers"] == pytest.approx(expected, abs=0.01)
    for part in ("districts", "managers", "offers"):
        assert sum(row["gain_fen"] for row in shown["plan"][part]) == sum(row["gain_fen"] for row in treated)
        assert sum(row["customers"] for row in shown["plan"][part]) == shown["plan"]["customers"] == len(treated)


def test_moves_of_a_class_start_and_end_with_everyone(folder: Path, shown: Figures) -> None:
    flows = shown["moves"]["flows"]
    assert sum(row["customers"] for row in flows) == shown["base"]["customers"]
    new = sum(row["customers"] for row in flows if row["previous_class"] is None)
    assert new == sum(row["move"] == "new" for row in rows(folder, "classes"))


def test_the_pareto_curve_and_gini_agree_with_the_exact_ones(folder: Path, shown: Figures) -> None:
    revenue = np.sort([row["revenue_fen"] for row in rows(folder, "features")])[::-1]
    found = next(row for row in shown["concentration"] if row["measure"] == "revenue")
    n = len(revenue)
    gini = float((n + 1 - 2 * (np.cumsum(revenue[::-1]) / revenue.sum()).sum()) / n)
    assert found["gini"] == pytest.approx(gini, abs=0.01)
    assert len(found["points"]) <= 200
    exact = np.cumsum(revenue) / revenue.sum()
    for top in found["tops"]:
        assert top["of"] == pytest.approx(exact[round(top["share"] * n) - 1], abs=0.01)


def step(fen: int | None, customers: int) -> dict[str, Any]:
    return {"step_fen": fen, "customers": customers, "amount_fen": None if fen is None else fen * customers}


def test_equal_customers_have_gini_0_and_one_who_brings_all_nearly_1() -> None:
    assert concentration("revenue", [step(100, 50)])["gini"] == 0
    one = concentration("revenue", [step(0, 99), step(100, 1)])
    assert one["gini"] == pytest.approx(0.99)


def test_unknown_amounts_are_counted_apart_and_too_few_draw_no_curve() -> None:
    found = concentration("revenue", [step(100, 4), step(None, 9)])
    assert (found["customers"], found["unknown"], found["gini"], found["points"]) == (4, 9, None, [])


def test_no_point_of_the_curve_tells_of_fewer_than_five_customers() -> None:
    found = concentration("revenue", [step(100 * i, 1) for i in range(1, 26)])
    assert len(found["points"]) == 6
    assert [top["share"] for top in found["tops"]] == [0.2, 0.5]


def test_value_bands_hold_at_most_a_fifth_and_a_half() -> None:
    bands = value_bands([step(100 * i, 1) for i in range(1, 101)])
    assert bands == {"top": 8100, "next": 5100}


@pytest.mark.parametrize("name", [*MODELS, "plan_rows"])
def test_queries_stay_in_the_agreed_subset_and_read_what_is_declared(name: str) -> None:
    said = model(name)
    for node in said.query.walk():
        assert isinstance(node, sqlmodel.SUBSET), node.sql()
    schema: dict[str, object] = {view: sqlmodel.view_types(TABLES[view]) for view in said.reads if view in TABLES}
    schema |= {"amounts": {"amount_fen": "BIGINT"}} if "amounts" in said.reads else {}
    used = {table.name for table in said.query.find_all(exp.Table)} - {c.alias for c in said.query.find_all(exp.CTE)}
    assert used == set(said.reads)
    bound = said.query.transform(lambda n: exp.null() if isinstance(n, exp.Placeholder) else n)
    qualify(bound, schema=schema, dialect="duckdb")


def test_parts_cut_differently_are_read_together(folder: Path, shown: Figures, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    parts = sorted((whole / "classes").glob("*"))
    pq.write_table(pq.read_table(whole / "classes"), parts[0])
    parts[1].unlink()
    duck = engines.start("duckdb")
    assert figures_of(duck, whole, manifest()) == shown
    duck.close()


def test_neither_figures_nor_page_hold_a_customer(folder: Path) -> None:
    ids = [row["customer_id"] for row in rows(folder, "features")]
    duck = engines.start("duckdb")
    made = figures_of(duck, folder, manifest())
    duck.close()
    text = json.dumps(made) + render(made)
    assert not [i for i in ids if str(i) in text]
    assert "customer_id" not in text


@pytest.mark.parametrize("gone", ["features", "classes", "scores", "decisions", "assignments", "effects"])
def test_an_absent_table_is_said_and_nothing_breaks(gone: str, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shutil.rmtree(copy / gone)
    duck = engines.start("duckdb")
    page = render(figures_of(duck, copy, manifest()))
    duck.close()
    words = {
        "features": "没有客户特征可查",
        "classes": "本月没有客户分类",
        "scores": "没有离网概率",
        "decisions": "本月没有决策",
        "assignments": "本月方案",
        "effects": "还没有可以测量的以往方案",
    }
    assert words[gone] in page


def test_a_site_that_knows_almost_nothing_still_gets_an_honest_page(tmp_path: Path) -> None:
    bare = {"month": "2026-10", "name": "小站", "currency": "CNY", "simulated": False}
    duck = engines.start("duckdb")
    made = figures_of(duck, tmp_path, bare)
    duck.close()
    page = render(made)
    assert made["findings"] == []
    assert "The month's data support no finding" in page
    assert '<p class="banner"' not in page
    assert "还没有预测期已结束的以往发布" in page
