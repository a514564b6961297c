"""A shifted input is told of with since when and what to do; a world where nothing moved stays quiet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.insight_world import HORIZON, SNAPSHOT, Shelf, World, policy
from keepline.engine import DuckDB
from keepline.insight import drift
from keepline.insight.drift import by_chance, moved, stability, watch
from keepline.insight.inputs import Encoded, Inputs
from keepline.insight.moved import watch_inputs
from keepline.insight.training import train
from keepline.measurement.watching import calibration_warnings, watch_calibration

NUMBERS = 40
INPUTS = Inputs(
    (
        *(Encoded(f"x{i}", f"x{i}") for i in range(NUMBERS)),
        *(Encoded("c", "c", level) for level in ("a", "b")),
    ),
    (),
    (),
)


def base(random: np.random.Generator, customers: int) -> np.ndarray:
    """Numbers smooth, counted and partly unknown, and one code."""
    made = random.normal(size=(customers, NUMBERS + 2))
    made[:, :10] = random.poisson(0.4, (customers, 10))
    made[:, 10:20] = np.where(random.random((customers, 10)) < 0.3, np.nan, made[:, 10:20])
    made[:, NUMBERS] = random.random(customers) < 0.6
    made[:, NUMBERS + 1] = 1 - made[:, NUMBERS]
    return made


def told(seen: np.ndarray, months: np.ndarray, now: np.ndarray, before: dict[str, str] | None = None) -> list[str]:
    found = moved(watch(INPUTS, seen, months), now, month="2026-10", before=before or {})
    return [row["input"] for row in found["moved"]]


def test_the_index_is_the_published_sum_and_its_chance_the_chi_square() -> None:
    before, now = np.array([4000.0, 3000, 3000]), np.array([3000.0, 3000, 4000])
    by_hand = (0.3 - 0.4) * np.log(0.3 / 0.4) + (0.4 - 0.3) * np.log(0.4 / 0.3)
    assert stability(before, now) == pytest.approx(by_hand, abs=1e-4)
    random = np.random.default_rng(2)
    p, limit = np.array([0.5, 0.3, 0.2]), by_chance(before, now, inputs=1)
    pairs = [(random.multinomial(10_000, p), random.multinomial(10_000, p)) for _ in range(4000)]
    assert np.mean([stability(a, b) > limit for a, b in pairs]) == pytest.approx(0.01, abs=0.005)


@pytest.mark.parametrize("customers", [300, 2_000])
def test_where_nothing_moved_fewer_than_one_month_in_fifty_warns(customers: int) -> None:
    random = np.random.default_rng(customers)
    months = np.repeat([1, 4, 7], customers)
    false = [bool(told(base(random, 3 * customers), months, base(random, customers))) for _ in range(150)]
    assert np.mean(false) < 0.02


def test_a_season_that_the_samples_know_is_no_news() -> None:
    random = np.random.default_rng(3)
    seen, now = base(random, 6000), base(random, 2000)
    months = np.repeat([1, 4, 7], 2000)
    seen[months == 1, 25] += 1.2
    now[:, 25] += 1.2
    assert told(seen, months, now) == []


@pytest.mark.parametrize(
    ("input_at", "shift"),
    [
        (30, lambda v: v * 1024),  # another unit
        (30, lambda v: v + 0.8),
        (12, lambda v: np.full(len(v), np.nan)),  # a delivery that did not come
        (3, lambda v: v + 1),
        (NUMBERS, lambda v: v * 0),  # a code of which one level is gone
    ],
)
def test_a_shifted_input_is_told_and_no_other(input_at: int, shift: object) -> None:
    random = np.random.default_rng(4)
    seen, now = base(random, 6000), base(random, 2000)
    now[:, input_at] = shift(now[:, input_at])  # type: ignore[operator]
    name = INPUTS.columns[input_at].name
    assert told(seen, np.repeat([1, 4, 7], 2000), now) == [name]


def test_what_moved_says_how_and_since_when() -> None:
    random = np.random.default_rng(5)
    seen, now = base(random, 3000), base(random, 1000)
    now[:, 30] += 1.5
    now[:, 12] = np.nan
    watched = watch(INPUTS, seen, np.repeat([1, 4, 7], 1000))
    rows = {row["input"]: row for row in moved(watched, now, month="2026-10", before={"x30": "2026-08"})["moved"]}
    assert rows["x30"]["since"] == "2026-08"
    assert rows["x12"]["since"] == "2026-10"
    assert "Since 2026-08" in rows["x30"]["en"]
    assert "自2026年8月起" in rows["x30"]["zh"]
    assert "the median went from" in rows["x30"]["en"]
    assert "for 100% now" in rows["x12"]["en"]


def test_too_few_customers_are_not_compared() -> None:
    random = np.random.default_rng(6)
    found = moved(watch(INPUTS, base(random, 300), np.ones(300)), base(random, 199), month="2026-10", before={})
    assert found["refused"] == drift.TOO_FEW
    assert found["checked"] == 0


@pytest.mark.parametrize(("shifted", "expected"), [(False, []), (True, ["voice_change"])])
def test_a_month_is_compared_with_the_samples_its_models_learnt_from(
    shifted: bool,
    expected: list[str],
    tmp_path: Path,
) -> None:
    engine, world = DuckDB(spill=tmp_path / "spill"), World(2500, seed=3)
    samples = [world.snapshot(SNAPSHOT + -HORIZON * i, tmp_path)[0] for i in (2, 1)]
    models = train(engine, Shelf({}), policy(), snapshot=SNAPSHOT, samples=samples, seed=1)
    now, _ = world.snapshot(SNAPSHOT, tmp_path)
    if shifted:
        table = pq.read_table(now.features[0])
        at = table.schema.get_field_index("voice_change")
        pq.write_table(
            table.set_column(at, "voice_change", pc.subtract(table.column(at), pa.scalar(0.4))), now.features[0]
        )
    given = (engine, Shelf({}), policy(), models)
    found = watch_inputs(*given, snapshot=SNAPSHOT, features=now.features, before=None)
    assert [row["input"] for row in found["moved"]] == expected
    assert set(found["psi"]) == set(models.inputs.names)  # type: ignore[union-attr]


@pytest.mark.parametrize("said", [{"learn_from": "this_snapshot"}, {"oversampled": True, "true_monthly_rate": 0.02}])
def test_what_cannot_be_compared_is_not(said: dict[str, object], tmp_path: Path) -> None:
    engine, world = DuckDB(spill=tmp_path / "spill"), World(900, seed=3, monthly_rate=0.06)
    sample, _ = world.snapshot(SNAPSHOT + (0 if "learn_from" in said else -HORIZON), tmp_path)
    models = train(engine, Shelf({}), policy(**said), snapshot=SNAPSHOT, samples=[sample], seed=1)
    given = (engine, Shelf({}), policy(**said), models)
    found = watch_inputs(*given, snapshot=SNAPSHOT, features=sample.features, before=None)
    assert found["refused"]["en"]
    assert found["moved"] == []


def judged(month: str, *, predicted: float, observed: float, slope: float = 1.0, n: int = 20_000) -> dict[str, object]:
    ends = {"value": slope, "low": slope - 0.1, "high": slope + 0.1}
    return {
        "plan_month": month,
        "verdict": "judged",
        "customers": n,
        "left": int(n * observed),
        "predicted": predicted,
        "observed": {"value": observed},
        "calibration_slope": ends,
    }


def test_probabilities_that_no_longer_come_true_are_told_since_when() -> None:
    rows = watch_calibration(
        [
            judged("2026-04", predicted=0.05, observed=0.051),
            judged("2026-06", predicted=0.05, observed=0.081),
            judged("2026-05", predicted=0.05, observed=0.080),
            {"plan_month": "2026-09", "verdict": "window_open"},
        ]
    )
    assert [row["plan_month"] for row in rows] == ["2026-04", "2026-05", "2026-06"]
    [said] = calibration_warnings(rows)
    assert said["since"] == "2026-05"
    assert "too low" in said["en"]
    assert "偏低" in said["zh"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (judged("2026-05", predicted=0.05, observed=0.03), ["too_high"]),
        (judged("2026-05", predicted=0.05, observed=0.05, slope=0.5), ["too_bold"]),
        (judged("2026-05", predicted=0.05, observed=0.05, slope=1.6), ["too_timid"]),
        (judged("2026-05", predicted=0.05, observed=0.055), []),
        (judged("2026-05", predicted=0.05, observed=0.08, n=200), []),
    ],
)
def test_each_way_to_be_out_of_true_has_its_word(row: dict[str, object], what: list[str]) -> None:
    rows = watch_calibration([row])
    assert [out["what"] for out in rows[0]["out"]] == what
    assert len(calibration_warnings(rows)) == len(what)


def test_a_level_that_holds_seldom_warns() -> None:
    random = np.random.default_rng(7)
    p, n = 0.05, 2_000
    months = [judged("2026-05", predicted=p, observed=random.binomial(n, p) / n, n=n) for _ in range(3000)]
    assert np.mean([bool(watch_calibration([row])[0]["out"]) for row in months]) < 0.005
