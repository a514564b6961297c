"""Nothing acknowledged is lost: when the database is killed, a backup is made, or backup or restore is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from acceptance.keeping_test import keepline
from acceptance.serving_test import PATIENCE, Served, make_published, start, until
from acceptance.upgrade_test import TESTS, asked

LINES = 80
CAST = "from keepline_web.upgrading import bring_up; bring_up(); from web.cast import make_cast; make_cast(); " \
       "print(json.dumps(1))"  # fmt: skip
LOOK = """
from keepline_web.audit.models import Entry
from keepline_web.audit.queries import broken
from keepline_web.work.models import Contact
keys = [str(key) for key in Contact.objects.values_list("key", flat=True)]
print(json.dumps({"keys": keys, "entries": Entry.objects.filter(act="contact_logged").count(),
                  "broken": [str(one) for one in broken()]}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kept") / "site"
    make_published(made)
    asked(made, CAST)
    return made


def postmaster(site: Path) -> list[str]:
    return (site / "workbench" / "database" / "postmaster.pid").read_text(encoding="ascii").splitlines()


def environment(site: Path) -> dict[str, str]:
    """For a process beside those that serve, over the same socket."""
    password = (site / "secrets" / "database.password").read_text(encoding="ascii").strip()
    address = f"postgresql://keepline:{password}@/keepline?host={quote(postmaster(site)[4], safe='/')}"
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("KEEPLINE_", "DJANGO_", "XDG_"))}
    return plain | {"DJANGO_SETTINGS_MODULE": "keepline_web.settings", "KEEPLINE_SITE": str(site.resolve()),
                    "KEEPLINE_DATABASE_URL": address,
                    "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}  # fmt: skip


@contextmanager
def writing(site: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-m", "acceptance.writing", str(count)], stdout=subprocess.PIPE,
                               text=True, env=environment(site))  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def said(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def stop(served: Served) -> None:
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0


def test_every_line_acknowledged_outlives_a_database_that_is_killed_twice(site: Path) -> None:
    served = start(site)
    with writing(site, LINES) as writer:
        keys = said(writer, LINES // 4)
        for _ in range(2):
            number = int(postmaster(site)[0])
            family = psutil.Process(number).children(recursive=True)
            os.kill(number, signal.SIGKILL)
            for one in family:
                with_no_grace(one)
            keys += said(writer, LINES // 4)
        keys += said(writer, LINES // 4)
        assert writer.wait(PATIENCE) == 0
    until(lambda: served.get("/healthz")[0] == 200)
    stop(served)
    found = asked(site, LOOK)
    assert isinstance(found, dict)
    assert len(set(keys)) == LINES
    assert set(keys) <= set(found["keys"])
    assert len(found["keys"]) == len(set(found["keys"])) == found["entries"]
    assert found["broken"] == []


def with_no_grace(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return


def test_a_backup_taken_while_people_work_is_of_one_moment_and_drops_nothing(site: Path, tmp_path: Path) -> None:
    other, file = tmp_path / "other", tmp_path / "backup.tar.gz"
    served = start(site)
    with writing(site, 10_000) as writer:
        before = said(writer, 10)
        done = keepline("backup", "--site", str(site), "--to", str(file))
        assert done.returncode == 0, done.stderr
        said(writer, 5)
    stop(served)
    make_published(other)
    done = keepline("restore", str(file), "--site", str(other))
    assert (done.returncode, "the audit chains hold" in done.stdout) == (0, True), done.stderr
    found, whole = asked(other, LOOK), asked(site, LOOK)
    assert isinstance(found, dict)
    assert isinstance(whole, dict)
    assert set(before) <= set(found["keys"]) < set(whole["keys"])
    assert (len(found["keys"]), found["broken"]) == (found["entries"], [])


def dies(words: list[str], when: Path | str) -> None:
    """Run a command with all it starts, and kill the whole once a file is there or a program runs."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("KEEPLINE_", "DJANGO_", "XDG_"))}
    process = subprocess.Popen([sys.executable, "-m", "keepline", *words], env=plain, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    end = time.monotonic() + PATIENCE
    while not (when.exists() if isinstance(when, Path) else runs(process.pid, when)):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def runs(number: int, program: str) -> bool:
    try:
        return any(child.name() == program for child in psutil.Process(number).children())
    except psutil.Error:
        return False


@pytest.mark.parametrize("when", ["pg_dump"])
def test_a_backup_that_is_killed_leaves_no_file_that_looks_whole(when: str, site: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    words = ["backup", "--site", str(site), "--to", str(file)]
    dies(words, when)
    assert not file.exists()
    done = keepline(*words)
    assert (done.returncode, file.exists()) == (0, True), done.stderr


@pytest.mark.parametrize("when", ["workbench.key", "pg_restore"])
def test_a_restore_that_is_killed_is_said_again_and_is_whole(when: str, site: Path, tmp_path: Path) -> None:
    other, file = tmp_path / "other", tmp_path / "backup.tar.gz"
    assert keepline("backup", "--site", str(site), "--to", str(file)).returncode == 0
    make_published(other)
    words = ["restore", str(file), "--site", str(other)]
    dies(words, other / "secrets" / when if when.endswith("key") else when)
    done = keepline(*words)
    assert (done.returncode, "the audit chains hold" in done.stdout) == (0, True), done.stderr
    assert asked(other, LOOK) == asked(site, LOOK)
