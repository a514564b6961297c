"""A small fixed site whose results are known by their hashes, so that no change of results goes unseen.

usage: PYTHONPATH=src:tests python tests/core/fixed_site.py     writes fixed_site.json anew, where that is meant

The rows are drawn once from a seed, the policy is the starter. Hashes are those of the publication's manifest: rows in
key order, doubles rounded to six decimals (``canonical.table_hash``). Nothing that is learnt is among the tables, since
the last bits of linear algebra differ between processors; what is decided rests on scores that are drawn.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.decisions_cast import features_of, policy_with, stage
from core.insight_world import STARTER
from core.small_lake import random_lake
from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.engine import ID_SPACE, Engine, Range, ranges
from keepline.features.build import build_features, build_labels
from keepline.insight.classes import build_classes
from keepline.insight.drivers import build_drivers
from keepline.insight.win_back import build_win_back
from keepline.periods import Month
from keepline.placed import NOTHING, placed
from keepline.policy.documents import read_policy
from keepline.tables import TABLES

KNOWN = Path(__file__).with_name("fixed_site.json")
NOW = Month.parse("2026-10")
PARTS, PEOPLE = 2, 300


def hashes(engine: Engine, folder: Path) -> dict[str, str]:
    """Hash of each table of the site, made here."""
    lake = random_lake(folder / "lake", last=NOW, months=14, customers=160, seed=11)
    policy, found = read_policy(STARTER, NOW), {}
    then = NOW + -policy.leaving.horizon_months
    cut = ranges(PARTS, 1)

    def part(table: str, only: Range) -> Path:
        return folder / table / only.part

    def each(table: str, build: Callable[..., int], of: str = "", name: str = "features") -> None:
        for only in cut:
            build(only=only, to=part(table, only), **({name: part(of, only)} if of else {}))
        known = table.removesuffix("_then")
        found[table] = table_hash([part(table, only) for only in cut], TABLES[known])

    site = {"engine": engine, "policy": policy}
    each("features", partial(build_features, lake=lake, snapshot=NOW, **site))
    each("features_then", partial(build_features, lake=lake, snapshot=then, **site))
    each("labels", partial(build_labels, lake=lake, snapshot=then, **site), of="features_then", name="base")
    each("classes_then", partial(build_classes, snapshot=then, previous=NOTHING, **site), of="features_then")
    before = placed(part("classes_then", only) for only in cut)
    each("classes", partial(build_classes, snapshot=NOW, previous=before, **site), of="features")
    each("drivers", partial(build_drivers, snapshot=NOW, **site), of="features")
    each("win_back", partial(build_win_back, lake=lake, snapshot=NOW, **site), of="features")
    return found | decided(engine, folder / "plan")


def decided(engine: Engine, folder: Path) -> dict[str, str]:
    """Hash of each table of a plan for people whose features and scores are drawn, with means for whoever gains: the
    prices of scarce means come from mathematics whose last bits differ between processors.
    """
    dice = np.random.default_rng(11)
    people = [_somebody(dice, who) for who in sorted({int(who) for who in dice.integers(1, ID_SPACE, PEOPLE)})]
    means = {"money_fen": 100_000_000, "held_out_share": 0.1, "held_out_salt": "fixed"}
    manager = {
        "manager_id": "M1",
        "month": str(NOW),
        "district": "D1",
        "visit_minutes": 60_000,
        "authority_fen": 50_000,
    }
    made = stage(engine, folder, people, policy=policy_with(limits=means), managers=[manager], parts=PARTS)
    made.build()
    made.decide()
    tables = ("candidates", "decisions", "assignments")
    parts = {name: sorted(made.folder(name).glob("part-*.parquet")) for name in tables}
    return {name: table_hash(found, TABLES[name]) for name, found in parts.items()}


def _somebody(dice: np.random.Generator, who: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "manager_id": "M1" if dice.random() < 0.4 else None,
        "consent": bool(dice.random() < 0.9),
        "blacklisted": bool(dice.random() < 0.05),
        "margin_3m_fen": int(dice.integers(0, 30_000)),
        "recurring_fen": int(dice.integers(0, 20_000)),
        "contacts_out_1m": int(dice.integers(0, 4)),
        "arrears_months": int(dice.random() < 0.1),
        "value_fen": int(dice.integers(1_000, 3_000_000)),
        "expected_months": float(dice.integers(1, 25)),
        "leave_probability": int(dice.integers(0, 10_000)) / 10_000,
    }
    return features_of(who, **facts)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.start("duckdb")
        found = hashes(engine, Path(folder))
        engine.close()
    KNOWN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
