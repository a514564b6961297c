"""Labels say what became of a past base within its outcome window: not a month more, not a month less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.small_lake import lake_of, random_lake, write_rows
from core.small_policy import small_policy
from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.engine import Engine, ranges
from keepline.errors import TooFewError
from keepline.features.build import build_features, build_labels, outcomes_of
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.tables import LABELS

NOW = Month.parse("2026-06")
ALL = ranges(1, 1)[0]
ANNA, BORIS, CHEN = 5, 6, 7
Rows = dict[int, dict[str, Any]]
Label = Callable[..., Rows]


def later(who: int, months: int, **facts: Any) -> dict[str, Any]:
    """A row so many months after the snapshot."""
    return {"customer_id": who, "month": str(NOW + months), **facts}


def bill(who: int, months: int, amount: int, component: str = "recurring") -> dict[str, Any]:
    return later(who, months, component=component, amount_fen=amount)


def labelled(engine: Engine, lake: Lake, folder: Path, **policy: Any) -> Rows:
    """Labels of a base of three with a recurring charge of 10 yuan; the horizon is two months."""
    base = [later(who, 0, recurring_fen=1000) for who in (ANNA, BORIS, CHEN)]
    features = write_rows(folder / "base.parquet", "features", base)
    to = folder / "labels.parquet"
    build_labels(engine, lake, small_policy(**policy), snapshot=NOW, base=features, only=ALL, to=to)
    return {row["customer_id"]: row for row in pq.read_table(to).to_pylist()}


@pytest.fixture
def quick(tmp_path: Path) -> Label:
    engine = engines.start("duckdb")
    return lambda lake, **policy: labelled(engine, lake, tmp_path, **policy)


def steady(months: tuple[int, ...] = (0, 1, 2)) -> list[dict[str, Any]]:
    return [bill(who, ahead, 1000) for who in (ANNA, BORIS, CHEN) for ahead in months]


def test_engines_give_the_same_labels(engine: Engine, tmp_path: Path) -> None:
    lake = random_lake(tmp_path / "lake", last=NOW + 2, months=9, customers=25, seed=6)
    base, oracle_to, to = (tmp_path / f"{name}.parquet" for name in ("base", "oracle", "labels"))
    oracle = engines.start("duckdb")
    build_features(oracle, lake, small_policy(), snapshot=NOW, only=ALL, to=base)
    for left_when in ("departure", "silent"):
        policy = small_policy(leaving={"left_when": left_when})
        build_labels(oracle, lake, policy, snapshot=NOW, base=base, only=ALL, to=oracle_to)
        assert build_labels(engine, lake, policy, snapshot=NOW, base=base, only=ALL, to=to) > 10
        assert table_hash([to], LABELS) == table_hash([oracle_to], LABELS)


@pytest.mark.parametrize(("ahead", "left"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_departure_counts_from_the_month_after_to_the_end_of_the_horizon(
    quick: Label, tmp_path: Path, *, ahead: int, left: bool
) -> None:
    before = later(900, -1, kind="port_out")  # the operator records departures
    departures = [before, later(ANNA, ahead, kind="left"), later(BORIS, ahead, kind="port_out")]
    rows = quick(lake_of(tmp_path / "lake", bills=steady((0, 1, 2, 3)), departures=departures))
    assert [rows[who]["left_within"] for who in (ANNA, BORIS, CHEN)] == [left, left, False]
    assert [rows[who]["left_after"] for who in (ANNA, CHEN)] == [ahead if left else None, None]
    assert [rows[who]["ported_within"] for who in (ANNA, BORIS, CHEN)] == [False, left, False]


def test_without_departures_leaving_is_unknown(quick: Label, tmp_path: Path) -> None:
    row = quick(lake_of(tmp_path / "lake", bills=steady()))[ANNA]
    assert (row["left_within"], row["ported_within"], row["margin_after_fen"]) == (None, None, 1000)


@pytest.mark.parametrize(
    ("bills", "used", "after"),
    [((1, 2), (1, 2), None), ((1,), (2,), None), ((1,), (1,), 2), ((), (2,), 1), ((), (), 1)],
)
def test_silent_is_a_whole_month_without_use_and_bill(
    quick: Label, tmp_path: Path, *, bills: tuple[int, ...], used: tuple[int, ...], after: int | None
) -> None:
    others = [bill(who, ahead, 1000) for who in (BORIS, CHEN) for ahead in (1, 2)]
    lake = lake_of(
        tmp_path / "lake",
        bills=[*others, *[bill(ANNA, ahead, 1000) for ahead in bills]],
        usage=[later(ANNA, ahead, data_kb=1) for ahead in used] + [later(ANNA, 1, voice_s=0)] * (1 not in used),
    )
    rows = quick(lake, leaving={"left_when": "silent"})
    assert [rows[who]["left_within"] for who in (ANNA, BORIS)] == [after is not None, False]
    assert [rows[who]["left_after"] for who in (ANNA, BORIS)] == [after, None]


@pytest.mark.parametrize(("charge", "fell"), [(801, False), (800, True), (0, True)])
def test_a_downgrade_is_a_fall_of_the_charge_at_the_end_by_the_stated_share(
    quick: Label, tmp_path: Path, *, charge: int, fell: bool
) -> None:
    bills = [*steady((0, 1)), *([bill(ANNA, 2, charge)] if charge else []), bill(CHEN, 2, 5)]
    departures = [later(CHEN, 2, kind="left")]
    rows = quick(lake_of(tmp_path / "lake", bills=bills, departures=departures))
    assert [rows[who]["downgraded_within"] for who in (ANNA, CHEN)] == [fell, None]


def test_margin_after_is_of_the_window_alone(quick: Label, tmp_path: Path) -> None:
    bills = [*steady((0, 1, 2, 3)), bill(ANNA, 2, -300, "discount")]
    rows = quick(lake_of(tmp_path / "lake", bills=bills))
    assert [rows[who]["margin_after_fen"] for who in (ANNA, BORIS)] == [700, 1000]


@pytest.mark.parametrize("left_when", ["departure", "silent"])
def test_an_outcome_window_that_is_not_whole_is_refused(quick: Label, tmp_path: Path, *, left_when: str) -> None:
    lake = lake_of(tmp_path / "lake", bills=steady((0, 1)), departures=[later(ANNA, 1)])
    with pytest.raises(TooFewError, match="2026-08"):
        quick(lake, leaving={"left_when": left_when})


def of_many(months: tuple[int, ...], **facts: Any) -> list[dict[str, Any]]:
    """Rows of a dozen others in each of these months."""
    return [later(900 + number, ahead, **facts) for ahead in months for number in range(12)]


def test_a_month_whose_departures_came_later_than_its_bills_is_refused(quick: Label, tmp_path: Path) -> None:
    so_far = of_many((-2, -1, 0, 1), kind="left")
    with pytest.raises(TooFewError, match="not loaded are departures of 2026-08") as refused:
        quick(lake_of(tmp_path / "late", bills=steady(), departures=so_far))
    assert "departures 的 2026-08" in refused.value.zh
    rows = quick(lake_of(tmp_path / "whole", bills=steady(), departures=[*so_far, later(ANNA, 2, kind="left")]))
    assert [rows[who]["left_within"] for who in (ANNA, BORIS)] == [True, False]


@pytest.mark.parametrize(
    "departures",
    [
        [later(900 + number, ahead, kind="left") for ahead in range(-9, 2) for number in range(9)],
        of_many((-11, -8, -5, -2, 1), kind="left"),
    ],
    ids=["few", "by the quarter"],
)
def test_a_month_may_truly_be_without_departures(
    quick: Label, tmp_path: Path, departures: list[dict[str, Any]]
) -> None:
    rows = quick(lake_of(tmp_path / "lake", bills=steady(), departures=departures))
    assert rows[ANNA]["left_within"] is False


def test_departures_that_came_after_their_month_was_published_are_known_from_then_on(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", bills=steady(), departures=of_many((-1, 0, 1, 2), kind="left"))
    late = [
        replace(f, holds_from=str(NOW + 3)) if (f.table, f.month) == ("departures", str(NOW + 2)) else f
        for f in lake.files
    ]
    lake = Lake(lake.root, tuple(late))
    with pytest.raises(TooFewError, match="departures of 2026-08"):
        outcomes_of(lake, small_policy(), NOW)
    assert outcomes_of(lake, small_policy(), NOW, known=NOW + 3).outcome["departures"].files


@pytest.mark.parametrize(
    ("billed", "used", "absent"),
    [
        ((0, 1, 2), (-1, 0, 1), "usage of 2026-08"),
        ((0, 1), (-1, 0, 1, 2), "bills of 2026-08"),
        ((0, 1, 2), (-9, -8), None),
    ],
)
def test_silence_needs_bills_and_use_of_each_month_where_use_is_known(
    quick: Label, tmp_path: Path, billed: tuple[int, ...], used: tuple[int, ...], absent: str | None
) -> None:
    """Without a month's use everyone prepaid who did not top up would have left; use of long ago is not asked for."""
    lake = lake_of(tmp_path / "lake", bills=steady(billed), usage=of_many(used, data_kb=1))
    if absent is None:
        assert quick(lake, leaving={"left_when": "silent"})[ANNA]["left_within"] is False
        return
    with pytest.raises(TooFewError, match=absent):
        quick(lake, leaving={"left_when": "silent"})


def test_one_labelled_snapshot_knows_who_left_and_nothing_else_after_it(quick: Label, tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "lake", bills=steady((0,)), departures=[later(ANNA, 1, kind="left")])
    rows = quick(lake, leaving={"learn_from": "this_snapshot"})
    assert [rows[who]["left_within"] for who in (ANNA, BORIS)] == [True, False]
    assert {rows[who][name] for who in (ANNA, BORIS) for name in ("downgraded_within", "margin_after_fen")} == {None}


def test_the_part_of_the_window_before_an_offer_is_known(quick: Label, tmp_path: Path) -> None:
    """Of two months: reached in the first after a quarter of them, in the second after three quarters."""
    offered = {"plan_month": str(NOW), "offer_id": "gift"}
    reached = [later(ANNA, 1, **offered), later(ANNA, 2, **offered), later(BORIS, 2, **offered)]
    rows = quick(lake_of(tmp_path / "lake", bills=steady(), deliveries=[*reached, later(CHEN, 0, **offered)]))
    assert [rows[who]["alone_share"] for who in (ANNA, BORIS, CHEN)] == [0.25, 0.75, 1.0]
