"""Before a pilot starts: its size foreseen as it turns out, and lots that are even and leave out who must be."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.insight_world import STARTER
from core.small_lake import lake_of
from core.small_publication import write_parts
from keepline import console
from keepline.cli import cli
from keepline.engine import Engine
from keepline.errors import TooFewError, UsageError
from keepline.holdout import is_held_out
from keepline.lake.intake import load
from keepline.lake.store import open_lake
from keepline.measurement.pilots import lots_of
from keepline.measurement.statistics import Sums, cuped_error
from keepline.measurement.uplift import within_reach
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.piloting import lots
from keepline.piloting.eligible import eligible, offer_named, see_month
from keepline.piloting.lots import draw_pilot, quotas
from keepline.piloting.size import _spread, pilot_size
from keepline.piloting.telling import size_text
from keepline.policy.documents import read_policy
from keepline.publication import demand
from keepline.site import Site, open_site, write_key

MONTH = Month.parse("2026-10")
CUSTOMERS = 3000
FIRST = 10**17  # as long as pseudonyms are
HORIZON = 3


def people(count: int, *, seed: int) -> dict[str, np.ndarray]:
    """Margins of a year that stray month by month, each customer with a chance of leaving of their own."""
    random = np.random.default_rng(seed)
    level = np.exp(random.normal(8.5, 0.8, count))
    months = level[:, None] * (1 + random.normal(0, 0.4, (count, 12 + HORIZON)))
    return {"months": months, "chance": random.beta(1, 12, count)}


def told(base: dict[str, np.ndarray]) -> pa.Table:
    months = base["months"][:, :12]
    return pa.table({
        "tenure_months": np.full(len(months), 30), "leave_probability": base["chance"],
        "margin_3m_fen": np.round(months[:, 9:].sum(axis=1)).astype(int),
        "margin_12m_fen": np.round(months.sum(axis=1)).astype(int),
    })  # fmt: skip


def test_the_spread_foreseen_is_the_spread_a_pilot_then_finds() -> None:
    base = people(40_000, seed=3)
    foreseen = _spread(told(base), HORIZON)
    random = np.random.default_rng(4)
    before = base["months"][:, 9:12].mean(axis=1)
    lived = np.where(random.random(40_000) < base["chance"], random.integers(0, HORIZON, 40_000), HORIZON)
    after = np.where(np.arange(HORIZON) < lived[:, None], base["months"][:, 12:], 0).mean(axis=1)
    held = before + within_reach(after - before)
    treated = random.random(40_000) < 0.5
    columns = (held, held**2, before, before**2, held * before)
    sums = [Sums(int(arm.sum()), *(float(each[arm].sum()) for each in columns)) for arm in (treated, ~treated)]
    found = cuped_error(*sums)
    assert found is not None
    per_customer = found[1] ** 2 / (1 / sums[0].n + 1 / sums[1].n)
    assert foreseen.adjusted == pytest.approx(per_customer, rel=0.3)
    assert foreseen.spared > 0.5
    assert foreseen.leaving == pytest.approx(float((base["chance"] * (1 - base["chance"])).mean()))


def test_who_is_new_says_nothing_of_how_customers_vary() -> None:
    rows = told(people(1000, seed=1))
    with pytest.raises(TooFewError, match="have been here for a year"):
        _spread(rows.set_column(0, "tenure_months", pa.array(np.full(1000, 5))), HORIZON)


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20), st.floats(0.1, 0.9), st.floats(0.05, 1.0))
def test_quotas_add_up_and_stay_within_one_of_their_share(counts: list[int], treated_share: float, part: float) -> None:
    total = sum(counts)
    customers = int(total * part)
    if min(customers * treated_share, customers * (1 - treated_share)) < 100:
        with pytest.raises(TooFewError):
            quotas([((str(i),), n) for i, n in enumerate(counts)], customers=customers, treated_share=treated_share)
        return
    made = quotas([((str(i),), n) for i, n in enumerate(counts)], customers=customers, treated_share=treated_share)
    assert sum(one.drawn for one in made) == customers
    assert sum(one.treated for one in made) == round(customers * treated_share)
    for one in made:
        assert 0 <= one.treated <= one.drawn <= one.there
        assert abs(one.drawn - one.there / total * customers) < 1
        assert abs(one.treated - one.drawn * treated_share) < 1


def columns() -> dict[str, list[Any]]:
    base = people(CUSTOMERS, seed=2)
    ids = list(range(FIRST, FIRST + CUSTOMERS))
    margins = told(base)
    return {
        "customer_id": ids, "month": [str(MONTH)] * CUSTOMERS, "tenure_months": [30] * CUSTOMERS,
        "margin_3m_fen": margins["margin_3m_fen"].to_pylist(), "margin_12m_fen": margins["margin_12m_fen"].to_pylist(),
        "contract_months_left": [2] * CUSTOMERS, "recurring_fen": [4000] * CUSTOMERS, "consent": [True] * CUSTOMERS,
        "complaints_open": [1 if i % 50 == 0 else 0 for i in ids],
    }  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A published month of 3,000 customers whom a renewal suits, but for open complaints; the plan treats some."""
    root, rows = tmp_path / "site", columns()
    make_site(root, name="x")
    write_key(root, b"k" * 32)
    folder = root / "published" / str(MONTH)
    ids = rows["customer_id"]
    write_parts(folder / "features", "features", rows)
    who = {"customer_id": ids, "month": rows["month"]}
    bands = ["high" if i % 5 == 0 else "low" for i in ids]
    chance = np.round(people(CUSTOMERS, seed=2)["chance"], 6).tolist()
    write_parts(folder / "scores", "scores", who | {"risk_band": bands, "leave_probability": chance})
    classes = ["key" if i % 3 == 0 else "ordinary" for i in ids]
    write_parts(folder / "classes", "classes", who | {"class": classes})
    planned = ["treated" if i % 50 == 1 else "below_cut" for i in ids]
    write_parts(folder / "decisions", "decisions", who | {"state": planned})
    shutil.copytree(STARTER, folder / "policy")
    manifest = {"month": str(MONTH), "publication_id": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return open_site(root)


def drawn(site: Site, out: Path, **values: Any) -> pa.Table:
    made = draw_pilot(site, MONTH, "renew-contract", out=out, **{"customers": 1000, "treated_share": 0.4, **values})
    return csv.read_csv(made.lots)


def test_lots_are_even_and_leave_out_the_control_group_whom_a_gate_keeps_out_and_whom_the_plan_treats(
    site: Site, tmp_path: Path
) -> None:
    rows = [row for row in drawn(site, tmp_path / "lots").to_pylist() if row["arm"] != "counterpart"]
    assert Counter(row["arm"] for row in rows) == {"treated": 400, "held_out": 600}
    limits = read_policy(site.policy, MONTH).limits
    for row in rows:
        assert not is_held_out(row["customer_id"], salt=limits.held_out_salt, share=limits.held_out_share)
        assert row["customer_id"] % 50 > 1
    kinds = Counter((row["customer_id"] % 3 == 0, row["customer_id"] % 5 == 0) for row in rows)
    treated = Counter((r["customer_id"] % 3 == 0, r["customer_id"] % 5 == 0) for r in rows if r["arm"] == "treated")
    assert len(kinds) == 4
    assert all(abs(treated[kind] - 0.4 * kinds[kind]) < 1 for kind in kinds)


def test_as_large_a_share_of_the_control_group_is_drawn_as_counterparts_in_every_stratum(
    site: Site, tmp_path: Path
) -> None:
    """So that the plan's two arms stay alike while it leaves the pilot alone."""
    rows = drawn(site, tmp_path / "lots").to_pylist()
    limits = read_policy(site.policy, MONTH).limits
    ids = [i for i in columns()["customer_id"] if i % 50]
    control = {i for i in ids if is_held_out(i, salt=limits.held_out_salt, share=limits.held_out_share)}
    counterparts = {row["customer_id"] for row in rows if row["arm"] == "counterpart"}
    assert counterparts < control
    others = {i for i in ids if i % 50 > 1} - control
    for kind in {(i % 3 == 0, i % 5 == 0) for i in ids}:
        of_kind = [{i for i in group if (i % 3 == 0, i % 5 == 0) == kind} for group in (control, others, counterparts)]
        share = sum(r["customer_id"] in of_kind[1] for r in rows) / len(of_kind[1])
        assert abs(len(of_kind[2]) - share * len(of_kind[0])) < 1
    assert not counterparts & set(csv.read_csv(tmp_path / "lots" / "treated.csv")["customer_id"].to_pylist())


def test_lots_are_the_same_on_both_engines(engine: Engine, site: Site) -> None:
    policy = read_policy(site.policy, MONTH)
    offer = offer_named(policy, "renew-contract")
    see_month(engine, demand(site, MONTH))
    ago = lots._see_lots(engine, open_lake(site.lake), MONTH) - MONTH + policy.leaving.horizon_months
    able = lots._free(eligible(policy, offer, lots.READ), ago=ago)
    strata = quotas(lots._counts(engine, able), customers=600, treated_share=0.5)
    rows = lots._rows(engine, able, strata, salt="pilot:2026-10")
    limits = policy.limits
    ids = [i for i in range(FIRST, FIRST + CUSTOMERS)
           if i % 50 > 1 and not is_held_out(i, salt=limits.held_out_salt, share=limits.held_out_share)]  # fmt: skip
    expected = set()
    for one in strata:
        kind = [i for i in ids if ("key" if i % 3 == 0 else "ordinary", "high" if i % 5 == 0 else "low") == one.kind]
        assert len(kind) == one.there
        expected |= set(sorted(kind, key=lambda i: md5(f"pilot:2026-10:{i}".encode()).hexdigest())[: one.drawn])
    assert set(rows["customer_id"].to_pylist()) == expected


def test_lots_loaded_are_known_and_nobody_is_drawn_again_while_the_window_runs(site: Site, tmp_path: Path) -> None:
    everyone = [{"customer_id": i, "month": str(MONTH)} for i in columns()["customer_id"]]
    lake_of(site.lake, customers=everyone)
    first = drawn(site, tmp_path / "one")
    (report,) = load(site, [tmp_path / "one" / "lots.csv"], mapping=tmp_path / "one" / "lots.toml")
    assert report.verdict == "accepted", report.text("en")
    files = [pq.read_table(path) for path in site.lake.rglob("*.parquet") if "experiments" in str(path)]
    assert sum(len(file) for file in files) == len(first) > 1000
    measured = lots_of(open_lake(site.lake), MONTH, MONTH + 1)
    assert sum(pq.read_metadata(path).num_rows for files in measured.files for path in files.paths) == len(first)
    second = drawn(site, tmp_path / "two", customers=900)
    assert not set(first["customer_id"].to_pylist()) & set(second["customer_id"].to_pylist())
    treated = csv.read_csv(tmp_path / "two" / "treated.csv")
    assert "arm" not in treated.column_names
    assert len(treated) == 360


def test_an_older_month_knows_the_lots_that_were_loaded_since(site: Site, tmp_path: Path) -> None:
    """Lots loaded when later months were published count from the first open month; they are drawn all the same."""
    lake_of(site.lake, customers=[{"customer_id": i, "month": str(MONTH)} for i in columns()["customer_id"]])
    for later in (MONTH + 1, MONTH + 2):
        folder = shutil.copytree(site.published(MONTH), site.published(later))
        said = {"month": str(later), "publication_id": str(later)}
        (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    first = drawn(site, tmp_path / "one")
    load(site, [tmp_path / "one" / "lots.csv"], mapping=tmp_path / "one" / "lots.toml")
    again = drawn(site, tmp_path / "two", customers=900)
    assert not set(first["customer_id"].to_pylist()) & set(again["customer_id"].to_pylist())
    made = draw_pilot(site, MONTH + 2, "renew-contract", out=tmp_path / "l", customers=600, treated_share=0.5)
    later = csv.read_csv(made.lots)["customer_id"].to_pylist()
    assert not set(first["customer_id"].to_pylist()) & set(later)


def test_lots_are_drawn_by_the_share_of_the_pilot_s_rule_and_by_no_other(site: Site, tmp_path: Path) -> None:
    assert Counter(drawn(site, tmp_path / "even", treated_share=None)["arm"].to_pylist())["treated"] == 500
    offers = site.policy / "offers.toml"
    text = offers.read_text(encoding="utf-8")
    ruled = text.replace(
        "# pilot = { customers = 6000, looks = 3, treated_share = 0.5",
        "pilot = { customers = 6000, treated_share = 0.6",
    )
    assert ruled != text
    offers.write_text(ruled, encoding="utf-8")
    for place, share in enumerate((None, 0.6)):
        found = drawn(site, tmp_path / str(place), treated_share=share)
        assert Counter(found["arm"].to_pylist())["treated"] == 600
    with pytest.raises(UsageError, match=r"treated_share = 0\.6; lots drawn with 0\.5") as refused:
        drawn(site, tmp_path / "other", treated_share=0.5)
    assert "treated_share = 0.6" in refused.value.zh
    assert not (tmp_path / "other").exists()


def test_lots_are_not_written_over_and_nothing_is_left_of_a_refusal(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "lots"
    with pytest.raises(TooFewError, match="can be drawn"):
        drawn(site, out, customers=10_000)
    assert not out.exists()
    drawn(site, out)
    with pytest.raises(UsageError, match="exists"):
        drawn(site, out)


def test_sizes_answer_for_an_effect_and_for_a_number_of_customers(site: Site) -> None:
    found = pilot_size(site, MONTH, "renew-contract", effect_fen=500.0, customers=1000)
    assert found.needed is not None
    assert found.sees_fen is not None
    ratio = (found.sees_fen / 500.0) ** 2 * 1000 / found.needed.customers
    assert ratio == pytest.approx(1.0, rel=0.01)
    sharper = pilot_size(site, MONTH, "renew-contract", effect_fen=500.0, customers=1000, power=0.9)
    assert sharper.needed is not None
    assert sharper.needed.customers > found.needed.customers


def test_too_few_for_the_effect_asked_for_are_warned_of_in_both_languages(site: Site) -> None:
    asked = pilot_size(site, MONTH, "renew-contract", effect_fen=500.0, customers=400)
    assert asked.needed is not None
    assert (asked.planned_enough, asked.to_dict()["planned_enough"]) == (False, False)
    assert "400 位太少" in size_text(asked, "zh")
    assert "400 are too few" in size_text(asked, "en")
    assert f"{asked.needed.customers:,} are needed" in size_text(asked, "en")
    enough = pilot_size(site, MONTH, "renew-contract", effect_fen=500.0, customers=asked.needed.customers)
    assert "too few" not in size_text(enough, "en")
    beyond = pilot_size(site, MONTH, "renew-contract", customers=9000)
    assert beyond.planned_enough is False
    assert "can be drawn in this month, fewer than 9,000" in size_text(beyond, "en")
    assert "少于 9,000 位" in size_text(beyond, "zh")


def test_the_commands_tell_both_languages(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["renew-contract", "--site", str(site.root), "--month", str(MONTH), "--customers", "1000"]
    for words, zh, en in (
        (["pilot", "size", *where], "能看出每户每月", "a customer and month are seen"),
        (["pilot", "draw", *where, "--out", str(tmp_path / "lots")], "已为“renew-contract”抽签", "lots drawn for"),
        (
            ["pilot", "draw", *where, "--out", str(tmp_path / "more")],
            "直到 2027-01 的方案之前",
            "before that of 2027-01",
        ),
    ):
        monkeypatch.setattr("sys.argv", ["keepline", *words])
        assert console.run(cli) == 0
        said = capsys.readouterr().out
        assert zh in said
        assert en in said.replace("\n", " ")
    monkeypatch.setattr("sys.argv", ["keepline", "pilot", "size", "no-such", *where[1:]])
    assert console.run(cli) != 0
    assert "offers.toml has no offer" in capsys.readouterr().err
