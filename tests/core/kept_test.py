"""What is kept of past months is what would be made anew, and is made anew as soon as anything it hangs on changes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.small_lake import add_rows, random_lake
from core.small_policy import small_policy
from keepline.engine import Range
from keepline.features.build import base_of, outcomes_of
from keepline.kept import HASHED, Kept
from keepline.lake.store import Lake
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.pipeline import opened
from keepline.progress import Silent
from keepline.site import open_site
from keepline.tables import FEATURES

NOW = Month.parse("2026-10")
THEN = NOW + -3
PARTS = 4


def to_the_bit(parts: Sequence[Path]) -> str:
    """A hash of all features, doubles unrounded, whatever the cut."""
    rows = pa.concat_tables([pq.read_table(part) for part in parts]).sort_by("customer_id")
    assert rows.schema.equals(FEATURES.arrow)
    return hashlib.sha256(repr(rows.to_pydict()).encode()).hexdigest()


@dataclass
class Closing:
    """A site whose months are closed one after another."""

    root: Path
    lake: Lake
    built: list[str] = field(default_factory=list)

    def features(self, month: Month, *, adds: bool = True, **policy: Any) -> str:
        """The hash of a month's features in a new run; ``built`` tells which parts it had to make."""
        site, said = open_site(self.root), small_policy(**policy)
        base, self.built = base_of(self.lake, said, month), []
        with opened(site, self.lake, said, site.policy, NOW, [], "x" * 16, Silent(), kept=Kept(site.kept, adds)) as run:

            def build(only: Range, to: Path) -> int:
                self.built.append(only.part)
                return base.anew(run.engine, only=only, to=to)

            run.each_range("features", month, build, made_from=base.made_from())
            found = to_the_bit(run.parts("features", month))
        shutil.rmtree(run.work)
        return found

    def anew(self, month: Month) -> str:
        shutil.rmtree(self.root / "kept", ignore_errors=True)
        return self.features(month)

    def told(self, **tables: list[dict[str, object]]) -> None:
        self.lake = add_rows(self.lake, **tables)


@pytest.fixture
def closing(tmp_path: Path) -> Closing:
    make_site(tmp_path, name="someone")
    lake = random_lake(tmp_path / "lake", last=NOW, months=14, customers=90, seed=5)
    settings = tmp_path / "keepline.toml"
    each = lake.customers // PARTS + 1
    settings.write_text(settings.read_text("utf-8").replace("500000", str(each)), encoding="utf-8")
    return Closing(tmp_path, lake)


def a_bill(month: Month, amount: int, component: str = "one_off") -> dict[str, object]:
    return {"customer_id": 77, "month": str(month), "component": component, "amount_fen": amount}


def test_a_past_month_is_made_once_and_found_again_as_it_was(closing: Closing) -> None:
    first = closing.features(THEN)
    assert len(closing.built) == PARTS
    assert closing.features(THEN) == first
    assert closing.built == []
    assert closing.anew(THEN) == first


def test_a_run_that_was_cut_short_goes_on_with_the_parts_it_had(closing: Closing) -> None:
    first = closing.features(THEN)
    lost = sorted((closing.root / "kept").glob("*/part-00001.parquet"))[0]
    lost.unlink()
    assert closing.features(THEN) == first
    assert closing.built == [lost.name]


def test_a_kept_part_that_was_cut_short_is_made_anew(closing: Closing) -> None:
    first = closing.features(THEN)
    hurt = sorted((closing.root / "kept").glob("*/part-00001.parquet"))[0]
    whole = hurt.read_bytes()
    hurt.unlink()
    hurt.write_bytes(whole[: len(whole) // 2])
    assert closing.features(THEN, adds=False) == first
    assert closing.features(THEN) == first
    assert closing.built == [hurt.name]
    closing.features(THEN)
    assert closing.built == []


def test_another_version_of_the_program_makes_its_own(closing: Closing, monkeypatch: pytest.MonkeyPatch) -> None:
    closing.features(THEN)
    monkeypatch.setattr("keepline.run.__version__", "another")
    closing.features(THEN)
    assert len(closing.built) == PARTS


def test_rows_of_later_months_leave_what_is_kept_as_it_is(closing: Closing) -> None:
    first = closing.features(THEN)
    closing.told(bills=[a_bill(NOW, 700)])
    assert closing.features(THEN) == first
    assert closing.built == []


@pytest.mark.parametrize("ago", [0, 5, 11])
def test_a_late_bill_makes_every_month_anew_that_can_see_it(closing: Closing, ago: int) -> None:
    first = closing.features(THEN)
    closing.told(
        bills=[a_bill(THEN + -ago, 90_000)],
        customers=[{"customer_id": 77, "month": str(THEN + -ago), "kind": "person"}],
        usage=[{"customer_id": 77, "month": str(THEN), "voice_s": 60, "active_days": 3}],
    )
    found = closing.features(THEN)
    assert len(closing.built) == PARTS
    assert found != first
    assert closing.anew(THEN) == found


def test_a_bill_older_than_what_is_read_changes_nothing(closing: Closing) -> None:
    closing.features(NOW)
    closing.told(bills=[a_bill(NOW + -12, 90_000)])
    closing.features(NOW)
    assert closing.built == []


def test_another_base_is_made_anew(closing: Closing) -> None:
    closing.features(THEN)
    closing.features(THEN, leaving={"active_when": [{"feature": "lines", "above": 0}]})
    assert len(closing.built) == PARTS


def test_outcomes_hang_on_their_window_and_on_the_base(closing: Closing) -> None:
    def made_from(base: str) -> str:
        return outcomes_of(closing.lake, small_policy(), THEN).made_from(base)

    first = made_from("a")
    assert first == made_from("a") != made_from("b")
    closing.told(bills=[a_bill(NOW, 5)])
    assert made_from("a") == first
    closing.told(bills=[a_bill(THEN + 1, 5, "credit")])
    assert made_from("a") != first


def test_who_may_not_add_still_finds(closing: Closing) -> None:
    closing.features(THEN, adds=False)
    assert not (closing.root / "kept").exists()
    closing.features(THEN)
    closing.features(THEN, adds=False)
    assert closing.built == []


def test_what_is_too_old_and_what_was_made_otherwise_is_let_go(tmp_path: Path) -> None:
    kept, part = Kept(tmp_path), tmp_path / "made"
    part.write_bytes(b"x")
    places = [("sampled", NOW, "a"), ("sampled", NOW, "b"), ("labels", NOW, "a"), ("sampled", NOW + -36, "a")]
    places += [("features", NOW, "a"), ("carried", NOW + -1, "a"), ("carried", NOW + -2, "a")]
    for age, (table, month, letter) in enumerate(places):
        folder = kept.folder(table, month, letter * HASHED)
        kept.add(part, folder / "part-00000.parquet")
        os.utime(folder, ns=(age, age))
    kept.sweep(NOW)
    assert sorted(path.name[: -HASHED + 1] for path in tmp_path.iterdir() if path.is_dir()) == [
        f"carried-{NOW + -1}-a",
        f"labels-{NOW}-a",
        f"sampled-{NOW}-b",
    ]


def test_what_others_put_there_is_left_alone(tmp_path: Path) -> None:
    strange = [tmp_path / name for name in ("features-2020-13-" + "a" * HASHED, "notes-2020-01-of-mine")]
    for folder in strange:
        folder.mkdir()
    Kept(tmp_path).sweep(NOW)
    assert all(folder.is_dir() for folder in strange)


def test_where_nothing_can_be_kept_the_run_goes_on(closing: Closing) -> None:
    (closing.root / "kept").write_text("in the way", encoding="ascii")
    first = closing.features(THEN)
    (closing.root / "kept").unlink()
    assert closing.features(THEN) == first
