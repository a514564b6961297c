"""Who left when, and what margin came, on both engines; every SQL model of the room fits its tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_lake import add_rows, lake_of
from small_policy import small_policy
from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.measurement.outcomes import (
    PACKAGE,
    Window,
    compose,
    is_whole,
    leaving_is_known,
    parts_for,
    see_window,
    sql_models,
)
from keepline.measurement.pilots import pilot_months
from keepline.periods import Month

WINDOW = Window(Month.parse("2026-07"), 3)
AFTER = ("2026-08", "2026-09", "2026-10")


def test_every_sql_model_of_the_room_keeps_to_the_subset_and_its_tables() -> None:
    for model, parts in sql_models():
        sqlmodel.check(model, parts)


def bill(customer_id: int, month: str, amount_fen: int, component: str = "recurring") -> dict[str, Any]:
    return {"customer_id": customer_id, "month": month, "component": component, "amount_fen": amount_fen}


def small(folder: Path) -> Lake:
    """1 stays; 2 leaves in the second month; 3 is silent in the second; 4 has nothing; 5 took no part; 6 uses alone."""
    return lake_of(
        folder,
        experiments=[
            {"experiment_id": "e", "customer_id": c, "month": "2026-07", "offer_id": "o", "arm": "treated"}
            for c in (1, 2, 3, 4, 6)
        ],
        bills=[
            *[bill(1, month, 1001) for month in AFTER],
            bill(1, AFTER[0], -100, "discount"),
            *[bill(2, month, 1000) for month in AFTER[:2]],
            bill(3, AFTER[0], 1000),
            bill(3, AFTER[2], 1000),
            bill(5, AFTER[0], 1000),
            bill(1, "2026-11", 10**6),
        ],
        usage=[{"customer_id": 6, "month": month, "data_kb": 5} for month in AFTER],
        departures=[{"customer_id": 2, "month": AFTER[1], "kind": "left"}],
    )


@pytest.mark.parametrize(
    ("left_when", "left_after", "months_stayed", "stayed_fen"),
    [
        ("departure", [None, 2, None, None, None], [3, 1, 3, 3, 3], [1402, 500, 1000, 0, 0]),
        ("silent", [None, 3, 2, 1, None], [3, 2, 1, 0, 3], [1402, 1000, 500, 0, 0]),
    ],
)
def test_leaving_and_margin_are_read_from_the_window_alone(
    engine: Engine,
    tmp_path: Path,
    left_when: str,
    left_after: list[int | None],
    months_stayed: list[int],
    stayed_fen: list[int],
) -> None:
    lake, policy = small(tmp_path), small_policy(leaving={"left_when": left_when})
    see_window(engine, lake, window=WINDOW, known=WINDOW.last)
    engine.see("experiments", lake.window("experiments", WINDOW.snapshot, WINDOW.snapshot))
    parts = parts_for(policy, window=WINDOW, people=sqlmodel.load(PACKAGE, "pilot_people"))
    found = engine.fetch(compose(exp.select("*").from_("outcomes").order_by("customer_id"), parts)).to_pydict()
    assert found["customer_id"] == [1, 2, 3, 4, 6]
    assert found["left_after"] == left_after
    assert found["months_stayed"] == months_stayed
    assert found["margin_stayed_fen"] == stayed_fen
    assert found["margin_fen"] == [1402, 1000, 1000, 0, 0]


def test_a_window_with_a_month_nobody_loaded_is_not_whole(tmp_path: Path) -> None:
    lake = small(tmp_path)
    assert is_whole(lake, window=WINDOW, known=WINDOW.last)
    assert not is_whole(lake, window=Window(Month.parse("2026-09"), 3), known=Month.parse("2026-12"))


def test_a_month_that_came_late_makes_a_window_whole_for_those_who_know_it(engine: Engine, tmp_path: Path) -> None:
    lake, later = small(tmp_path), WINDOW.last + 1
    came = [
        replace(f, holds_from=str(later)) if (f.table, f.month) == ("bills", str(WINDOW.last)) else f
        for f in lake.files
    ]
    lake = Lake(lake.root, tuple(came))
    assert not is_whole(lake, window=WINDOW, known=WINDOW.last)
    assert is_whole(lake, window=WINDOW, known=later)
    found = []
    for known in (WINDOW.last, later):
        see_window(engine, lake, window=WINDOW, known=known)
        found.append(engine.fetch(exp.select("*").from_("bills").where("months_ago = 0")).num_rows)
    assert found[0] == 0 < found[1]


def test_leaving_is_not_known_before_any_departure_was_recorded(tmp_path: Path) -> None:
    lake, now = small(tmp_path), Month.parse("2026-09")
    one, two = (Window(WINDOW.snapshot, months) for months in (1, 2))
    assert not leaving_is_known(lake, small_policy(), window=one, known=now)
    assert leaving_is_known(lake, small_policy(), window=two, known=now)
    assert leaving_is_known(lake, small_policy(leaving={"left_when": "silent"}), window=one, known=now)


@pytest.mark.parametrize(("left_when", "table"), [("departure", "departures"), ("silent", "usage")])
def test_leaving_is_not_known_while_a_month_lacks_what_tells_it(tmp_path: Path, left_when: str, table: str) -> None:
    """A dozen rows in each month but one: not loaded yet, or forgotten; and no pilot of that window is measured."""
    policy = small_policy(leaving={"left_when": left_when, "horizon_months": 3})
    for absent in (None, *AFTER):
        rows = [{"customer_id": 100 + c, "month": month} for c in range(12) for month in AFTER if month != absent]
        lake = small(tmp_path / str(absent))
        kept = tuple(f for f in lake.files if f.table != table)
        lake = add_rows(Lake(lake.root, kept), **{table: rows})
        known = leaving_is_known(lake, policy, window=WINDOW, known=WINDOW.last)
        assert known is (absent is None)
        assert pilot_months(lake, policy, WINDOW.last) == ([WINDOW.snapshot] if known else [])


def test_departures_that_came_late_are_known_to_those_who_know_them(tmp_path: Path) -> None:
    lake, now = small(tmp_path), Month.parse("2026-09")
    late = tuple(replace(f, holds_from=str(now + 1)) if f.table == "departures" else f for f in lake.files)
    window = Window(now + -2, 2)
    assert not leaving_is_known(Lake(lake.root, late), small_policy(), window=window, known=now)
    assert leaving_is_known(Lake(lake.root, late), small_policy(), window=window, known=now + 1)
