"""Whom to target: what a fifth chosen by each rule truly earns, as a share of what the best fifth would.

usage: benchmarks/targeting_bench.py [REPEATS] [SITE]      default: 20 pilots of 20,000, 4 of 100,000, and a new demo

Three worlds whose truth is known (targeting_worlds.py), then the simulated operator: its truth tells what each of the
offers tried in pilots would earn from every customer it suits.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measuring import Job, interleaved, machine, mark, ours, table
from sqlglot import exp
from targeting_worlds import TARGETED, WORLDS

from keepline.decisions.base import base, see
from keepline.decisions.candidates import pilot_rows
from keepline.decisions.change import change_of
from keepline.engine import DuckDB
from keepline.periods import Month
from keepline.policy.documents import Offer, Policy, read_policy

JOBS = "targeting_jobs.py"
REPEATS, SMALL, LARGE = 20, 20_000, 100_000
REDRAWN = 200
FEWER = 5  # times less often for large pilots
LEAST = {SMALL: {"A": 0.94, "B": 0.86, "C": 0.80}, LARGE: {"A": 0.95, "B": 0.92}}
BY_VALUE, OURS = "risk × value", "keepline"
MONTH = "2026-10"


def main(repeats: int, site: Path | None) -> None:
    print(f"## Whom to target\n\n{machine()}")
    for pilot, times in ((SMALL, repeats), (LARGE, max(3, repeats // FEWER))):
        of_worlds(pilot, times)
    if site is not None:
        of_operator(site)
        return
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "site"
        command = [sys.executable, "-c", "from keepline.cli import main; main()", "demo", "--site", str(made)]
        subprocess.run(command, check=True, capture_output=True)
        of_operator(made)


def of_worlds(pilot: int, times: int) -> None:
    jobs = [Job(world, ours(JOBS, world, pilot, 0, times)) for world in WORLDS]
    found = interleaved(jobs, rounds=1)
    for each in found.values():
        if each.failed:
            print(f"\nWorld {each.who} failed: {each.failed}")
            return
    print(f"\n### Pilots of {pilot:,}: share of the best possible, mean of {times} pilots ± its standard error\n")
    rows = []
    for rule in found[WORLDS[0]].said["shares"]:
        rows.append([rule, *(_mean_words(found[world].said["shares"][rule]) for world in WORLDS)])
    table(["rule", *(f"world {world}" for world in WORLDS)], rows)
    print()
    for world, least in LEAST[pilot].items():
        mark(f"world {world}, pilots of {pilot:,}", found=_mean(found, world, OURS), least=least)
    for world in WORLDS:
        beside_value(f"world {world}, pilots of {pilot:,}", found[world].said["shares"])


def beside_value(where: str, shares: dict[str, list[float]]) -> None:
    """Ours less risk × value, pilot by pilot: the same pilots and customers, so that their luck cancels."""
    more = np.subtract(shares[OURS], shares[BY_VALUE])
    error = more.std(ddof=1) / len(more) ** 0.5
    words = f"mean ± {error:.4f}, above in {(more > 0).sum()} of {len(more)} pilots"
    mark(f"{where}: above {BY_VALUE} ({words})", found=float(more.mean()), least=0)


def _mean(found: Any, world: str, rule: str) -> float:
    return float(np.mean(found[world].said["shares"][rule]))


def _mean_words(shares: list[float]) -> str:
    error = np.std(shares, ddof=1) / len(shares) ** 0.5 if len(shares) > 1 else float("nan")
    return f"{np.mean(shares):.3f} ± {error:.3f}"


def of_operator(site: Path) -> None:
    """Each offer tried in a pilot by itself: the fifth of those it suits, by rule."""
    folder = site / "published" / MONTH
    policy, engine = read_policy(folder / "policy", Month.parse(MONTH)), DuckDB()
    pilots = pilot_rows(engine, folder / "pilots")
    tried = [offer for offer in policy.offers.offer if offer.effect.source == "experiment"]
    used = [offer for offer in tried if change_of(offer, pilots) is not None]
    rows, sums = [], {}
    for offer in used:
        people = _told(engine, folder, site, policy, offer, pilots)
        best = _earned(people, people["true_fen"])
        if best <= 0:
            continue
        earned = {rule: _earned(people, people[rule]) for rule in people if rule != "true_fen"}
        shares = [f"{each / best:.3f}" for each in earned.values()]
        rows.append([offer.id, f"{len(people['true_fen']):,}", *shares, beside_value_here(people)])
        for rule, each in {**earned, "best": best}.items():
            sums[rule] = sums.get(rule, 0.0) + each
    engine.close()
    print(f"\n### The simulated operator, {MONTH}: share of what the best fifth of those it suits would earn\n")
    print(f"Nothing was found for {', '.join(o.id for o in tried if o not in used) or 'no offer'}: nothing is sent.\n")
    if not sums:
        print("No offer's pilot found anything.")
        return
    best = sums.pop("best")
    rows.append(["all of them", "", *(f"{each / best:.3f}" for each in sums.values()), ""])
    table(["offer", "customers", *sums, f"{OURS} less {BY_VALUE}"], rows)
    print("\nThe error is that of other customers drawn. The luck of an offer's only pilot comes on top of it.")
    print()
    mark(f"all offers: above {BY_VALUE}", found=(sums[OURS] - sums[BY_VALUE]) / best, least=0)


def beside_value_here(people: dict[str, Any]) -> str:
    """Ours less risk × value, as a share of the best possible, with its error by drawing customers again."""
    random, size = np.random.default_rng(4), len(people["true_fen"])

    def less(rows: Any) -> float:
        these = {name: values[rows] for name, values in people.items()}
        ours_, theirs, best = (_earned(these, these[name]) for name in (OURS, BY_VALUE, "true_fen"))
        return (ours_ - theirs) / best

    error = np.std([less(random.integers(0, size, size)) for _ in range(REDRAWN)])
    return f"{less(np.arange(size)):+.3f} ± {error:.3f}"


def _told(engine: DuckDB, folder: Path, site: Path, policy: Policy, offer: Offer, pilots: Any) -> dict[str, Any]:
    """What each rule says of the customers who are candidates for the offer, and what it would truly earn."""
    _ = policy
    change = change_of(offer, pilots)
    assert change is not None
    see(engine, "features", folder / "features")
    see(engine, "scores", folder / "scores")
    columns = [exp.column(name) for name in ("customer_id", "leave_probability", "value_fen")]
    query = exp.select(*columns, exp.alias_(change.leave.copy(), "change")).from_(base().subquery("base"))
    of_all = engine.fetch(query)
    mine = _parts(folder / "candidates").filter(pc.field("offer_id") == offer.id)
    truth = _parts(site / "truth" / "gains" / MONTH).filter(pc.field("offer_id") == offer.id)
    told = mine.select(["customer_id", "gain_fen"]).join(of_all, "customer_id", join_type="inner")
    truth = truth.select(["customer_id", "gain_fen"]).rename_columns(["customer_id", "true_fen"])
    told = told.join(truth, "customer_id", join_type="inner").sort_by("customer_id")
    risk, value, fall = (told[name].to_numpy().astype(float) for name in ("leave_probability", "value_fen", "change"))
    return {
        "true_fen": told["true_fen"].to_numpy().astype(float),
        "churn risk": risk,
        BY_VALUE: risk * value,
        "uplift": -fall,
        OURS: told["gain_fen"].to_numpy().astype(float),
    }


def _parts(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(part) for part in sorted(folder.glob("part-*.parquet"))])


def _earned(people: dict[str, Any], told: Any) -> float:
    count = max(1, int(TARGETED * len(told)))
    return float(people["true_fen"][np.argsort(-np.nan_to_num(told, nan=-np.inf), kind="stable")[:count]].sum())


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else REPEATS, Path(given[1]) if len(given) > 1 else None)
