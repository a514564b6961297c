"""``keepline keys change`` as an operator runs it, on a site of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from acceptance.keeping_test import keepline
from acceptance.serving_test import PATIENCE, make_published, start
from acceptance.upgrade_test import asked

KEYS = "import sys; from keepline.console import run; from keepline_web.command import keys; sys.exit(run(keys))"
SECRETS = ("workbench.key", "database.password", "serving.password")
LOOK = "from keepline_web.rekeying import left; from keepline_web.audit.queries import broken; " \
       "from django.conf import settings; print(json.dumps([left(settings.SITE.root), len(broken())]))"  # fmt: skip


def change(site: Path) -> subprocess.CompletedProcess[str]:
    """By the command's own function: a site's packages name it only after they were installed anew."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("KEEPLINE_", "DJANGO_", "XDG_"))}
    command = [sys.executable, "-c", KEYS, "change", "--site", str(site)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=plain)


def test_keys_and_passwords_are_changed_while_the_workbench_stands_still(tmp_path: Path) -> None:
    site, file = tmp_path / "site", tmp_path / "backup.tar.gz"
    make_published(site)
    served = start(site)
    before = {name: (site / "secrets" / name).read_text(encoding="ascii") for name in SECRETS}
    done = change(site)
    assert (done.returncode, "stop it first" in done.stderr) == (1, True), done.stderr
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    done = change(site)
    assert (done.returncode, "version 2" in done.stdout) == (0, True), done.stderr
    served = start(site)
    assert served.get("/healthz")[0] == 200
    after = {name: (site / "secrets" / name).read_text(encoding="ascii") for name in SECRETS}
    assert all(before[name] != after[name] for name in SECRETS)
    assert keepline("backup", "--site", str(site), "--to", str(file)).returncode == 0
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    assert asked(site, LOOK) == [0, 0]
