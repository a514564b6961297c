"""A draft mapping: right where headers speak, marked where it guesses, refused when nobody read it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import openpyxl
import pytest
from small_intake import Intake

from keepline.errors import IntakeError
from keepline.lake import intake
from keepline.lake.drafting import MONTH_UNKNOWN
from keepline.lake.mapping import Mapping, read_mapping


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


def draft(here: Intake, content: str, name: str = "clients.csv") -> str:
    return intake.suggest(here.put(name, content))


def sections(text: str) -> dict[str, Mapping]:
    read = Mapping.model_validate(tomllib.loads(text.replace(MONTH_UNKNOWN, "2026-10")))
    return {table.name: table for table in read.table}  # type: ignore[misc]


CHINESE = """\
客户编号,客户姓名,联系电话,账期,入网日期,客户类型,月租费（元）,套外费用（分）,主叫时长（分钟）,流量（GB）,是否离网,客户经理,终端
A1,张三,13800138000,202610,2020-01-05,个人,59.00,120,35,2.5,否,M1,华为
A2,李四,13900139000,202610,2021-03-09,集团,159.00,0,88,12,是,M2,苹果
A3,王五,13700137000,202610,2019-07-30,个人,99.00,50,12,7,否,M1,华为
"""
ENGLISH = """customerID,tenure,MonthlyCharges,data_usage_gb,last_seen,Churn
A1,12,29.85,1.5,10/31/2024,No
A2,3,56.95,2.5,09/01/2024,Yes
"""


def test_chinese_headers_find_their_tables(here: Intake) -> None:
    found = sections(draft(here, CHINESE))
    assert found["customers"].columns["customer_id"].spellings == ("客户编号",)
    assert found["customers"].columns["month"].spellings == ("账期",)
    assert found["customers"].columns["manager_id"].spellings == ("客户经理",)
    rows = found["bills"].long.rows
    assert {name: (spec.spellings, spec.unit) for name, spec in rows.items()} == {
        "recurring": (("月租费（元）",), "yuan"),
        "overage": (("套外费用（分）",), "fen"),
    }
    assert found["usage"].columns["voice_s"].unit == "minutes"
    assert found["usage"].columns["data_kb"].unit == "GB"
    assert found["departures"].when[0].equals == "是"
    assert found["attributes"].attributes.codes == ("终端",)


def book(path: Path, **sheets: list[list[object]]) -> Path:
    written = openpyxl.Workbook()
    written.remove(written.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = written.create_sheet(name)
        for row in rows:
            sheet.append(row)
    written.save(path)
    return path


def test_a_workbook_of_several_sheets_with_titles_is_drafted_from_its_first_table(tmp_path: Path) -> None:
    table = [[*line.split(",")] for line in CHINESE.splitlines()]
    path = book(tmp_path / "clients.xlsx", 说明=[["口径"], ["见附件"]], 客户=[["2026 年 10 月客户明细"], [], *table])
    said = intake.suggest(path)
    assert 'sheet = "客户"  # 【请确认 CONFIRM】工作表；另有 说明' in said
    assert "header_row = 3" in said
    assert sections(said)["customers"].columns["customer_id"].spellings == ("客户编号",)


def test_a_title_above_a_text_table_is_passed_over(here: Intake) -> None:
    said = draft(here, "客户明细表,,,,,,,,,,,,\n" + CHINESE)
    assert "header_row = 2" in said
    assert "header_row" not in draft(here, CHINESE)
    assert "header_row" not in draft(here, ",客户编号,账期,月租\n0,A1,202610,50\n1,A2,202610,60\n")
    assert "header_row" not in draft(here, "客户编号\nA1\nA2\n")


def test_a_fact_about_telephones_is_kept_and_a_number_is_not(here: Intake) -> None:
    rows = "客户编号,手机品牌,邮箱登录次数,备用手机,联系电话号码\nA1,华为,3,甲,乙\nA2,苹果,5,丙,丁\nA3,华为,4,甲,乙\n"
    facts = sections(draft(here, rows))["attributes"].attributes
    assert (facts.numbers, facts.codes) == (("邮箱登录次数",), ("手机品牌",))


def test_an_average_taken_as_a_bill_is_to_be_confirmed(here: Intake) -> None:
    said = draft(here, "客户编号,近三月平均消费\nA1,59.5\nA2,80\n")
    assert re.search(r"recurring = .*请确认 CONFIRM】平均值", said)


def test_english_headers_find_their_tables(here: Intake) -> None:
    found = sections(draft(here, ENGLISH))
    assert found["customers"].columns["joined_on"].ago.unit == "months"
    assert found["bills"].long.rows["recurring"].spellings == ("MonthlyCharges",)
    assert found["usage"].columns["data_kb"].unit == "GB"
    assert found["departures"].when[0].equals == "Yes"


def test_names_and_telephones_go_to_the_restricted_table_and_are_not_shown(here: Intake) -> None:
    text = draft(here, CHINESE)
    assert set(sections(text)["contact_details"].columns) == {"customer_id", "name", "phone"}
    assert "张三" not in text
    assert "13800138000" not in text


def test_a_file_that_says_who_decides_is_about_contact_persons(here: Intake) -> None:
    rows = "客户编号,账期,联系人姓名,联系人电话,决策角色,客户名称\nA1,202610,张三,13800138000,决策,甲厂\n"
    text = draft(here, rows + "A1,202610,李四,13900139000,付款,甲厂\nA2,202610,王五,13700137000,决策,乙厂\n")
    found = sections(text)
    assert set(found["contact_persons"].columns) == {"customer_id", "person_no", "role", "name", "phone"}
    assert found["contact_details"].columns["name"].spellings == ("客户名称",)
    assert "contact_persons" not in sections(draft(here, CHINESE))
    assert not [said for said in ("张三", "13800138000", "甲厂") if said in text]


def test_the_number_of_the_organisation_above_is_an_affiliation_and_not_shown(here: Intake) -> None:
    text = draft(here, "客户编号,账期,上级客户编号\nA1,202610,H77\nA2,202610,\n")
    assert set(sections(text)["affiliations"].columns) == {"customer_id", "month", "head_id"}
    assert "H77" not in text


def test_a_draft_nobody_read_is_refused(here: Intake) -> None:
    path = here.site.intake / "draft.toml"
    path.write_text(draft(here, ENGLISH), encoding="utf-8")
    with pytest.raises(IntakeError, match="YYYY-MM"):
        read_mapping(path)


def test_every_guess_is_marked_and_every_line_explained_in_both_languages(here: Intake) -> None:
    settings = [line for line in draft(here, CHINESE).splitlines() if " = " in line and "#" in line]
    assert all(any("\u4e00" <= char <= "\u9fff" for char in line.split("#", 1)[1]) for line in settings)
    unsure = [line for line in settings if "codes =" in line or "constant" in line]
    assert unsure
    assert all("CONFIRM" in line for line in unsure)


def test_a_month_in_the_file_name_is_used(here: Intake) -> None:
    text = draft(here, "customerID,MonthlyCharges\nA1,2\nA2,3\n", name="bills-202610.csv")
    assert 'files = ["bills-*.csv"]' in text
    assert sections(text)["bills"].columns["month"].file_name is not None


def test_a_draft_once_confirmed_loads_its_file(here: Intake) -> None:
    path = here.put("clients.csv", ENGLISH)
    mapping = here.site.intake / "clients.toml"
    text = intake.suggest(path).replace(MONTH_UNKNOWN, "2026-10")
    mapping.write_text(text, encoding="utf-8")
    (report,) = intake.load(here.site, [path])
    assert (report.counts.loaded, report.counts.set_aside) == (2, 0)
    assert sorted(here.values("bills", "amount_fen")) == [2985, 5695]


def test_headers_with_quotes_stay_valid_toml(here: Intake) -> None:
    sections(draft(here, '客户编号,月租费,"a ""b"" \\ c"\nA1,5,1\nA2,6,2\n'))


def test_a_header_without_rows_still_gives_a_draft(here: Intake) -> None:
    assert set(sections(draft(here, "客户编号,账期,月租费\n"))) == {"customers", "bills"}


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("china-mobile-satisfaction/data_scored.csv.gz", 7020),
        ("china-mobile-satisfaction/voice_scored.csv.gz", 5433),
        ("ibm-telco/Telco-Customer-Churn.csv", 7043),
    ],
)
def test_real_files_load_by_their_drafts(here: Intake, data_dir: Path, name: str, read: int) -> None:
    mapping = here.site.intake / "draft.toml"
    text = intake.suggest(data_dir / name).replace(MONTH_UNKNOWN, "2026-10")
    mapping.write_text(text + "\n[limits]\nset_aside_share_max = 0.01\n", encoding="utf-8")
    (report,) = intake.load(here.site, [data_dir / name], mapping=mapping)
    assert report.verdict in ("accepted", "normalised", "partly"), report.text("en")
    assert (report.counts.read, report.counts.set_aside <= read // 100) == (read, True)
    assert len(here.rows("customers")) == report.counts.loaded


@pytest.mark.data
def test_months_side_by_side_are_seen(here: Intake, data_dir: Path) -> None:
    text = intake.suggest(data_dir / "telecom-panel-1000" / "telecom_churn_data_first1000.csv")
    found = sections(text.replace('"6" = "YYYY-MM"', '"6" = "2014-06"'))
    assert set(found["bills"].wide.months) == {"6", "7", "8", "9"}
    assert found["usage"].columns["voice_s"].spellings == ("total_og_mou_{}",)
    assert here.site.root.exists()


@pytest.mark.parametrize(
    "phone", ["手机号", "手机号码", "手机", "电话", "电话号码", "联系人电话", "mobile", "Mobile Number"]
)
def test_a_telephone_goes_to_contact_details_whatever_it_is_called(here: Intake, phone: str) -> None:
    found = sections(draft(here, f"客户编号,{phone},积分\nA1,13800138000,5\nA2,13900139000,7\n"))
    assert found["contact_details"].columns["phone"].spellings == (phone,)
    assert found["attributes"].attributes.numbers == ("积分",)


@pytest.mark.parametrize("named", ["备用电话", "身份证号", "经办人手机", "家庭住址", "e-mail", "backup phone", "备注2"])
def test_what_names_a_person_is_no_further_fact(here: Intake, named: str) -> None:
    found = sections(draft(here, f"客户编号,{named},积分\nA1,13800138000,5\nA2,13900139000,7\nA3,13900139000,9\n"))
    assert found["attributes"].attributes.numbers == ("积分",)
    assert found["attributes"].attributes.codes == ()


def test_a_monthly_fee_and_a_bare_discount_are_bills(here: Intake) -> None:
    rows = sections(draft(here, "客户号,账期,月费,优惠\nA1,2026-09,59.00,5\nA2,2026-09,99.00,0\n"))["bills"].long.rows
    assert rows["recurring"].spellings == ("月费",)
    assert rows["discount"].spellings == ("优惠",)


def test_one_slip_among_many_days_leaves_the_column_a_day(here: Intake) -> None:
    days = [f"{day:02d}/03/2024" for day in range(1, 29)]
    rows = "".join(f"A{i},{day},9.9\n" for i, day in enumerate([*days, "31/02/2O24"]))
    found = sections(draft(here, f"customerID,入网日期,MonthlyCharges\n{rows}"))
    assert found["customers"].columns["joined_on"].dates == ("%d/%m/%Y",)


def test_a_word_that_says_its_code_is_drafted_as_that_code(here: Intake) -> None:
    codes = sections(draft(here, CHINESE))["customers"].columns["kind"].codes
    assert codes == {"个人": "person", "集团": "organisation"}
