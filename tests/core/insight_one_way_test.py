"""What policy says may only raise or only lower the risk does so, in the curves and in the trees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from core.insight_world import HORIZON, SNAPSHOT, Shelf, World, policy
from keepline.engine import DuckDB
from keepline.insight.additive import maximum
from keepline.insight.leaving import fit_stack
from keepline.insight.training import train


def one_way(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first input truly raises the risk, the second lowers it, the third bends; the fourth means nothing."""
    x = np.asfortranarray(random.normal(size=(n, 4)))
    x[:, 3] = np.round(random.exponential(2, n))
    x[random.random(n) < 0.1, 0] = np.nan
    z = -2.5 + 0.5 * np.nan_to_num(x[:, 0]) - 0.4 * x[:, 1] + 0.5 * np.abs(x[:, 2])
    return x, (random.random(n) < expit(z)).astype(float), z


def steps_of(stack: object, column: int, x: np.ndarray) -> np.ndarray:
    """How the log-odds of some customers change when one input goes up in steps."""
    grid = np.linspace(np.nanmin(x[:, column]), np.nanmax(x[:, column]), 60)
    rows = np.repeat(x[:20], 60, axis=0)
    rows[:, column] = np.tile(grid, 20)
    return np.diff(stack.logit(rows).reshape(20, 60), axis=1)  # type: ignore[attr-defined]


def test_an_input_that_may_only_raise_the_risk_never_lowers_it() -> None:
    random = np.random.default_rng(16)
    x, y, z = one_way(random, 4000)
    signs, sizes = (1, -1, 0, 1), ("small", "long")
    bound = fit_stack(x, y, np.arange(4000), seed=1, sizes=sizes, signs=signs)
    free = fit_stack(x, y, np.arange(4000), seed=1, sizes=sizes)
    assert steps_of(bound, 0, x).min() >= -1e-9
    assert steps_of(bound, 1, x).max() <= 1e-9
    assert steps_of(bound, 3, x).min() >= -1e-9
    assert steps_of(free, 3, x).min() < -1e-3
    new, left, _ = one_way(random, 20_000)
    assert roc_auc_score(left, bound.logit(new)) >= roc_auc_score(left, free.logit(new)) - 0.002
    assert np.polyfit(z, bound.logit(x), 1)[0] == pytest.approx(1, abs=0.25)


def test_a_bound_that_does_not_bind_changes_nothing_and_one_that_does_gives_nought() -> None:
    random = np.random.default_rng(17)
    x = random.normal(size=(900, 3))
    y = (random.random(900) < expit(1.2 * x[:, 0] - 1.2 * x[:, 1] - 1)).astype(float)
    free = maximum(x, y, np.ones(900), penalty=2.0)
    loose = maximum(x, y, np.ones(900), penalty=2.0, bound=np.array([True, False, False]))
    tight = maximum(x, y, np.ones(900), penalty=2.0, bound=np.array([False, True, False]))
    without = maximum(x[:, [0, 2]], y, np.ones(900), penalty=2.0)
    assert loose == pytest.approx(free, abs=1e-9)
    assert tight[2] == 0
    assert tight[[0, 1, 3]] == pytest.approx(without, abs=1e-4)


def test_policy_binds_leaving_both_in_training_and_in_judging(tmp_path: Path) -> None:
    """Complaints truly raise the risk; a policy that says the opposite leaves them no effect."""
    duckdb, world = DuckDB(spill=tmp_path / "spill"), World(3000, seed=6, monthly_rate=0.05)
    samples = [world.snapshot(SNAPSHOT + -HORIZON * i, tmp_path)[0] for i in (2, 1)]
    slopes = []
    for said in ({"raises_risk": ("complaints_12m",)}, {"lowers_risk": ("complaints_12m",)}):
        models = train(duckdb, Shelf({}), policy(**said), snapshot=SNAPSHOT, samples=samples, seed=1)
        at = [c.name for c in models.inputs.columns].index("complaints_12m")
        term = next(t for t in models.leave.stacks[0].curves.terms if t.column == at)
        slopes.append(float(np.ptp(term.contribution(np.arange(5.0)))))
        judged = models.card["targets"]["leave"]["validation"]
        slopes.append(judged["auc"]["value"])
    assert slopes[0] > 0.5
    assert slopes[2] == pytest.approx(0, abs=1e-9)
    assert slopes[1] > slopes[3] + 0.005


@pytest.mark.parametrize("said", [{"raises_risk": ["lines"], "lowers_risk": ["lines"]}, {"raises_risk": ["district"]}])
def test_a_way_that_makes_no_sense_is_refused(said: dict[str, list[str]]) -> None:
    started = policy().leaving.model_dump()
    with pytest.raises(ValueError, match="risk"):
        type(policy().leaving).model_validate(started | said)
