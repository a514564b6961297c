"""Asking for long work, and asking that it end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http import Http404

from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.jobs.kinds import KINDS
from keepline_web.jobs.models import OPEN, State, Task
from keepline_web.people.models import Person


def ask(*, kind: str, asked: dict[str, Any], by: Person) -> Task:
    """Put a task into the queue, in the transaction of the act it belongs to; who may ask is the room's to say."""
    assert kind in KINDS, kind
    return Task.objects.create(kind=kind, asked=asked, person=by, asked_at=clock.now())


@transaction.atomic
def cancel(*, by: Person, task_id: int) -> Task:
    """End one's own task: at once while it waits, before its next step while it runs."""
    task = Task.objects.select_for_update().filter(pk=task_id, person=by).first()
    if task is None:
        raise Http404
    if not task.open:
        raise Refused(
            "任务已经结束，不能再取消；刷新页面可见结果。",
            "The task has ended and cannot be cancelled; reload the page to see how.",
            code="task_ended",
        )
    task.cancel_asked = True
    if task.state == State.QUEUED:
        task.state, task.ended_at = State.CANCELLED, clock.now()
    task.save(update_fields=["cancel_asked", "state", "ended_at"])
    return task


def see(*, by: Person, tasks: Iterable[int]) -> None:
    """Those of one's own that had ended when their page was shown are no news any more."""
    Task.objects.filter(pk__in=list(tasks), person=by, seen=False).exclude(state__in=OPEN).update(seen=True)
