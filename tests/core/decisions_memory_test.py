"""A plan takes memory by the range, not by the customer, and is the same as one made with everyone held in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import many_candidates
import numpy as np
import pytest
from many_candidates import make, planned, policy_for

from keepline.decisions import blocks
from keepline.decisions.ranked import ranked_gain

HERE = Path(__file__).parent


def told(folder: Path, customers: int) -> list[int]:
    """What the planning process says: the most bytes it had at once, and sums of the plan."""
    make(folder, customers, each=30_000)
    path = os.pathsep.join([str(HERE), str(HERE.parents[1] / "src")])
    command = [sys.executable, many_candidates.__file__, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": path})
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("weeks", [None, 4])
def test_a_plan_read_by_blocks_equals_the_plan_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weeks: int | None
) -> None:
    limits = {} if weeks is None else {"weeks": weeks, "channel_week_contacts": {"sms": (900, 700, 900, 800)}}
    make(tmp_path, 40_000, each=6_000)
    held = planned(tmp_path, policy_for(40_000, **limits), None)
    monkeypatch.setattr(blocks, "HELD", 1_000)
    laid = planned(tmp_path, policy_for(40_000, **limits), tmp_path / "work")
    assert (tmp_path / "work" / "every-8").exists()
    assert laid.plan.bound_fen == held.plan.bound_fen
    assert laid.plan.gain_fen == held.plan.gain_fen
    assert laid.plan.prices.money == held.plan.prices.money > 0
    for one, other in zip(held, laid, strict=True):
        for name, column in vars(one).items():
            assert np.array_equal(column, getattr(other, name)), name
    assert ranked_gain(laid.short.open_to, ahead=3_000) == ranked_gain(held.short.open_to)


def test_a_million_customers_more_take_hardly_more_memory(tmp_path: Path) -> None:
    """Held in memory they would take some 54 bytes each."""
    small, large = told(tmp_path / "small", 300_000), told(tmp_path / "large", 1_200_000)
    assert large[0] - small[0] < 900_000
    for _, gain, listed, assigned in (small, large):
        assert 0 < listed < gain == assigned
