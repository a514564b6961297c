"""One turn of the loop on a small simulated operator, seen from outside: files, exit codes, words."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from acceptance.commands import KEEPLINE, answer, keepline
from acceptance.commands import parts as parts_of
from acceptance.commands import rows as rows_of
from core.small_lake import add_rows
from keepline.canonical import file_hash, table_hash
from keepline.lake.store import open_lake
from keepline.lookup import Lookup
from keepline.tables import PUBLISHED, STATES, TABLES

MONTH = "2026-10"


def parts(site: Path, table: str) -> list[Path]:
    return parts_of(site, table, MONTH)


def rows(site: Path, table: str) -> list[dict[str, Any]]:
    return rows_of(site, table, MONTH)


@pytest.fixture(scope="session")
def demo_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("demo") / "site"
    keepline("demo", "--site", site, "--customers", "1000", "--months", "8")
    return site


@pytest.fixture
def site(demo_made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(demo_made, tmp_path / "site"))


def test_the_demo_publishes_its_last_three_months_whole(demo_made: Path) -> None:
    months = sorted(path.name for path in (demo_made / "published").iterdir())
    assert months == ["2026-08", "2026-09", "2026-10"]
    for month in months:
        folder = demo_made / "published" / month
        assert {"plan.xlsx", "report.html", "manifest.json"} <= {path.name for path in folder.iterdir()}
        assert json.loads((folder / "manifest.json").read_text())["simulated"] is True


def test_published_tables_have_their_declared_columns(demo_made: Path) -> None:
    for table in PUBLISHED:
        for part in parts(demo_made, table.name):
            assert pq.read_schema(part).equals(table.arrow), part


def test_the_manifest_tells_each_tables_rows_and_hash(demo_made: Path) -> None:
    manifest = json.loads((demo_made / "published" / MONTH / "manifest.json").read_text())
    for name, said in manifest["tables"].items():
        found = parts(demo_made, name)
        assert said["rows"] == sum(pq.ParquetFile(part).metadata.num_rows for part in found)
        assert said["sha256"] == table_hash(found, TABLES[name])


def test_the_manifest_tells_of_the_lookup_by_which_each_customer_is_found(demo_made: Path) -> None:
    folder = demo_made / "published" / MONTH
    said = json.loads((folder / "manifest.json").read_text())["lookup"]
    part = folder / "lookup" / "part-00000.parquet"
    assert said["sha256"] == file_hash(part)
    assert said["bytes"] == part.stat().st_size
    by_customer = [name for name in TABLES if (folder / name).is_dir() and TABLES[name].key[0] == "customer_id"]
    lookup = Lookup(folder, by_customer, sha256=said["sha256"])
    for name in by_customer:
        for row in rows(demo_made, name)[::97]:
            assert row in lookup.rows(name, row["customer_id"])


def test_every_customer_of_the_base_ends_in_one_state(demo_made: Path) -> None:
    decided = rows(demo_made, "decisions")
    base = {row["customer_id"] for row in rows(demo_made, "features")}
    assert len(decided) == len(base)
    assert {row["customer_id"] for row in decided} == base
    assert {row["state"] for row in decided} <= set(STATES)


def test_an_offer_and_a_channel_are_named_exactly_when_something_is_done(demo_made: Path) -> None:
    for row in rows(demo_made, "decisions"):
        done = row["state"] == "treated"
        assert (row["offer_id"] is not None) == done
        assert (row["channel"] is not None) == done
        assert (row["arm"] == "treated") == done


def test_the_same_month_again_says_so_and_does_nothing(site: Path) -> None:
    before = (site / "published" / MONTH / "manifest.json").read_text()
    assert answer("run", "--site", site, "--month", MONTH)["already"] is True
    assert (site / "published" / MONTH / "manifest.json").read_text() == before


def test_another_policy_is_refused_without_replace_and_the_former_is_kept(site: Path) -> None:
    limits = site / "policy" / "limits.toml"
    limits.write_text(limits.read_text().replace('version = "2025-1"', 'version = "2026-2"'))
    refused = answer("run", "--site", site, "--month", MONTH, expect=1)
    assert refused["error"]["code"] == "published_differently"
    (left := site / "work" / f"{MONTH}-0123456789abcdef-1").mkdir(parents=True)  # of a run that was cut short
    answer("run", "--site", site, "--month", MONTH, "--replace")
    assert len(list((site / "superseded").iterdir())) == 1
    assert not left.exists()


def test_work_ranges_do_not_change_the_decisions(site: Path) -> None:
    before = table_hash(parts(site, "decisions"), TABLES["decisions"])
    settings = site / "keepline.toml"
    text = "".join(f"{x}\n" for x in settings.read_text().splitlines() if not x.startswith("range_customers"))
    settings.write_text(text + "range_customers = 300\n")
    shutil.rmtree(site / "published" / MONTH)
    keepline("run", "--site", site, "--month", MONTH)
    assert len(parts(site, "decisions")) > 1
    assert table_hash(parts(site, "decisions"), TABLES["decisions"]) == before


def test_further_facts_told_of_everybody_every_month_are_carried_and_score_as_all_months_would(site: Path) -> None:
    lake = open_lake(site / "lake")
    who = sorted({row["customer_id"] for row in rows(site, "features")})
    told = [
        {"customer_id": one, "month": str(month), "name": "tv_hours", "number": float(one % 7 + month.index % 5)}
        for one in who
        for month in lake.months("bills")
    ]
    add_rows(lake, attributes=told)
    for month in ("2026-09", MONTH):
        shutil.rmtree(site / "published" / month)
    for month in ("2026-09", MONTH):
        keepline("run", "--site", site, "--month", month)
        assert len(list((site / "kept").glob(f"latest_attributes-{month}-*"))) == 1
    rolled = table_hash(parts(site, "scores"), TABLES["scores"])
    shutil.rmtree(site / "published" / MONTH)
    shutil.rmtree(site / "kept")
    keepline("run", "--site", site, "--month", MONTH)
    assert table_hash(parts(site, "scores"), TABLES["scores"]) == rolled


def test_the_truth_is_read_by_no_stage(site: Path) -> None:
    before = json.loads((site / "published" / MONTH / "manifest.json").read_text())["tables"]
    shutil.rmtree(site / "truth")
    shutil.rmtree(site / "published" / MONTH)
    keepline("run", "--site", site, "--month", MONTH)
    assert json.loads((site / "published" / MONTH / "manifest.json").read_text())["tables"] == before


def test_killed_at_random_moments_a_run_leaves_a_whole_month_or_none(site: Path) -> None:
    target = site / "published" / MONTH
    whole = json.loads((target / "manifest.json").read_text())
    shutil.rmtree(target)
    chance = random.Random(7)
    for _ in range(10):
        run = subprocess.Popen(
            [*KEEPLINE, "run", "--site", str(site), "--month", MONTH],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(chance.uniform(0.3, 6))
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        if target.exists():
            assert json.loads((target / "manifest.json").read_text())["tables"] == whole["tables"]
            shutil.rmtree(target)
    keepline("run", "--site", site, "--month", MONTH)
    assert json.loads((target / "manifest.json").read_text())["publication_id"] == whole["publication_id"]


def test_a_killed_run_goes_on_with_the_ranges_it_had_finished(site: Path) -> None:
    target = site / "published" / MONTH
    whole = json.loads((target / "manifest.json").read_text())
    shutil.rmtree(target)
    with (site / "keepline.toml").open("a", encoding="utf-8") as settings:
        settings.write("range_customers = 250\n")
    run = subprocess.Popen([*KEEPLINE, "run", "--site", str(site), "--month", MONTH], start_new_session=True)
    while run.poll() is None and len(list(site.glob("work/*/scores/part-*.parquet"))) < 2:
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    done = {f"{path.parent.name}/{path.name}": path.stat() for path in site.glob("work/*/*/part-*.parquet")}
    done = {name: said for name, said in done.items() if name.startswith(("features/", "scores/"))}
    keepline("run", "--site", site, "--month", MONTH)
    assert json.loads((target / "manifest.json").read_text())["tables"] == whole["tables"]
    assert len(done) >= len(parts(site, "features")) + 2
    assert {name: (target / name).stat().st_mtime_ns for name in done} == {n: s.st_mtime_ns for n, s in done.items()}


def test_a_refusal_speaks_both_languages_and_exits_1(tmp_path: Path) -> None:
    error = answer("run", "--site", tmp_path, "--month", MONTH, expect=1)["error"]
    assert error["zh"]
    assert error["en"]
    assert error["code"] == "no_site"


def test_a_wrong_word_exits_2() -> None:
    keepline("run", "--nonsense", expect=2)


def test_explain_shows_one_customer_in_both_languages(demo_made: Path) -> None:
    someone = next(row for row in rows(demo_made, "decisions") if row["state"] == "treated")
    text = keepline("explain", str(someone["customer_id"]), "--site", demo_made, "--month", MONTH)
    assert someone["offer_id"] in text or "优惠" in text


def test_lineage_ends_in_the_operators_columns(demo_made: Path) -> None:
    found = answer("lineage", "decisions.gain_fen", "--site", demo_made)
    assert "bills.amount_fen" in found["lake_columns"]
    assert found["operator_columns"]["bills.amount_fen"]


def test_a_policy_is_tried_on_a_published_month_without_changing_it(site: Path) -> None:
    before = (site / "published" / MONTH / "manifest.json").read_text()
    limits = site / "policy" / "limits.toml"
    text = limits.read_text().replace('version = "2025-1"', 'version = "2026-2"')
    text = text.replace("valid_from = 2000-01-01", "valid_from = 2026-11-01")  # binds only after the month
    limits.write_text("\n".join("money_fen = 0" if x.startswith("money_fen") else x for x in text.splitlines()))
    trial = answer("policy", "try", "--site", site)
    assert trial["after"]["states"]["treated"] == 0 < trial["before"]["states"]["treated"]
    assert trial["changed"] == [{"name": "limits", "before": "2025-1", "after": "2026-2"}]
    assert trial["not_yet"] == {"limits": "2026-11-01"}
    assert (site / "published" / MONTH / "manifest.json").read_text() == before


def test_no_plan_touches_either_arm_of_a_pilot_that_is_still_being_measured(site: Path, tmp_path: Path) -> None:
    shutil.rmtree(site / "published" / MONTH)
    out, where = tmp_path / "pilot", ("--site", site, "--month", "2026-09", "--customers", "200")
    keepline("pilot", "draw", "bundle-broadband", *where, "--out", out)
    keepline("intake", "load", out / "lots.csv", "--mapping", out / "lots.toml", "--site", site)
    keepline("run", "--site", site, "--month", MONTH)
    lots = {int(row["customer_id"]): row["arm"] for row in csv.DictReader((out / "lots.csv").open())}
    decided = rows(site, "decisions")
    apart = [row for row in decided if row["state"] == "in_pilot"]
    assert {lots[row["customer_id"]] for row in apart} == {"treated", "held_out", "counterpart"}
    assert len(apart) > 150
    assert not [row for row in decided if row["arm"] and row["customer_id"] in lots]
    assert [row for row in decided if row["state"] == "treated"]
    who = str(apart[0]["customer_id"])
    assert "still being measured" in keepline("explain", who, "--site", site, "--month", MONTH)
    contact = site / "policy" / "contact.toml"
    text = contact.read_text().replace("running_pilot_stops = true", "running_pilot_stops = false")
    contact.write_text(text.replace('version = "2025-1"', 'version = "2026-2"'))
    trial = answer("policy", "try", "--site", site)
    assert trial["before"]["states"]["in_pilot"] == len(apart)
    assert trial["after"]["states"]["in_pilot"] == 0


def test_a_limit_is_told_its_worth_and_moved_without_changing_the_month(demo_made: Path) -> None:
    where = ("--site", demo_made, "--month", MONTH)
    told = {row["limit"]: row for row in answer("limits", "show", *where)["limits"]}
    assert told["money"]["used"] <= told["money"]["available"]
    found = answer("limits", "what-if", "money=-80%", "hours=-50%", *where)
    assert found["as_published"]
    assert found["before"]["customers"] == sum(r["state"] == "treated" for r in rows(demo_made, "decisions"))
    assert found["dropped"] > 0
    assert found["after"]["gain_fen"] < found["before"]["gain_fen"]
    assert found["after"]["customers"] == found["before"]["customers"] + found["added"] - found["dropped"]
    keepline("limits", "what-if", "moon=+1", *where, expect=2)


def test_the_report_is_never_written_into_a_publication(demo_made: Path, tmp_path: Path) -> None:
    inside = demo_made / "published" / MONTH / "again.html"
    keepline("report", "--site", demo_made, "--month", MONTH, "--out", inside, expect=1)
    keepline("report", "--site", demo_made, "--month", MONTH, "--out", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == (demo_made / "published" / MONTH / "report.html").read_text()
