"""plan.xlsx opens in a spreadsheet reader, holds treated rows only, and can be worked through and filled in."""

from __future__ import annotations

import datetime as dt
import errno
import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.small_lake import lake_of
from core.small_manifest import figures_of, manifest, starter_policy
from core.small_publication import publish
from keepline import engine as engines
from keepline.engine import Engine
from keepline.lake import intake
from keepline.lake.store import open_lake
from keepline.newsite import make_site
from keepline.report import excel
from keepline.report.book import open_book
from keepline.report.excel import write_plan
from keepline.report.plan_rows import most_each
from keepline.report.sheets import safe
from keepline.report.talk import basis
from keepline.site import Settings, open_site, write_key

PLAN = "方案 Plan"
Book = Any


@pytest.fixture(scope="module")
def duck() -> Iterator[Engine]:
    started = engines.start("duckdb")
    yield started
    started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publish(tmp_path_factory.mktemp("site") / "publication", customers=300)


@pytest.fixture(scope="module")
def path(duck: Engine, folder: Path) -> Path:
    return written(duck, folder, to=folder.parent / "plan.xlsx")


def written(engine: Engine, folder: Path, *, to: Path, said: dict[str, Any] | None = None, **settings: Any) -> Path:
    told = said or manifest()
    names = settings.pop("names", None)
    write_plan(
        engine,
        folder,
        figures=figures_of(engine, folder, told),
        policy=starter_policy(),
        settings=Settings(name=told["name"], **settings),
        names=names,
        to=to,
    )
    return to


@pytest.fixture(scope="module")
def book(path: Path) -> Book:
    return openpyxl.load_workbook(path)


def table(book: Book, name: str = PLAN) -> tuple[list[str], list[dict[str, Any]]]:
    """Headings in English and the rows below them."""
    sheet = book[name]
    head = next(
        cell.row
        for cell in sheet["A"]
        if cell.value in ("客户\nCustomer", "客户经理\nManager", "资源\nLimit", "方案账期\nPlan")
    )
    names = [cell.value.split("\n")[-1] for cell in sheet[head] if cell.value]
    rows = [dict(zip(names, row, strict=False)) for row in sheet.iter_rows(min_row=head + 1, values_only=True)]
    return names, rows


def treated(folder: Path) -> list[dict[str, Any]]:
    rows = [row for part in sorted((folder / "decisions").glob("*")) for row in pq.read_table(part).to_pylist()]
    return [row for row in rows if row["state"] == "treated"]


def test_it_holds_the_treated_and_nobody_else(book: Book, folder: Path) -> None:
    shown = {row["Customer"] for row in table(book)[1]}
    assert shown == {str(row["customer_id"]) for row in treated(folder)}
    held_out = [p for part in (folder / "decisions").glob("*") for p in pq.read_table(part).to_pylist()]
    everything = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell}
    assert not {str(row["customer_id"]) for row in held_out if row["state"] != "treated"} & everything
    assert not [text for text in everything if "held out" in text or "对照" in text]


def test_rows_go_by_manager_then_by_gain_and_amounts_are_yuan(book: Book, folder: Path) -> None:
    rows = table(book)[1]
    order = [(row["Manager"] or "~", -row["Expected net margin"]) for row in rows]
    assert order == sorted(order)
    fen = {str(row["customer_id"]): row["gain_fen"] for row in treated(folder)}
    assert all(round(row["Expected net margin"] * 100) == fen[row["Customer"]] for row in rows)


def test_words_are_in_both_languages_and_assumed_effects_are_marked(book: Book) -> None:
    rows = table(book)[1]
    visits = [row for row in rows if row["Offer"] == "上门走访与定制方案\nvisit with a tailored plan"]
    assert visits
    assert {row["Effect is"] for row in visits} == {"假设\nassumed"}
    assert {row["Effect is"] for row in rows if row not in visits} == {"实测\nmeasured"}
    reasons = {row["Risk reason 1"] for row in rows if row["Risk reason 1"]}
    assert "近一年有投诉\ncomplained within the last twelve months" in reasons


def test_it_can_be_filled_in_filtered_and_printed(book: Book) -> None:
    sheet, (names, rows) = book[PLAN], table(book)
    first = sheet.max_row - len(rows) + 1
    assert names[-4:] == ["Done on", "Answer", "Note", "Next date"]
    assert all(row[name] is None for row in rows for name in names[-4:])
    assert sheet.freeze_panes == f"B{first}"
    assert sheet.auto_filter.ref.startswith(f"A{first - 1}:")
    rules = {rule.type: rule for rule in sheet.data_validations.dataValidation}
    assert rules["list"].formula1.startswith('"接受 accepted,拒绝 refused')
    assert str(rules["list"].sqref).endswith(str(sheet.max_row))
    assert "date" in rules
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == f"${first - 1}:${first - 1}"


def test_every_sheet_says_that_the_data_are_simulated(book: Book, duck: Engine, folder: Path, tmp_path: Path) -> None:
    assert {sheet["A1"].value for sheet in book} == {"模拟数据 Simulated data"}
    real = written(duck, folder, to=tmp_path / "real.xlsx", said=manifest(simulated=False))
    assert not [sheet for sheet in openpyxl.load_workbook(real) if "Simulated" in str(sheet["A1"].value)]


def test_the_summary_by_manager_adds_up_to_the_plan(book: Book) -> None:
    rows, people = table(book)[1], table(book, "按经理 By manager")[1]
    assert sum(row["Customers"] for row in people) == len(rows)
    gains = sum(row["Expected net margin"] for row in people)
    assert gains == pytest.approx(sum(row["Expected net margin"] for row in rows))


def test_what_past_plans_expected_stands_beside_what_they_earned(duck: Engine, folder: Path, tmp_path: Path) -> None:
    compared = {"customers": 1240, "gain_fen": 2_400_000, "cost_fen": 400_000}
    plan = {"customers": 1300, "gain_fen": 2_600_000, "gain_low_fen": 1_000_000, "gain_high_fen": 4_100_000}
    past = [{"plan_month": month, "value_months": 24, "compared": compared} | plan for month in ("2026-06", "2026-09")]
    made = written(duck, folder, to=tmp_path / "plan.xlsx", said=manifest(past_plans=past))
    _, rows = table(openpyxl.load_workbook(made), "成效 Results")
    open_window, june = rows[:2]
    assert (june["Plan"], june["In the plan"], june["Expected in all"]) == ("2026-06", 1300, 26_000)
    assert june["Months measured"] == 4
    assert june["Expected by now"] == pytest.approx((2_800_000 * 4 / 24 - 410_000) / 100, abs=0.01)
    assert june["90% interval from"] == pytest.approx((240 * 1240 - 410_000) / 100)
    assert "as expected" in june["How they stand"]
    assert open_window["Earned so far"] is None
    assert "no month of it" in open_window["How they stand"]
    assert "成效 Results" not in openpyxl.load_workbook(written(duck, folder, to=tmp_path / "none.xlsx")).sheetnames


def test_each_limit_stands_in_a_sheet_with_what_more_of_it_would_earn(book: Book) -> None:
    rows = {str(row["Limit"]).split("\n")[1]: row for row in table(book, "资源 Limits")[1]}
    sms, app, money = (rows[name] for name in ("contacts by SMS", "contacts by app", "money"))
    worth, tenth = "Worth of one more unit (an hour for minutes)", "A tenth more earns at most"
    assert (sms["Available"], sms["Used"], sms[worth], sms[tenth]) == (60, 60, 2.12, 12.72)
    assert (app[worth], app[tenth]) == (None, 0)
    assert (money["Available"], money[worth]) == (10_000, 1.37)
    assert "would earn nothing" in app["In words"]


def test_the_operators_number_is_shown_only_when_the_site_wants_it(duck: Engine, folder: Path, tmp_path: Path) -> None:
    asked: list[int] = []

    def names(customers: Sequence[int]) -> dict[int, str]:
        asked.extend(customers)
        return {i: f"=C{i % 1000:03d}" for i in customers[1:]}

    shown = written(duck, folder, to=tmp_path / "a.xlsx", names=names, plan_shows="customer_no")
    values = [row["Customer"] for row in table(openpyxl.load_workbook(shown))[1]]
    assert len(asked) == len(values) == len(treated(folder))
    assert values[1].startswith("'=C")
    assert values[0] == str(asked[0])
    hidden = written(duck, folder, to=tmp_path / "b.xlsx", names=names)
    assert len(asked) == len(values)
    assert "'=C" not in str([row["Customer"] for row in table(openpyxl.load_workbook(hidden))[1]])


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@cmd", "\tx", "\rx"])
def test_text_that_looks_like_a_formula_is_escaped(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert safe("M-01 = 张") == "M-01 = 张"


def test_no_cell_is_a_formula_whatever_the_operator_wrote(duck: Engine, tmp_path: Path) -> None:
    poisoned = publish(tmp_path / "publication", customers=60)
    for part in (poisoned / "features").glob("*"):
        rows = pq.read_table(part)
        evil = pa.array(['=HYPERLINK("http://x","y")'] * len(rows), pa.string())
        pq.write_table(rows.set_column(rows.schema.get_field_index("district"), "district", evil), part)
    book = openpyxl.load_workbook(written(duck, poisoned, to=tmp_path / "plan.xlsx"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert {row["District"] for row in table(book)[1]} == {'\'=HYPERLINK("http://x","y")'}


def test_the_same_plan_is_the_same_file(duck: Engine, folder: Path, path: Path, tmp_path: Path) -> None:
    assert written(duck, folder, to=tmp_path / "again.xlsx").read_bytes() == path.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["again.xlsx"]


def test_a_large_plan_lists_the_best_of_each_manager_and_says_so(
    duck: Engine, folder: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "LISTED", 20)
    book = openpyxl.load_workbook(written(duck, folder, to=tmp_path / "plan.xlsx"))
    whole, rows = table(openpyxl.load_workbook(path))[1], table(book)[1]
    held = Counter(row["Manager"] for row in whole)
    most = next(n for n in range(99, 0, -1) if sum(min(n, own) for own in held.values()) <= 20)
    by_manager = {who: [row for row in whole if row["Manager"] == who][:most] for who in dict.fromkeys(held)}
    assert rows == [row for own in by_manager.values() for row in own]
    assert len(rows) < len(whole)
    title = f"{len(rows)} of {len(whole)} customers, at most {most} of each manager"
    assert title in book[PLAN]["A2"].value
    told = str([cell for row in book["说明 Read me"].iter_rows(values_only=True) for cell in row])
    assert "keepline export plan --month 2026-10 --out plan.csv" in told
    assert f"{len(whole)}" in told
    people = table(book, "按经理 By manager")[1]
    assert sum(row["Listed here"] for row in people) == len(rows)
    assert sum(row["Customers"] for row in people) == len(whole)


@pytest.mark.parametrize(("counts", "most", "each"), [
    ([], 5, None), ([5], 5, None), ([6], 5, 5), ([1, 1, 100], 10, 8), ([3, 3, 3], 8, 2), ([3, 3, 3], 2, 1),
    ([4, 0], 4, None),
])  # fmt: skip
def test_whoever_has_fewer_leaves_room_to_the_others(counts: list[int], most: int, each: int | None) -> None:
    assert most_each(counts, most) == each


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a file that is closed too late
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_by_the_file_system_s_own_error(tmp_path: Path) -> None:
    (tmp_path / ".plan.xlsx.partial").symlink_to("/dev/full")
    head = {"name": "x", "month": "2026-10", "currency": "CNY", "simulated": True}
    with pytest.raises(OSError, match="No space left") as told, open_book(tmp_path / "plan.xlsx", {"head": head}):
        pass
    assert told.value.errno == errno.ENOSPC
    assert told.value.filename == str(tmp_path / ".plan.xlsx.partial")
    assert not (tmp_path / "plan.xlsx").exists()
    del told
    gc.collect()  # what lies half written is closed here, and complains


def test_a_month_without_a_plan_still_opens(duck: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    book = openpyxl.load_workbook(written(duck, tmp_path / "empty", to=tmp_path / "plan.xlsx", said=manifest(plan={})))
    assert table(book)[1] == []


def test_what_to_speak_of_is_facts_the_most_pressing_first() -> None:
    known = {"complaints_3m": 2, "contract_months_left": -1, "data_change": -0.35, "voice_change": None}
    said = basis(known | {"revenue_change": 0.1, "months_to_birthday": 0, "tenure_months": 62, "products": 1})
    assert said["zh"] == "近三月投诉 2 次：先问是否已解决；合约已到期 2 个月；近期流量下降 35%"
    nothing = dict.fromkeys([*known, "revenue_change", "months_to_birthday", "tenure_months", "products"])
    assert basis(nothing) == {"zh": "", "en": ""}


def test_dates_to_fill_in_begin_with_the_month(book: Book) -> None:
    rule = next(r for r in book[PLAN].data_validations.dataValidation if r.type == "date")
    serial = (dt.date(2026, 10, 1) - dt.date(1899, 12, 30)).days
    assert int(float(rule.formula1)) == serial


def test_a_plan_filled_in_comes_back_as_proof_of_delivery(path: Path, folder: Path, tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    write_key(tmp_path / "site", b"k" * 32)
    site, filled = open_site(tmp_path / "site"), tmp_path / "plan-filled.xlsx"
    lake_of(site.lake, customers=[{"customer_id": row["customer_id"], "month": "2026-09"} for row in treated(folder)])
    book = openpyxl.load_workbook(path)
    sheet = book[PLAN]
    at = {cell.value.split("\n")[-1]: cell.column for cell in sheet[3]}
    for row, answer in enumerate(
        ("接受 accepted", "未接通 no answer", "考虑中 thinking it over", "好的", "接受 accepted"), start=4
    ):
        sheet.cell(row, at["Answer"]).value = answer
        sheet.cell(row, at["Done on"]).value = dt.date(2026, 11, row)
    sheet.cell(8, at["Customer"]).value = float(sheet.cell(8, at["Customer"]).value)  # as spreadsheets damage numbers
    book.save(filled)
    report = intake.load(site, [filled], accept=["set_aside_share"])[0]
    assert (report.counts.loaded, report.counts.set_aside) == (2, 2)
    assert set(report.rules) == {"unknown_code", "not_a_pseudonym"}
    lake = open_lake(site.lake)
    rows = pq.read_table([lake.root / f.path for f in lake.files if f.table == "deliveries"]).to_pylist()
    planned = {row["customer_id"]: row["offer_id"] for row in treated(folder)}
    assert sorted((row["answer"], row["month"], row["plan_month"]) for row in rows) == [
        ("accepted", "2026-11", "2026-10"),
        ("none", "2026-11", "2026-10"),
    ]
    assert all(planned[row["customer_id"]] == row["offer_id"] for row in rows)
