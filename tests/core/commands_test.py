"""The command line under clumsy hands: always an exit code, a sentence in both languages, and clean JSON."""

from __future__ import annotations

import errno
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
import pytest

from keepline import console, inquiry
from keepline.cli import cli
from keepline.demo import LAST, Asked, run_demo
from keepline.errors import SiteError
from keepline.newsite import make_site
from keepline.progress import Silent
from keepline.publication import may_write
from keepline.site import open_site

Told = tuple[int, Any]


class Stop(BaseException):
    """A kill in the middle."""


def told(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """The exit code of a command with ``--json``, and all of its stdout as one JSON value."""
    monkeypatch.setattr("sys.argv", ["keepline", *words, "--json"])
    code = console.run(cli)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bogus"], 2, "usage"),
        (["run", "--site", "nowhere"], 2, "usage"),
        (["intake", "load", "absent.csv", "--site", "nowhere"], 2, "usage"),
        (["run", "--site", "nowhere", "--month", "0000-01"], 2, "bad_month"),
        (["run", "--site", "nowhere", "--month", "9999-12"], 2, "bad_month"),
        (["run", "--site", "nowhere", "--month", "2026-10"], 1, "no_site"),
        (["init", "/dev/null/site"], 1, "file_system"),
    ],
)
def test_every_error_is_json_on_stdout_where_json_is_asked(
    words: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found, answer = told(words, monkeypatch, capsys)
    assert (found, answer["error"]["code"]) == (code, said)
    assert answer["error"]["zh"]
    assert answer["error"]["en"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_what_to_do(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def fill() -> None:
        raise OSError(number, os.strerror(number), "work/part")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.argv", ["keepline"])
        assert console.run(fill) == 1
    said = capsys.readouterr().err
    assert "work/part: the disk is full" in said
    assert "work/part：磁盘或配额已满；请在" in said
    assert said.count("TMPDIR") == 2


@pytest.mark.parametrize("text", ['{"files": [', "[]", "{}", "null", '{"files": [{"table": "bills"}], "sources": []}'])
@pytest.mark.parametrize("where", ["lake", "published/2026-10"])
def test_a_damaged_manifest_is_refused_by_name(
    where: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_site(tmp_path / "site", name="x")
    path = tmp_path / "site" / where / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    words = ["run", "--site", str(tmp_path / "site"), "--month", "2026-10"]
    found, answer = told(words, monkeypatch, capsys)
    assert (found, answer["error"]["code"]) == (1, "damaged_file")
    assert str(path) in answer["error"]["zh"]


def test_a_damaged_parquet_file_read_without_an_engine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "part-00000.parquet"
    damaged.write_text("no parquet")

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def read(as_json: bool) -> None:  # noqa: ARG001
        pq.read_table(damaged)

    monkeypatch.setattr("sys.argv", ["read", "--json"])
    assert console.run(read) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "damaged_file"


def test_an_interrupted_command_says_so_in_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def slow(as_json: bool) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["keepline", "--json"])
    assert console.run(slow) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"


@pytest.mark.parametrize("name", ['say "hello"', "back\\slash", "两\n行", "del\x7f"])
def test_a_new_site_bears_any_name(tmp_path: Path, name: str) -> None:
    make_site(tmp_path, name=name)
    assert tomllib.loads((tmp_path / "keepline.toml").read_text("utf-8"))["name"] == name


def test_a_policy_that_was_there_before_the_site_stays(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    mine = tmp_path / "policy" / "limits.toml"
    mine.write_text("mine")
    made = make_site(tmp_path, name="x")
    assert mine.read_text() == "mine"
    assert mine not in made


def test_a_report_takes_no_place_of_a_kept_publication_or_a_folder(tmp_path: Path) -> None:
    make_site(tmp_path, name="x")
    site = open_site(tmp_path)
    for out in (
        "published/2026-10/report.html",
        "superseded/2026-10-aa/report.html",
        "policy",
        "policy/../published/x",
    ):
        with pytest.raises(SiteError):
            may_write(site, tmp_path / out)
    with pytest.raises(SiteError):
        may_write(site, Path("/dev/null"))
    may_write(site, tmp_path / "report.html")


def test_a_number_with_too_many_digits_is_no_pseudonym(tmp_path: Path) -> None:
    make_site(tmp_path, name="x")
    assert len(list(inquiry._candidates(open_site(tmp_path), "9" * 5000))) == 1


@pytest.mark.parametrize("asked", [Asked(1000, 8, -1), Asked(1000, 100_000, 1)])
def test_a_demo_out_of_bounds_leaves_no_folder(tmp_path: Path, asked: Asked) -> None:
    with pytest.raises(SiteError):
        run_demo(tmp_path / "demo", asked, engine="duckdb", progress=Silent())
    assert not (tmp_path / "demo").exists()


def test_a_demo_interrupted_at_its_first_files_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise Stop

    root = tmp_path / "demo"
    with monkeypatch.context() as patched:
        patched.setattr("keepline.simulate.opening.write_key", stop)
        with pytest.raises(Stop):
            run_demo(root, Asked(1000, 8, 1), engine="duckdb", progress=Silent())
    monkeypatch.setattr("keepline.demo._load", stop)
    with pytest.raises(Stop):
        run_demo(root, Asked(1000, 8, 1), engine="duckdb", progress=Silent())
    assert open_site(root).settings.simulated
    assert not open_site(root).published(LAST).exists()
