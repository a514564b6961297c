"""Undoing a load: the lake is then as if the file had never been loaded, or nothing happened and the reason is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_intake import HEAD, OTHER, PHONE, Intake, row

from keepline.cli import cli
from keepline.errors import HeldError, IntakeError, PublicationError, TooFewError
from keepline.features.build import base_of
from keepline.lake import intake
from keepline.lake.alone import alone
from keepline.lake.loads import loads
from keepline.lake.store import LakeFile, open_lake, reading, switch
from keepline.lake.tracing import DEPTH
from keepline.lake.undoing import foresee, undo
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.pipeline import run_month
from keepline.policy.documents import read_policy

HERE = Path(__file__).parent
THIRD = "13700137000"


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


def files(here: Intake) -> tuple[LakeFile, ...]:
    return open_lake(here.site.lake).files


def waiting(here: Intake) -> list[str]:
    """Files of rows set aside that lie open, by what their names end with."""
    return sorted(path.name.split(".")[-2] for path in (here.site.intake / "set-aside").glob("*.csv"))


def customers(here: Intake, *numbers: str, name: str = "customers.csv") -> int:
    return here.load(name, "手机号,账期\n" + "".join(f"{number},2026-09\n" for number in numbers)).load


def refused(here: Intake, load: int) -> IntakeError:
    before = files(here)
    with pytest.raises(IntakeError) as told:
        undo(here.site, load)
    assert files(here) == before
    return told.value


def test_the_only_load_undone_leaves_an_empty_lake_and_the_file_can_be_loaded_again(here: Intake) -> None:
    first = here.bills(row(), row(OTHER))
    done = undo(here.site, first.load, reason="单位弄错")
    assert [(p.table, p.month, p.rows, p.rows_after) for p in done.places] == [("bills", "2026-09", 2, 0)]
    assert (files(here), open_lake(here.site.lake).sources) == ((), ())
    again = here.bills(row(), row(OTHER))
    assert (again.verdict, again.counts.loaded, again.load) == ("accepted", 2, 2)


def test_what_a_load_replaced_comes_back_to_the_byte(here: Intake) -> None:
    here.bills(row(), row(OTHER))
    before, identity = files(here), open_lake(here.site.lake).identity(Month.parse("2026-09"))
    load = here.bills(row(amount="13"), row(THIRD)).load
    assert sorted(here.values("bills", "amount_fen")) == [1250, 1250, 1300]
    undo(here.site, load)
    assert files(here) == before
    assert here.values("bills", "amount_fen") == [1250, 1250]
    assert open_lake(here.site.lake).identity(Month.parse("2026-09")) == identity


def test_a_load_of_another_month_does_not_stand_in_the_way(here: Intake) -> None:
    first, second = here.bills(row(month="2026-08")).load, here.bills(row(month="2026-09")).load
    undo(here.site, first)
    assert here.values("bills", "month") == ["2026-09"]
    undo(here.site, second)
    assert not files(here)


def test_a_load_that_a_later_one_was_merged_onto_is_refused_with_its_name(here: Intake) -> None:
    first = here.bills(row()).load
    second = here.load("bills-more.csv", f"{HEAD}\n{row(OTHER)}\n").load
    error = refused(here, first)
    assert error.code == "later_load"
    for words in (error.en, error.zh):
        assert "2 (bills-more.csv: bills 2026-09)" in words
    undo(here.site, second)
    undo(here.site, first)
    assert not files(here)


def test_customers_whose_bills_came_later_are_not_taken_away(here: Intake) -> None:
    customers(here, PHONE)
    load = customers(here, PHONE, OTHER, name="customers-new.csv")
    bills = here.bills(row(), row(OTHER)).load
    error = refused(here, load)
    assert f"{bills} (bills.csv: bills 2026-09)" in error.en
    undo(here.site, bills)
    undo(here.site, load)
    assert here.values("customers", "customer_id") == [here.number(PHONE)]


def test_customers_without_a_later_bill_are_taken_out(here: Intake) -> None:
    customers(here, PHONE)
    load = customers(here, PHONE, OTHER, name="customers-new.csv")
    here.bills(row())
    undo(here.site, load)
    assert here.values("contact_details", "customer_no") == [PHONE]


def test_rows_that_waited_for_the_customers_wait_again(here: Intake) -> None:
    customers(here, PHONE)
    bills = here.bills(row(), row(OTHER), row(THIRD)).load
    before, asleep = files(here), waiting(here)
    brought = customers(here, OTHER, name="customers-new.csv")
    assert len(here.rows("bills")) == 2
    done = undo(here.site, brought)
    assert (done.with_it, done.waits_again) == ((brought + 1,), 1)
    assert (files(here), waiting(here)) == (before, ["undone", *asleep])
    customers(here, OTHER, THIRD, name="customers-both.csv")
    assert len(here.rows("bills")) == 3
    assert refused(here, brought + 1).code == "undone_before"
    assert refused(here, brought).code == "undone_before"
    assert undo(here.site, bills).with_it  # the rows that waited were its own
    assert not here.rows("bills")


def test_waiting_rows_of_an_undone_file_are_not_let_in_later(here: Intake) -> None:
    customers(here, PHONE)
    undo(here.site, here.bills(row(), row(OTHER)).load)
    assert waiting(here) == ["undone"]
    customers(here, OTHER, name="customers-new.csv")
    assert not here.rows("bills")
    assert here.bills(row(), row(OTHER)).counts.loaded == 2


def test_undoing_twice_and_undoing_nothing_are_told_apart(here: Intake) -> None:
    load = here.bills(row()).load
    undo(here.site, load)
    assert refused(here, load).code == "undone_before"
    assert refused(here, 99).code == "no_load"


def test_old_contents_are_kept_for_a_few_loads_and_then_let_go(here: Intake) -> None:
    made = [here.bills(row(amount=str(amount))).load for amount in range(10, 10 + DEPTH + 2)]
    here.bills(row(month="2026-08"))  # its beginning sweeps
    assert len(list((here.site.lake / "bills" / "2026-09").iterdir())) == DEPTH + 1
    for load in reversed(made[-DEPTH:]):
        undo(here.site, load)
    assert here.values("bills", "amount_fen") == [1250, 1100]
    assert refused(here, made[1]).code == "too_late"


def test_a_lake_of_an_earlier_version_numbers_its_loads_and_undoes_none_of_them(here: Intake) -> None:
    here.bills(row())
    path = here.site.lake / "manifest.json"
    said = json.loads(path.read_text("utf-8"))
    del said["sources"][0]["load"]
    path.write_text(json.dumps({"files": said["files"], "sources": said["sources"]}), "utf-8")
    assert [(load.number, load.state) for load in loads(here.site)] == [(1, "past")]
    assert refused(here, 1).code == "too_late"
    assert here.bills(row(OTHER)).load == 2
    undo(here.site, 2)
    assert len(here.rows("bills")) == 1


def test_a_month_published_from_the_load_is_undone_only_when_that_is_accepted(here: Intake) -> None:
    load = here.bills(row()).load
    (here.site.root / "published" / "2026-09").mkdir(parents=True)
    assert foresee(here.site, load).published == ("2026-09",)
    before = files(here)
    with pytest.raises(HeldError, match="2026-09 was published") as told:
        undo(here.site, load)
    assert (told.value.code, files(here)) == ("reopen", before)
    undo(here.site, load, accept=["reopen"])
    assert not files(here)


def test_bills_undone_and_loaded_again_do_not_leave_their_month_without_bills(here: Intake) -> None:
    """Loaded again while the month is closed they count from the next one on, unless the month is opened again."""
    make_site(here.site.root.parent / "policies", name="x")
    shutil.copytree(here.site.root.parent / "policies" / "policy", here.site.policy)
    published, october = here.site.root / "published" / "2026-09", Month.parse("2026-10")
    customers(here, PHONE)
    load = here.bills(row()).load
    published.mkdir(parents=True)
    told = undo(here.site, load, accept=["reopen"])
    for words in (told.text("en"), told.text("zh")):
        assert "--accept reopen" in words
    here.bills(row(amount="20"))
    assert open_lake(here.site.lake).counts_from("bills", october + -1) == october
    published.rmdir()
    with pytest.raises(PublicationError, match="the bills of 2026-09 count from 2026-10 on") as refused:
        run_month(here.site, october + -1)
    with pytest.raises(TooFewError, match="the bills of 2026-09 count from 2026-10 on"):
        base_of(open_lake(here.site.lake), read_policy(here.site.policy, october), october + -1)
    for words in (refused.value.en, refused.value.zh):
        assert "--accept reopen" in words
    published.mkdir()
    here.bills(row(amount="20"), accept=["reopen"])
    assert open_lake(here.site.lake).counts_from("bills", october + -1) == october + -1
    base_of(open_lake(here.site.lake), read_policy(here.site.policy, october), october + -1)


def test_a_correction_that_came_after_the_publication_is_undone_without_ado(here: Intake) -> None:
    here.bills(row())
    (here.site.root / "published" / "2026-09").mkdir(parents=True)
    before = files(here)
    load = here.bills(row(amount="20")).load
    assert len(files(here)) == 2
    undo(here.site, load)
    assert files(here) == before


def test_a_correction_taken_into_its_published_month_gives_all_its_versions_back(here: Intake) -> None:
    here.bills(row())
    (here.site.root / "published" / "2026-09").mkdir(parents=True)
    here.bills(row(amount="20"))
    before = files(here)
    load = here.bills(row(amount="20"), accept=["reopen"]).load
    assert len(files(here)) == 1
    undo(here.site, load, accept=["reopen"])
    assert files(here) == before


def test_a_file_that_would_come_back_damaged_is_refused_and_nothing_changed(here: Intake) -> None:
    here.bills(row())
    (former,) = files(here)
    load = here.bills(row(amount="20")).load
    (here.site.lake / former.path).write_bytes(b"PAR1")
    assert refused(here, load).code == "former_gone"
    (here.site.lake / former.path).unlink()
    assert refused(here, load).code == "former_gone"


def test_what_somebody_reads_stays_while_a_load_is_undone(here: Intake) -> None:
    load = here.bills(row()).load
    with reading(here.site.lake) as lake:
        undo(here.site, load)
        here.bills(row(OTHER))
        assert all((lake.root / f.path).exists() for f in lake.files)
    here.bills(row(THIRD))
    assert not any((lake.root / f.path).exists() for f in lake.files)


def test_an_undo_waits_for_nobody_and_meets_nobody(here: Intake) -> None:
    load = here.bills(row()).load
    with alone(here.site), pytest.raises(IntakeError, match="another load"):
        undo(here.site, load)


def test_renames_noted_with_a_switch_are_done_before_anything_else(here: Intake) -> None:
    customers(here, PHONE)
    here.bills(row(), row(OTHER))
    (asleep,) = (here.site.intake / "set-aside").glob("*.waiting.csv")
    lake = open_lake(here.site.lake)
    switch(lake, lake.files, lake.sources, moves=((f"set-aside/{asleep.name}", "set-aside/elsewhere.csv"),))
    customers(here, OTHER, name="customers-new.csv")  # as after a kill: nothing waits, for it was moved first
    assert len(here.rows("bills")) == 1
    assert (here.site.intake / "set-aside" / "elsewhere.csv").exists()
    assert open_lake(here.site.lake).moves == ()


def test_the_loads_are_listed_with_what_became_of_them(here: Intake) -> None:
    first = here.bills(row(), "x,2026-09,1").load
    second = here.bills(row(month="2026-10")).load
    undo(here.site, second, reason="重复")
    last, stands = loads(here.site)
    assert (last.number, last.state, last.reason) == (second, "undone", "重复")
    assert (stands.number, stands.path, stands.state) == (first, "inbox/bills.csv", "stands")
    assert (stands.rows["read"], stands.rows["loaded"], stands.rows["set_aside"]) == (2, 1, 1)
    assert stands.months == {"bills": {"2026-09": 1}}
    assert stands.at


def test_the_command_line_lists_and_undoes(here: Intake) -> None:
    load, site = here.bills(row()).load, str(here.site.root)
    run = CliRunner().invoke
    listed = run(cli, ["intake", "loads", "--site", site])
    assert "读取 1，新增 1" in listed.output
    assert "read 1, loaded 1" in listed.output
    done = run(cli, ["intake", "undo", str(load), "--site", site, "--reason", "wrong unit"])
    assert done.exit_code == 0
    assert "已撤销载入 1（bills.csv）" in done.output
    assert "load 1 (bills.csv) is undone" in done.output
    said = json.loads(run(cli, ["intake", "loads", "--site", site, "--json"]).output)
    assert (said[0]["state"], said[0]["reason"]) == ("undone", "wrong unit")
    again = run(cli, ["intake", "undo", str(load), "--site", site])
    assert isinstance(again.exception, IntakeError)


def test_a_file_can_be_undone_that_brought_nothing_new(here: Intake) -> None:
    here.bills(row())
    before = files(here)
    load = here.load("bills-again.csv", f"{HEAD}\n{row()}\n\n").load
    assert undo(here.site, load).places == ()
    assert files(here) == before
    assert intake.load(here.site, [here.inbox / "bills-again.csv"])[0].counts.unchanged == 1


@pytest.mark.skipif(not hasattr(sys, "addaudithook") or sys.platform == "win32", reason="needs fork")
def test_an_undo_killed_at_any_change_of_the_disk_is_done_or_not_done(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "killed_undos.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) > 10
