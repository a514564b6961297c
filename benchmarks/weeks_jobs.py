"""The jobs of allocation_bench.py about weeks: ours, a list worked off from the top, and HiGHS.

usage: weeks_jobs.py WHAT FOLDER [CUSTOMERS]

The problem is that of allocation_jobs.py with every limit of the month also told by week: contacts of each channel in
unequal parts, and one number of minutes a week for every manager, which half of them would pass in a month.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from allocation_jobs import make as make_month
from allocation_jobs import problem_of, small
from measuring import job

LIMITS, A_MANAGER, WEEKS = 20, 100, 4  # money and channels; customers of a manager
UNEVEN = 3.0  # the smaller, the more unequal a channel's weeks
LONGEST = 120.0  # seconds for the peer
Numbers = Any


def make(folder: Path, customers: int) -> None:
    make_month(folder, customers, LIMITS, customers // A_MANAGER)
    told = json.loads((folder / "means.json").read_text(encoding="utf-8"))
    dice = np.random.default_rng(customers)
    shares = dice.dirichlet(np.full(WEEKS, UNEVEN), len(told["channels"]))
    contacts = (shares * np.array(told["channels"])[:, None]).astype(int)
    minutes = int(np.median(told["minutes"])) // WEEKS
    told["channels"] = contacts.sum(axis=1).tolist()
    told["minutes"] = np.minimum(told["minutes"], WEEKS * minutes).tolist()
    (folder / "means.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "weeks.json").write_text(json.dumps({"contacts": contacts.tolist(), "minutes": minutes}), "utf-8")


def weeks_of(folder: Path) -> tuple[Numbers, int]:
    told = json.loads((folder / "weeks.json").read_text(encoding="utf-8"))
    return np.array(told["contacts"], dtype=np.int64), told["minutes"]


def ours(folder: Path) -> None:
    """The month's plan with its bound, then a week for everyone in it."""
    from keepline.decisions.allocation import allocate
    from keepline.decisions.spreading import spread
    from keepline.decisions.weeks import Weeks

    weeks, problem = Weeks(*weeks_of(folder)), problem_of(folder)
    urgency = np.random.default_rng(0).random(problem.customers)
    few = small(problem)
    spread(few, allocate(few), weeks, urgency[: few.customers])  # machine code is made before the clock starts
    with job() as said:
        month = allocate(problem)
        plan = spread(problem, month, weeks, urgency)
    prices = plan.prices
    priced = int(prices.money > 0) + int((prices.channels > 0).sum()) + int((prices.minutes > 0).sum())
    told = {"bound": plan.bound_fen, "gap": plan.gap_share, "month": month.gain_fen, "priced": priced}
    _tell(said, folder, plan.choice, np.asarray(plan.week), **told, largest=int(problem.gain.max()))


def by_hand(folder: Path) -> None:
    """No optimiser: every offer to anybody by falling gain, in the first week that has room for it."""
    told, (contacts, minutes) = json.loads((folder / "means.json").read_text(encoding="utf-8")), weeks_of(folder)
    start, gain, kind, who, kinds = _arrays(folder)
    with job() as said:
        choice, week = np.full(len(start) - 1, -1), np.zeros(len(start) - 1, dtype=int)
        owner = np.repeat(np.arange(len(choice)), np.diff(start))
        money, hours = told["money"], list(told["minutes"])
        left, spent = contacts.tolist(), [[minutes] * WEEKS for _ in hours]
        cost, channel, takes = (kinds[name].tolist() for name in ("cost", "channel", "minutes"))
        for j in np.argsort(-gain, kind="stable").tolist():
            i, k = owner[j], kind[j]
            m, c, needs = who[i], channel[k], takes[k]
            if choice[i] >= 0 or cost[k] > money or needs > hours[m]:
                continue
            open_to = (n for n in range(WEEKS) if (c < 0 or left[c][n]) and needs <= spent[m][n])
            if (n := next(open_to, None)) is None:
                continue
            choice[i], week[i] = j, n + 1
            money, hours[m], spent[m][n] = money - cost[k], hours[m] - needs, spent[m][n] - needs
            if c >= 0:
                left[c][n] -= 1
    _tell(said, folder, choice, week)


def highs(folder: Path) -> None:
    """HiGHS' mixed-integer programme over customers × offers × weeks, for as long as a user may wait."""
    import highspy

    with job() as said:
        model = _model(folder)
        solver = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1), ("time_limit", LONGEST), ("mip_rel_gap", 1e-5)):
            solver.setOptionValue(name, value)
        solver.passModel(model)
        solver.run()
        taken = np.array(solver.getSolution().col_value) > 0.5
    size = len(taken) // WEEKS
    place, start = np.flatnonzero(taken), np.load(folder / "start.npy")
    owner = np.searchsorted(start, place % size, side="right") - 1
    choice, week = np.full(len(start) - 1, -1), np.zeros(len(start) - 1, dtype=int)
    choice[owner], week[owner] = place % size, place // size + 1
    status = solver.modelStatusToString(solver.getModelStatus())
    _tell(said, folder, choice, week, bound=round(-100 * solver.getInfo().mip_dual_bound), status=status)


def _model(folder: Path) -> Any:
    """Columns are candidates, week by week; gains and costs in yuan."""
    import scipy.sparse as sp

    told, (contacts, minutes) = json.loads((folder / "means.json").read_text(encoding="utf-8")), weeks_of(folder)
    start, gain, kind, who, kinds = _arrays(folder)
    size, people = len(gain), len(start) - 1
    owner, every = np.repeat(np.arange(people), np.diff(start)), np.arange(len(gain))
    cost, channel, takes = (kinds[name][kind] for name in ("cost", "channel", "minutes"))
    called, visited = np.flatnonzero(channel >= 0), np.flatnonzero(takes > 0)
    channels, managers = len(contacts), len(told["minutes"])

    def sheet(rows: Numbers, places: Numbers, values: Numbers, height: int) -> Any:
        return sp.csc_matrix((values, (rows, places)), shape=(height, size))

    by_channel = sheet(channel[called], called, np.ones(len(called)), channels)
    by_manager = sheet(who[owner[visited]], visited, takes[visited].astype(float), managers)
    month = sp.vstack([sheet(owner, every, np.ones(size), people), sheet(0 * every, every, cost / 100, 1), by_manager])
    week = sp.vstack([by_channel, by_manager])
    matrix = sp.vstack([sp.hstack([month] * WEEKS), sp.block_diag([week] * WEEKS)]).tocsc()
    by_week = [np.r_[contacts[:, n], np.full(managers, minutes)] for n in range(WEEKS)]
    most = np.concatenate([np.ones(people), [told["money"] / 100], told["minutes"], *by_week])
    return _programme(matrix, -np.tile(gain, WEEKS) / 100, most)


def _programme(matrix: Any, cost: Numbers, most: Numbers) -> Any:
    """The least cost of columns taken or not, each row at most so much."""
    import highspy

    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, np.zeros(len(cost)), np.ones(len(cost))
    model.row_lower_, model.row_upper_ = np.full(len(most), -highspy.kHighsInf), most
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(cost)
    return model


def _arrays(folder: Path) -> tuple[Numbers, Numbers, Numbers, Numbers, Any]:
    start, gain, kind, who = (np.load(folder / f"{name}.npy") for name in ("start", "gain", "kind", "manager"))
    return start, gain, kind, who, np.load(folder / "kinds.npz")


def _tell(said: Any, folder: Path, choice: Numbers, week: Numbers, **more: Any) -> None:
    """What the plan gains, and every limit of month and weeks counted again, alike for all."""
    told, (contacts, minutes) = json.loads((folder / "means.json").read_text(encoding="utf-8")), weeks_of(folder)
    _, gain, kind, who, kinds = _arrays(folder)
    people = np.flatnonzero(choice >= 0)
    picked, when = kind[choice[people]], week[people] - 1
    channel, takes = kinds["channel"][picked], kinds["minutes"][picked]
    called = channel >= 0
    made, spent = np.zeros_like(contacts), np.zeros((len(told["minutes"]), WEEKS), dtype=np.int64)
    np.add.at(made, (channel[called], when[called]), 1)
    np.add.at(spent, (who[people], when), takes)
    broken = [
        kinds["cost"][picked].sum() > told["money"], made > contacts, spent > minutes,
        made.sum(axis=1) > told["channels"], spent.sum(axis=1) > told["minutes"], when < 0, when >= WEEKS,
    ]  # fmt: skip
    said(
        gain=int(gain[choice[people]].sum()),
        treated=len(people),
        violations=int(sum(np.count_nonzero(each) for each in broken)),
        **more,
    )


JOBS = {"ours": ours, "by_hand": by_hand, "highs": highs}

if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        JOBS[sys.argv[1]](Path(sys.argv[2]))
