"""A backup brings the workbench back on a machine that has nothing but the site's files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from acceptance.serving_test import PATIENCE, make_published, start


def keepline(*words: str) -> subprocess.CompletedProcess[str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("KEEPLINE_", "DJANGO_", "XDG_"))}
    command = [sys.executable, "-m", "keepline", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=plain)


def test_what_was_backed_up_is_there_again_and_the_audit_reads_as_it_was_written(tmp_path: Path) -> None:
    site, other, file = tmp_path / "site", tmp_path / "other", tmp_path / "backup.tar.gz"
    make_published(site)
    served = start(site)
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    done = keepline("backup", "--site", str(site), "--to", str(file))
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o077 == 0
    shutil.copytree(site, other, ignore=shutil.ignore_patterns("workbench", "secrets"))
    done = keepline("restore", str(file), "--site", str(other))
    assert (done.returncode, "the audit chains hold" in done.stdout) == (0, True), done.stderr
    again = keepline("restore", str(file), "--site", str(other))
    assert again.returncode == 1
    assert "not empty" in again.stderr
    served = start(other)
    assert served.get("/healthz")[0] == 200
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0


def test_a_backup_for_another_site_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    site, other, file = tmp_path / "site", tmp_path / "other", tmp_path / "backup.tar.gz"
    make_published(site)
    make_published(other)
    (other / "secrets").mkdir(exist_ok=True)
    (other / "secrets" / "workbench.key").write_text("00" * 32 + "\n", encoding="ascii")
    refused = keepline("backup", "--site", str(site), "--to", str(file)).stderr
    assert "nothing to back up" in refused
    assert "lake/, published/" in refused  # what to copy instead
    served = start(site)
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    assert keepline("backup", "--site", str(site), "--to", str(file)).returncode == 0
    done = keepline("restore", str(file), "--site", str(other))
    assert done.returncode == 1
    assert "workbench.key" in done.stderr
    assert not (other / "workbench" / "database").exists()
