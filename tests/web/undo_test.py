"""A load undone on its page: once, for a reason, by the worker, told in history and audit, for importers alone."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client

from keepline.front import KeeplineError, load_file, loads, open_site, undo_load
from keepline.lake.store import open_lake
from keepline_web.audit.models import Entry
from keepline_web.audit.queries import broken
from keepline_web.exchange import undoing, uploads
from keepline_web.exchange.models import Trial, Undoing, Upload
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.models import Task
from keepline_web.jobs.working import work_once
from keepline_web.people.models import Person
from web.cast import Cast, enter
from web.conftest import ROOT

MAPPING = """
[match]
files = ["用量*.csv"]
[limits]
set_aside_share_max = 0.9
row_count_change_max = 1000
[[table]]
name = "usage"
[table.columns]
customer_id = { from = "手机号", as = "phone" }
month = "账期"
sms = "短信"
"""
HEAD = "手机号,账期,短信\n"
GOOD = HEAD + "13800138000,2026-10,5\n13900139000,2026-10,7\n"
BAD = GOOD + "1390013900,2026-10,1\n13700137000,2026-13,1\n13700137001,2026-10,x\n"


@pytest.fixture(autouse=True)
def own_lake(tmp_path: Path) -> Iterator[None]:
    """An empty lake, and afterwards the one that was: what a test does on the disk no transaction takes back."""
    for name in ("lake", "intake"):
        (ROOT / name).mkdir(exist_ok=True)
        shutil.move(ROOT / name, tmp_path / name)
        (ROOT / name).mkdir()
    yield
    for name in ("lake", "intake"):
        shutil.rmtree(ROOT / name)
        shutil.move(tmp_path / name, ROOT / name)


def drop(client: Client, name: str = "用量.csv", text: str = GOOD, encoding: str = "gb18030") -> Upload:
    answer = client.post("/data/receive", {"file": SimpleUploadedFile(name, text.encode(encoding))})
    assert answer.status_code == 302, answer.content.decode()[:500]
    return Upload.objects.latest("pk")


def act(client: Client, upload: Upload, verb: str, **said: str) -> dict[str, object]:
    """Try or load, and the report of it."""
    answer = client.post(f"/data/uploads/{upload.pk}/{verb}", {"mapping": MAPPING} | said)
    assert answer.status_code == 302, answer.content.decode()[:800]
    done = work_once()
    assert done is not None
    trial = Trial.objects.latest("pk")
    assert trial.report is not None, Task.objects.latest("pk").refused
    report: dict[str, object] = trial.report
    return report


def loaded(client: Client, **said: str) -> int:
    report = act(client, drop(client, **said), "load")
    assert report["verdict"] in ("accepted", "normalised"), report
    return int(str(report["load"]))


def state(number: int) -> str:
    return str(next(load["state"] for load in loads(open_site(ROOT)) if load["number"] == number))


def rows() -> int:
    return open_lake(ROOT / "lake").rows("usage")


def test_a_load_is_undone_on_its_page_and_the_file_can_be_loaded_again(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    number = loaded(client)
    upload = Upload.objects.latest("pk")
    assert f"/data/loads/{number}" in client.get(f"/data/uploads/{upload.pk}").content.decode()
    page = client.get(f"/data/loads/{number}").content.decode()
    assert "撤销这次载入" in page
    assert "不会改变" in page
    assert client.post(f"/data/loads/{number}/undo", {"reason": "单位弄错"}).status_code == 302
    assert (state(number), rows()) == ("stands", 2)  # asked for, not yet done
    assert "正在撤销" in client.get(f"/data/loads/{number}").content.decode()
    work_once()
    assert (state(number), rows()) == ("undone", 0)
    page = client.get(f"/data/loads/{number}").content.decode()
    for words in ("已撤销", "单位弄错", "测importer"):
        assert words in page
    page = client.get(f"/data/uploads/{upload.pk}").content.decode()
    assert "已撤销" in page
    assert "单位弄错" in page
    assert "已撤销" in client.get("/data").content.decode()
    report = act(client, upload, "load")
    assert (report["verdict"], rows()) == ("normalised", 2)


def test_who_asked_why_and_what_was_taken_out_stand_in_the_audit(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    number = loaded(client)
    client.post(f"/data/loads/{number}/undo", {"reason": "单位弄错"})
    work_once()
    asked, done = Entry.objects.filter(object=f"load:{number}").order_by("pk")
    assert (asked.act, done.act) == ("load_undo_asked", "load_undone")
    assert asked.detail["reason"] == "单位弄错"
    assert asked.detail["places"][0]["rows"] == 2
    assert not broken()


def test_without_a_reason_nothing_is_undone(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    number = loaded(client)
    for reason in ("", " ", "x"):
        answer = client.post(f"/data/loads/{number}/undo", {"reason": reason})
        assert answer.status_code == 422
        assert "原因" in answer.content.decode()
    assert not Undoing.objects.exists()


def test_undone_twice_is_undone_once(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    number = loaded(client)
    assert client.post(f"/data/loads/{number}/undo", {"reason": "重复"}).status_code == 302
    assert client.post(f"/data/loads/{number}/undo", {"reason": "重复"}).status_code == 409  # it runs
    work_once()
    answer = client.post(f"/data/loads/{number}/undo", {"reason": "重复"})
    assert answer.status_code == 409
    assert "此前已撤销" in answer.content.decode()
    assert Undoing.objects.count() == 1


def test_later_loads_that_build_on_it_are_named(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    first = loaded(client)
    second = loaded(client, text=HEAD + "13800138000,2026-10,6\n", name="用量2.csv")
    page = client.get(f"/data/loads/{first}").content.decode()
    assert f"{second} (用量2.csv: usage 2026-10)" in page
    assert "workbench/uploads" not in page
    answer = client.post(f"/data/loads/{first}/undo", {"reason": "重复"})
    assert answer.status_code == 409
    assert "用量2.csv" in answer.content.decode()
    assert rows() == 2


def test_what_was_published_from_it_has_to_be_known(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    published = ROOT / "published" / "2026-10"
    aside = published.with_name("aside")
    published.rename(aside)
    try:
        number = loaded(client)
    finally:
        aside.rename(published)
    assert "我知悉，仍要撤销" in client.get(f"/data/loads/{number}").content.decode()
    assert client.post(f"/data/loads/{number}/undo", {"reason": "单位弄错"}).status_code == 422
    said = {"reason": "单位弄错", "accept": "reopen"}
    assert client.post(f"/data/loads/{number}/undo", said).status_code == 302
    work_once()
    assert state(number) == "undone"
    assert (published / "manifest.json").exists()


def test_an_undo_done_before_a_kill_is_found_done(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    number = loaded(client)
    client.post(f"/data/loads/{number}/undo", {"reason": "单位弄错"})
    undo_load(open_site(ROOT), number, accept=(), reason="单位弄错")  # as by the worker that was killed behind it
    work_once()
    made = Undoing.objects.get()
    assert made.result == made.foreseen
    assert Task.objects.latest("pk").state == "done"


def test_an_undo_that_another_load_overtook_fails_in_words(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    number = loaded(client)
    client.post(f"/data/loads/{number}/undo", {"reason": "单位弄错"})
    file = ROOT / "用量9.csv"
    file.write_text(HEAD + "13800138000,2026-10,9\n", encoding="utf-8")
    load_file(open_site(ROOT), file, mapping=MAPPING, accept=())  # by hand, before the worker came to it
    work_once()
    assert state(number) == "stands"
    page = client.get(f"/data/loads/{number}").content.decode()
    assert "没有撤销，数据没有改动" in page
    assert "用量9.csv" in page


@pytest.mark.parametrize("role", ["account_manager", "marketer", "analyst", "admin", "auditor", "team_lead"])
def test_for_others_a_load_is_not_there(role: str, entered: Callable[[str], Client]) -> None:
    number = loaded(entered("importer"))
    client = entered(role)
    assert client.get(f"/data/loads/{number}").status_code == 404
    assert client.post(f"/data/loads/{number}/undo", {"reason": "单位弄错"}).status_code == 404
    assert client.get("/data/loads").status_code == 404
    assert state(number) == "stands"


@pytest.mark.parametrize("number", ["0", "99999", "9223372036854775807"])
def test_a_load_that_is_not_there_is_not_found(number: str, entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    assert client.get(f"/data/loads/{number}").status_code == 404
    assert client.post(f"/data/loads/{number}/undo", {"reason": "单位弄错"}).status_code == 404


def test_of_two_importers_at_once_one_undoes(committed: str) -> None:  # noqa: ARG001
    cast = Cast.found()
    number = loaded(enter(Client(), cast.people["importer"]))
    told: list[str] = []
    together = threading.Barrier(2)

    def press() -> None:
        together.wait()
        try:
            undoing.ask(by=Person.objects.get(username="importer"), number=number, reason="单位弄错", accept=[])
            told.append("asked")
        except Refused as error:
            told.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["asked", "undo_runs"]
    assert Undoing.objects.count() == 1


def test_a_gbk_file_with_three_bad_rows_is_told_tried_mended_and_loaded(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    upload = drop(client, text=BAD)
    report = act(client, upload, "check")
    assert rows() == 0
    assert report["months"] == {
        "usage": {"2026-10": {"read": 2, "loaded": 2, "updated": 0, "unchanged": 0, "ignored": 0, "set_aside": 0}}
    }
    page = client.get(f"/data/uploads/{upload.pk}").content.decode()
    for words in ("1390013900", "2026-13", "接受，部分行搁置", "用量", "2026年10月", "试载"):
        assert words in page, words
    answer = client.get(f"/data/uploads/{upload.pk}/set-aside/0")
    name = answer["Content-Disposition"]
    assert "set-aside" in name
    aside = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert len(aside.splitlines()) == 4
    act(client, upload, "load")
    mended = aside.replace("1390013900,2026-10", "13600136000,2026-10").replace("2026-13,1", "2026-10,1")
    mended = mended.replace("13700137001,2026-10,x,", "13700137001,2026-10,2,")
    path = Path(str(Trial.objects.latest("pk").report["set_aside_files"][0]))  # type: ignore[index]
    again = drop(client, name=path.name, text=mended, encoding="gb18030")  # as a spreadsheet saves it
    mapping, _ = uploads.proposed_mapping(again)
    assert mapping == MAPPING
    report = act(client, again, "load")
    assert (report["counts"]["loaded"], rows()) == (3, 5)  # type: ignore[index]


def test_a_file_that_is_worked_on_is_not_begun_twice(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    upload = drop(client)
    assert client.post(f"/data/uploads/{upload.pk}/load", {"mapping": MAPPING}).status_code == 302
    answer = client.post(f"/data/uploads/{upload.pk}/load", {"mapping": MAPPING})
    assert answer.status_code == 409
    assert "正在处理" in answer.content.decode()


def test_the_mapping_is_shown_as_a_table_with_columns_left_out_named(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    upload = drop(client, text="手机号,账期,短信,备注\n13800138000,2026-10,5,x\n")
    act(client, upload, "check")
    page = client.get(f"/data/uploads/{upload.pk}").content.decode()
    table = page.split("您的列去哪里")[1].split("</table>")[0]
    assert table.index("备注") < table.index("未采用")
    assert "用量·短信" in table
    assert "编号，入库变为假名" in table


def test_a_column_is_sent_elsewhere_by_choosing(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    upload = drop(client, text="手机号,账期,短信,备注\n13800138000,2026-10,5,城东\n")
    said = {"theirs": ["短信", "备注"], "to": ["", "customers.district"], "mapping": MAPPING}
    assert client.post(f"/data/uploads/{upload.pk}/check", said).status_code == 302
    work_once()
    trial = Trial.objects.latest("pk")
    assert 'district = "备注"' in trial.mapping
    assert 'sms = "短信"' in trial.mapping
    assert "客户档案·区县" in client.get(f"/data/uploads/{upload.pk}").content.decode()
    said["to"] = ["bills.amount_fen", ""]
    assert client.post(f"/data/uploads/{upload.pk}/check", said).status_code == 422


def test_a_draft_asks_for_the_month_it_could_not_find(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    upload = drop(client, name="名单.csv", text="客户编号,区县\nA1,城东\nA2,城西\n")
    mapping, _ = uploads.proposed_mapping(upload)
    assert 'name="month"' in client.get(f"/data/uploads/{upload.pk}").content.decode()
    answer = client.post(f"/data/uploads/{upload.pk}/check", {"mapping": mapping})
    assert answer.status_code == 422
    assert act(client, upload, "check", mapping=mapping, month="2026-10")["verdict"] != "refused"


def test_a_refused_file_says_why_and_names_no_folder_of_ours(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    upload = drop(client)
    for mapping, words in (("x =", "TOML"), (MAPPING.replace("短信", "彩信"), "缺少列 彩信")):
        act(client, upload, "check", mapping=mapping)
        page = client.get(f"/data/uploads/{upload.pk}").content.decode()
        assert words in page
        assert "拒绝，未载入" in page
        assert "/tmp/" not in page
        assert str(ROOT) not in page


def test_a_cancelled_load_says_that_nothing_was_loaded(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    upload = drop(client)
    client.post(f"/data/uploads/{upload.pk}/load", {"mapping": MAPPING})
    client.post(f"/tasks/{Task.objects.latest('pk').pk}/cancel")
    assert work_once() is None
    assert "已取消，没有载入任何数据" in client.get(f"/data/uploads/{upload.pk}").content.decode()


def test_a_lake_that_cannot_be_read_is_told_on_the_page(entered: Callable[[str], Client]) -> None:
    client = entered("importer")
    loaded(client)
    (ROOT / "lake" / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(KeeplineError):
        open_lake(ROOT / "lake")
    answer = client.get("/data")
    assert answer.status_code == 200
    assert "manifest.json" in answer.content.decode()
