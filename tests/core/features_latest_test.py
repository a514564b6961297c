"""Customers and lines that are delivered whole every month are read once: their latest rows are carried, to the bit."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.features_carrying_test import ALL, NOW, Months, few_ranges
from core.kept_test import to_the_bit
from core.small_lake import random_lake
from core.small_policy import small_policy
from keepline.canonical import table_hash
from keepline.closing import carried_part, closing_features
from keepline.engine import Engine
from keepline.features.latest import Latest, latest_of
from keepline.kept import Kept
from keepline.periods import Month
from keepline.pipeline import opened
from keepline.progress import Silent
from keepline.run import Run
from keepline.site import open_site
from keepline.tables import LATEST


class Closed(Months):
    """A site whose months are closed one after another as a run closes them."""

    @contextmanager
    def closing(self, month: Month) -> Iterator[Run]:
        site, said = open_site(self.root), small_policy()
        with opened(site, self.lake, said, site.policy, month, [], "x" * 16, Silent(), kept=Kept(site.kept)) as run:
            yield run
            run.kept.sweep(month)
        shutil.rmtree(run.work)

    def features(self, month: Month) -> str:  # type: ignore[override]
        with self.closing(month) as run:
            closing_features(run)
            return to_the_bit(run.parts("features"))

    def facts(self, month: Month) -> str:
        """The customers' own facts as a close carries them to scoring."""
        with self.closing(month) as run:
            (own,) = latest_of(run.lake, month, ["attributes"])
            return table_hash([carried_part(run, own, only) for only in run.ranges], LATEST["attributes"])

    def falsified(self, table: str, *, before: Month) -> None:
        """Change days and numbers of old months, unknown to the manifest: whoever reads them tells something else."""
        for file in self.lake.files:
            if file.table == table and Month.parse(file.month) < before:
                path = self.lake.root / file.path
                rows = pq.read_table(path)
                for place, field in enumerate(rows.schema):
                    if field.type == pa.float64():
                        rows = rows.set_column(place, field, pc.add(rows[field.name], 1_000.0))
                    if field.type == pa.date32():
                        later = pc.subtract(rows[field.name].cast(pa.int32()), pa.scalar(9_999, pa.int32())).cast(
                            pa.date32()
                        )
                        rows = rows.set_column(place, field, later)
                pq.write_table(rows, path)


@pytest.fixture
def months(tmp_path: Path) -> Closed:
    return Closed(tmp_path, few_ranges(tmp_path, seed=8))


@pytest.mark.parametrize("of", list(LATEST))
def test_rolled_month_by_month_they_are_what_all_months_give(engine: Engine, tmp_path: Path, of: str) -> None:
    lake = random_lake(tmp_path / "lake", last=NOW, months=8, customers=40, seed=3)
    was = tmp_path / "was.parquet"
    Latest(lake, NOW + -3, of).gather(engine, only=ALL, to=was)
    for ago in (2, 1, 0):
        rolled, gathered = tmp_path / f"rolled-{ago}.parquet", tmp_path / f"gathered-{ago}.parquet"
        now = Latest(lake, NOW + -ago, of)
        now.roll(engine, was=was, only=ALL, to=rolled)
        now.gather(engine, only=ALL, to=gathered)
        assert table_hash([rolled], LATEST[of]) == table_hash([gathered], LATEST[of])
        was = rolled


@pytest.mark.parametrize("of", ["customers", "lines"])
def test_a_close_reads_the_month_and_not_what_was_told_before(months: Closed, of: str) -> None:
    expected = months.anew(NOW)
    months.features(NOW + -1)
    months.falsified(of, before=NOW)
    assert months.features(NOW) == expected
    assert months.anew(NOW) != expected


def test_own_facts_are_carried_to_scoring_likewise(months: Closed) -> None:
    expected = months.facts(NOW)
    shutil.rmtree(months.root / "kept")
    months.facts(NOW + -1)
    months.falsified("attributes", before=NOW)
    assert months.facts(NOW) == expected
    shutil.rmtree(months.root / "kept")
    assert months.facts(NOW) != expected


def test_who_was_corrected_in_an_old_month_is_told_as_everything_anew_tells(months: Closed) -> None:
    months.features(NOW + -1)
    who = {"customer_id": 77, "kind": "person", "district": "B", "joined_on": dt.date(2020, 1, 5)}
    months.told(customers=[who | {"month": str(NOW + -9)}])
    months.told(bills=[{"customer_id": 77, "month": str(NOW), "component": "recurring", "amount_fen": 900}])
    assert months.features(NOW) == months.anew(NOW)


def test_where_changes_alone_are_delivered_nothing_is_carried(tmp_path: Path) -> None:
    lake = random_lake(tmp_path / "lake", last=NOW, months=2, customers=40, seed=3)
    assert latest_of(lake, NOW, LATEST) == []
    more = random_lake(tmp_path / "more", last=NOW, months=6, customers=40, seed=3)
    assert {each.of for each in latest_of(more, NOW, LATEST)} == set(LATEST)
