"""What a worker does with a task: its pulse beside it, its function, and however that ends put down."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from django.db import close_old_connections, connection

from keepline_web.jobs.claiming import claim, end, give_back, recover
from keepline_web.jobs.guarding import AWAY, Guarded, words_of
from keepline_web.jobs.kinds import CHORES, KINDS
from keepline_web.jobs.models import State, Task
from keepline_web.jobs.progress import Cancelled, Lost, Progress, Stopping

log = logging.getLogger("keepline")
PULSE_SECONDS = 1.0
IDLE_SECONDS = 0.5
AWAY_SECONDS = 2.0


def work(stopping: threading.Event) -> None:
    """Take tasks and do them until told to stop, or until who started this worker is gone."""
    parent, due = os.getppid(), [0.0] * len(CHORES)
    while not stopping.is_set() and os.getppid() == parent:
        try:
            close_old_connections()
            if not work_once(stopping):
                _chores(due)
                stopping.wait(IDLE_SECONDS)
        except AWAY as error:  # the task, if any, is stale soon and begins anew
            log.error("the worker cannot reach the database: %s", error)
            connection.close()
            stopping.wait(AWAY_SECONDS)


def work_once(stopping: threading.Event | None = None) -> Task | None:
    """Do the first task that waits; nothing when none does."""
    recover()
    task = claim()
    if task is None:
        return None
    progress = Progress(task, stopping)
    with _pulse(progress):
        carry_out(task, progress)
    return task


def carry_out(task: Task, progress: Progress) -> None:
    """Run the task's function, and put down how it ended."""
    with _Outcome(task, progress) as outcome:
        outcome.result = KINDS[task.kind].run(task.asked, progress)


class _Outcome:
    """However a function ends becomes the task's state; only a database that is away and a signal go further up."""

    def __init__(self, task: Task, progress: Progress) -> None:
        self.task, self.progress = task, progress
        self.result: dict[str, Any] | None = None

    def __enter__(self) -> _Outcome:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            end(self.task, State.DONE, result=self.result, **self.progress.told)
        elif isinstance(error, Cancelled):
            end(self.task, State.CANCELLED, **self.progress.told)
        elif isinstance(error, Stopping):
            give_back(self.task)
        elif isinstance(error, AWAY) or not isinstance(error, Exception):
            return False
        elif not isinstance(error, Lost):
            why = words_of(error, f"task {self.task.pk} ({self.task.kind})")
            end(self.task, State.FAILED, refused=why, **self.progress.told)
        return True


@contextmanager
def _pulse(progress: Progress) -> Iterator[None]:
    """Write progress and heartbeat every second from a thread, whose connection is not the function's."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(progress, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(progress: Progress, over: threading.Event) -> None:
    while not over.wait(PULSE_SECONDS):
        try:
            progress.write()
        except AWAY:
            connection.close()  # tried again at the next beat
    connection.close()


def _chores(due: list[float]) -> None:
    """Those whose time has come; the first time at once. One that breaks is told and tried again at its next time."""
    moment = time.monotonic()
    for place, one in enumerate(CHORES):
        if moment >= due[place]:
            due[place] = moment + one.every_seconds
            with Guarded(f"the chore {one.run.__name__}"):
                one.run()
