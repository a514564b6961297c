"""The jobs of allocation_bench.py, ours and the peer's, each run in a child process.

usage: allocation_jobs.py WHAT FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from measuring import job

OFFERS = 8
SHARE = (0.05, 0.6)  # of what the best offer for each would use: how tight limits are
VISITS, VISIT_MINUTES = (6, 7), (30, 60)  # the offers made by managers, and what they take
LONGEST = 900.0  # seconds for the peer
DEAREST, STEPS = 2000, 16  # fen; costs are in steps, as pilots' are


def make(folder: Path, customers: int, limits: int, managers: int) -> None:
    """Customers with eight offers each that all gain: gains with a long tail, costs by offer and customer.

    ``limits`` counts money and channels; where there are more channels than offers, an offer goes through
    one of several, by customer.
    """
    with job() as said:
        dice = np.random.default_rng(customers + limits)
        channels = limits - 1
        margin = dice.lognormal(3.0, 0.6, customers).astype(np.float32)
        risk = dice.beta(2, 12, customers).astype(np.float32)
        gain = np.empty((customers, OFFERS), np.int32)
        kind = np.empty((customers, OFFERS), np.int16)
        for offer in range(OFFERS):
            effect = (0.06 + 0.06 * offer) * risk * np.maximum(dice.normal(1, 1, customers), 0.05).astype(np.float32)
            step = np.ceil(dice.beta(3, 5, customers).astype(np.float32) * STEPS).astype(np.int16)
            cost = step * np.float32(DEAREST * (offer + 1) / OFFERS / STEPS)
            gain[:, offer] = np.maximum(100 * effect * margin * 12 - 0.25 * cost, 1)
            spread = max(1, -(-(channels - offer) // OFFERS))  # channels that this offer may go through
            way = dice.integers(0, spread, customers).astype(np.int16)
            kind[:, offer] = (offer * STEPS + step - 1) * 4 + way
        _save(folder, dice, gain, kind, channels, managers)
    said()


def _save(folder: Path, dice: Any, gain: Any, kind: Any, channels: int, managers: int) -> None:
    customers = len(gain)
    offer, step, way = (np.arange(OFFERS * STEPS * 4) // n % m for n, m in ((STEPS * 4, OFFERS), (4, STEPS), (1, 4)))
    cost = (DEAREST * (offer + 1) * (step + 1) // OFFERS // STEPS).astype(np.int64)
    channel = np.where(offer + OFFERS * way < channels, offer + OFFERS * way, -1)
    minutes = np.zeros(len(offer), np.int64)
    minutes[np.isin(offer, VISITS)] = np.array(VISIT_MINUTES)[offer[np.isin(offer, VISITS)] - VISITS[0]]
    who = dice.integers(0, managers, customers) if managers else np.full(customers, -1)
    best = kind[np.arange(customers), gain.argmax(axis=1)]
    share = dice.uniform(*SHARE, channels)
    contacts = (share * np.bincount(channel[best][channel[best] >= 0], minlength=channels)[:channels]).astype(int)
    hours = np.bincount(who, minutes[best], managers) * dice.uniform(*SHARE, managers) if managers else np.zeros(0)
    np.save(folder / "ids.npy", np.sort(dice.integers(0, 2**62, customers)))
    np.save(folder / "start.npy", np.arange(customers + 1) * OFFERS)
    np.save(folder / "manager.npy", who.astype(np.int32))
    np.save(folder / "gain.npy", gain.ravel())
    np.save(folder / "kind.npy", kind.ravel())
    np.savez(folder / "kinds.npz", offer=offer, cost=cost, channel=channel, minutes=minutes)
    means = {
        "money": int(0.35 * cost[best].sum()),
        "channels": contacts.tolist(),
        "minutes": hours.astype(int).tolist(),
    }
    (folder / "means.json").write_text(json.dumps(means), encoding="utf-8")


def problem_of(folder: Path) -> Any:
    from keepline.decisions.problem import Kinds, Means, Problem

    arrays = [np.load(folder / f"{name}.npy") for name in ("ids", "start", "manager", "gain", "kind")]
    told, kinds = json.loads((folder / "means.json").read_text(encoding="utf-8")), np.load(folder / "kinds.npz")
    names = tuple(f"offer-{n}" for n in kinds["offer"].tolist())
    means = Means(told["money"], np.array(told["channels"], dtype=int), np.array(told["minutes"], dtype=int))
    return Problem(*arrays, Kinds(names, kinds["cost"], kinds["channel"], kinds["minutes"]), means)


def ours(folder: Path) -> None:
    """The plan and its certificate; machine code was made before, by a small problem of the same types."""
    from keepline.decisions.allocation import allocate

    allocate(small(problem_of(folder)))
    problem = problem_of(folder)
    with job() as said:
        plan = allocate(problem)
    means, used = problem.means, plan.used
    priced = int(plan.prices.money > 0) + int((plan.prices.channels > 0).sum()) + int((plan.prices.minutes > 0).sum())
    broken = int(used.money > means.money) + int((used.channels > means.channels).sum())
    said(
        gain=plan.gain_fen,
        bound=plan.bound_fen,
        gap=plan.gap_share,
        violations=broken + int((used.minutes > means.minutes).sum()),
        binding=priced,
        largest=int(problem.gain.max()),
        treated=int((plan.choice >= 0).sum()),
    )


def compile_all(folder: Path) -> None:
    """The first plan of a machine, with nothing compiled yet."""
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as empty:
        os.environ["NUMBA_CACHE_DIR"] = empty
        from keepline.decisions.allocation import allocate

        problem = problem_of(folder)
        with job() as said:
            allocate(problem)
    said()


def small(problem: Any) -> Any:
    return problem.only(np.arange(problem.customers) < 100)


def highs(folder: Path) -> None:
    """HiGHS' interior point method on the linear relaxation, in yuan, without crossover."""
    import highspy
    import scipy.sparse as sp

    told, kinds = json.loads((folder / "means.json").read_text(encoding="utf-8")), np.load(folder / "kinds.npz")
    start, gain, kind = (np.load(folder / f"{name}.npy") for name in ("start", "gain", "kind"))
    with job() as said:
        people, size = len(start) - 1, len(gain)
        every, channel = np.arange(size), kinds["channel"][kind]
        bound = channel >= 0
        rows = [np.repeat(np.arange(people), np.diff(start)), np.full(size, people), people + 1 + channel[bound]]
        values = np.concatenate([np.ones(size), kinds["cost"][kind] / 100, np.ones(int(bound.sum()))])
        shape = (people + 1 + len(told["channels"]), size)
        matrix = sp.csc_matrix((values, (np.concatenate(rows), np.r_[every, every, every[bound]])), shape=shape)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = size, shape[0]
        model.col_cost_, model.col_lower_, model.col_upper_ = -gain / 100, np.zeros(size), np.ones(size)
        model.row_lower_ = np.full(shape[0], -highspy.kHighsInf)
        model.row_upper_ = np.r_[np.ones(people), told["money"] / 100, told["channels"]]
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
        model.a_matrix_.value_ = matrix.data
        solver = highspy.Highs()
        for name, value in (
            ("output_flag", False),
            ("solver", "ipm"),
            ("run_crossover", "off"),
            ("threads", 1),
            ("time_limit", LONGEST),
        ):
            solver.setOptionValue(name, value)
        solver.passModel(model)
        solver.run()
    status = solver.modelStatusToString(solver.getModelStatus())
    said(gain=round(-100 * solver.getInfo().objective_function_value), status=status)


JOBS = {"ours": ours, "highs": highs, "compile": compile_all}

if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), *map(int, sys.argv[3:6]))
    else:
        JOBS[sys.argv[1]](Path(sys.argv[2]))
