"""A workbench of the version before comes up under this one with everything in it; a newer one is refused in words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.keeping_test import keepline
from acceptance.serving_test import PATIENCE, start
from acceptance.upgrade.make_backup import make_files
from keepline_web.keeping import unpack

BEFORE = Path(__file__).parent / "upgrade"
TESTS = Path(__file__).parents[1]
TOLD = json.loads((BEFORE / "told.json").read_text(encoding="utf-8"))
NEWER = "INSERT INTO django_migrations (app, name, applied) VALUES ('work', '0999_from_tomorrow', now())"
READ = """
from acceptance.upgrade.make_backup import told
from keepline_web.audit.queries import broken
from django.test import Client
from web.cast import Cast, enter
from keepline_web.people.models import Person
said = told()
said["broken"] = [str(one) for one in broken()]
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
said["steps_left"] = [str(one) for one in executor.migration_plan(executor.loader.graph.leaf_nodes())]
cast = Cast.found()
client = enter(Client(), cast.owner)
said["pages"] = {path: client.get(path).status_code
                 for path in ("/", "/today", f"/accounts/{cast.own.pk}", "/log", "/promises", "/proposals")}
said["password_first"] = Person.objects.filter(password__startswith="argon2").count()
print(json.dumps(said, ensure_ascii=False))
"""
CLEAR = """
cursor = connection.cursor()
cursor.execute("SELECT user_id, key FROM otp_totp_totpdevice")
print(json.dumps({str(person): key for person, key in cursor}))
"""
SEEDS = """
from keepline_web.people.models import SecondFactor
devices = SecondFactor.objects.all()
print(json.dumps({"seeds": {str(one.user_id): one.bin_key.hex() for one in devices},
                  "sealed": devices.filter(key__startswith="1:").count()}))
"""
BREAKS = """
from django.db import migrations
from keepline_web import upgrading
def breaks(*_): raise RuntimeError("in the middle")
from django.db.migrations.executor import MigrationExecutor
one = MigrationExecutor.apply_migration
def apply(self, state, migration, *args, **values):
    state = one(self, state, migration, *args, **values)
    if (migration.app_label, migration.name) == LAST: breaks()
    return state
MigrationExecutor.apply_migration = apply
try:
    upgrading.bring_up()
except RuntimeError as error:
    print(json.dumps(str(error)))
"""
STEPS = "print(json.dumps(list(map(list, Step(connection).applied_migrations()))))"
TABLES = "len(connection.introspection.table_names())"
LAST = ("work", "0002_targets")  # a step that many others come before, and some after
SET_UP = """
import json, os, sys
from pathlib import Path
from keepline.front import open_site
from keepline_web.serving import database_of
database_of(open_site(Path(sys.argv[1])))
import django
django.setup()
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder as Step
"""


def asked(site: Path, words: str) -> object:
    """What a program says that runs on the site's database while nothing else does."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("KEEPLINE_", "DJANGO_", "XDG_"))}
    plain |= {"DJANGO_SETTINGS_MODULE": "keepline_web.settings", "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    command = [sys.executable, "-c", SET_UP + words, str(site)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=plain)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A site whose workbench is that of the version before, its tables not yet brought up."""
    site, folder = tmp_path / "site", tmp_path / "unpacked"
    make_files(site)
    folder.mkdir()
    unpack(BEFORE / "backup.tar.gz", folder)
    for path in (folder / "secrets").iterdir():
        (site / "secrets").mkdir(exist_ok=True, mode=0o700)
        shutil.copy2(path, site / "secrets" / path.name)
    raw = f"from keepline_web.keeping import _program; _program('pg_restore', '--no-owner', '--dbname=keepline', " \
          f"{str(folder / 'database.dump')!r}); print(json.dumps(1))"  # fmt: skip
    asked(site, raw)
    return site


def is_whole(said: object) -> None:
    assert isinstance(said, dict)
    assert {table: said["rows"].get(table) for table in TOLD["rows"]} | NOT_KEPT == TOLD["rows"] | NOT_KEPT
    assert (said["name"], said["phone"]) == (TOLD["name"], TOLD["phone"])
    assert (said["broken"], said["steps_left"]) == ([], [])
    assert said["pages"] == {path: 302 if path == "/" else 200 for path in said["pages"]}
    assert said["password_first"] == TOLD["rows"]["people_person"]


NOT_KEPT = {"auth_permission": 0, "django_content_type": 0, "people_session": 0}  # each version's own, and the browser


def test_a_backup_of_the_version_before_is_restored_and_everything_in_it_is_read(tmp_path: Path) -> None:
    site = tmp_path / "site"
    make_files(site)
    done = keepline("restore", str(BEFORE / "backup.tar.gz"), "--site", str(site))
    assert (done.returncode, "the audit chains hold" in done.stdout) == (0, True), done.stderr
    is_whole(asked(site, READ))
    served = start(site)
    assert served.get("/healthz")[0] == 200
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0


def test_a_workbench_of_the_version_before_is_brought_up_where_it_stands(old: Path) -> None:
    clear = asked(old, CLEAR)
    assert isinstance(clear, dict)
    assert clear
    served = start(old)
    assert served.get("/healthz")[0] == 200
    assert served.get("/sign-in")[0] == 200
    served.process.terminate()
    assert served.process.wait(PATIENCE) == 0
    is_whole(asked(old, READ))
    assert asked(old, SEEDS) == {"seeds": clear, "sealed": len(clear)}


def test_an_upgrade_that_dies_in_the_middle_leaves_the_database_as_it_was_and_is_done_by_the_next(
    tmp_path: Path,
) -> None:
    site = tmp_path / "site"
    make_files(site)
    assert asked(site, f"LAST = {LAST!r}" + BREAKS) == "in the middle"
    assert asked(site, f"print(json.dumps({TABLES}))") == 0
    asked(site, "from keepline_web.upgrading import bring_up; bring_up(); print(json.dumps(1))")
    assert asked(site, f"print(json.dumps({TABLES}))") > len(TOLD["rows"])  # type: ignore[operator]


def test_a_database_of_a_newer_version_is_refused_in_words_and_left_alone(old: Path) -> None:
    asked(old, f"connection.cursor().execute({NEWER!r}); print(json.dumps(1))")
    before = asked(old, STEPS)
    done = keepline("serve", "--site", str(old), "--port", "0")
    assert done.returncode == 1
    assert "newer version of keepline" in done.stderr
    assert "work.0999_from_tomorrow" in done.stderr
    assert "Traceback" not in done.stderr
    assert asked(old, STEPS) == before


def test_a_backup_of_a_newer_version_is_refused_in_words_before_a_row_of_it_is_written(
    tmp_path: Path, old: Path
) -> None:
    other, file = tmp_path / "other", tmp_path / "newer.tar.gz"
    asked(old, f"connection.cursor().execute({NEWER!r}); print(json.dumps(1))")
    assert keepline("backup", "--site", str(old), "--to", str(file)).returncode == 0
    make_files(other)
    done = keepline("restore", str(file), "--site", str(other))
    assert done.returncode == 1
    assert "newer version of keepline" in done.stderr
    assert "Traceback" not in done.stderr
    assert asked(other, f"print(json.dumps({TABLES}))") == 0
