"""Long work: asked once and done once, watched, cancelled, and begun anew when its worker is killed."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from keepline_web.frame.refusals import Refused
from keepline_web.jobs import claiming, working
from keepline_web.jobs.actions import ask, cancel
from keepline_web.jobs.kinds import KINDS, Chore, register
from keepline_web.jobs.models import State, Task
from keepline_web.jobs.progress import Lost, Progress
from web.cast import Cast, enter
from web.slow_work import KIND, slow

TESTS = Path(__file__).parents[1]
PATIENCE = 60


@contextmanager
def kind(name: str, run: Any) -> Iterator[str]:
    register(name, "测试", "test", run=run)
    try:
        yield name
    finally:
        del KINDS[name]


@contextmanager
def swapped(name: str, run: Any) -> Iterator[None]:
    before = KINDS[name]
    register(name, "测试", "test", run=run)
    try:
        yield
    finally:
        KINDS[name] = before


def done_now(task: Task) -> Task:
    """Claim it and run it here and now, as a worker would."""
    claimed = claiming.claim()
    assert claimed is not None
    assert claimed.pk == task.pk
    progress = Progress(claimed)
    progress.write()
    working.carry_out(claimed, progress)
    task.refresh_from_db()
    return task


def test_what_a_function_returns_is_the_result(cast: Cast) -> None:
    with kind("sum", lambda asked, _: {"sum": sum(asked["of"])}) as name:
        task = done_now(ask(kind=name, asked={"of": [1, 2]}, by=cast.owner))
    assert (task.state, task.result, task.attempts) == (State.DONE, {"sum": 3}, 1)


def test_a_refusal_is_told_in_both_languages(cast: Cast) -> None:
    def refuse(*_: object) -> None:
        raise Refused("太多", "too many", code="x")

    with kind("refuse", refuse) as name:
        task = done_now(ask(kind=name, asked={}, by=cast.owner))
    assert (task.state, task.refused) == (State.FAILED, {"zh": "太多", "en": "too many"})
    assert "太多" in enter(Client(), cast.owner).get(f"/tasks/{task.pk}").content.decode()


def test_a_function_that_breaks_fails_with_a_number_and_not_with_its_innards(cast: Cast, caplog: Any) -> None:
    with kind("break", lambda *_: 1 // 0) as name:
        task = done_now(ask(kind=name, asked={}, by=cast.owner))
    assert task.state == State.FAILED
    number = task.refused["en"].rsplit(" ", 1)[1].strip(".")
    assert f"reference {number}" in caplog.text
    assert "division" not in task.refused["en"]


def test_a_cancelled_task_ends_before_its_next_step(cast: Cast) -> None:
    taken = []

    def run(_: object, progress: Progress) -> None:
        for step in range(10):
            taken.append(step)
            if step == 3:
                cancel(by=cast.owner, task_id=task.pk)
                progress.write()
            progress.step(step, 10)

    with kind("long", run) as name:
        task = ask(kind=name, asked={}, by=cast.owner)
        done_now(task)
    assert (task.state, taken) == (State.CANCELLED, [0, 1, 2, 3])


def test_a_waiting_task_is_cancelled_at_once_and_an_ended_one_not_at_all(cast: Cast) -> None:
    task = ask(kind="export", asked={}, by=cast.owner)
    assert cancel(by=cast.owner, task_id=task.pk).state == State.CANCELLED
    assert claiming.claim() is None
    with pytest.raises(Refused, match="has ended"):
        cancel(by=cast.owner, task_id=task.pk)


def silent(task: Task, seconds: int = 31) -> None:
    Task.objects.filter(pk=task.pk).update(heartbeat=timezone.now() - dt.timedelta(seconds=seconds))


def test_a_worker_silent_for_half_a_minute_loses_its_task_and_one_that_beats_keeps_it(cast: Cast) -> None:
    task = ask(kind="export", asked={}, by=cast.owner)
    claiming.claim()
    silent(task, 25)
    assert claiming.recover() == 0
    silent(task, 31)
    assert claiming.recover() == 1
    task.refresh_from_db()
    assert task.state == State.QUEUED


def test_after_three_killed_workers_a_task_fails_with_words(cast: Cast) -> None:
    task = ask(kind="export", asked={}, by=cast.owner)
    for attempt in (1, 2, 3):
        claimed = claiming.claim()
        assert claimed is not None
        assert claimed.attempts == attempt
        silent(task)
        claiming.recover()
    task.refresh_from_db()
    assert (task.state, claiming.claim()) == (State.FAILED, None)
    assert "三次" in task.refused["zh"]
    assert str(task.pk) in task.refused["en"]


def test_a_worker_that_lost_its_task_changes_nothing_any_more(cast: Cast) -> None:
    task = ask(kind="export", asked={}, by=cast.owner)
    first = claiming.claim()
    assert first is not None
    silent(task)
    claiming.recover()
    second = claiming.claim()
    assert second is not None
    late = Progress(first)
    late.write()
    with pytest.raises(Lost):
        late.step(5, 10)
    with pytest.raises(Lost):
        late.hold()
    claiming.end(first, State.DONE, result={"by": "the late one"})
    claiming.end(second, State.DONE, result={"by": "the second"})
    task.refresh_from_db()
    assert task.result == {"by": "the second"}


def test_a_worker_told_to_stop_gives_its_task_back_without_counting_the_attempt(cast: Cast) -> None:
    task = ask(kind="export", asked={}, by=cast.owner)
    claimed = claiming.claim()
    assert claimed is not None
    stopping = threading.Event()
    stopping.set()
    with swapped("export", slow):
        claimed.asked = {"steps": 3}
        working.carry_out(claimed, Progress(claimed, stopping))
    task.refresh_from_db()
    assert (task.state, task.attempts) == (State.QUEUED, 0)


def test_work_of_a_kind_this_version_does_not_know_waits(cast: Cast) -> None:
    with kind("soon", lambda *_: None) as name:
        ask(kind=name, asked={}, by=cast.owner)
    assert claiming.claim() is None


def test_another_s_task_is_not_there(cast: Cast, entered: Callable[[str], Client]) -> None:
    task = ask(kind="export", asked={"export": 1}, by=cast.owner)
    for role in ("team_lead", "admin", "auditor"):
        client = entered(role)
        assert client.get(f"/tasks/{task.pk}").status_code == 404
        assert client.post(f"/tasks/{task.pk}/cancel").status_code == 404
        assert f"/tasks/{task.pk}" not in client.get("/tasks").content.decode()


def test_the_page_asks_again_while_something_runs_and_then_no_more(cast: Cast) -> None:
    client = enter(Client(), cast.owner)
    task = ask(kind="export", asked={"export": 1}, by=cast.owner)
    for address in ("/tasks", f"/tasks/{task.pk}"):
        assert 'hx-trigger="every 2s"' in client.get(address).content.decode()
    assert client.post(f"/tasks/{task.pk}/cancel").status_code == 302
    for address in ("/tasks", f"/tasks/{task.pk}"):
        text = client.get(address).content.decode()
        assert "hx-trigger" not in text
        assert "已取消" in text


def test_progress_is_seen_while_it_runs(cast: Cast) -> None:
    task = ask(kind="export", asked={"export": 1}, by=cast.owner)
    claimed = claiming.claim()
    assert claimed is not None
    progress = Progress(claimed)
    progress.step(250, 1000, zh="写入客户", en="writing customers")
    progress.write()
    text = enter(Client(), cast.owner).get(f"/tasks/{task.pk}").content.decode()
    assert "250 / 1,000" in text
    assert 'width="25"' in text
    assert "写入客户" in text


def test_the_menu_tells_what_runs_or_has_ended_until_one_looked(cast: Cast) -> None:
    client, badge = enter(Client(), cast.owner), '<span class="badge plainly accent number">{}</span>'
    with kind("sum", lambda *_: None) as name:
        first, _ = (ask(kind=name, asked={}, by=cast.owner) for _ in range(2))
        client.get("/tasks")
        assert badge.format(2) in client.get("/me").content.decode()
        done_now(first)
        assert badge.format(2) in client.get("/me").content.decode()
        client.get(f"/tasks/{first.pk}")
    assert badge.format(1) in client.get("/me").content.decode()
    assert "badge plainly accent number" not in enter(Client(), cast.colleague).get("/me").content.decode()


# with real commits


def asked_slow(steps: int, seconds: float = 0.02) -> Task:
    register(KIND, "慢活", "slow work", run=slow)
    return ask(kind=KIND, asked={"steps": steps, "seconds": seconds}, by=Cast.found().owner)


@contextmanager
def worker(address: str) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "keepline_web.settings", "KEEPLINE_SITE": str(settings.SITE.root),
           "KEEPLINE_DATABASE_URL": address, "PYTHONPATH": str(TESTS)}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "web.slow_work"], env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "waited in vain; what a worker said stands above"
        time.sleep(0.05)


def read(task: Task) -> Task:
    return Task.objects.get(pk=task.pk)


def test_the_task_of_a_killed_worker_is_done_by_the_next(committed: str) -> None:
    task = asked_slow(100_000, 0.01)
    with worker(committed) as first:
        until(lambda: read(task).state == State.RUNNING and read(task).done > 0)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    assert read(task).state == State.RUNNING  # nobody knows yet
    Task.objects.filter(pk=task.pk).update(asked={"steps": 2})
    silent(task)
    with worker(committed) as second:
        until(lambda: read(task).state == State.DONE)
        assert read(task).result == {"steps": 2, "process": second.pid}
    assert read(task).attempts == 2


def test_a_worker_told_to_stop_ends_within_seconds_and_loses_nothing(committed: str) -> None:
    task = asked_slow(100_000, 0.01)
    with worker(committed) as process:
        until(lambda: read(task).state == State.RUNNING)
        process.terminate()
        assert process.wait(10) == 0
    assert (read(task).state, read(task).attempts) == (State.QUEUED, 0)


def test_progress_and_cancelling_pass_a_transaction_that_is_still_open(committed: str) -> None:  # noqa: ARG001
    seen: list[int] = []

    def run(_: object, progress: Progress) -> None:
        with transaction.atomic():
            for step in range(1_000):
                progress.step(step, 1_000)
                time.sleep(0.02)

    def watch() -> None:
        until(lambda: read(task).done > 0)
        seen.append(read(task).done)
        cancel(by=task.person, task_id=task.pk)
        connection.close()

    with kind("open", run) as name:
        task = ask(kind=name, asked={}, by=Cast.found().owner)
        watcher = threading.Thread(target=watch)
        watcher.start()
        working.work_once()
        watcher.join()
    assert seen
    assert read(task).state == State.CANCELLED


@pytest.mark.parametrize("repeat", range(3))
def test_workers_at_once_do_each_task_once(committed: str, repeat: int) -> None:  # noqa: ARG001
    ran: list[int] = []
    with kind("count", lambda asked, _: ran.append(asked["n"])) as name:
        owner = Cast.found().owner
        for n in range(40):
            ask(kind=name, asked={"n": n}, by=owner)

        def work() -> None:
            while working.work_once() is not None:
                pass
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(ran) == list(range(40))
    assert set(Task.objects.values_list("state", "attempts")) == {(State.DONE, 1)}


# what the worker does of itself


def test_a_chore_that_breaks_is_told_and_stops_neither_the_others_nor_the_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def full() -> None:
        ran.append("full")
        raise OSError(28, "No space left on device")

    def refuses() -> None:
        raise Refused("不行", "it may not be", code="x")

    monkeypatch.setattr(working, "CHORES", [Chore(full, 60), Chore(refuses, 60), Chore(lambda: ran.append("next"), 0)])
    due = [0.0, 0.0, 0.0]
    working._chores(due)
    working._chores(due)
    assert ran == ["full", "next", "next"]  # the broken one waits for its next time
    assert re.search(r"reference [0-9a-f]{8}: the chore full broke", caplog.text)
    assert "No space left on device" in caplog.text
    assert "the chore refuses was not done: it may not be" in caplog.text


def test_a_chore_that_finds_no_database_is_left_to_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("the server went away")

    monkeypatch.setattr(working, "CHORES", [Chore(away, 60)])
    with pytest.raises(OperationalError):
        working._chores([0.0])
