"""``keepline serve`` as whoever starts it sees it: ready, alive after its children die, and gone when told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from core.small_manifest import manifest
from core.small_publication import MONTH, publish
from keepline.newsite import make_site
from keepline.site import write_key

PATIENCE = 60
HEAD = {"head": {"month": MONTH, "previous_month": "2026-09", "simulated": True}}


@dataclass
class Served:
    """A running workbench."""

    process: subprocess.Popen[str]
    url: str
    site: Path

    def get(self, path: str) -> tuple[int, str]:
        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def children(self, word: str) -> list[psutil.Process]:
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in found if word in " ".join(_words(child))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def make_published(site: Path) -> None:
    import shutil

    make_site(site, name="清河通信")
    write_key(site, b"k" * 32)
    folder = publish(site / "published" / MONTH)
    shutil.copytree(site / "policy", folder / "policy")
    (folder / "manifest.json").write_text(json.dumps(manifest(), ensure_ascii=False), encoding="utf-8")
    (folder / "figures.json").write_text(json.dumps(HEAD), encoding="utf-8")


def start(site: Path, *, port: int = 0, before: str = "") -> Served:
    """Serving; ``before`` is what the process does first."""
    words = ["-c", f"{before}; from keepline.cli import main; main()"] if before else ["-m", "keepline"]
    process = subprocess.Popen(
        [sys.executable, *words, "serve", "--site", str(site), "--port", str(port)],
        stdout=subprocess.PIPE, text=True, env={k: v for k, v in os.environ.items() if k != "KEEPLINE_DATABASE_URL"},
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready http://127.0.0.1:"), line
    return Served(process, line.split()[1], site)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    site = tmp_path_factory.mktemp("served") / "site"
    make_published(site)
    started = start(site)
    yield started
    if started.process.poll() is None:
        started.process.terminate()
        started.process.wait(PATIENCE)


def alive(process: psutil.Process) -> bool:
    """Still there, and not merely waiting for its parent to notice its end."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def until(what: object, seconds: float = PATIENCE) -> None:
    """Wait until ``what()`` holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if what():  # type: ignore[operator]
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("waited in vain")


def test_it_answers_and_an_ordinary_site_has_no_demo_logins(served: Served) -> None:
    assert served.get("/healthz") == (200, '{"ok": true}')
    status, text = served.get("/sign-in")
    assert status == 200
    assert "选一个岗位进入" not in text
    assert not (served.site / "demo-logins.csv").exists()
    for name in ("database.password", "serving.password", "workbench.key"):
        assert (served.site / "secrets" / name).stat().st_mode & 0o077 == 0


def test_a_web_server_that_is_killed_comes_back(served: Served) -> None:
    for child in served.children("gunicorn"):
        child.kill()
    until(lambda: served.get("/healthz")[0] == 200)


def test_a_database_that_is_killed_comes_back(served: Served) -> None:
    told = served.site / "workbench" / "database" / "postmaster.pid"
    pid = int(told.read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    until(lambda: told.exists() and told.read_text().splitlines()[:1] not in ([], [str(pid)]))  # another has begun
    until(lambda: served.get("/healthz")[0] == 200)
    assert served.get("/healthz") == (200, '{"ok": true}')


NOBODY_SAYS = "from keepline_web import serving; serving.LIBC = None"  # as on a system that is not Linux


@pytest.mark.parametrize("before", ["", NOBODY_SAYS])
def test_killed_itself_it_leaves_nothing_behind_and_the_next_one_serves_at_the_same_port(
    tmp_path: Path, before: str
) -> None:
    make_published(tmp_path / "site")
    first = start(tmp_path / "site", before=before)
    left, port = first.children(""), urlsplit(first.url).port
    assert port
    first.process.kill()
    first.process.wait()
    second = start(tmp_path / "site", port=port)
    try:
        assert not any(alive(child) for child in left)
        assert second.get("/healthz")[0] == 200
        database = psutil.Process(
            int((second.site / "workbench" / "database" / "postmaster.pid").read_text().splitlines()[0])
        )
    finally:
        second.process.terminate()
    assert second.process.wait(PATIENCE) == 0
    until(lambda: not alive(database))


def test_told_to_stop_it_ends_everything_it_started(served: Served) -> None:
    started = served.children("")
    database = psutil.Process(
        int((served.site / "workbench" / "database" / "postmaster.pid").read_text().splitlines()[0])
    )
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    until(lambda: not any(alive(child) for child in (*started, database)))


def test_other_machines_are_not_answered_without_tls(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    words = [sys.executable, "-m", "keepline", "serve", "--site", str(tmp_path / "site"), "--host", "0.0.0.0"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 1
    assert "KEEPLINE_URL=https://" in done.stderr
