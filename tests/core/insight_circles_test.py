"""Circles: who belongs together, who is turned to and who connects, told of those alone whom the calls tell it of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import adjusted_rand_score

from core.simulated import Simulated, simulate
from core.small_lake import lake_of, write_rows
from keepline import sqlmodel
from keepline.decisions.influence import told
from keepline.engine import ID_SPACE, Engine, ranges
from keepline.engine import start as start_engine
from keepline.insight.circles import stage
from keepline.insight.circles.finding import find, influence
from keepline.insight.circles.graph import MOST_PARTNERS, Directory, Graph, read
from keepline.periods import Month
from keepline.tables import CIRCLES

MONTH = Month.parse("2026-10")
Calls = Iterable[tuple[int, int, int]]
FIRST, SECOND = range(1, 31), range(101, 131)  # two circles; who is first in each leads it


def rows(calls: Calls, month: str = "2026-10") -> list[dict[str, Any]]:
    return [{"customer_id": a, "month": month, "peer_id": b, "calls": n} for a, b, n in calls]


def among(members: Sequence[int]) -> list[tuple[int, int, int]]:
    """Everybody calls the first often, and the two next to them in the circle now and then."""
    size = len(members)
    led = [(who, members[0], 5) for who in members[1:]]
    side = [(members[i], members[(i + step) % size], 4) for i in range(size) for step in (1, 2)]
    return [*led, *((a, b, n) for a, b, n in side if b != members[0])]


TWO = [*among(FIRST), *among(SECOND), (FIRST[5], SECOND[5], 1)]


def told_of(
    engine: Engine,
    folder: Path,
    calls: list[dict[str, Any]],
    *,
    base: Iterable[int],
    gone: Sequence[int] = (),
    cut: int = 1,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The stage from the lake's rows to the published table and what the manifest says."""
    lake = lake_of(folder / "lake", call_edges=calls)
    known = [{"customer_id": who, "month": "2026-10", "referrals_12m": who % 3} for who in base]
    left = [{"customer_id": who, "month": "2026-10", "left_month": "2026-10"} for who in gone]
    departed = write_rows(folder / "win_back" / "part-00000.parquet", "win_back", left)
    space = ranges(cut, 1)
    features = []
    for only in space:
        mine = [row for row in known if only.low <= row["customer_id"] < only.high]
        features.append(write_rows(folder / "features" / only.part, "features", mine))
        stage.build_ties(engine, lake, snapshot=MONTH, only=only, to=folder / "ties" / only.part)
    card = stage.find_circles(
        snapshot=MONTH,
        ranges=space,
        ties=[folder / "ties" / only.part for only in space],
        features=features,
        departed=[departed],
        to=folder / "circles",
    )
    parts = sorted((folder / "circles").glob("*.parquet"))
    tables = [pq.read_table(path) for path in parts]
    assert all(table.schema.equals(CIRCLES.arrow) for table in tables)
    frame = pd.concat([table.to_pandas() for table in tables]) if tables else pd.DataFrame()
    return frame.set_index("customer_id") if len(frame) else frame, card


def test_the_model_of_ties_keeps_to_the_subset_and_to_its_table() -> None:
    sqlmodel.check(stage.sql_model())


def test_two_groups_that_hardly_talk_are_two_circles_each_with_its_leader(engine: Engine, tmp_path: Path) -> None:
    found, card = told_of(engine, tmp_path, rows(TWO), base=[*FIRST, *SECOND, 999])
    assert (card["circles"], card["leaders"], card["abstains"]) == (2, 2, None)
    assert found.loc[list(FIRST), "circle"].eq(1).all()
    assert found.loc[list(SECOND), "circle"].eq(2).all()
    assert found.index[found.leader].tolist() == [FIRST[0], SECOND[0]]
    assert found.loc[FIRST[0], ["circle_callers", "rank_in_circle", "ties"]].tolist() == [29, 1, 29]
    assert found.loc[FIRST[5], "circles_reached"] == 1


def test_who_talks_with_nobody_is_unknown_and_not_without_influence(tmp_path: Path) -> None:
    found, card = told_of(start_engine("duckdb"), tmp_path, rows(TWO), base=[*FIRST, *SECOND, 999])
    alone = found.loc[999]
    assert alone[["circle", "influence", "influence_rank", "rank_in_circle", "spread"]].isna().all()
    assert alone["ties"] == 0
    assert card["with_ties"] == 60
    assert "没有通话" in told(pq.read_table(tmp_path / "circles").to_pylist()[-1])[0].zh


def test_the_cut_into_ranges_and_the_order_of_rows_change_nothing(tmp_path: Path) -> None:
    wide = [(who * (ID_SPACE // 200), peer * (ID_SPACE // 200), n) for who, peer, n in TWO]
    base = sorted({who for a, b, _ in wide for who in (a, b)})
    engine = start_engine("duckdb")
    one, _ = told_of(engine, tmp_path / "a", rows(wide), base=base)
    many, _ = told_of(engine, tmp_path / "b", rows(reversed(wide)), base=base, cut=7)
    pd.testing.assert_frame_equal(one, many)
    assert len(list((tmp_path / "b" / "circles").glob("*.parquet"))) == 7


def test_a_leader_who_left_is_missed_by_the_circle_and_stands_in_no_row(tmp_path: Path) -> None:
    here = [who for who in (*FIRST, *SECOND) if who != FIRST[0]]
    found, card = told_of(start_engine("duckdb"), tmp_path, rows(TWO), base=here, gone=[FIRST[0]])
    assert FIRST[0] not in found.index
    assert found.loc[list(FIRST[1:]), ["circle_left_3m", "leader_left_3m"]].eq([1, True]).all().all()
    assert found.loc[list(SECOND), ["circle_left_3m", "leader_left_3m"]].eq([0, False]).all().all()
    assert card["leader_left"] == 29
    second = found.loc[FIRST[1]]
    assert second["circle_callers"] < second["circle_size"] == 29  # who left calls nobody any more


def test_whom_the_called_call_is_more_influential_than_who_calls_as_often(tmp_path: Path) -> None:
    """Direction counts: 1 is called by everybody, 101 calls everybody."""
    turned = [(b, a, n) for a, b, n in among(SECOND)]
    found, _ = told_of(start_engine("duckdb"), tmp_path, rows([*among(FIRST), *turned]), base=[*FIRST, *SECOND])
    assert found.loc[FIRST[0], "influence"] > 3 * found.loc[SECOND[0], "influence"]


def test_too_little_of_a_graph_tells_nothing_and_says_how_much_there_was(tmp_path: Path) -> None:
    few = rows(among(FIRST)[:40])
    found, card = told_of(start_engine("duckdb"), tmp_path, few, base=[*FIRST, *SECOND])
    assert found.empty
    assert "38" in card["abstains"]["en"]
    assert "交往圈太稀" in card["abstains"]["zh"]


def test_a_graph_that_memory_cannot_hold_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "MOST_ROWS", 50)
    found, card = told_of(start_engine("duckdb"), tmp_path, rows(TWO), base=[*FIRST, *SECOND])
    assert found.empty
    assert "too large a calling graph" in card["abstains"]["en"]


def test_what_one_month_tells_is_too_large_is_refused_before_any_tie_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A nation's calls would be read whole by each range, only to be told that they are too many."""
    both = [*rows(TWO), *rows(TWO, month="2026-09")]
    lake = lake_of(tmp_path / "lake", call_edges=both)
    base = [{"customer_id": who, "month": "2026-10"} for who in (*FIRST, *SECOND)]
    features = [write_rows(tmp_path / "features" / "part-00000.parquet", "features", base)]
    monkeypatch.setattr(stage, "MOST_ROWS", len(TWO) - 1)
    refused = stage.too_large(lake, MONTH, features=features)
    assert refused is not None
    assert refused["base"] == 60
    assert f"at least {len(TWO) // 2:,} pairs" in refused["abstains"]["en"]
    assert f"至少 {len(TWO) // 2:,} 对通话" in refused["abstains"]["zh"]
    monkeypatch.setattr(stage, "MOST_ROWS", len(TWO))
    assert stage.too_large(lake, MONTH, features=features) is None  # two months may well tell of the same pairs
    monkeypatch.undo()
    found, _ = told_of(start_engine("duckdb"), tmp_path / "once", rows(TWO), base=[*FIRST, *SECOND])
    assert found["ties"].sum() >= len(TWO)  # each row is a row of TIES at least


def test_calls_older_than_three_months_and_people_outside_the_base_make_no_circle(tmp_path: Path) -> None:
    old = rows(among(range(201, 231)), month="2026-07")
    outside = rows([(FIRST[3], 5000, 9)])
    base = [*FIRST, *SECOND, *range(201, 231)]
    found, _ = told_of(start_engine("duckdb"), tmp_path, [*rows(TWO), *old, *outside], base=base)
    assert found.loc[range(201, 231), "circle"].isna().all()
    assert found.loc[FIRST[3], "ties"] == found.loc[FIRST[4], "ties"]


def test_a_switchboard_is_in_nobodys_circle() -> None:
    ring = [(i, (i + step) % 900, 3.0) for i in range(900) for step in (1, 2)]
    board = [(900, i, 1.0) for i in range(MOST_PARTNERS + 1)]
    graph = graph_of([*ring, *board], 901)
    assert graph.switchboards == 1
    assert graph.degree[900] == 0
    assert find(graph).group[900] == -1


def graph_of(calls: Iterable[tuple[int, int, float]], size: int) -> Graph:
    """A graph of calls by place, through the very reader of parts."""
    sums: dict[tuple[int, int], list[float]] = {}
    for a, b, n in calls:
        sums.setdefault((a, b), [0, 0])[0] += n
        sums.setdefault((b, a), [0, 0])[1] += n
    ties = [{"customer_id": a, "peer_id": b, "calls": int(c), "called": int(d)} for (a, b), (c, d) in sums.items()]
    path = write_rows(Path(_FOLDER[0]) / f"ties-{len(sums)}.parquet", "ties", ties)
    return read([path], np.arange(size))


_FOLDER: list[str] = []


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    _FOLDER[:] = [str(tmp_path)]


@pytest.mark.parametrize("spread", [1, 37, ID_SPACE // 600], ids=["crowded", "near", "as pseudonyms"])
def test_places_are_those_of_a_search_however_pseudonyms_lie(spread: int) -> None:
    random = np.random.default_rng(spread % 1000)
    ids = np.unique(random.integers(0, 400, 300)) * spread + np.where(spread > 1, 0, ID_SPACE - 500)
    wanted = np.sort(np.r_[ids, ids[:20] + 1, 0, ID_SPACE - 1])
    place_of = {who: place for place, who in enumerate(ids.tolist())}
    expected = [place_of.get(who, -1) for who in wanted.tolist()]
    assert Directory(ids).places(wanted).tolist() == expected
    assert Directory(ids).of_runs(np.repeat(wanted, 3)).tolist() == np.repeat(expected, 3).tolist()


def test_influence_solves_the_equation_of_pagerank() -> None:
    """x = 0.15 + 0.85 (Pᵀ x + idle mass evenly), solved densely here (Brin and Page 1998)."""
    random = np.random.default_rng(3)
    size = 80
    pairs = {(int(a), int(b)) for a, b in random.integers(0, size - 1, (400, 2)) if a != b and a % 7}
    calls = [(a, b, float(random.integers(1, 9))) for a, b in sorted(pairs)]
    matrix = np.zeros((size, size))
    for a, b, n in calls:
        matrix[a, b] += n
    talks = matrix.sum(0) + matrix.sum(1) > 0
    made = matrix.sum(1, keepdims=True)
    steps = np.where(made > 0, matrix / np.where(made > 0, made, 1), talks / talks.sum())
    equations = np.eye(size) - 0.85 * steps.T
    exact = np.where(talks, np.linalg.solve(equations[np.ix_(talks, talks)], np.full(talks.sum(), 0.15)).mean(), 0)
    exact[talks] = np.linalg.solve(equations[np.ix_(talks, talks)], np.full(talks.sum(), 0.15))
    assert influence(graph_of(calls, size)) == pytest.approx(exact, abs=0.01)


def test_groups_do_not_melt_together_as_the_base_grows() -> None:
    """A ring of cliques of five: plain modularity merges them from about thirty on (Fortunato and Barthélemy 2007)."""
    cliques = 400
    calls = [(5 * c + a, 5 * c + b, 1.0) for c in range(cliques) for a, b in combinations(range(5), 2)]
    calls += [(5 * c, 5 * ((c + 1) % cliques) + 1, 1.0) for c in range(cliques)]
    group = find(graph_of(calls, 5 * cliques)).group
    assert adjusted_rand_score(np.arange(5 * cliques) // 5, group) >= 0.99


def test_who_is_planted_in_the_simulated_operator_is_found(
    planted: Simulated, tmp_path: Path, found: Callable[..., None]
) -> None:
    """Leaders and groups against the truth; both share one file of calls with 8 % calls to strangers a month."""
    month = planted.months[-1]
    calls = [row for past in planted.months[-3:] for row in _delivered(planted, past)]
    truth = planted.truth("customers", month).set_index("customer_id").sort_index()
    gone = sorted(planted.left(planted.months[-3], month))
    told_by, _ = told_of(start_engine("duckdb"), tmp_path, calls, base=truth.index, gone=gone)
    both = told_by.join(truth[["community", "leader", "gatekeeper"]].add_suffix("_true"))
    inside = both[both.circle.notna()]
    rand = adjusted_rand_score(inside.community_true, inside.circle)
    precision = both.leader_true[both.leader].mean()
    recall = both.leader[both.leader_true].mean()
    connecting = both.gatekeeper_true[both.gatekeeper].mean(), both.gatekeeper[both.gatekeeper_true].mean()
    source = "simulated, 3,000 customers"
    found("circles: adjusted Rand index with the planted communities", f"{rand:.3f}", demand="≥ .9", source=source)
    found("opinion leaders: precision, recall", f"{precision:.2f}, {recall:.2f}", demand="≥ .8, ≥ .8", source=source)
    found("gatekeepers: precision, recall", "{:.2f}, {:.2f}".format(*connecting), demand="≥ .8, ≥ .6", source=source)
    assert rand >= 0.9
    assert min(precision, recall) >= 0.8
    assert connecting[0] >= 0.8
    assert connecting[1] >= 0.6


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("planted") / "site", customers=3000, months=4)


def _delivered(planted: Simulated, month: Month) -> list[dict[str, Any]]:
    frame = planted.rows("call_edges", month)
    frame["peer_id"] = frame["peer_id"].map(planted._pseudonyms)
    return frame[["customer_id", "month", "peer_id", "calls"]].to_dict("records")


@pytest.mark.data
def test_the_leader_of_the_vast_challenge_is_first_by_influence_though_he_calls_few(
    data_dir: Path, found: Callable[..., None]
) -> None:
    """Ferdinando Catalano is phone 200; in the first week, before phones were changed, he talks with five people."""
    calls = pd.read_csv(data_dir / "vast-cdr" / "cdr.csv")
    week = calls[calls["Datetime"].str[:8] <= "20060607"]
    ties = [(int(a), int(b), 1.0) for a, b in zip(week["From"], week["To"], strict=True) if a != b]
    graph = graph_of(ties, 401)
    turned_to = influence(graph)
    place = {who: int((turned_to > turned_to[who]).sum()) + 1 for who in (200, 1, 2, 3, 5)}
    by_ties = int((graph.degree > graph.degree[200]).sum()) + 1
    others = ", ".join(f"{who}: {at}" for who, at in place.items())
    said = f"{others}; 200 by number of ties: {by_ties}"
    found("VAST 2008: place by influence of 400 phones", said, demand="200 first", source="vast-cdr, days 1 to 7")
    assert place[200] == 1
    assert max(place.values()) <= 10
