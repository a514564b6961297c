"""What loading does to the lake: whole or not at all, once, correctable, and never behind a publication's back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_intake import BILLS, CUSTOMERS, FREE, HEAD, OTHER, PHONE, Intake, aside, codes, held, phones, row

from keepline import site as sites
from keepline.errors import HeldError, IntakeError, SiteError
from keepline.lake import intake
from keepline.lake.alone import alone
from keepline.lake.filereport import Counts
from keepline.lake.shelf import Shelf
from keepline.lake.store import open_lake, reading
from keepline.periods import Month

HERE = Path(__file__).parent


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


def amounts(here: Intake, snapshot: str) -> list[int]:
    """Amounts of 2026-09 as a snapshot sees them."""
    lake = open_lake(here.site.lake)
    files = [f for f in lake.versions(Month.parse(snapshot)) if (f.table, f.month) == ("bills", "2026-09")]
    return [amount for f in files for amount in pq.read_table(lake.root / f.path)["amount_fen"].to_pylist()]


def test_a_file_loaded_twice_changes_nothing(here: Intake) -> None:
    here.bills(row(), row(OTHER))
    before = open_lake(here.site.lake).files
    assert here.bills(row(), row(OTHER)).verdict == "ignored"
    assert open_lake(here.site.lake).files == before


def test_a_renamed_file_with_one_blank_line_more_changes_no_row(here: Intake) -> None:
    here.bills(row(), row(OTHER))
    before = open_lake(here.site.lake).files
    report = here.load("bills-renamed.csv", f"{HEAD}\n{row()}\n{row(OTHER)}\n\n")
    assert (report.counts.unchanged, report.counts.ignored) == (2, 1)
    assert open_lake(here.site.lake).files == before


def test_a_corrected_file_updates_its_rows_and_leaves_the_others(here: Intake) -> None:
    here.bills(row(), row(OTHER))
    report = here.bills(row(amount="13"), row(OTHER))
    assert (report.counts.updated, report.counts.unchanged) == (1, 1)
    report = here.bills(row("13700137000"))
    assert report.counts.loaded == 1
    assert sorted(here.values("bills", "amount_fen")) == [1250, 1250, 1300]


def test_an_older_month_after_a_newer_one_is_loaded(here: Intake) -> None:
    here.bills(row(month="2026-09"))
    assert here.bills(row(month="2026-08")).counts.loaded == 1


def test_a_correction_of_a_published_month_counts_from_the_next_month_on(here: Intake) -> None:
    here.bills(row())
    (here.site.root / "published" / "2026-09").mkdir(parents=True)
    before = open_lake(here.site.lake).identity(Month.parse("2026-09"))
    report = here.bills(row(amount="20"))
    assert "month_adjusted" in codes(report.notes)
    lake = open_lake(here.site.lake)
    assert lake.identity(Month.parse("2026-09")) == before
    assert (amounts(here, "2026-09"), amounts(here, "2026-10")) == ([1250], [2000])
    assert lake.rows("bills") == 1
    here.bills(row(amount="21"))
    assert (amounts(here, "2026-09"), amounts(here, "2026-10")) == ([1250], [2100])


def test_an_adjustment_that_was_published_too_is_kept_beside_the_next(here: Intake) -> None:
    here.bills(row())
    for month, amount in (("2026-09", "20"), ("2026-10", "30")):
        (here.site.root / "published" / month).mkdir(parents=True)
        here.bills(row(amount=amount))
    seen = [amounts(here, month) for month in ("2026-09", "2026-10", "2026-11")]
    assert seen == [[1250], [2000], [3000]]


def test_a_published_month_is_changed_in_place_only_when_that_is_accepted(here: Intake) -> None:
    here.bills(row())
    (here.site.root / "published" / "2026-09").mkdir(parents=True)
    assert "month_reopened" in codes(here.bills(row(amount="20"), accept=["reopen"]).notes)
    assert amounts(here, "2026-09") == [2000]


def test_a_correction_loaded_as_an_adjustment_can_still_be_taken_into_its_own_month(here: Intake) -> None:
    here.bills(row(), row(OTHER))
    (here.site.root / "published" / "2026-09").mkdir(parents=True)
    here.bills(row(amount="20"))
    here.bills(row(amount="20"), accept=["reopen"])
    assert sorted(amounts(here, "2026-09")) == sorted(amounts(here, "2026-10")) == [1250, 2000]
    lake = open_lake(here.site.lake)
    assert [f.holds_from for f in lake.files if f.table == "bills"] == [""]
    here.bills(row(amount="20"), accept=["reopen"])
    assert open_lake(here.site.lake).files == lake.files


def test_files_that_somebody_reads_are_not_swept_away(here: Intake) -> None:
    here.bills(row())
    with reading(here.site.lake) as lake:
        here.bills(row(amount="13"))
        here.bills(row(amount="14"))
        assert all((lake.root / f.path).exists() for f in lake.files)
    for amount in ("15", "16", "17"):  # what the first load replaced can be undone no more after three others
        here.bills(row(amount=amount))
    files = open_lake(here.site.lake).files
    before = [f for f in lake.files if f not in files]
    assert before
    assert not any((lake.root / f.path).exists() for f in before)


def test_a_first_load_killed_before_its_switch_is_no_lost_manifest(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in = Shelf.move_in

    def moved_and_killed(shelf: Shelf) -> None:
        move_in(shelf)
        raise KeyboardInterrupt

    monkeypatch.setattr(Shelf, "move_in", moved_and_killed)
    with pytest.raises(KeyboardInterrupt):
        here.bills(row())
    assert list(here.site.lake.rglob("*.parquet"))
    monkeypatch.undo()
    assert open_lake(here.site.lake).files == ()
    assert here.bills(row()).counts.loaded == 1


def test_a_lake_that_lost_its_manifest_is_not_taken_for_an_empty_one(here: Intake) -> None:
    here.bills(row())
    before = sorted(here.site.lake.rglob("*.parquet"))
    (here.site.lake / "manifest.json").unlink()
    with pytest.raises(SiteError, match="it is absent"):
        here.bills(row(OTHER))
    assert sorted(here.site.lake.rglob("*.parquet")) == before


def test_check_says_what_load_would_do_and_keeps_nothing(here: Intake) -> None:
    path = here.put("bills.csv", f"{HEAD}\n{row()}\nx,2026-09,1\n")
    checked = intake.check(here.site, [path])[0]
    assert not open_lake(here.site.lake).files
    assert not (here.site.intake / "set-aside").exists()
    loaded = intake.load(here.site, [path])[0]
    assert (checked.verdict, checked.counts, checked.rules) == (loaded.verdict, loaded.counts, loaded.rules)


def test_rows_set_aside_are_mended_and_loaded_again(here: Intake) -> None:
    report = aside(here.bills(row(), row("1390013900")), "phone_length")
    path = Path(report.set_aside_file)
    header, bad = path.read_text("utf-8-sig").splitlines()
    assert header == HEAD + ",_line,_column,_rule,_message_zh,_message_en,_raw"
    assert "3,手机号,phone_length,手机号：1390013900 不是电话号码" in bad
    path.write_text(path.read_text("utf-8-sig").replace("1390013900,2026", f"{OTHER},2026"), "utf-8-sig")
    again = intake.load(here.site, [path])[0]
    assert (again.counts.read, again.counts.loaded) == (1, 1)
    assert len(here.rows("bills")) == 2


def test_rows_set_aside_of_a_workbook_load_again_whatever_the_mapping_says_of_sheets(here: Intake) -> None:
    here.maps(bills=BILLS.replace("[source.units]", '[source]\ndelimiter = "|"\n[source.units]') + FREE)
    report = here.load("bills.csv", f"{HEAD}\n{row()}\n1,2026-09,1\n".replace(",", "|"))
    path = Path(report.set_aside_file)
    path.write_text(path.read_text("utf-8-sig").replace("1,2026-09,1,", f"{OTHER},2026-09,1,", 1), "utf-8-sig")
    assert intake.load(here.site, [path])[0].counts.loaded == 1


def test_more_than_one_percent_set_aside_holds_the_file(here: Intake) -> None:
    here.maps(bills=BILLS)
    good = [row(phone) for phone in phones(198)]
    held(here.bills(*good[:98], "1,2026-09,1", "2,2026-09,1"), "set_aside_share")
    assert here.bills(*good, "1,2026-09,1", "2,2026-09,1").counts.loaded == 198
    with pytest.raises(HeldError):
        here.load("bills-c.csv", f"{HEAD}\n1,2026-09,1\n").insist()


def test_a_refused_file_does_not_stop_the_others_and_can_be_insisted_on(here: Intake) -> None:
    empty, good = here.put("bills1.csv", ""), here.put("bills2.csv", f"{HEAD}\n{row()}\n")
    reports = intake.load(here.site, [empty, good])
    assert [report.verdict for report in reports] == ["refused", "accepted"]
    with pytest.raises(IntakeError, match="empty"):
        reports[0].insist()


def test_a_name_that_fits_no_mapping_is_refused_with_what_to_do(here: Intake) -> None:
    report = here.load("strange.csv", "a,b\n")
    assert report.problems[0].code == "no_mapping"
    assert "keepline intake suggest" in report.problems[0].zh


def test_counts_that_do_not_add_up_are_an_error() -> None:
    with pytest.raises(AssertionError, match="went missing"):
        Counts(read=3, loaded=1, ignored=1)


def test_reports_are_json_in_both_languages(here: Intake) -> None:
    report = here.bills(row(), "1,2026-09,1")
    said = json.loads(json.dumps(report.to_dict(), ensure_ascii=False))
    assert (said["read"], said["loaded"], said["set_aside"]) == (2, 1, 1)
    assert said["samples"][0]["zh"] != said["samples"][0]["en"]
    assert "读取 2 = 新增 1" in report.text("zh")
    assert "read 2 = loaded 1" in report.text("en")


def test_the_lake_remembers_each_file_with_its_counts(here: Intake) -> None:
    here.bills(row(), "", row(OTHER))
    (source,) = open_lake(here.site.lake).sources
    assert (source["path"], source["rows"], source["loaded"], source["ignored"]) == ("inbox/bills.csv", 3, 2, 1)
    assert source["months"] == {"bills": {"2026-09": 2}}


def test_columns_another_file_brought_are_kept(here: Intake) -> None:
    here.load("customers.csv", f"手机号,账期,本地网\n{PHONE},2026-09,杭州\n")
    here.load("customers.csv", f"手机号,账期,授权\n{PHONE},2026-09,是\n")
    (found,) = here.rows("customers")
    assert (found["region"], found["consent"]) == ("杭州", True)


def test_a_blacklist_from_another_file_takes_consent_back(here: Intake) -> None:
    here.load("customers.csv", f"手机号,账期,授权\n{PHONE},2026-09,是\n")
    report = here.load("customers2.csv", f"手机号,账期,黑名单\n{PHONE},2026-09,是\n")
    assert "blacklist_wins" in codes(report.notes)
    assert here.values("customers", "consent") == [False]


def test_rows_of_one_key_are_added_up_where_the_mapping_says_so(here: Intake) -> None:
    here.maps(bills=BILLS.replace('name = "bills"\n', 'name = "bills"\nadd_up = true\n') + FREE)
    report = here.bills(row(), row(amount="1"), row(OTHER))
    assert report.counts.loaded == 3
    assert sorted(here.values("bills", "amount_fen")) == [1250, 1350]


def test_phones_and_numbers_lie_in_the_restricted_table_alone(here: Intake) -> None:
    here.load("customers.csv", f"手机号,账期\n{PHONE},2026-09\n")
    here.bills(row())
    lake = open_lake(here.site.lake)
    with_number = {f.table for f in lake.files if PHONE.encode() in (lake.root / f.path).read_bytes()}
    assert here.values("contact_details", "customer_no") == [PHONE]
    assert with_number <= {"contact_details"}
    assert here.values("bills", "customer_id") == [here.number(PHONE)]


def test_two_numbers_with_one_pseudonym_refuse_the_file(here: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepline.lake.identity.pseudonym", lambda key, number: sites.pseudonym(key, "same"))  # noqa: ARG005
    report = here.load("customers.csv", f"手机号,账期\n{PHONE},2026-09\n{OTHER},2026-09\n")
    assert (report.verdict, report.problems[0].code) == ("refused", "pseudonym_collision")
    assert PHONE not in report.problems[0].en
    assert not open_lake(here.site.lake).files


def test_two_numbers_with_one_pseudonym_in_two_files_refuse_the_second(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.lake.identity.pseudonym", lambda key, number: sites.pseudonym(key, "same"))  # noqa: ARG005
    here.load("customers.csv", f"手机号,账期\n{PHONE},2026-09\n")
    report = here.load("customers.csv", f"手机号,账期\n{OTHER},2026-09\n")
    assert (report.verdict, report.problems[0].code) == ("refused", "pseudonym_collision")


def test_a_contact_moved_to_another_month_stands_there_alone(here: Intake) -> None:
    here.maps(contacts='[match]\nfiles = ["contacts*"]\n[[table]]\nname = "contacts"\nidentity = true\n' + FREE)
    head = "contact_id,customer_id,month,channel"
    here.load("contacts.csv", f"{head}\nc1,A1,2026-08,sms\nc2,A1,2026-08,app\n")
    report = here.load("contacts.csv", f"{head}\nc1,A1,2026-09,sms\n")
    assert report.counts.updated == 1
    assert [(r["contact_id"], r["month"]) for r in here.rows("contacts")] == [("c2", "2026-08"), ("c1", "2026-09")]


def test_a_line_that_changes_hands_without_being_opened_anew_is_set_aside(here: Intake) -> None:
    here.maps(lines='[match]\nfiles = ["lines*"]\n[[table]]\nname = "lines"\nidentity = true\n' + FREE)
    head = "line_id,customer_id,month,product,started_on"
    here.load("lines.csv", f"{head}\nL1,A1,2026-08,mobile,2020-01-01\nL2,A1,2026-08,mobile,2020-01-01\n")
    report = here.load("lines.csv", f"{head}\nL1,A2,2026-09,mobile,2020-01-01\nL2,A2,2026-09,mobile,2026-09-05\n")
    aside(report, "line_changes_owner")
    assert report.counts.loaded == 1


def test_clean_parquet_in_our_own_columns_loads_by_one_line(here: Intake) -> None:
    here.maps(usage='[match]\nfiles = ["usage*"]\n[[table]]\nname = "usage"\nidentity = true\n')
    path = here.inbox / "usage-2026-09.parquet"
    said = {
        "customer_id": ["A1", "A2"],
        "month": ["2026-09"] * 2,
        "voice_s": [60, None],
        "data_kb": [1.5, float("nan")],
    }
    pq.write_table(pa.table(said), path)
    assert intake.load(here.site, [path])[0].counts.loaded == 2
    by_id = {r["customer_id"]: (r["voice_s"], r["data_kb"], r["sms"]) for r in here.rows("usage")}
    assert by_id == {here.number("A1"): (60, 2, None), here.number("A2"): (None, None, None)}


def test_files_that_bring_customers_go_first_and_bills_last(here: Intake) -> None:
    bills = here.put("bills.csv", f"{HEAD}\n{row()}\n")
    customers = here.put("customers.csv", f"手机号,账期\n{PHONE},2026-09\n")
    reports = intake.load(here.site, [bills, customers])
    assert [Path(report.path).name for report in reports] == ["customers.csv", "bills.csv"]
    assert reports[1].counts.loaded == 1


def test_two_loads_at_once_do_not_meet(here: Intake) -> None:
    path = here.put("bills.csv", f"{HEAD}\n{row()}\n")
    with alone(here.site), pytest.raises(IntakeError, match="another load"):
        intake.load(here.site, [path])


def test_a_load_clears_up_after_one_that_was_killed(here: Intake) -> None:
    here.bills(row())
    stray, half = here.site.lake / "bills" / "2026-09" / "stray.parquet", here.site.work / "intake-load-dead"
    stray.write_bytes(b"half")
    half.mkdir()
    here.bills(row(OTHER))
    assert not stray.exists()
    assert not half.exists()
    assert len(here.rows("bills")) == 2


def test_months_of_a_lake_file_are_sorted_by_customer(here: Intake) -> None:
    here.bills(*(row(phone) for phone in phones(50)))
    ids = here.values("bills", "customer_id")
    assert ids == sorted(ids)


@pytest.mark.skipif(not hasattr(sys, "addaudithook") or sys.platform == "win32", reason="needs fork")
def test_a_load_killed_at_any_change_of_the_disk_leaves_the_lake_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "killed_loads.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 15


def test_customers_need_no_column_but_their_number_and_month(here: Intake) -> None:
    here.maps(customers=CUSTOMERS + FREE)
    assert here.load("customers.csv", f"手机号,账期\n{PHONE},2026-09\n").counts.loaded == 1


def test_a_held_file_says_with_which_words_it_is_accepted(here: Intake) -> None:
    here.maps(bills=BILLS)
    report = held(here.bills("1,2026-09,1", "2,2026-09,1"), "set_aside_share")
    for lang in ("zh", "en"):
        assert all(f"--accept {problem.code}" in report.text(lang) for problem in report.problems)


def test_names_and_numbers_lie_where_the_owner_alone_may_look(here: Intake) -> None:
    columns = '[table.columns]\ncustomer_id = "no"\nname = "name"\n'
    here.maps(people=f'[match]\nfiles = ["people*"]\n[[table]]\nname = "contact_details"\n{columns}')
    assert here.load("people.csv", "no,name\n1,张三\n").counts.loaded == 1
    assert (here.site.lake / "contact_details").stat().st_mode & 0o077 == 0
