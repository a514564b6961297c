"""Taking a task from the queue, giving it back, and ending it: each a short transaction of its own."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from keepline_web.frame import clock
from keepline_web.frame.words import Text
from keepline_web.jobs.kinds import KINDS
from keepline_web.jobs.models import State, Task
from keepline_web.jobs.words import GIVEN_UP

STALE_SECONDS = 30  # a worker silent for so long is taken for dead; it says something every second
ATTEMPTS_AT_MOST = 3


@transaction.atomic
def claim() -> Task | None:
    """The first task that waits and that no other worker is just taking."""
    waiting = Task.objects.select_for_update(skip_locked=True).filter(state=State.QUEUED, kind__in=list(KINDS))
    task = waiting.order_by("pk").first()
    if task is None:
        return None
    Task.objects.filter(pk=task.pk).update(
        state=State.RUNNING, claim=uuid.uuid4(), heartbeat=Now(), attempts=task.attempts + 1,
        begun_at=task.begun_at or clock.now(), done=0, total=None, step=None,
    )  # fmt: skip
    task.refresh_from_db()
    return task


@transaction.atomic
def recover(stale_seconds: float = STALE_SECONDS) -> int:
    """Put tasks of workers that fell silent back into the queue, at most so many times; returns how many there were.

    The database's clock judges, so that workers on several machines need not agree on theirs.
    """
    silent = Task.objects.select_for_update(skip_locked=True).filter(
        state=State.RUNNING, heartbeat__lt=Now() - dt.timedelta(seconds=stale_seconds)
    )
    count = 0
    for task in silent:
        count += 1
        if task.cancel_asked:
            end(task, State.CANCELLED)
        elif task.attempts >= ATTEMPTS_AT_MOST:
            end(task, State.FAILED, refused=GIVEN_UP.with_values(n=task.pk))
        else:
            Task.objects.filter(pk=task.pk).update(state=State.QUEUED, claim=None)
    return count


def give_back(task: Task) -> None:
    """Let another worker do it from its beginning; this attempt does not count. What is cancelled is not given back."""
    mine = Task.objects.filter(pk=task.pk, claim=task.claim, state=State.RUNNING)
    mine.filter(cancel_asked=True).update(state=State.CANCELLED, ended_at=clock.now())
    mine.update(state=State.QUEUED, claim=None, attempts=task.attempts - 1)


def end(
    task: Task, state: State, *, result: dict[str, Any] | None = None, refused: Text | None = None, **told: Any
) -> None:
    """Say how it ended, unless another worker has it by now."""
    words = {"zh": refused.zh, "en": refused.en} if refused else None
    Task.objects.filter(pk=task.pk, claim=task.claim, state=State.RUNNING).update(
        state=state, ended_at=clock.now(), result=result, refused=words, **told
    )
