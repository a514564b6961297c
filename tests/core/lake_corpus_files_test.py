"""The corpus of bad input, cases 1 to 35: how files are written and built, each with its verdict."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from small_intake import HEAD, OTHER, PHONE, Intake, accepted, aside, held, phones, refused, row, tidied

from keepline.lake import intake
from keepline.lake.store import open_lake

TEXT = f"{HEAD}\n{row()}\n{row(OTHER)}\n"
NAMED = """[match]
files = ["named*"]
[limits]
set_aside_share_max = 1.0
[source]
QUOTE
[[table]]
name = "contact_details"
[table.columns]
customer_id = "客户编号"
name = "姓名"
"""


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    made = Intake(tmp_path / "site")
    made.maps(named=NAMED.replace("QUOTE\n", ""))
    return made


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


ROWS: list[list[object]] = [["手机号", "账期", "金额"], [13800138000, "2026-09", 12.5]]


class Appends:
    """Progress that writes to the file while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, *said: object) -> None:  # noqa: ARG002
        return None

    def advance(self, *done: int) -> None:  # noqa: ARG002
        with self.path.open("a") as stream:
            stream.write(row("13700137000") + "\n")


def test_case_01_utf8_without_a_mark_is_accepted(here: Intake) -> None:
    assert accepted(here.load("bills.csv", TEXT)).counts.loaded == 2


def test_case_02_a_byte_order_mark_is_left_out_of_the_header(here: Intake) -> None:
    tidied(here.load("bills.csv", b"\xef\xbb\xbf" + TEXT.encode()), "byte_order_mark")


def test_case_03_gbk_is_read_with_a_note(here: Intake) -> None:
    assert tidied(here.load("bills.csv", TEXT.encode("gbk")), "encoding").counts.loaded == 2


def test_case_04_gb18030_keeps_rare_characters(here: Intake) -> None:
    tidied(here.load("named.csv", "客户编号,姓名\nA1,䶮𠮷\n".encode("gb18030")), "encoding")
    assert here.values("contact_details", "name") == ["䶮𠮷"]


def test_case_05_utf16_with_its_mark_is_read(here: Intake) -> None:
    report = tidied(here.load("bills.csv", TEXT.replace(",", "\t").encode("utf-16")), "encoding", "delimiter")
    assert report.counts.loaded == 2


def test_case_06_gbk_of_two_treacherous_characters_is_read_right(here: Intake) -> None:
    here.maps(
        only='[match]\nfiles = ["only*"]\n[[table]]\nname = "contact_details"\n[table.columns]\ncustomer_id = "联通"\n'
    )
    tidied(here.load("only.csv", "联通\nA1\n".encode("gbk")), "encoding")


def test_case_07_a_character_cut_in_two_sets_the_last_row_aside(here: Intake) -> None:
    cut = "客户编号,姓名\nA1,张三\nA2,李四".encode("gbk")[:-1]
    report = aside(here.load("named.csv", cut), "bad_encoding")
    assert (report.counts.loaded, report.samples[0].line) == (1, 3)


def test_case_08_lines_of_another_encoding_are_set_aside(here: Intake) -> None:
    lines = [line.encode("gbk") for line in ("客户编号,姓名", "A1,张三", "A2,王五")] + ["A3,李四".encode()]
    report = aside(here.load("named.csv", b"\n".join(lines) + b"\n"), "mojibake")
    assert (report.counts.loaded, report.samples[0].line) == (2, 4)
    most_utf8 = ["客户编号,姓名".encode(), "A1,张三".encode(), "A4,王五".encode(), "A5,李四".encode("gbk")]
    report = aside(here.load("named2.csv", b"\n".join(most_utf8) + b"\n"), "bad_encoding")
    assert report.samples[0].raw == "A5,李四"


def test_lines_ended_by_cr_alone_count_each_for_the_encoding(here: Intake) -> None:
    lines = [line.encode("gbk") for line in ("客户编号,姓名", "A1,张三", "A2,王五", "A3,李四")] + ["A4,赵六".encode()]
    report = aside(here.load("named.csv", b"\r".join(lines) + b"\r"), "mojibake")
    assert (report.counts.loaded, report.samples[0].line) == (3, 5)


@pytest.mark.parametrize("name", ["å¼ ä¸‰", "锟斤拷", "寮犱笁", "JosÃ©"])
def test_case_09_text_that_was_garbled_before_is_set_aside(here: Intake, name: str) -> None:
    aside(here.load("named.csv", f"客户编号,姓名\nA1,{name}\n"), "mojibake")


def test_case_10_nul_bytes_refuse_the_file(here: Intake) -> None:
    refused(here.load("bills.csv", TEXT.encode() + b"138\x0000138000,2026-09,1\n"), "nul_bytes")


def test_case_11_an_empty_file_is_refused(here: Intake) -> None:
    refused(here.load("bills.csv", b""), "empty_file")
    refused(here.load("bills2.csv", b"\xef\xbb\xbf \n"), "empty_file")


def test_case_12_a_header_alone_is_accepted_with_a_warning(here: Intake) -> None:
    report = accepted(here.load("bills.csv", HEAD + "\n"))
    assert [note.code for note in report.notes if note.code == "no_rows"]


def test_case_13_a_file_without_header_is_refused(here: Intake) -> None:
    refused(here.load("bills.csv", f"{row()}\n{row(OTHER)}\n"), "no_header")
    here.maps(bills=(here.site.intake / "bills.toml").read_text("utf-8").replace(
        "[source.units]", '[source]\nheader = ["手机号", "账期", "金额"]\n[source.units]'))  # fmt: skip
    assert accepted(here.load("bills2.csv", f"{row()}\n{row(OTHER)}\n")).counts.loaded == 2


def test_case_14_a_workbook_named_csv_is_known_by_its_bytes(here: Intake) -> None:
    tidied(here.load("bills.csv", workbook(("Sheet1", ROWS), ("Sheet2", []))), "other_format")
    assert here.values("bills", "amount_fen") == [1250]


def test_case_15_csv_named_as_a_workbook_is_read_as_text(here: Intake) -> None:
    tidied(here.load("bills.xlsx", TEXT), "other_format")


def test_case_16_what_unpacks_to_absurdly_much_is_refused(here: Intake) -> None:
    stream = io.BytesIO(workbook(("Sheet1", ROWS)))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * (3 << 20))
    here.maps(bills=(here.site.intake / "bills.toml").read_text("utf-8") + "unpacked_mb_max = 2\n")
    refused(here.load("bills.xlsx", stream.getvalue()), "zip_bomb")
    refused(here.load("bills.csv.gz", gzip.compress(b"1,2,3\n" * (13 << 20), 1)), "zip_bomb")


def test_case_17_a_web_page_named_as_a_workbook_is_refused(here: Intake) -> None:
    refused(here.load("bills.xls", "<html><table><tr><td>手机号</td></tr></table></html>"), "html_table")


def test_case_18_a_workbook_under_a_password_is_refused(here: Intake) -> None:
    content = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)
    refused(here.load("bills.xlsx", content), "password")


def test_case_19_several_sheets_are_refused_until_one_is_chosen(here: Intake) -> None:
    book = workbook(("一月", ROWS), ("二月", ROWS))
    refused(here.load("bills.xlsx", book), "several_sheets")
    here.maps(bills=(here.site.intake / "bills.toml").read_text("utf-8").replace(
        "[source.units]", '[source]\nsheet = "二月"\n[source.units]'))  # fmt: skip
    assert accepted(here.load("bills.xlsx", book)).counts.loaded == 1


def test_case_20_a_file_that_changes_while_it_is_read_is_refused(here: Intake) -> None:
    path = here.put("bills.csv", TEXT)
    refused(intake.load(here.site, [path], progress=Appends(path))[0], "being_written")
    assert not open_lake(here.site.lake).files


def test_case_20_a_ready_flag_is_demanded_where_the_mapping_asks(here: Intake) -> None:
    here.maps(bills=(here.site.intake / "bills.toml").read_text("utf-8").replace(
        "[source.units]", "[source]\nready_flag = true\n[source.units]"))  # fmt: skip
    refused(here.load("bills.csv", TEXT), "not_ready")
    here.put("bills.csv.ok", "")
    assert accepted(here.load("bills.csv", TEXT)).counts.loaded == 2


def test_case_21_the_same_file_twice_is_ignored_by_its_checksum(here: Intake) -> None:
    here.load("bills.csv", TEXT)
    report = here.load("bills-again.csv", TEXT)
    assert (report.verdict, report.counts.ignored, report.counts.read) == ("ignored", 2, 2)


def test_case_22_a_path_inside_a_name_leads_nowhere(here: Intake) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("../../x.csv", f"{TEXT}1380013,2026-09,1\n")
    report = here.load("bills.zip", stream.getvalue())
    assert "path_in_name" in {note.code for note in report.notes}
    assert Path(report.set_aside_file).parent == here.site.intake / "set-aside"
    assert not (here.site.root.parent / "x.csv").exists()


def test_case_23_mixed_line_ends_are_read(here: Intake) -> None:
    lines = [HEAD, row(), row(OTHER), row("13700137000")]
    report = tidied(
        here.load("bills.csv", "\r\n".join(lines[:2]) + "\n" + "\r".join(lines[2:]) + "\r"), "mixed_line_ends"
    )
    assert report.counts.loaded == 3


@pytest.mark.parametrize("mark", [";", "\t", "|", "\x01"])
def test_case_24_other_delimiters_are_found(here: Intake, mark: str) -> None:
    assert tidied(here.load("bills.csv", TEXT.replace(",", mark)), "delimiter").counts.loaded == 2


def test_case_25_an_open_quote_sets_one_row_aside_and_not_the_file(here: Intake) -> None:
    lines = [row(phone) for phone in phones(200)]
    lines[3] = '"' + lines[3]
    report = aside(here.bills(*lines), "open_quote")
    assert (report.counts.loaded, report.counts.set_aside, report.samples[0].line) == (199, 1, 5)


def test_case_25_an_open_quote_before_a_quoted_row_sets_one_row_aside(here: Intake) -> None:
    lines = [row(phone) for phone in phones(8)]
    lines[1] = '"' + lines[1]
    lines[5] = f'"{phones(8)[5]}",2026-09,3'
    report = aside(here.bills(*lines), "open_quote")
    assert report.counts.loaded == 7


def test_case_26_a_line_break_inside_quotes_is_text(here: Intake) -> None:
    accepted(here.load("named.csv", '客户编号,姓名\nA1,"张\n三"\nA2,李四\n'))
    assert set(here.values("contact_details", "name")) == {"张\n三", "李四"}


def test_case_27_rows_of_another_width_are_set_aside(here: Intake) -> None:
    report = aside(here.bills(row(), row(OTHER) + ",9", "13700137000,2026-09"), "column_count", 2)
    assert report.counts.loaded == 1


def test_case_28_a_header_that_stands_twice_refuses_the_file(here: Intake) -> None:
    refused(here.load("bills.csv", "手机号,账期,金额,金额\n"), "duplicate_headers")


def test_case_29_columns_in_another_order_and_width_are_matched(here: Intake) -> None:
    text = f"金额 , 账期,手机号\n12.50,2026-09,{PHONE}\n"
    tidied(here.load("bills.csv", text), "header_cleaned")
    here.maps(bills=(here.site.intake / "bills.toml").read_text("utf-8").replace(
        '"金额"', '{ from = ["金额", "ＡＲＰＵ（元）"] }'))  # fmt: skip
    tidied(here.load("bills2.csv", f"ARPU(元),账期,手机号\n12.50,2026-10,{PHONE}\n"), "header_cleaned")
    assert here.values("bills", "amount_fen") == [1250, 1250]


def test_case_30_an_unknown_column_is_noted(here: Intake) -> None:
    tidied(here.load("bills.csv", f"{HEAD},备注\n{row()},新\n"), "extra_columns")


def test_case_31_a_missing_required_column_refuses_the_file(here: Intake) -> None:
    refused(here.load("bills.csv", f"手机号,账期\n{PHONE},2026-09\n"), "missing_column")


def test_case_32_a_total_row_is_ignored_after_checking_its_sum(here: Intake) -> None:
    report = accepted(here.bills(row(), row(OTHER), "合计,,25.00"))
    assert (report.counts.loaded, report.counts.ignored) == (2, 1)
    held(here.bills(row("13700137000"), row("13700137001"), "合计,,26.00"), "total_mismatch")
    assert (
        here.bills(row("13700137000"), row("13700137001"), "合计,,26.00", accept=["total_mismatch"]).counts.loaded == 2
    )


def test_case_32_a_total_in_the_middle_is_set_aside(here: Intake) -> None:
    report = aside(here.bills(row(), "小计,,12.50", row(OTHER), "合计,,25.00"), "total_inside")
    assert (report.counts.loaded, report.counts.ignored) == (2, 1)


def test_case_33_blank_lines_are_ignored(here: Intake) -> None:
    report = accepted(here.bills("", row(), ",,", row(OTHER), ""))
    assert (report.counts.read, report.counts.loaded, report.counts.ignored) == (5, 2, 3)


def test_case_34_a_field_of_ten_megabytes_sets_its_row_aside(here: Intake) -> None:
    report = aside(here.load("named.csv", f"客户编号,姓名\nA1,{'x' * (10 << 20)}\nA2,李四\n"), "field_too_long")
    assert report.counts.loaded == 1


def test_case_35_two_thousand_columns_refuse_the_file(here: Intake) -> None:
    refused(here.load("bills.csv", ",".join([HEAD, *(f"c{i}" for i in range(2000))]) + "\n"), "too_many_columns")
