"""What a mapping can say: units, codes, dates, months side by side, items to rows, who left by a stated rule."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import lzma
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from small_intake import Intake, aside, codes

from keepline.errors import IntakeError
from keepline.lake import intake
from keepline.lake.mapping import read_mapping, source_columns

HEAD = '[match]\nfiles = ["wide*"]\n[limits]\nset_aside_share_max = 1.0\nrow_count_change_max = 1000\n'
WHO = '[table.columns]\ncustomer_id = "编号"\n'
MONTH = 'month = { constant = "2026-09" }\n'


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


def taken(here: Intake, mapping: str, text: str, name: str = "wide.csv") -> Any:
    here.maps(wide=HEAD + mapping)
    return here.load(name, text)


def test_units_are_turned_into_ours(here: Intake) -> None:
    mapping = (
        '[[table]]\nname = "usage"\n' + WHO + MONTH + 'voice_s = { from = "通话", unit = "minutes" }\n'
        'voice_in_s = { from = "被叫", unit = "hours" }\ndata_kb = { from = "流量", unit = "GB" }\nsms = "短信"\n'
    )
    taken(here, mapping, "编号,通话,被叫,流量,短信\nA1,1.5,0.5,0.25,7\n")
    (found,) = here.rows("usage")
    assert (found["voice_s"], found["voice_in_s"], found["data_kb"], found["sms"]) == (90, 1800, 262144, 7)


@pytest.mark.parametrize(
    ("unit", "fen"), [("fen", 13), ("li", 1), ("jiao", 125), ("yuan", 1250), ("major", 1250), ("wan_yuan", 12500000)]
)
def test_money_is_rounded_half_up_to_whole_fen(here: Intake, unit: str, fen: int) -> None:
    mapping = f'[[table]]\nname = "payments"\n{WHO}{MONTH}paid_fen = {{ from = "缴费", unit = "{unit}" }}\n'
    taken(here, mapping, "编号,缴费\nA1,12.5\n")
    assert here.values("payments", "paid_fen") == [fen]


def test_amounts_in_yuan_keep_every_fen(here: Intake) -> None:
    """1.005, 0.29 and 19.99 are not exact in binary; none may lose or gain a fen."""
    mapping = f'[[table]]\nname = "payments"\n{WHO}{MONTH}paid_fen = {{ from = "缴费", unit = "yuan" }}\n'
    said = [f"{fen // 100}.{fen % 100:02d}" for fen in range(0, 200_000, 97)]
    taken(here, mapping, "编号,缴费\n" + "".join(f"A{i},{yuan}\n" for i, yuan in enumerate(said)))
    assert sorted(here.values("payments", "paid_fen")) == list(range(0, 200_000, 97))
    taken(here, mapping, "编号,缴费\nB1,1.005\nB2,-1.005\n")
    assert {101, -101} <= set(here.values("payments", "paid_fen"))


def test_a_quantity_without_unit_is_refused(here: Intake) -> None:
    here.maps(wide=HEAD + f'[[table]]\nname = "payments"\n{WHO}{MONTH}paid_fen = "缴费"\n')
    with pytest.raises(IntakeError, match="needs a unit"):
        read_mapping(here.site.intake / "wide.toml")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[table]]\nname = "bils"\n', "not known"),
        (f'[[table]]\nname = "usage"\n{WHO}{MONTH}voices = "x"\n', "no column voices"),
        (f'[[table]]\nname = "usage"\n{WHO}', "needs month"),
        (f'[[table]]\nname = "usage"\n{WHO}{MONTH}colour = "x"\n', "no column"),
        (f'[[table]]\nname = "usage"\ncolor = 1\n{WHO}{MONTH}', "Extra inputs"),
        (f'[[table]]\nname = "usage"\n{WHO}{MONTH}sms = {{ from = "a", constant = 1 }}\n', "exactly one"),
        (f'[[table]]\nname = "usage"\n{WHO}{MONTH}voice_s = {{ from = "a", unit = "yuan" }}\n', "no unit"),
        ("[[table", "valid TOML"),
    ],
)
def test_a_mapping_that_is_unclear_is_refused_with_its_place(here: Intake, text: str, why: str) -> None:
    here.maps(wide=HEAD + text)
    with pytest.raises(IntakeError, match=why):
        read_mapping(here.site.intake / "wide.toml")


def test_months_side_by_side_become_rows(here: Intake) -> None:
    mapping = (
        '[[table]]\nname = "bills"\n[table.wide]\nmonths = { 6 = "2014-06", 7 = "2014-07" }\n' + WHO
        + 'component = { constant = "recurring" }\namount_fen = { from = "arpu_{}", unit = "yuan" }\n'
        '[[table]]\nname = "usage"\n[table.wide]\nmonths = { 6 = "2014-06", 7 = "2014-07" }\n' + WHO
        + 'data_kb = { sum = ["2g_{}", "3g_{}"], unit = "MB" }\n'
    )  # fmt: skip
    report = taken(here, mapping, "编号,arpu_6,arpu_7,2g_6,2g_7,3g_6,3g_7\nA1,1,2,3,4,5,\nA2,5,,,,,\n")
    assert (report.counts.read, report.counts.loaded) == (2, 2)
    assert report.tables["bills"].loaded == 3
    assert sorted((r["month"], r["amount_fen"]) for r in here.rows("bills")) == [
        ("2014-06", 100), ("2014-06", 500), ("2014-07", 200),
    ]  # fmt: skip
    assert [(r["month"], r["data_kb"]) for r in here.rows("usage")] == [("2014-06", 8192), ("2014-07", 4096)]


def test_items_side_by_side_become_components(here: Intake) -> None:
    mapping = (
        f'[source.units]\nmoney = "yuan"\n[[table]]\nname = "bills"\n{WHO}{MONTH}[table.long]\ninto = "component"\n'
        'value = "amount_fen"\n[table.long.rows]\nrecurring = "月租"\ndiscount = { from = "优惠", negate = true }\n'
        'overage = { sum = ["总额"], less = ["月租"] }\n'
    )
    taken(here, mapping, "编号,总额,月租,优惠\nA1,30,20,5\nA2,9,10,\n")
    found = {(r["customer_id"], r["component"]): r["amount_fen"] for r in here.rows("bills")}
    a1, a2 = here.number("A1"), here.number("A2")
    assert found == {
        (a1, "recurring"): 2000, (a1, "discount"): -500, (a1, "overage"): 1000,
        (a2, "recurring"): 1000, (a2, "credit"): -100,
    }  # fmt: skip


def test_further_columns_become_attributes(here: Intake) -> None:
    mapping = f'[[table]]\nname = "attributes"\n{WHO}{MONTH}[table.attributes]\nnumbers = ["年龄"]\ncodes = ["终端"]\n'
    taken(here, mapping, "编号,年龄,终端\nA1,52,华为\nA2,,苹果\n")
    found = {(r["name"], r["number"], r["code"]) for r in here.rows("attributes")}
    assert found == {("年龄", 52.0, None), ("终端", None, "华为"), ("终端", None, "苹果")}


def test_who_left_is_said_by_a_rule(here: Intake) -> None:
    mapping = (
        '[[table]]\nname = "departures"\nwhen = [{ column = "主叫", zero = true }, { column = "流量", zero = true }]\n'
        + WHO + MONTH + 'kind = { constant = "silent" }\n'
    )  # fmt: skip
    report = taken(here, mapping, "编号,主叫,流量\nA1,0,0.00\nA2,0,1\nA3,5,0\nA4,,0\n")
    assert (report.counts.loaded, report.counts.ignored) == (1, 3)
    assert here.values("departures", "customer_id") == [here.number("A1")]


@pytest.mark.parametrize(
    ("test", "who"),
    [
        ('when = [{ column = "x", is = "Yes" }]', ["A1"]),
        ('when = [{ column = "x", is = ["Yes", "No"] }]', ["A1", "A2"]),
        ('when = [{ column = "x", is_not = "Yes" }]', ["A2", "A3"]),
        ('when = [{ column = "x", empty = true }]', ["A3"]),
        ('when = [{ column = "y", above = 1, at_most = 3 }]', ["A2", "A3"]),
        ('when = [{ column = "y", at_least = 1, below = 2 }]', ["A1"]),
        ('when_any = [{ column = "x", is = "Yes" }, { column = "y", is = 3 }]', ["A1", "A3"]),
    ],
)
def test_rows_count_for_a_table_when_they_pass_its_tests(here: Intake, test: str, who: list[str]) -> None:
    taken(here, f'[[table]]\nname = "departures"\n{test}\n{WHO}{MONTH}', "编号,x,y\nA1,Yes,1\nA2,No,2\nA3,,3\n")
    assert set(here.values("departures", "customer_id")) == {here.number(number) for number in who}


def test_a_row_that_does_not_count_is_not_judged(here: Intake) -> None:
    when = 'when = [{ column = "x", is = "Y" }]\n'
    mapping = f'[[table]]\nname = "payments"\n{when}{WHO}{MONTH}paid_fen = {{ from = "y", unit = "fen" }}\n'
    report = taken(here, mapping, "编号,x,y\nA1,Y,1\nA2,N,nonsense\n")
    assert (report.counts.loaded, report.counts.ignored, report.counts.set_aside) == (1, 1, 0)


def test_lengths_of_time_become_days(here: Intake) -> None:
    mapping = (
        '[[table]]\nname = "customers"\n' + WHO + MONTH
        + 'joined_on = { from = "网龄", ago = { unit = "months", before = "2026-03-31" } }\n'
        'birthday = { from = "年龄", ago = { unit = "years", before = "2026-02-28" } }\n'
    )  # fmt: skip
    taken(here, mapping, "编号,网龄,年龄\nA1,1,30\nA2,0,\n")
    found = {r["customer_id"]: (r["joined_on"], r["birthday"]) for r in here.rows("customers")}
    assert found[here.number("A1")] == (dt.date(2026, 2, 28), dt.date(1996, 2, 28))
    assert found[here.number("A2")] == (dt.date(2026, 3, 31), None)


@pytest.mark.parametrize(
    "said", ["2026-09", "202609", "2026/9", "2026年9月", "2026.09", "2026-09-30", "20260930", "2026-09-30 00:00:00",
             "202609.0"]
)  # fmt: skip
def test_billing_months_are_read_in_any_clear_form(here: Intake, said: str) -> None:
    taken(here, f'[[table]]\nname = "departures"\n{WHO}month = "账期"\n', f"编号,账期\nA1,{said}\n")
    assert here.values("departures", "month") == ["2026-09"]


def test_the_month_may_stand_in_the_file_name(here: Intake) -> None:
    mapping = f'[[table]]\nname = "departures"\n{WHO}month = {{ file_name = "(\\\\d{{6}})" }}\n'
    taken(here, mapping, "编号\nA1\n", name="wide-202609.csv")
    assert here.values("departures", "month") == ["2026-09"]
    assert here.load("wide.csv", "编号\nA2\n").problems[0].code == "no_month_in_name"


def test_the_month_of_the_whole_file_is_said_once(here: Intake) -> None:
    mapping = (
        '[source]\nmonth = "2026-09"\n[[table]]\nname = "departures"\n' + WHO
        + '[[table]]\nname = "customers"\n' + WHO + 'joined_on = { from = "网龄", ago = { unit = "months" } }\n'
    )  # fmt: skip
    taken(here, mapping, "编号,网龄\nA1,2\n")
    assert here.values("departures", "month") == ["2026-09"]
    assert here.values("customers", "joined_on") == [dt.date(2026, 7, 30)]


def test_two_sections_may_feed_one_table(here: Intake) -> None:
    part = '[[table]]\nname = "bills"\n' + WHO + MONTH
    mapping = (
        part + 'component = { constant = "recurring" }\namount_fen = { from = "月租", unit = "fen" }\n'
        + part + 'component = { constant = "roaming" }\namount_fen = { from = "漫游", unit = "fen" }\n'
    )  # fmt: skip
    report = taken(here, mapping, "编号,月租,漫游\nA1,5,7\n")
    assert sorted(here.values("bills", "amount_fen")) == [5, 7]
    assert (report.counts.loaded, report.tables["bills"].loaded) == (1, 2)


def test_yes_and_no_may_be_said_in_the_operators_words(here: Intake) -> None:
    mapping = f'[[table]]\nname = "customers"\n{WHO}{MONTH}consent = {{ from = "授权", yes = ["签"], no = ["拒"] }}\n'
    report = taken(here, mapping, "编号,授权\nA1,签\nA2,拒\nA3,是\n")
    assert sorted(here.values("customers", "consent")) == [False, True]
    aside(report, "not_yes_or_no")


def test_other_codes_have_a_word_when_the_mapping_gives_one(here: Intake) -> None:
    mapping = (
        '[[table]]\nname = "customers"\n' + WHO + MONTH
        + 'kind = { from = "类型", codes = { "集团" = "organisation" }, other = "person", when_empty = "person" }\n'
    )  # fmt: skip
    taken(here, mapping, "编号,类型\nA1,集团\nA2,家庭\nA3,\n")
    assert sorted(here.values("customers", "kind")) == ["organisation", "person", "person"]


def test_what_is_no_code_of_ours_is_set_aside(here: Intake) -> None:
    mapping = f'[[table]]\nname = "customers"\n{WHO}{MONTH}kind = "类型"\n'
    aside(taken(here, mapping, "编号,类型\nA1,person\nA2,alien\n"), "unknown_code")


SIMPLE = f'[[table]]\nname = "departures"\n{WHO}month = "账期"\n'
TEXT = b"\xe7\xbc\x96\xe5\x8f\xb7,\xe8\xb4\xa6\xe6\x9c\x9f\nA1,2026-09\n"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_unpacked(here: Intake, pack: Any) -> None:
    here.maps(wide=HEAD + SIMPLE)
    assert here.load("wide.csv.packed", pack(TEXT)).counts.loaded == 1


def test_a_zip_of_several_files_needs_a_word_which(here: Intake) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT + b"A2,2026-09\n")
    here.maps(wide=HEAD + SIMPLE)
    assert here.load("wide.zip", stream.getvalue()).problems[0].code == "several_members"
    here.maps(wide=HEAD + '[source]\nmember = "b.csv"\n' + SIMPLE)
    assert here.load("wide.zip", stream.getvalue()).counts.loaded == 2


def test_a_workbook_with_a_title_above_its_header_and_real_dates_is_read(here: Intake) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for cells in (["用户清单"], ["编号", "账期", "日期"], ["A1", dt.date(2026, 9, 1), dt.date(2020, 5, 17)]):
        sheet.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    mapping = '[source]\nheader_row = 2\n[[table]]\nname = "customers"\n' + WHO + 'month = "账期"\njoined_on = "日期"\n'
    here.maps(wide=HEAD + mapping)
    here.load("wide.xlsx", stream.getvalue())
    (found,) = here.rows("customers")
    assert (found["month"], found["joined_on"]) == ("2026-09", dt.date(2020, 5, 17))


def test_lineage_finds_the_operators_columns(here: Intake) -> None:
    here.maps(
        wide=HEAD
        + f'[source.units]\nmoney = "yuan"\n[[table]]\nname = "bills"\n{WHO}{MONTH}[table.long]\ninto = "component"\n'
        'value = "amount_fen"\n[table.long.rows]\nrecurring = "月租"\noverage = { sum = ["总额"], less = ["月租"] }\n'
    )
    assert source_columns(here.site, "bills.amount_fen") == ["bills: 金额", "wide: 月租", "wide: 总额"]


@pytest.mark.data
def test_the_real_prepaid_panel_has_110_who_left_by_the_stated_rule(here: Intake, data_dir: Path) -> None:
    tests = ", ".join(f'{{ column = "{c}_9", zero = true }}' for c in
                      ("total_ic_mou", "total_og_mou", "vol_2g_mb", "vol_3g_mb"))  # fmt: skip
    who = '[table.columns]\ncustomer_id = "subscriber_id"\n'
    here.maps(
        panel='[match]\nfiles = ["telecom_churn*"]\n[[table]]\nname = "departures"\n'
        f'when = [{tests}]\n{who}month = {{ constant = "2014-09" }}\nkind = {{ constant = "silent" }}\n'
        '[[table]]\nname = "bills"\n[table.wide.months]\n6 = "2014-06"\n7 = "2014-07"\n8 = "2014-08"\n9 = "2014-09"\n'
        f'{who}component = {{ constant = "recurring" }}\namount_fen = {{ from = "arpu_{{}}", unit = "major" }}\n'
    )
    path = data_dir / "telecom-panel-1000" / "telecom_churn_data_first1000.csv"
    (report,) = intake.load(here.site, [path])
    assert report.tables is not None
    assert (report.counts.read, report.counts.loaded, report.counts.set_aside) == (1000, 1000, 0)
    assert (report.tables["departures"].loaded, report.tables["bills"].loaded) == (110, 4000)
    assert "credit" in codes(report.notes)
