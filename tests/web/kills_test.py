"""``kill -9`` at named points: what was acknowledged is there, what was not is there whole or not at all, and once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from core.small_publication import MONTH
from keepline.front import Site, open_site
from keepline.lake.store import open_lake
from keepline_web import keys, rekeying
from keepline_web.audit.models import Entry
from keepline_web.audit.queries import broken
from keepline_web.customers.models import Account, Assignment, Standing
from keepline_web.exchange import uploads
from keepline_web.exchange.models import Arrival, Trial
from keepline_web.exports import queries as exports
from keepline_web.exports.models import Made
from keepline_web.jobs.models import State, Task
from keepline_web.work import proposals
from keepline_web.work.models import Contact, Ruling
from web.cast import Cast, publish_month
from web.data_test import CUSTOMERS, MAPPING
from web.exported import asked_by, lines
from web.jobs_test import silent
from web.killing import LAST, NEVER

TESTS = Path(__file__).parents[1]
PATIENCE = 120
ENTRY = "keepline_web.audit.actions:_append"


def process(address: str, point: str, act: str, key: object) -> bool:
    """Whether the act was acknowledged before the process ended."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "keepline_web.settings", "KEEPLINE_SITE": str(settings.SITE.root),
           "KEEPLINE_DATABASE_URL": address, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}  # fmt: skip
    command = [sys.executable, "-m", "web.killing", point, act, str(key)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.stdout.strip() == "acknowledged"


def killed(address: str, point: str, act: str, key: object) -> None:
    assert not process(address, point, act, key)


def audit_of(act: str) -> int:
    return Entry.objects.filter(act=act).count()


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Site:
    """A copy of the site, for acts that write to its files; the same keys open the same database."""
    shutil.copytree(settings.SITE.root, tmp_path / "site", ignore=shutil.ignore_patterns("lake", "workbench"))
    settings.SITE = open_site(tmp_path / "site")
    made: Site = settings.SITE
    return made


# the web: a request that dies


@pytest.mark.parametrize(("point", "there"), [
    (f"before {ENTRY}", 0), (f"after {ENTRY}", 0), ("before keepline_web.work.actions:_end_steps", 0), (LAST, 1),
])  # fmt: skip
def test_a_line_of_the_log_is_there_with_its_entry_or_neither_and_sent_again_it_is_there_once(
    point: str, there: int, committed: str
) -> None:
    key, before = uuid.uuid4(), audit_of("contact_logged")
    killed(committed, point, "log", key)
    assert (Contact.objects.filter(key=key).count(), audit_of("contact_logged") - before) == (there, there)
    assert process(committed, NEVER, "log", key)  # the browser had no answer and sends it again
    assert (Contact.objects.filter(key=key).count(), audit_of("contact_logged") - before) == (1, 1)
    assert broken() == []


@pytest.mark.parametrize(("point", "there"), [(f"after {ENTRY}", 0), (LAST, 1)])
def test_a_decision_is_made_with_its_entry_or_not_at_all(point: str, there: int, committed: str) -> None:
    cast = Cast.found()
    Standing.objects.filter(account=cast.own).update(arrears_fen=0)
    Account.objects.filter(pk=cast.own.pk).update(blacklisted=False)
    cast.owner.authority_fen = 0
    made = proposals.propose(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), offer_id="manager-visit",
                             price_fen=0, reason="客户要求上门")  # fmt: skip
    killed(committed, point, "decide", made.pk)
    rulings = Ruling.objects.filter(proposal=made, what="approved")
    assert rulings.count() == there
    if not there:
        assert process(committed, NEVER, "decide", made.pk)
    assert rulings.count() == 1
    assert broken() == []


@pytest.mark.parametrize(("point", "there"), [(f"before {ENTRY}", 0), (LAST, 1)])
def test_a_claim_gives_an_owner_or_none(point: str, there: int, committed: str) -> None:
    cast = Cast.found()
    Assignment.objects.filter(account=cast.own).delete()
    killed(committed, point, "claim", cast.own.pk)
    assert Assignment.objects.filter(account=cast.own).count() == there


# the worker


@pytest.mark.parametrize(("point", "there"), [
    ("after keepline_web.exchange.arriving:_accounts", 0), ("before keepline_web.exchange.arriving:_history", 0),
    (f"after {ENTRY}", 0), (LAST, 1),
])  # fmt: skip
def test_a_publication_is_in_whole_or_not_at_all_and_once(point: str, there: int, committed: str, site: Site) -> None:
    publish_month(site.root, seed=6)

    def state() -> tuple[int, int, int]:
        standings = Standing.objects.filter(month=MONTH).count()
        return Arrival.objects.count(), standings, audit_of("publication_in")

    before, publication = state(), f"{6:064x}"
    killed(committed, point, "bring_in", MONTH)
    assert Arrival.objects.filter(publication_id=publication).count() == there
    if not there:
        assert state() == before
    assert process(committed, NEVER, "bring_in", MONTH)
    assert Arrival.objects.filter(publication_id=publication).count() == 1
    assert state()[2] == before[2] + 1
    assert broken() == []


@pytest.mark.parametrize("point", [
    "after keepline_web.jobs.claiming:claim", "before keepline_web.exports.making:_table",
    "after keepline_web.exports.making:_write", f"after {ENTRY}", "after keepline_web.exports.making:_tell",
    "before keepline_web.jobs.claiming:end",
])  # fmt: skip
def test_an_export_whose_worker_dies_is_made_once_by_the_next(point: str, committed: str) -> None:
    export = asked_by(Cast.found().people["team_lead"])
    folder, before = exports.folder(), audit_of("export_made")
    point = point.replace("claiming:claim", "working:claim").replace("claiming:end", "working:end")
    killed(committed, point, "work", 0)
    task = Task.objects.get()
    assert task.state == State.RUNNING  # nobody knows yet that its worker is gone
    silent(task)
    assert process(committed, NEVER, "work", 0)
    task.refresh_from_db()
    assert task.state == State.DONE
    assert Made.objects.filter(export=export).count() == 1
    assert len(lines(export)) == export.rows + 3
    assert audit_of("export_made") - before <= 1
    assert broken() == []
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("point", [
    "before keepline_web.exchange.uploads:load_file", "after keepline_web.exchange.uploads:load_file",
    "before keepline_web.jobs.working:end",
])  # fmt: skip
def test_a_file_whose_load_dies_is_loaded_once_by_the_next(point: str, committed: str, site: Site) -> None:
    by = Cast.found().people["importer"]
    one = uploads.receive(by=by, file=SimpleUploadedFile("客户.csv", CUSTOMERS.encode()))
    trial = uploads.try_or_load(by=by, upload_id=one.pk, verb="load", mapping=MAPPING, mapping_name="x", accept=[])
    killed(committed, point, "work", 0)
    task = Task.objects.get(pk=trial.task_id)
    assert task.state == State.RUNNING
    silent(task)
    assert process(committed, NEVER, "work", 0)
    task.refresh_from_db()
    assert task.state == State.DONE, task.refused
    assert Trial.objects.get(pk=trial.pk).report["verdict"] != "refused"
    assert open_lake(site.lake).rows("customers") == 2


# the keys


@pytest.mark.parametrize(("point", "version"), [
    ("after keepline_web.keys:begin", 1), (f"after {ENTRY}", 1), ("before keepline_web.keys:finish", 2),
    ("after keepline_web.keys:finish", 2), ("after keepline_web.rekeying:_some", 2),
])  # fmt: skip
def test_a_change_of_keys_that_dies_leaves_the_old_ones_or_the_new(
    point: str, version: int, committed: str, site: Site
) -> None:
    killed(committed, point, "keys", 0)
    rekeying.settle(site.root)  # as the next start does
    rekeying.reseal(site.root)
    assert keys.current(site.root) == version
    assert (broken(), rekeying.left(site.root)) == ([], 0)


# what serves


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_what_was_started_to_serve_does_not_outlive_who_started_it() -> None:
    words = (
        "import sys, time; from keepline_web.serving import Child; "
        "print(Child([sys.executable, '-c', 'import time; time.sleep(60)']).process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    for _ in range(PATIENCE):
        if not runs(child):
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("it went on, and held its port")


def runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be buried."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
