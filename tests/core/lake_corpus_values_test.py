"""The corpus of bad input, cases 36 to 70: numbers, keys, time and amounts, each with its verdict."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from small_intake import BILLS, CUSTOMERS, FREE, OTHER, PHONE, Intake, accepted, aside, codes, held, phones, row, tidied

from keepline.lake.days import serial_day
from keepline.lake.values import Unfit

CARD = "11010519491231002X"
CARDS = """[match]
files = ["cards*"]
[[table]]
name = "contact_details"
[table.columns]
customer_id = { from = "证件", as = "id_card" }
"""
TEXTS = """[match]
files = ["texts*"]
[[table]]
name = "attributes"
[table.columns]
customer_id = "编号"
month = "账期"
name = { constant = "备注" }
code = "备注"
"""


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    made = Intake(tmp_path / "site")
    made.maps(cards=CARDS + FREE, texts=TEXTS + FREE)
    return made


def with_rule(here: Intake, **rules: str) -> None:
    said = "[rules]\n" + "".join(f'{name} = "{value}"\n' for name, value in rules.items())
    here.maps(bills=BILLS + FREE + said, customers=CUSTOMERS + FREE + said)


def known_as(here: Intake, *numbers: str) -> None:
    assert set(here.values("bills", "customer_id")) == {here.number(number) for number in numbers}


def test_case_36_a_number_cut_to_five_decimals_is_set_aside(here: Intake) -> None:
    aside(here.bills(row("1.38001E+10")), "digits_lost")
    with_rule(here, scientific="accept")
    aside(here.bills(row("1.38001E+10"), row()), "digits_lost")


def test_case_37_an_exact_scientific_number_is_set_aside_unless_the_mapping_accepts_it(here: Intake) -> None:
    aside(here.bills(row("1.3800138E+10")), "digits_lost")
    with_rule(here, scientific="accept")
    tidied(here.bills(row("1.3800138E+10")), "digits_restored")
    known_as(here, PHONE)


def test_case_38_a_number_with_point_zero_is_tidied(here: Intake) -> None:
    tidied(here.bills(row(PHONE + ".0")), "trailing_zero")
    known_as(here, PHONE)


def test_case_39_marks_against_a_spreadsheet_are_taken_off(here: Intake) -> None:
    tidied(here.bills(row("'" + PHONE), row(f'"=""{OTHER}"""')), "quote_mark")
    known_as(here, PHONE, OTHER)


@pytest.mark.parametrize(
    "said", ["+86 138-0013-8000", "008613800138000", "８６１３８００１３８０００", "(86)13800138000"]
)
def test_case_40_country_codes_dashes_and_wide_digits_are_tidied(here: Intake, said: str) -> None:
    assert here.bills(row(said)).verdict == "normalised"
    known_as(here, PHONE)


@pytest.mark.parametrize("said", ["1380013800", "138001380001", "23800138000"])
def test_case_41_numbers_of_ten_or_twelve_digits_are_set_aside(here: Intake, said: str) -> None:
    aside(here.bills(row(said)), "phone_length")


def test_case_42_a_thirteen_digit_number_is_a_thing(here: Intake) -> None:
    report = accepted(here.bills(row("1440012345678")))
    assert "iot_number" in codes(report.notes)


def test_case_43_a_landline_is_accepted_unless_the_mapping_says_otherwise(here: Intake) -> None:
    assert "landline_number" in codes(here.bills(row("0571-87654321")).notes)
    known_as(here, "057187654321")
    with_rule(here, landline="set_aside")
    aside(here.bills(row("0571-87654321")), "landline")


@pytest.mark.parametrize("said", ["440106199001011000", "440106199001011264"])
def test_case_44_an_identity_number_spoilt_by_a_spreadsheet_is_set_aside(here: Intake, said: str) -> None:
    aside(here.load("cards.csv", f"证件\n{said}\n"), "id_card_check")


def test_case_45_an_old_identity_number_is_written_with_eighteen(here: Intake) -> None:
    tidied(here.load("cards.csv", "证件\n110105491231002\n"), "old_id_card")
    assert here.values("contact_details", "customer_no") == [CARD]


def test_case_46_a_lower_case_check_digit_is_tidied(here: Intake) -> None:
    tidied(here.load("cards.csv", f"证件\n{CARD.lower()}\n"), "upper_case")
    assert here.values("contact_details", "customer_no") == [CARD]


def test_case_47_an_impossible_birthday_is_set_aside(here: Intake) -> None:
    aside(here.load("cards.csv", "证件\n440106199002301234\n"), "id_card_date")


def test_case_48_lost_leading_zeros_are_found_by_the_length_rule(here: Intake) -> None:
    here.maps(bills=BILLS.replace('as = "phone"', "length = 6") + FREE)
    report = aside(here.bills(row("000123"), row("123")), "account_length")
    assert report.counts.loaded == 1
    here.maps(bills=BILLS.replace(', as = "phone"', "") + FREE)
    assert accepted(here.bills(row("123"), row("456"))).counts.loaded == 2


@pytest.mark.parametrize("said", ["138\u200b00138000", "13800138000\u00a0", "\t13800138000", "\ufeff13800138000"])
def test_case_49_invisible_characters_are_taken_out(here: Intake, said: str) -> None:
    here.bills(row(OTHER), row(said))
    known_as(here, OTHER, PHONE)


def test_case_50_equal_rows_are_taken_once(here: Intake) -> None:
    report = accepted(here.bills(row(), row(), row(OTHER)))
    assert (report.counts.loaded, report.counts.ignored) == (2, 1)
    assert "repeated_rows" in codes(report.notes)


def test_case_51_different_rows_of_one_key_are_all_set_aside(here: Intake) -> None:
    report = aside(here.bills(row(), row(amount="13"), row(OTHER)), "duplicate_key", 2)
    assert report.counts.loaded == 1
    assert [sample.line for sample in report.samples] == [2, 3]


def test_case_52_keys_that_differ_by_case_alone_are_set_aside_or_made_one(here: Intake) -> None:
    account = BILLS.replace(', as = "phone"', "") + FREE
    here.maps(bills=account)
    report = aside(here.bills(row("a1"), row("A1"), row("b2")), "key_case", 2)
    assert report.counts.loaded == 1
    here.maps(bills=account + '[rules]\nkey_case = "distinct"\n')
    assert here.bills(row("a1"), row("A1")).counts.loaded == 2
    here.maps(bills=account + '[rules]\nkey_case = "upper"\n')
    assert here.bills(row("a1", "2026-10"), row("A1", "2026-10")).counts.ignored == 1


def test_case_52_keys_that_differ_by_width_and_space_are_one(here: Intake) -> None:
    here.maps(bills=BILLS.replace(', as = "phone"', "") + FREE)
    assert here.bills(row("A1"), row("Ａ１ ")).counts.ignored == 1


def test_case_53_day_numbers_of_a_spreadsheet_are_dates(here: Intake) -> None:
    tidied(here.load("customers.csv", f"手机号,账期,入网日期\n{PHONE},2026-09,45351\n"), "serial_day")
    assert here.values("customers", "joined_on") == [dt.date(2024, 2, 29)]
    assert (serial_day(59), serial_day(61)) == (dt.date(1900, 2, 28), dt.date(1900, 3, 1))
    with pytest.raises(Unfit):
        serial_day(60)


@pytest.mark.parametrize("said", ["2024/2/30", "20240231", "gestern"])
def test_case_54_days_that_do_not_exist_are_set_aside(here: Intake, said: str) -> None:
    aside(here.load("customers.csv", f"手机号,账期,入网日期\n{PHONE},2026-09,{said}\n"), "not_a_date")


def test_case_55_an_ambiguous_date_refuses_the_file_until_a_form_is_chosen(here: Intake) -> None:
    text = f"手机号,账期,入网日期\n{PHONE},2026-09,01/02/2024\n"
    report = here.load("customers.csv", text)
    assert (report.verdict, report.problems[0].code) == ("refused", "ambiguous_dates")
    here.maps(customers=CUSTOMERS + FREE + '[source]\ndates = ["%d/%m/%Y"]\n')
    here.load("customers.csv", text)
    assert here.values("customers", "joined_on") == [dt.date(2024, 2, 1)]


def test_case_56_months_beyond_the_others_or_before_telephones_are_set_aside(here: Intake) -> None:
    report = aside(here.bills(row(), row(OTHER), row("13700137000", "2036-10")), "month_future")
    assert report.counts.loaded == 2
    aside(here.bills(row("13700137000", "2062-10")), "month_out_of_range")
    aside(here.bills(row("13700137000", "1900-01")), "month_out_of_range")
    with_rule(here, last_month="2026-09")
    aside(here.bills(row("13700137000", "2026-10")), "month_future")


def test_case_57_a_month_before_the_opened_history_is_set_aside(here: Intake) -> None:
    here.bills(row())
    assert here.bills(row(month="2026-08")).counts.loaded == 1
    (here.site.root / "published" / "2026-09").mkdir(parents=True)
    aside(here.bills(row(month="2026-07")), "month_before_history")
    with_rule(here, before_history="accept")
    assert here.bills(row(month="2026-07")).counts.loaded == 1


def test_case_58_months_out_of_order_in_one_file_are_accepted(here: Intake) -> None:
    accepted(here.bills(row(month="2026-09"), row(month="2026-07"), row(month="2026-08")))
    assert here.values("bills", "month") == ["2026-07", "2026-08", "2026-09"]


def customers(here: Intake, *rows: str, head: str = "手机号,账期") -> None:
    assert here.load("customers.csv", "\n".join([head, *rows]) + "\n").counts.loaded == len(rows)


def test_case_59_bills_of_an_unknown_account_wait_for_it(here: Intake) -> None:
    customers(here, f"{PHONE},2026-09")
    report = aside(here.bills(row(), row(OTHER)), "unknown_customer")
    assert report.counts.loaded == 1
    assert report.set_aside_file.endswith(".waiting.csv")
    customers(here, f"{OTHER},2026-09")
    known_as(here, PHONE, OTHER)
    assert not list((here.site.intake / "set-aside").glob("*.waiting.csv"))


def test_case_59_bills_long_after_leaving_are_set_aside(here: Intake) -> None:
    here.maps(
        left='[match]\nfiles = ["left*"]\n[[table]]\nname = "departures"\n[table.columns]\ncustomer_id = "手机号"\n'
        'month = "账期"\nkind = { constant = "left" }\n' + FREE
    )
    here.load("left.csv", f"手机号,账期\n{PHONE},2026-01\n")
    assert here.bills(row(month="2026-04")).counts.loaded == 1
    aside(here.bills(row(month="2026-05")), "closed_customer")


def test_case_60_a_number_opened_anew_does_not_take_over_its_history(here: Intake) -> None:
    head = "手机号,账期,入网日期"
    customers(here, f"{PHONE},2026-01,2020-05-01", f"{OTHER},2026-01,2020-05-01", head=head)
    text = f"{head}\n{PHONE},2026-09,2026-08-20\n{OTHER},2026-09,2020-05-01\n"
    report = aside(here.load("customers.csv", text), "number_reassigned")
    assert report.counts.loaded == 1
    joined = CUSTOMERS.replace('as = "phone" }', 'as = "phone", opened = "入网日期" }')
    here.maps(customers=joined + FREE)
    here.load("customers.csv", text)
    assert len(set(here.values("customers", "customer_id"))) == 4


def test_case_61_a_negative_bill_is_a_credit_of_its_own(here: Intake) -> None:
    report = accepted(here.bills(row(amount="-5.00")))
    assert "credit" in codes(report.notes)
    assert [(r["component"], r["amount_fen"]) for r in here.rows("bills")] == [("credit", -500)]
    with_rule(here, negative_bill="set_aside")
    aside(here.bills(row(OTHER, amount="-5.00")), "negative_bill")
    with_rule(here, negative_bill="keep")
    here.bills(row(OTHER, amount="-6.00"))
    assert ("recurring", -600) in [(r["component"], r["amount_fen"]) for r in here.rows("bills")]


@pytest.mark.parametrize(
    ("said", "fen"),
    [('"1,234.50"', 123450), ("￥12.3", 1230), ("12.345", 1235), ("１２．３", 1230), ("1.2万", 1200000),
     ("12.3元", 1230), ("1.5E+03", 150000), ("$7", 700), ("12.", 1200)],
)  # fmt: skip
def test_case_62_amounts_as_people_write_them_are_read(here: Intake, said: str, fen: int) -> None:
    tidied(here.bills(row(amount=said)))
    assert here.values("bills", "amount_fen") == [fen]


def test_case_62_brackets_are_negative_and_minus_zero_is_zero(here: Intake) -> None:
    here.bills(row(amount="(12.30)"), row(OTHER, amount="-0"))
    assert sorted(here.values("bills", "amount_fen")) == [-1230, 0]


@pytest.mark.parametrize(
    ("said", "rule"),
    [("NaN", "not_a_number"), ("1e309", "too_large"), ("1e17", "too_large"), ('"12,5"', "not_a_number"),
     ("inf", "not_a_number"), ("十二", "not_a_number"), ("12-", "not_a_number"), ("", "missing_value")],
)  # fmt: skip
def test_case_62_what_is_no_amount_is_set_aside(here: Intake, said: str, rule: str) -> None:
    aside(here.bills(row(amount=said)), rule)


def test_case_63_a_total_that_is_not_the_sum_of_its_items_is_set_aside(here: Intake) -> None:
    here.maps(bills=BILLS + FREE + '[[adds_up]]\ntotal = "金额"\nitems = ["月租", "套外"]\n')
    report = here.load("bills.csv", f"手机号,账期,金额,月租,套外\n{PHONE},2026-09,12,10,2\n{OTHER},2026-09,12,10,3\n")
    assert aside(report, "total_not_items").counts.loaded == 1


def test_case_64_amounts_a_hundred_times_off_hold_the_file(here: Intake) -> None:
    here.bills(*(row(phone) for phone in phones(5)))
    rows = [row(phone, "2026-10", "1250") for phone in phones(5)]
    held(here.bills(*rows), "amount_shift")
    assert here.values("bills", "month") == ["2026-09"] * 5
    assert here.bills(*rows, accept=["amount_shift"]).counts.loaded == 5


@pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'x", "=cmd|' /C calc'!A0"])
def test_case_65_fields_that_look_like_formulas_are_stored_raw(here: Intake, said: str) -> None:
    accepted(here.load("texts.csv", f"编号,账期,备注\nA1,2026-09,{said}\n"))
    assert here.values("attributes", "code") == [said]


def test_case_65_formulas_are_shielded_in_the_set_aside_file_and_loaded_raw(here: Intake) -> None:
    report = here.load("texts.csv", "编号,账期,备注\nA1,2026-9-99,=1+1\n")
    path = Path(report.set_aside_file)
    assert "'=1+1" in path.read_text("utf-8-sig")
    path.write_text(path.read_text("utf-8-sig").replace("2026-9-99", "2026-09"), "utf-8-sig")
    here.load(path.name, path.read_bytes(), mapping=here.site.intake / "texts.toml")
    assert here.values("attributes", "code") == ["=1+1"]


@pytest.mark.parametrize("said", ["<script>alert(1)</script>", "{{7*7}}", "'; drop table bills; --"])
def test_case_66_code_inside_text_is_text(here: Intake, said: str) -> None:
    accepted(here.load("texts.csv", f"编号,账期,备注\nA1,2026-09,{said}\n"))
    assert here.values("attributes", "code") == [said]


def test_case_67_an_unknown_code_is_set_aside(here: Intake) -> None:
    coded = BILLS.replace(
        '{ constant = "recurring" }', '{ from = "账目", codes = { "月租" = "recurring", "套外" = "overage" } }'
    )
    here.maps(bills=coded + FREE)
    text = f"手机号,账期,金额,账目\n{PHONE},2026-09,12,月租\n{OTHER},2026-09,12,其他\n"
    assert aside(here.load("bills.csv", text), "unknown_code").counts.loaded == 1


def test_case_68_a_row_count_that_jumps_holds_the_file(here: Intake) -> None:
    here.maps(bills=BILLS)
    here.bills(*(row(phone) for phone in phones(10)))
    few = [row(phone, "2026-10") for phone in phones(4)]
    held(here.bills(*few), "row_count")
    assert here.bills(*few, accept=["row_count"]).counts.loaded == 4
    assert here.bills(*(row(phone, "2026-11") for phone in phones(6))).counts.loaded == 6


def test_case_69_an_empty_consent_is_no_consent(here: Intake) -> None:
    report = accepted(here.load("customers.csv", f"手机号,账期,授权\n{PHONE},2026-09,\n{OTHER},2026-09,是\n"))
    assert "no_consent" in codes(report.notes)
    assert {r["customer_id"]: r["consent"] for r in here.rows("customers")} == {
        here.number(PHONE): False,
        here.number(OTHER): True,
    }


def test_case_70_the_blacklist_wins_over_consent_and_is_reported(here: Intake) -> None:
    text = f"手机号,账期,授权,黑名单\n{PHONE},2026-09,是,是\n{OTHER},2026-09,是,否\n"
    report = accepted(here.load("customers.csv", text))
    assert "blacklist_wins" in codes(report.notes)
    assert {r["customer_id"]: r["consent"] for r in here.rows("customers")} == {
        here.number(PHONE): False,
        here.number(OTHER): True,
    }
