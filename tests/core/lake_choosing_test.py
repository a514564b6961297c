"""A mapping told column by column, and changed by choosing instead of writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepline.errors import IntakeError
from keepline.lake.explaining import explain
from keepline.lake.mapping import Mapping, read_mapping
from keepline.lake.redrawing import choices, redraw
from keepline.lake.suggest import suggest

MAPPING = """[match]
files = ["用量*.csv"]
[source]
month = { from = "账期" }  # 账期 billing month
[[table]]
name = "usage"
[table.columns]
customer_id = { from = "手机号", as = "phone" }  # 客户编号
sms = "短信条数"  # 短信
"""
HEAD = "手机号,账期,短信条数,欠费,流量(GB),备注\n13800138000,2026-10,3,1,2,x\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "用量.csv"
    path.write_text(HEAD, encoding="gb18030")
    return path


def read(text: str, beside: Path) -> Mapping:
    path = beside.with_suffix(".toml")
    path.write_text(text, encoding="utf-8")
    return read_mapping(path).mapping


def feeds(text: str, file: Path) -> dict[str, list[str]]:
    told = explain(file, read(text, file))
    return {name: [f"{use.table}.{use.column}" for use in uses] for name, uses in told.theirs}


def test_every_column_of_the_file_is_told_also_those_not_used(file: Path) -> None:
    assert feeds(MAPPING, file) == {
        "手机号": ["usage.customer_id"], "账期": ["usage.month"], "短信条数": ["usage.sms"],
        "欠费": [], "流量(GB)": [], "备注": [],
    }  # fmt: skip


def test_what_the_mapping_states_itself_is_told_apart(file: Path) -> None:
    told = explain(file, read(MAPPING.replace('{ from = "账期" }', '"2026-10"'), file))
    assert [(use.column, use.how_zh) for use in told.stated] == [("month", "= 2026-10")]


def test_a_mapping_that_does_not_fit_the_header_is_refused_with_the_column(file: Path) -> None:
    with pytest.raises(IntakeError, match="lacks the column 彩信"):
        explain(file, read(MAPPING.replace("短信条数", "彩信"), file))


def test_columns_are_sent_where_they_were_chosen_to_go(file: Path) -> None:
    chosen = {"欠费": "payments.arrears_fen", "流量(GB)": "usage.data_kb", "备注": "customers.district"}
    made = redraw(MAPPING, chosen)
    assert "# 账期 billing month" in made  # what people wrote stays
    found = feeds(made, file)
    assert {name: found[name] for name in chosen} == {name: [place] for name, place in chosen.items()}
    assert set(found["手机号"]) == {"usage.customer_id", "payments.customer_id", "customers.customer_id"}
    usage = next(table for table in read(made, file).table if table.name == "usage")
    assert usage.columns["data_kb"].unit == "GB"


def test_a_column_is_taken_out_or_replaced(file: Path) -> None:
    assert feeds(redraw(MAPPING, {"短信条数": "-"}), file)["短信条数"] == []
    found = feeds(redraw(MAPPING, {"欠费": "usage.sms"}), file)
    assert (found["欠费"], found["短信条数"]) == (["usage.sms"], [])


def test_a_draft_can_be_changed_by_choosing_also_where_it_keeps_attributes(file: Path) -> None:
    draft = suggest(file)
    assert "备注" in draft
    found = feeds(redraw(draft, {"备注": "-", "短信条数": "-"}), file)
    assert (found["备注"], found["短信条数"]) == ([], [])


def test_every_choice_offered_makes_a_mapping_that_can_be_read(file: Path) -> None:
    for table, columns in choices():
        for column in columns:
            place = f"{table.name}.{column.name}"
            assert place in feeds(redraw(MAPPING, {"备注": place}), file)["备注"], place


def test_what_choosing_cannot_say_is_left_to_the_text() -> None:
    wide = MAPPING.replace('sms = "短信条数"', 'sms = { sum = ["短信条数", "彩信"] }')
    with pytest.raises(IntakeError) as told:
        redraw(wide, {"短信条数": "-"})
    assert told.value.code == "mapping_by_hand"
    for chosen, code in (({"备注": "bills.amount_fen"}, "mapping_choice"), ({"备注": "x"}, "mapping_choice")):
        with pytest.raises(IntakeError) as told:
            redraw(MAPPING, chosen)
        assert told.value.code == code
    with pytest.raises(IntakeError) as told:
        redraw("x = ", {"备注": "customers.district"})
    assert told.value.code == "mapping_toml"
