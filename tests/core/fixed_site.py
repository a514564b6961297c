"""A small fixed site whose results are known by their hashes, so that no change of results goes unseen.

usage: PYTHONPATH=src:tests python tests/core/fixed_site.py     writes fixed_site.json anew, where that is meant

The rows are drawn once from a seed, the policy is the starter. Hashes are those of the publication's manifest: rows in
key order, doubles rounded to six decimals (``canonical.table_hash``). Nothing that is learnt is among the tables, since
the last bits of linear algebra differ between processors.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from core.insight_world import STARTER
from core.small_lake import random_lake
from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.engine import Engine, Range, ranges
from keepline.features.build import build_features, build_labels
from keepline.insight.classes import build_classes
from keepline.insight.drivers import build_drivers
from keepline.insight.win_back import build_win_back
from keepline.periods import Month
from keepline.policy.documents import read_policy
from keepline.tables import TABLES

KNOWN = Path(__file__).with_name("fixed_site.json")
NOW = Month.parse("2026-10")
PARTS = 2


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
    each("classes_then", partial(build_classes, snapshot=then, previous=(), **site), of="features_then")
    before = tuple(part("classes_then", only) for only in cut)
    each("classes", partial(build_classes, snapshot=NOW, previous=before, **site), of="features")
    each("drivers", partial(build_drivers, snapshot=NOW, **site), of="features")
    each("win_back", partial(build_win_back, lake=lake, snapshot=NOW, **site), of="features")
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.start("duckdb")
        found = hashes(engine, Path(folder))
        engine.close()
    KNOWN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
