"""What is made of past months for some customers alone is to the bit what everybody's would hold of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.small_lake import add_rows, random_lake, write_rows
from core.small_policy import small_policy
from keepline.engine import ID_SPACE, Engine, ranges, start
from keepline.features.build import base_of, build_features
from keepline.features.sampling import SPARE, sampled
from keepline.holdout import is_held_out
from keepline.insight.samples import Sample, read_samples
from keepline.insight.scoring import take_scores
from keepline.kept import Kept
from keepline.lake.identity import pseudonym
from keepline.lake.store import Lake
from keepline.measurement.pilots import lots_of
from keepline.newsite import make_site
from keepline.past import DRAWN, LABELS, MADE_FROM, SAMPLED, drawn_features, risk_then, sampled_features, sampled_labels
from keepline.periods import Month
from keepline.placed import NOTHING
from keepline.progress import Silent
from keepline.publication import Publication, parts_of
from keepline.run import Run
from keepline.sampled import Sampled
from keepline.site import open_site

NOW = Month.parse("2026-10")
THEN = NOW + -3
SOME = Sampled(0.4)
SHARES = [1e-6, 0.01, 0.2, 1 / 3, 0.5, 0.77, 0.999, 1.0]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return random_lake(tmp_path_factory.mktemp("past") / "lake", last=NOW, months=14, customers=120, seed=8)


@pytest.fixture
def duckdb(tmp_path: Path) -> Iterator[Engine]:
    started = start("duckdb", spill=tmp_path / "spill")
    yield started
    started.close()


@pytest.fixture
def run(engine: Engine, tmp_path: Path, lake: Lake) -> Run:
    """A run of a site that has made nothing yet and keeps nothing."""
    return run_of(engine, tmp_path / "site", lake)


def run_of(engine: Engine, root: Path, lake: Lake) -> Run:
    make_site(root, name="someone")
    site, kept = open_site(root), Kept(root / "kept", adds=False)
    return Run(site, engine, lake, small_policy(), site.policy, NOW, "x" * 16, [], Silent(), ranges(4, 1), kept)


@pytest.mark.parametrize("fitted", [True, False, None])
def test_the_risk_of_those_a_pilot_drew_is_what_was_published_then_if_any_was(run: Run, fitted: bool | None) -> None:
    folder = run.site.published(THEN)
    people = [{"customer_id": who, "month": str(THEN), "leave_probability": who / 10} for who in (1, 2, 3)]
    write_rows(folder / "scores" / "part-00000.parquet", "scores", people)
    card = {} if fitted is None else {"model_card": {"targets": {"leave": {"fitted": fitted}}}}
    run.past.append(Publication(THEN, folder, {"publication_id": "x", **card}))
    assert risk_then(run, THEN + 1) == NOTHING
    then = risk_then(run, THEN)
    if not fitted:
        assert then == NOTHING
        return
    everybody = run.ranges[0]
    drawn = write_rows(run.folder(DRAWN, THEN) / everybody.part, "features", [{"customer_id": 2, "month": str(THEN)}])
    to = run.folder("scores", THEN) / everybody.part
    take_scores(run.engine, then.of(everybody), among=drawn, only=everybody, to=to)
    assert pq.read_table(to).select(["customer_id", "leave_probability"]).to_pylist() == [
        {"customer_id": 2, "leave_probability": 0.2}
    ]


def test_neither_engine_goes_on_with_what_the_other_left_undone(run: Run) -> None:
    theirs = SimpleNamespace(name={"duckdb": "spark", "spark": "duckdb"}[run.engine.name])
    other = replace(run, engine=cast("Engine", theirs))
    assert other.work != run.work
    assert other.work.parent == run.work.parent


def rows(parts: tuple[Path, ...]) -> pa.Table:
    return pa.concat_tables(pq.read_table(part) for part in parts).sort_by("customer_id").combine_chunks()


def publish(run: Run, month: Month) -> Path:
    """The features of everybody, as a publication of that month has them."""
    folder, base = run.site.published(month), base_of(run.lake, run.policy, month)
    for only in run.ranges:
        to = folder / "features" / only.part
        to.parent.mkdir(parents=True, exist_ok=True)
        build_features(run.engine, run.lake, run.policy, snapshot=month, only=only, to=to)
    said = {"publication_id": "x", MADE_FROM: run.named(base.made_from())}
    (folder / "manifest.json").write_text(json.dumps(said), encoding="ascii")
    return folder / "features"


def inside(table: pa.Table, some: Sampled) -> pa.Table:
    who = table.column("customer_id")
    return table.filter(pc.and_(pc.greater_equal(who, some.low), pc.less(who, some.high))).combine_chunks()


def test_of_two_shares_the_smaller_lies_within_the_larger_and_one_is_everybody() -> None:
    each = [Sampled(share) for share in SHARES]
    for small, large in pairwise(each):
        assert 0 <= large.low <= small.low < small.high <= large.high <= ID_SPACE
    for some, share in zip(each, SHARES, strict=True):
        assert some.width / ID_SPACE == pytest.approx(share)
    assert (each[-1].low, each[-1].high) == (0, ID_SPACE)
    cut = ranges(8, 1)
    assert each[-1].within(cut) == cut


@pytest.mark.parametrize("count", [1, 2, 8, 64])
def test_narrowed_ranges_hold_the_share_and_nothing_else(count: int) -> None:
    narrowed = SOME.within(ranges(count, 1))
    assert (narrowed[0].low, narrowed[-1].high) == (SOME.low, SOME.high)
    assert all(one.high == other.low for one, other in pairwise(narrowed))
    assert {each.number for each in narrowed} <= set(range(count))


def test_pseudonyms_fall_into_a_share_as_often_as_it_says_whatever_other_lots_say() -> None:
    who = [pseudonym(b"a key of this site", str(13_800_000_000 + i)) for i in range(20_000)]
    some = Sampled(0.3)
    chosen = np.array([some.low <= one < some.high for one in who])
    left_alone = np.array([is_held_out(one, salt="2025", share=0.5) for one in who])
    assert abs(chosen.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / len(who))
    apart = chosen[left_alone].mean() - chosen[~left_alone].mean()
    assert abs(apart) < 4 * np.sqrt(0.3 * 0.7 * 4 / len(who))
    first, second = chosen[: len(who) // 2], chosen[len(who) // 2 :]  # older and younger numbers
    assert abs(first.mean() - second.mean()) < 4 * np.sqrt(0.3 * 0.7 * 4 / len(who))


def test_a_share_made_alone_or_taken_of_a_publication_is_what_everybodys_features_hold(
    run: Run,
) -> None:
    sampled_features(run, THEN, SOME)
    alone = rows(run.parts(SAMPLED, THEN))
    sampled_labels(run, THEN, SOME)
    outcomes = rows(run.parts(LABELS, THEN))
    shutil.rmtree(run.work)
    everybody = rows(parts_of(publish(run, THEN)))
    sampled_features(run, THEN, SOME)
    assert rows(run.parts(SAMPLED, THEN)).equals(alone)
    sampled_labels(run, THEN, SOME)
    assert rows(run.parts(LABELS, THEN)).equals(outcomes)
    shutil.rmtree(run.work)
    sampled_features(run, THEN, Sampled())
    sampled_labels(run, THEN, Sampled())
    assert rows(run.parts(SAMPLED, THEN)).equals(everybody)
    assert inside(rows(run.parts(LABELS, THEN)), SOME).equals(outcomes)
    assert 0 < alone.num_rows < everybody.num_rows
    assert inside(everybody, SOME).equals(alone)


def test_those_a_pilot_drew_made_alone_or_taken_of_a_publication_are_as_among_everybody(
    run: Run,
) -> None:
    lots = lots_of(run.lake, THEN, NOW)
    drawn_features(run, THEN, lots)
    alone = rows(run.parts(DRAWN, THEN))
    shutil.rmtree(run.work)
    everybody = rows(parts_of(publish(run, THEN)))
    drawn_features(run, THEN, lots)
    assert rows(run.parts(DRAWN, THEN)).equals(alone)
    drawn = rows(tuple(path for files in lots.files for path in files.paths)).column("customer_id")
    assert 0 < alone.num_rows < everybody.num_rows
    assert everybody.filter(pc.is_in(everybody.column("customer_id"), value_set=drawn)).combine_chunks().equals(alone)


def test_a_publication_made_from_other_rows_is_not_taken_for_this_one(
    duckdb: Engine, tmp_path: Path, lake: Lake
) -> None:
    late = {"customer_id": 5, "month": str(THEN), "component": "one_off", "amount_fen": 90_000}
    run = run_of(duckdb, tmp_path / "site", lake)
    was = publish(run, THEN)
    own = shutil.copytree(lake.root, tmp_path / "other")
    run.lake = add_rows(Lake(Path(own), lake.files), bills=[late])
    sampled_features(run, THEN, Sampled())
    assert not rows(run.parts(SAMPLED, THEN)).equals(rows(parts_of(was)))


def test_nothing_done_to_what_is_kept_or_at_work_changes_what_is_published(
    duckdb: Engine, tmp_path: Path, lake: Lake
) -> None:
    run = run_of(duckdb, tmp_path / "site", lake)
    run.kept = Kept(run.site.kept)
    was = publish(run, THEN)
    before = [part.read_bytes() for part in parts_of(was)]
    sampled_features(run, THEN, Sampled())
    everyone = run.ranges[0]
    for part in run.parts(SAMPLED, THEN):
        build_features(run.engine, lake, run.policy, snapshot=NOW, only=everyone, to=part)
    shutil.rmtree(run.work)
    sampled_features(run, THEN, Sampled())
    run.kept.sweep(NOW + 99)
    shutil.rmtree(run.work)
    assert [part.read_bytes() for part in parts_of(was)] == before


def seen(ids: list[int], month: Month) -> dict[str, list[dict[str, object]]]:
    each = [{"customer_id": who, "month": str(month)} for who in ids]
    return {"usage": [row | {"sms": 1} for row in each], "bills": [row | {"component": "recurring"} for row in each]}


def test_the_share_of_a_month_hangs_on_whom_it_saw(duckdb: Engine, tmp_path: Path) -> None:
    ids = [i * (ID_SPACE // 3000) + 1 for i in range(3000)]
    lake = add_rows(Lake(tmp_path, ()), **seen(ids, THEN))
    assert sampled(duckdb, lake, THEN, most=3000, snapshots=1) == Sampled()
    assert sampled(duckdb, lake, THEN, most=1000, snapshots=1) == Sampled(SPARE * 1000 / 3000)
    assert sampled(duckdb, lake, THEN, most=1000, snapshots=3).share == pytest.approx(SPARE * 1000 / 9000)
    later = add_rows(lake, **seen(ids, THEN + 1))
    assert sampled(duckdb, later, THEN, most=1000, snapshots=1) == Sampled(SPARE * 1000 / 3000)


def test_customers_are_estimated_from_a_share_of_the_rows(
    duckdb: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.features.sampling.COUNTED", 3000)
    ids = sorted({int(i) for i in np.random.default_rng(3).integers(0, ID_SPACE, 20_000)})
    lake = add_rows(Lake(tmp_path, ()), **seen(ids, THEN))
    share = sampled(duckdb, lake, THEN, most=4000, snapshots=1).share
    assert share == pytest.approx(SPARE * 4000 / 20_000, rel=0.1)


def test_the_same_rows_are_learnt_from_whether_everybody_or_a_share_was_made(
    duckdb: Engine, tmp_path: Path, lake: Lake
) -> None:
    run = run_of(duckdb, tmp_path / "site", lake)
    samples = []
    for some in (Sampled(), SOME):
        sampled_features(run, THEN, some)
        sampled_labels(run, THEN, some)
        parts = {table: move(run, table, tmp_path / f"{some.share}") for table in (SAMPLED, LABELS)}
        samples.append(Sample(THEN, parts[SAMPLED], parts[LABELS], some.share))
    found = [read_samples(run.engine, lake, [sample], most=30) for sample in samples]
    (whole, _, of_all), (some_rows, _, of_some) = (each for each in found if each is not None)
    fewer = Sampled(min(of_all.share, of_some.share))
    assert 0 < inside(whole, fewer).num_rows < len(whole) + 1
    assert inside(whole, fewer).equals(inside(some_rows, fewer))
    assert abs(of_some.customers - of_all.customers) < 4 * np.sqrt(of_all.customers / SOME.share)
    assert max(of_all.share, of_some.share) <= SOME.share


def move(run: Run, table: str, to: Path) -> tuple[Path, ...]:
    run.folder(table, THEN).rename(to.with_name(f"{to.name}-{table}"))
    return parts_of(to.with_name(f"{to.name}-{table}"))


def test_nothing_is_drawn_of_a_base_that_may_be_learnt_from_whole(duckdb: Engine, tmp_path: Path, lake: Lake) -> None:
    run = run_of(duckdb, tmp_path / "site", lake)
    sampled_features(run, THEN, Sampled())
    sampled_labels(run, THEN, Sampled())
    sample = Sample(THEN, run.parts(SAMPLED, THEN), run.parts(LABELS, THEN))
    found = read_samples(run.engine, lake, [sample], most=1000)
    assert found is not None
    assert (found[0].num_rows, found[2].customers, found[2].share) == (
        pq_rows(sample.labels),
        pq_rows(sample.labels),
        1,
    )


def pq_rows(parts: tuple[Path, ...]) -> int:
    return sum(pq.read_metadata(part).num_rows for part in parts)
