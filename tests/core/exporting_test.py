"""What is exported is whole, said to be so beside it, and lists for those who sell hold nobody who is held out."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.small_lake import write_rows
from core.small_publication import publish
from keepline.canonical import file_hash, table_hash
from keepline.errors import SiteError, UsageError
from keepline.exporting import LISTS, Exported, export
from keepline.lake import store
from keepline.lake.store import Lake, LakeFile
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.progress import Silent
from keepline.publication import parts_of, table_summary
from keepline.site import Site, open_site
from keepline.tables import DECISIONS, TABLES

MONTH = Month.parse("2026-10")
LEFT: dict[str, Any] = {
    "month": "2026-10",
    "left_month": "2026-09",
    "kind": "left",
    "reason": "price",
    "manager_id": "M1",
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    make_site(tmp_path / "site", name="x")
    made = open_site(tmp_path / "site")
    folder = publish(made.published(MONTH), customers=400)
    left = [LEFT | {"customer_id": who, "margin_3m_fen": 100 * who, "may_contact": who % 2 == 0} for who in range(9)]
    write_rows(folder / "win_back" / "part-00000.parquet", "win_back", left)
    tables = {path.name: table_summary(folder, path.name) for path in folder.iterdir()}
    (folder / "manifest.json").write_text(json.dumps({"publication_id": "f" * 64, "tables": tables}))
    return made


def exported(site: Site, what: str, name: str) -> Exported:
    return export(site, MONTH, what, out=site.root / "out" / name, progress=Silent())


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def decisions(site: Site) -> list[dict[str, Any]]:
    parts = parts_of(site.published(MONTH) / "decisions")
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def test_a_table_comes_out_whole_in_the_order_it_was_published(site: Site) -> None:
    done = exported(site, "decisions", "all.parquet")
    assert done.rows == 400
    assert table_hash([done.path], DECISIONS) == table_summary(site.published(MONTH), "decisions")["sha256"]
    rows = read_csv(exported(site, "decisions", "all.csv").path)
    assert [int(row["customer_id"]) for row in rows] == [row["customer_id"] for row in decisions(site)]
    assert [row["offer_id"] or None for row in rows] == [row["offer_id"] for row in decisions(site)]


def test_beside_it_lie_its_rows_and_its_checksum(site: Site) -> None:
    done = exported(site, "scores", "scores.csv")
    said = (site.root / "out" / "scores.csv.sha256").read_text(encoding="utf-8").splitlines()
    assert said[0].startswith("# scores 2026-10 · 400 行 rows · ")
    assert (
        said[1] == f"{hashlib.sha256(done.path.read_bytes()).hexdigest()}  scores.csv" == f"{done.sha256}  scores.csv"
    )
    assert done.bytes == done.path.stat().st_size
    if (check := shutil.which("sha256sum")) is not None:
        subprocess.run([check, "--check", "--strict", "scores.csv.sha256"], cwd=done.path.parent, check=True)
    assert sorted(path.name for path in done.path.parent.iterdir()) == ["scores.csv", "scores.csv.sha256"]


@pytest.mark.parametrize("name", ["plan.csv", "plan.parquet"])
def test_the_plan_is_all_who_are_treated_and_tells_nobody_held_out(site: Site, name: str) -> None:
    done = exported(site, "plan", name)
    rows = read_csv(done.path) if done.path.suffix == ".csv" else pq.read_table(done.path).to_pylist()
    treated = {row["customer_id"] for row in decisions(site) if row["state"] == "treated"}
    assert {int(row["customer_id"]) for row in rows} == treated
    assert len(rows) == len(treated) == done.rows > 20
    assert not {"arm", "state", "place", "rank_fen"} & set(rows[0])
    order = [(row["manager_id"] or "~", -int(row["gain_fen"])) for row in rows]
    assert order == sorted(order)
    assert not list(site.work.iterdir())


def test_the_win_back_list_is_those_worth_winning_the_most_valuable_first(site: Site) -> None:
    rows = read_csv(exported(site, "win-back", "win-back.csv").path)
    assert [row["customer_id"] for row in rows] == ["8", "6", "4", "2"]
    assert [row["margin_3m_fen"] for row in rows] == ["800", "600", "400", "200"]


@pytest.mark.parametrize("what", LISTS)
def test_lists_bear_the_operators_numbers_where_the_site_wants_them(site: Site, what: str) -> None:
    rows = read_csv(exported(site, what, "x.csv").path)
    known = [{"customer_id": int(row["customer_id"]), "customer_no": f"N{row['customer_id']}"} for row in rows[1:]]
    path = write_rows(site.lake / "contact_details" / "x.parquet", "contact_details", known)
    file = LakeFile("contact_details", "0001-01", "contact_details/x.parquet", len(known), file_hash(path))
    store.switch(Lake(site.lake, ()), [file], ())
    named = replace(site, settings=site.settings.model_copy(update={"plan_shows": "customer_no"}))
    shown = read_csv(exported(named, what, "x.csv").path)
    numbers = [row.pop("customer_no") for row in shown]
    assert shown == rows
    assert numbers == ["", *(f"N{row['customer_id']}" for row in rows[1:])]


def test_tables_are_said_to_be_for_analysts_and_lists_are_not(site: Site) -> None:
    for what in ("decisions", *LISTS):
        done = exported(site, what, f"{what}.csv")
        assert done.for_sellers is (what in LISTS)
        assert ("held out" in done.text("en")) is ("对照组" in done.text("zh")) is (what not in LISTS)


def test_a_part_that_lost_rows_is_refused_and_what_was_there_stays(site: Site) -> None:
    first = exported(site, "classes", "classes.csv")
    before = {path.name: path.read_bytes() for path in first.path.parent.iterdir()}
    part = parts_of(site.published(MONTH) / "classes")[0]
    pq.write_table(pq.read_table(part).slice(1), part)
    with pytest.raises(SiteError, match="399 rows, of 400 published"):
        exported(site, "classes", "classes.csv")
    assert {path.name: path.read_bytes() for path in first.path.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("what", "table"), [(what, table) for what, tables in LISTS.items() for table in tables if table != "schedule"]
)
def test_a_list_is_refused_where_a_table_it_is_made_of_lost_a_part_rows_or_its_end(
    site: Site, what: str, table: str
) -> None:
    part = parts_of(site.published(MONTH) / table)[0]
    whole = part.read_bytes()
    pq.write_table(pq.read_table(part).slice(1), part)
    with pytest.raises(SiteError, match=rf"{table} is damaged .* rows, of [0-9]+ published"):
        exported(site, what, "list.csv")
    part.write_bytes(whole[:-4])
    with pytest.raises(SiteError, match="its end is missing"):
        exported(site, what, "list.csv")
    part.unlink()
    with pytest.raises(SiteError, match=rf"{table} is damaged .* rows, of [0-9]+ published"):
        exported(site, what, "list.csv")
    assert not (site.root / "out").exists()
    part.write_bytes(whole)
    assert exported(site, what, "list.csv").rows


def test_a_column_of_a_later_version_is_unknown_in_an_older_month(site: Site) -> None:
    for part in parts_of(site.published(MONTH) / "classes"):
        pq.write_table(pq.read_table(part).drop_columns(["move"]), part)
    rows = pq.read_table(exported(site, "classes", "classes.parquet").path)
    assert rows.schema.names == list(TABLES["classes"].names)
    assert rows["move"].null_count == 400


def test_text_that_looks_like_a_formula_stays_text_in_csv_and_as_it_is_in_parquet(site: Site) -> None:
    for part in parts_of(site.published(MONTH) / "features"):
        rows = pq.read_table(part)
        evil = pa.array([("=1+1", "-2", "@x", "\tx", "D-1", None)[i % 6] for i in range(len(rows))], pa.string())
        pq.write_table(rows.set_column(rows.schema.get_field_index("district"), "district", evil), part)
    found = {row["district"] for row in read_csv(exported(site, "features", "f.csv").path)}
    assert found == {"'=1+1", "'-2", "'@x", "'\tx", "D-1", ""}
    kept = pq.read_table(exported(site, "features", "f.parquet").path)["district"].unique().to_pylist()
    assert set(kept) == {"=1+1", "-2", "@x", "\tx", "D-1", None}


@pytest.mark.parametrize(("what", "name", "kind"), [
    ("decision", "x.csv", UsageError), ("decisions", "x.xlsx", UsageError), ("../secrets", "x.csv", UsageError),
    ("decisions", "../published/2026-10/x.csv", SiteError), ("niches", "x.csv", UsageError),
])  # fmt: skip
def test_what_is_not_there_or_has_no_place_is_refused(site: Site, what: str, name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        exported(site, what, name)


def test_each_row_group_is_told_as_progress(site: Site) -> None:
    told: list[int] = []

    class Told(Silent):
        def begin(self, zh: str, en: str, total: int | None = None) -> None:
            assert zh
            assert en == "export of decisions"
            told.append(-(total or 0))

        def advance(self, done: int = 1) -> None:
            told.append(done)

    for part in parts_of(site.published(MONTH) / "decisions"):
        pq.write_table(pq.read_table(part), part, row_group_size=60)
    export(site, MONTH, "decisions", out=site.root / "x.csv", progress=Told())
    assert told[0] < -5
    assert sum(told) == 0
