"""What is rolled from month to month is to the bit what the whole history gives, late and corrected rows or not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.kept_test import Closing, to_the_bit
from core.small_lake import add_rows, corrected, lake_of, random_lake
from core.small_policy import small_policy
from keepline.canonical import table_hash
from keepline.closing import carried_part
from keepline.engine import ID_SPACE, Engine, Range, start
from keepline.features.build import base_of, build_features
from keepline.features.carrying import MENDED, MONTHS, Carrying
from keepline.kept import MADE_FROM, Kept
from keepline.lake.store import Lake, LakeFile
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.pipeline import opened
from keepline.policy.margins import basis_points
from keepline.progress import Silent
from keepline.site import open_site
from keepline.tables import CARRIED, TABLES

NOW = Month.parse("2026-10")
ALL = Range(0, 0, ID_SPACE)


def carrying(lake: Lake, month: Month, **policy: object) -> Carrying:
    return Carrying(lake, month, dict(basis_points(small_policy(**policy).value)))


def gappy(root: Path, *, seed: int, customers: int = 60, months: int = 16) -> Lake:
    """Months with and without rows of each kind, in every order that a window can meet."""
    dice = np.random.default_rng(seed)
    everybody = [ID_SPACE // customers * place + 1 for place in range(customers)]
    rows: dict[str, list[dict[str, object]]] = {table: [] for table in MONTHS}
    rows["customers"] = [{"customer_id": who, "month": str(NOW + -months), "kind": "person"} for who in everybody]
    for who in everybody:
        shares = dice.random(3) ** 2
        for ago in range(months):
            month = {"customer_id": who, "month": str(NOW + -ago)}
            if dice.random() < shares[0]:
                kinds = dice.choice(["recurring", "overage", "discount", "topup", "credit"], 2, replace=False)
                rows["bills"] += [
                    month | {"component": kind, "amount_fen": int(dice.integers(-9, 9))} for kind in kinds
                ]
            if dice.random() < shares[1]:
                told = {name: int(dice.integers(0, 3)) for name in TABLES["usage"].names[2:]}
                rows["usage"].append(month | {name: value for name, value in told.items() if dice.random() < 0.7})
            if dice.random() < shares[2]:
                owed, age = (None if dice.random() < 0.2 else int(dice.integers(0, 3)) for _ in range(2))
                rows["payments"].append(month | {"paid_fen": 1, "arrears_fen": owed, "arrears_months": age})
    return lake_of(root, **rows)


@pytest.mark.parametrize("seed", [1, 2])
def test_rolled_month_by_month_it_is_what_is_gathered(engine: Engine, tmp_path: Path, seed: int) -> None:
    lake = gappy(tmp_path / "lake", seed=seed)
    was = tmp_path / "was.parquet"
    carrying(lake, NOW + -5).gather(engine, only=ALL, to=was)
    for ago in (4, 3, 2, 1, 0):
        rolled, gathered = tmp_path / f"rolled-{ago}.parquet", tmp_path / f"gathered-{ago}.parquet"
        now = carrying(lake, NOW + -ago)
        now.roll(engine, was=was, only=ALL, to=rolled)
        now.gather(engine, only=ALL, to=gathered)
        assert table_hash([rolled], CARRIED) == table_hash([gathered], CARRIED)
        was = rolled


@pytest.mark.parametrize("tables", [("bills",), ("usage", "payments"), tuple(MONTHS)], ids="+".join)
def test_mended_in_some_months_it_is_what_is_gathered(engine: Engine, tmp_path: Path, tables: tuple[str, ...]) -> None:
    """A month that is wholly another: rows come, go and change, and so does who is told of at all."""
    was, other = (gappy(tmp_path / str(seed), seed=seed, customers=40) for seed in (5, 6))
    then = carrying(was, NOW + -1)
    then.gather(engine, only=ALL, to=tmp_path / "then.parquet")
    dice = np.random.default_rng(5)
    for _ in range(2 if engine.name == "spark" else 9):
        ago = {table: {int(each) for each in dice.choice(range(1, MONTHS[table]), 3, False)} for table in tables}
        now = carrying(exchanged(was, other, ago), NOW)
        mended, gathered = tmp_path / "mended.parquet", tmp_path / "gathered.parquet"
        way = now.way(then.content)
        assert way is not None
        assert way != now.roll
        way(engine, was=tmp_path / "then.parquet", only=ALL, to=mended)
        now.gather(engine, only=ALL, to=gathered)
        assert pq.read_table(mended).equals(pq.read_table(gathered))


@pytest.mark.parametrize("seed", [7, 8])
def test_month_after_month_with_corrections_between_it_is_what_is_gathered(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions of months that count from an open month on come and are undone; what was mended is mended again."""
    engine = start("duckdb")
    monkeypatch.setattr("keepline.features.carrying.AT_ONCE", 10)
    own, other = (gappy(tmp_path / str(each), seed=each, customers=40) for each in (seed, seed + 100))
    dice, ways = np.random.default_rng(seed), []
    versions = {(f.table, f.month, ""): replace(f, path=str(own.root / f.path)) for f in own.files}
    was, content = tmp_path / "was.parquet", None
    for month in (NOW + -ago for ago in range(8, -1, -1)):
        for table in dice.choice(list(MONTHS), 6):
            at = str(month + -int(dice.integers(0, 8)))
            source = [own, other][dice.integers(2)]
            if dice.random() < 0.3:
                versions = {key: f for key, f in versions.items() if key[:2] != (table, at) or not f.holds_from}
            elif found := [f for f in source.files if (f.table, f.month) == (table, at)]:
                new = replace(found[0], path=str(source.root / found[0].path), holds_from=str(month))
                versions[table, at, str(month)] = new
        now = carrying(Lake(tmp_path, tuple(versions.values())), month)
        made, gathered = tmp_path / f"{month}.parquet", tmp_path / f"{month}-gathered.parquet"
        now.gather(engine, only=ALL, to=gathered)
        way = None if content is None else now.way(content)
        ways.append(way)
        (partial(way, was=was) if way else now.gather)(engine, only=ALL, to=made)
        assert pq.read_table(made).equals(pq.read_table(gathered))
        was, content = made, now.content
    assert sum(isinstance(way, partial) for way in ways) >= 5


def exchanged(lake: Lake, other: Lake, ago: dict[str, set[int]]) -> Lake:
    """The lake with some months of another one in the place of its own."""

    def goes(file: LakeFile) -> bool:
        return NOW - Month.parse(file.month) in ago.get(file.table, ())

    stays = [file for file in lake.files if not goes(file)]
    comes = [replace(file, path=str(other.root / file.path)) for file in other.files if goes(file)]
    return Lake(lake.root, tuple(stays + comes))


def test_what_it_is_rolled_from_was_made_by_the_same_margins(tmp_path: Path) -> None:
    lake = gappy(tmp_path / "lake", seed=4, customers=5)
    then, now = carrying(lake, NOW + -1), carrying(lake, NOW)
    assert then.made_by == now.made_by
    assert then.made_from != now.made_from
    share = small_policy().value.margin_share | {"overage": 0.11}
    assert carrying(lake, NOW, value={"margin_share": share}).made_by != then.made_by


def test_only_months_that_are_others_since_are_read_anew(tmp_path: Path) -> None:
    lake = gappy(tmp_path / "lake", seed=4, customers=5)
    was = carrying(lake, NOW + -1).content

    def ways(*ago: int) -> object:
        late = [{"customer_id": 1, "component": "one_off", "amount_fen": 5, "month": str(NOW + -each)} for each in ago]
        now = carrying(add_rows(lake, bills=late) if late else lake, NOW)
        way = now.way(was)
        return way.keywords["again"] if isinstance(way, partial) else way == now.roll

    rest = {"usage": frozenset(), "payments": frozenset()}
    assert ways() is True
    assert ways(0) is True
    assert ways(12, 13) is True, "months that are let go of now"
    assert ways(7) == {"bills": {7}, **rest}
    assert ways(1, 11, 12) == {"bills": {1, 11}, **rest}
    assert ways(*range(1, MENDED + 2)) is False, "more than are mended"


class Months(Closing):
    """A site whose months are closed one after another, each as its own run."""

    def close(self, month: Month) -> tuple[str, str]:
        """The hash of a month's features, and what it was carried from: rolled, mended or gathered."""
        site, said = open_site(self.root), small_policy()
        base = base_of(self.lake, said, month)
        seen: list[str] = []

        class Told(Carrying):
            def roll(self, *given: object, **more: object) -> int:
                seen.append("rolled")
                return super().roll(*given, **more)  # type: ignore[arg-type]

            def mend(self, *given: object, **more: object) -> int:
                seen.append("mended")
                return super().mend(*given, **more)  # type: ignore[arg-type]

            def gather(self, *given: object, **more: object) -> int:
                seen.append("gathered")
                return super().gather(*given, **more)  # type: ignore[arg-type]

        told = Told(self.lake, month, base.carrying.values)
        with opened(site, self.lake, said, site.policy, month, [], "x" * 16, Silent(), kept=Kept(site.kept)) as run:
            for only in run.ranges:
                to = run.folder("features") / only.part
                base.build(run.engine, carried=carried_part(run, told, only), only=only, to=to)
            found = to_the_bit(run.parts("features"))
            run.kept.sweep(month)
        shutil.rmtree(run.work)
        assert len(set(seen)) == 1
        return found, seen[0]

    def anew(self, month: Month) -> str:
        to = self.root / "anew.parquet"
        build_features(start("duckdb"), self.lake, small_policy(), snapshot=month, only=ALL, to=to)
        return to_the_bit([to])


def few_ranges(root: Path, *, seed: int) -> Lake:
    """A site of some random customers in a few ranges; its lake."""
    make_site(root, name="someone")
    lake = random_lake(root / "lake", last=NOW, months=14, customers=90, seed=seed)
    settings = root / "keepline.toml"
    text = settings.read_text("utf-8").replace("500000", str(lake.customers // 3 + 1))
    settings.write_text(text, encoding="utf-8")
    return lake


@pytest.fixture
def months(tmp_path: Path) -> Months:
    return Months(tmp_path, few_ranges(tmp_path, seed=6))


def test_closing_month_after_month_rolls_and_gives_what_everything_anew_gives(months: Months) -> None:
    assert months.close(NOW + -2) == (months.anew(NOW + -2), "gathered")
    assert months.close(NOW + -1) == (months.anew(NOW + -1), "rolled")
    assert months.close(NOW) == (months.anew(NOW), "rolled")
    carried = sorted(path.name[:15] for path in (months.root / "kept").glob("carried-*"))
    assert carried == [f"carried-{NOW + -1}", f"carried-{NOW}"]


@pytest.mark.parametrize("ago", [1, 6, 11])
def test_a_late_bill_is_mended_into_what_is_carried(months: Months, ago: int) -> None:
    months.close(NOW + -1)
    a_bill = {"customer_id": 77, "month": str(NOW + -ago), "component": "one_off", "amount_fen": 90_000}
    months.told(bills=[a_bill], customers=[{"customer_id": 77, "month": str(NOW + -ago), "kind": "person"}])
    months.told(usage=[{"customer_id": 77, "month": str(NOW), "voice_s": 60, "active_days": 3}])
    assert months.close(NOW) == (months.anew(NOW), "mended")


@pytest.mark.parametrize("ago", [0, 1, 6, 11])
def test_a_corrected_bill_is_mended_into_what_is_carried(months: Months, ago: int) -> None:
    months.close(NOW + -1)
    was = months.anew(NOW)
    months.lake = corrected(months.lake, "bills", NOW + -ago, amount_fen=1_234_567)
    assert months.close(NOW) == (months.anew(NOW), "mended" if ago else "rolled")
    assert months.anew(NOW) != was


def test_a_month_left_out_is_gathered(months: Months) -> None:
    months.close(NOW + -2)
    assert months.close(NOW) == (months.anew(NOW), "gathered")


@pytest.mark.parametrize("what", ["part-*.parquet", MADE_FROM])
def test_what_was_kept_and_cut_short_is_gathered_again(months: Months, what: str) -> None:
    months.close(NOW + -1)
    for hurt in (months.root / "kept").glob(f"carried-*/{what}"):
        whole = hurt.read_bytes()
        hurt.unlink()
        hurt.write_bytes(whole[: len(whole) // 2])
    assert months.close(NOW) == (months.anew(NOW), "gathered")
