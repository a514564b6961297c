"""A tariff tried on a lake: what is billed, for whom, alike on both engines and in any cut; silence with a reason."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from core.plain_biller import bills
from core.small_lake import add_rows, random_lake
from keepline import console, sqlmodel
from keepline.canonical import table_hash
from keepline.cli import cli
from keepline.engine import Engine, Range, ranges
from keepline.errors import KeeplineError, PublicationError, TooFewError, UsageError
from keepline.lake.store import Lake, open_lake
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.policy.tariff import Tariff, read_tariff
from keepline.progress import Silent
from keepline.rating import changes, rate
from keepline.site import Site, open_site
from keepline.tables import METERED, POOLED, RATED, TABLES, TARIFF_CHANGES
from keepline.tariffs import try_tariff

NOW = Month.parse("2026-10")
EVERYONE = Range(0, 0, 1 << 62)
HEAD = """version = "1"
valid_from = 2026-11-01
id = "family"
name = { zh = "家庭", en = "family" }
keeps_other_products = false
base_fen = 3000
"""
VOICE = HEAD + '[[charge]]\nuse = "voice"\nincluded = 100\ntiers = [{ fen = 10 }, { above = 100, fen = 5 }]\n'
SHARED = VOICE.replace('use = "voice"', 'use = "voice"\nshared = "organisation"\nincluded_line = 20')


def tariff(folder: Path, text: str) -> Tariff:
    (folder / "tariff.toml").write_text(text, encoding="utf-8")
    return read_tariff(folder / "tariff.toml")


def lake(folder: Path) -> Lake:
    made = random_lake(folder, last=NOW, months=3, customers=60, seed=4)
    heads = [pq.read_table(made.root / f.path)["customer_id"].to_pylist() for f in made.files if f.table == "bills"]
    ids = sorted({who for each in heads for who in each})
    members = [{"customer_id": ids[at], "month": "2026-08", "head_id": ids[at // 3 * 3]} for at in range(30) if at % 3]
    return add_rows(made, affiliations=members)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    make_site(tmp_path / "site", name="x")
    lake(tmp_path / "site" / "lake")
    return open_site(tmp_path / "site")


@pytest.mark.parametrize("name", ["metered", "pooled", "changes"])
def test_every_model_keeps_to_the_subset_and_its_table(name: str) -> None:
    model, parts = (rate.sql_models() | changes.sql_models())[name]
    sqlmodel.check(model, parts)
    assert model.columns == TABLES[model.makes].names


@pytest.mark.parametrize("text", [VOICE, SHARED])
def test_on_either_engine_a_month_costs_what_a_plain_biller_says(text: str, engine: Engine, tmp_path: Path) -> None:
    made, part = tariff(tmp_path, text), tmp_path / "rated.parquet"
    rate.rate(engine, lake(tmp_path / "lake"), made, month=NOW, only=None, to=part)
    table = POOLED if made.pooled else METERED
    rows = engine.fetch(sqlmodel.declared(rate._query(made, NOW), table)).to_pylist()
    wanted = bills(tomllib.loads(text), rows)
    found = {row["customer_id"]: row["after_fen"] for row in pq.read_table(part).to_pylist()}
    assert found == wanted
    assert len({row["group_id"] for row in rows}) < len(rows) - 9 or not made.pooled
    assert sum(fen is not None for fen in found.values()) > 20


def test_ranges_bill_what_everybody_at_once_does(tmp_path: Path, engine: Engine) -> None:
    made, shelf = tariff(tmp_path, VOICE), lake(tmp_path / "lake")
    rate.rate(engine, shelf, made, month=NOW, only=EVERYONE, to=tmp_path / "whole.parquet")
    parts = [tmp_path / only.part for only in ranges(3, 1)]
    for only, part in zip(ranges(3, 1), parts, strict=True):
        rate.rate(engine, shelf, made, month=NOW, only=only, to=part)
    assert table_hash(parts, RATED) == table_hash([tmp_path / "whole.parquet"], RATED)


def told(site: Site, text: str, **how: Any) -> dict[str, Any]:
    tariff(site.root, text)
    given: dict[str, Any] = {"month": NOW, "months": 2, "out": None, "progress": Silent()} | how
    return try_tariff(site, site.root / "tariff.toml", **given).to_dict()


def test_groups_add_up_to_the_whole_and_the_file_holds_everybody(site: Site) -> None:
    out = site.root / "changes.parquet"
    found = told(site, VOICE, out=out)
    whole = found["everybody_moved"]
    for rows in found["by"].values():
        assert sum(row["customers"] for row in rows) == whole["customers"]
        assert sum(row["after_fen"] for row in rows) == whole["after_fen"]
    table = pq.read_table(out)
    assert table.schema.names == list(TARIFF_CHANGES.names)
    assert table.num_rows == whole["customers"] > 40
    assert sum(table["change_fen"].to_pylist()) == whole["after_fen"] - whole["today_fen"]
    assert whole["saved_fen"] + whole["added_fen"] == whole["after_fen"] - whole["today_fen"]
    assert not list(site.work.glob("tariff-*"))


def test_customers_who_choose_give_the_operator_less_than_if_all_were_moved(site: Site) -> None:
    found = told(site, VOICE)
    whole, chosen = found["everybody_moved"], found["choice"]["revenue_fen"]
    assert chosen["low"] <= chosen["value"] <= chosen["high"] <= 0
    assert chosen["value"] >= whole["saved_fen"]
    assert 0 < found["choice"]["moving"]["value"] <= whole["gain"]


def test_organisations_that_share_decide_together(site: Site) -> None:
    out = site.root / "changes.csv"
    told(site, SHARED, out=out)
    rows = csv.read_csv(out).to_pylist()
    by_group: dict[int, set[float]] = {}
    for row in rows:
        by_group.setdefault(row["group_id"], set()).add(row["moves"])
    assert len(by_group) < len(rows)
    assert all(len(moves) == 1 for moves in by_group.values())


@pytest.mark.parametrize(
    ("text", "how", "kind", "code"),
    [
        (HEAD, {"month": NOW + 1, "months": 1}, TooFewError, "no_bills"),
        (VOICE, {"months": 9}, TooFewError, "no_bills"),
        (VOICE, {"months": 0}, UsageError, "bad_months"),
        (VOICE, {"out": Path("changes.xlsx")}, UsageError, "bad_kind"),
        (HEAD + 'line = "iot"\n[[fee]]\nproduct = "iot"\nfen = 1\n', {}, TooFewError, "nobody_billed"),
        (HEAD + 'eligible = [{ feature = "lines", at_least = 2 }]\n', {}, PublicationError, "tariff_not_published"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_its_reason(
    text: str, how: dict[str, Any], kind: type[KeeplineError], code: str, site: Site
) -> None:
    with pytest.raises(kind) as refused:
        told(site, text, **how)
    assert refused.value.code == code
    assert refused.value.zh != refused.value.en


def test_a_column_of_use_that_is_missing_is_named(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    bills = [{"customer_id": 1, "month": "2026-10", "component": "recurring", "amount_fen": 100}]
    usage = [{"customer_id": 1, "month": "2026-10", "voice_s": 60}]
    add_rows(open_lake(tmp_path / "site" / "lake"), bills=bills, usage=usage)
    text = HEAD + '[[charge]]\nuse = "roaming"\ntiers = [{ fen = 1 }]\n'
    with pytest.raises(TooFewError, match=r"usage\.roaming_s") as refused:
        told(open_site(tmp_path / "site"), text, months=1)
    assert "usage.roaming_s" in refused.value.zh


def test_the_command_tells_in_both_languages(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tariff(site.root, VOICE)
    words = ["tariff", "try", str(site.root / "tariff.toml"), "--site", str(site.root)]
    monkeypatch.setattr("sys.argv", ["keepline", *words])
    assert console.run(cli) == 0
    said = capsys.readouterr().out
    assert "如果全部改用" in said
    assert "everybody moved" in said
    assert "assumed, not measured" in said
    monkeypatch.setattr("sys.argv", ["keepline", *words, "--json"])
    assert console.run(cli) == 0
    assert json.loads(capsys.readouterr().out)["tariff"] == "family"
