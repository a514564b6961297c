"""Files dropped on the page: tried without a trace, loaded by the worker, refused with words, never a path."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError
from django.test import Client

from keepline.lake.store import open_lake
from keepline_web.exchange import uploads
from keepline_web.exchange.models import Trial, Upload
from keepline_web.jobs.working import work_once
from keepline_web.people.models import Person
from web.cast import Cast
from web.conftest import ROOT

MAPPING = """
[match]
files = ["客户*.csv"]

[limits]
set_aside_share_max = 0.5

[[table]]
name = "customers"
[table.columns]
customer_id = { from = "客户编号", as = "account" }
month = { constant = "2026-10" }
kind = { from = "客户类型", codes = { "个人" = "person", "单位" = "organisation" } }
district = "区县"
"""
CUSTOMERS = "客户编号,客户类型,区县\nA1,个人,城东\nA2,单位,城西\n,个人,城南\n"


def drop(client: Client, name: str, text: str, encoding: str = "gb18030") -> Upload:
    answer = client.post("/data/receive", {"file": SimpleUploadedFile(name, text.encode(encoding))})
    assert answer.status_code == 302, answer.content.decode()[:500]
    return Upload.objects.latest("pk")


def test_a_file_is_tried_without_a_trace_and_then_loaded_with_its_bad_row_told(
    entered: Callable[[str], Client],
) -> None:
    client = entered("importer")
    one = drop(client, "客户.csv", CUSTOMERS)
    mapping, name = uploads.proposed_mapping(one)
    assert name == ""
    assert "customers" in mapping
    said = {"mapping": MAPPING, "mapping_name": "dropped-customers"}
    for verb, rows in (("check", 0), ("load", 2)):
        assert client.post(f"/data/uploads/{one.pk}/{verb}", said).status_code == 302
        task = work_once()
        assert task is not None
        trial = Trial.objects.latest("pk")
        trial.refresh_from_db()
        assert trial.report is not None, task.refused
        counts = trial.report["counts"]
        assert counts["read"] == sum(counts[k] for k in ("loaded", "updated", "unchanged", "ignored", "set_aside"))
        assert open_lake(ROOT / "lake").rows("customers") == rows, trial.report
    assert (ROOT / "intake" / "dropped-customers.toml").exists()
    page = client.get(f"/data/uploads/{one.pk}").content.decode()
    assert "载入结果" in page
    assert "下载待修正的行" in page
    assert client.get(f"/data/uploads/{one.pk}/set-aside/0").status_code == 200
    assert client.get(f"/data/uploads/{one.pk}/set-aside/1").status_code == 404


@pytest.mark.parametrize("name", ["../../x.csv", "..\\..\\x.csv", "/etc/passwd.csv", "a\x00b.csv", "...csv"])
def test_a_name_is_kept_as_words_never_as_a_path(name: str) -> None:
    clean = uploads.clean_name(name)
    assert Path(clean).name == clean
    assert "\x00" not in clean
    assert not clean.startswith(".")


@pytest.mark.parametrize(("ending", "kept"), [
    (".csv", ".csv"), (".csv.gz", ".csv.gz"), (".set-aside.0a1b2c3d.csv", ".set-aside.0a1b2c3d.csv"),
    (".备注.xlsx", ".xlsx"),
])  # fmt: skip
@pytest.mark.parametrize(("sign", "signs"), [("客", 60), ("𠮷", 45), ("a", 120)])
def test_a_long_name_is_cut_by_bytes_and_keeps_its_ending(sign: str, signs: int, ending: str, kept: str) -> None:
    clean = uploads.clean_name(sign * 250 + ending)
    assert clean.endswith(kept)
    assert len(clean) <= 120
    assert len(clean.encode()) <= 180 + len(kept)
    assert clean.count(sign) >= min(signs, 120 - len(kept))
    assert uploads.clean_name("客户" + ending) == "客户" + ending


def test_a_file_with_a_long_chinese_name_is_taken(entered: Callable[[str], Client]) -> None:
    one = drop(entered("importer"), "客" * 200 + ".csv", CUSTOMERS)
    assert one.name == "客" * 60 + ".csv"
    assert uploads.path_of(one).is_file()


def test_what_is_no_table_is_refused_with_words(entered: Callable[[str], Client]) -> None:
    client, before = entered("importer"), Upload.objects.count()
    for name in ("run.exe", "page.html", "picture.svg"):
        answer = client.post("/data/receive", {"file": SimpleUploadedFile(name, b"x")})
        assert answer.status_code == 422
        assert "CSV" in answer.content.decode()
    assert client.post("/data/receive").status_code == 422
    assert Upload.objects.count() == before


def folders() -> set[Path]:
    root = ROOT / uploads.FOLDER
    return set(root.iterdir()) if root.is_dir() else set()


class Torn(SimpleUploadedFile):
    """A file whose browser goes away half-way."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:  # noqa: ARG002
        yield b"1,2"
        raise OSError("the connection broke")


def test_a_file_that_breaks_off_leaves_no_folder(cast: Cast) -> None:
    before = folders()
    with pytest.raises(OSError, match="broke"):
        uploads.receive(by=cast.people["importer"], file=Torn("客户.csv", b"1,2"))
    assert folders() == before


def test_a_file_whose_row_is_taken_back_at_the_last_moment_leaves_no_folder(committed: str) -> None:  # noqa: ARG001
    before, nobody = folders(), Person(pk=0, name="无")  # whom the database misses when it commits
    with pytest.raises(IntegrityError):
        uploads.receive(by=nobody, file=SimpleUploadedFile("客户.csv", b"1,2"))
    assert folders() == before


def test_what_was_left_a_day_ago_is_swept_and_what_is_known_or_young_stays(entered: Callable[[str], Client]) -> None:
    known = uploads.path_of(drop(entered("importer"), "客户.csv", CUSTOMERS)).parent
    left, young = (ROOT / uploads.FOLDER / name for name in ("left", "young"))
    for folder in (left, young):
        folder.mkdir()
        (folder / "客户.csv").write_bytes(b"1,2")
    day_ago = time.time() - uploads.LEFT_SECONDS - 60
    for folder in (left, known):
        os.utime(folder, (day_ago, day_ago))
    others = {path for path in folders() if path.stat().st_mtime < day_ago + 1} - {left, known}
    assert uploads.sweep() == 1 + len(others)
    assert not left.exists()
    assert young.exists()
    assert known.exists()
    shutil.rmtree(young)
