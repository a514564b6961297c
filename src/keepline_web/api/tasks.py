"""One's own long work: how far it is, what came of it, and ending it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Router

from keepline_web.api.access import needs
from keepline_web.api.fields import EACH, Out, Paged, PageNumber, PageSize, PathId, Words, paged, words
from keepline_web.frame.words import Text
from keepline_web.jobs import actions
from keepline_web.jobs.kinds import KINDS
from keepline_web.jobs.models import Task
from keepline_web.jobs.queries import access_task, tasks_of
from keepline_web.people.roles import Act

NAME = "任务 · tasks"
router = Router()
WHO_ASKS = ("export", "data")  # scopes of what puts tasks into the queue


class TaskShape(Out):
    id: int
    kind: str
    words: Words
    state: str
    done: int
    total: int | None
    step: Words | None
    cancel_asked: bool
    result: dict[str, Any] | None
    refused: Words | None
    asked_at: dt.datetime
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None


@router.get("tasks", response=Paged[TaskShape],
            **needs(Act.SIGNED_IN, "read", *WHO_ASKS, zh="我的任务", en="One's own tasks"))  # fmt: skip
def list_tasks(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:
    """Latest first."""
    return paged(tasks_of(request.user), page, each, lambda found: [shape(task) for task in found])


@router.get("tasks/{task_id}", response=TaskShape,
            **needs(Act.SIGNED_IN, "read", *WHO_ASKS, zh="一项任务", en="One task"))  # fmt: skip
def read_task(request: HttpRequest, task_id: PathId) -> Any:
    """Ask again until its state is done, failed or cancelled."""
    return shape(access_task(request.user, task_id))


@router.post("tasks/{task_id}/cancel", response={201: TaskShape},
             **needs(Act.SIGNED_IN, *WHO_ASKS, zh="取消任务", en="Cancel a task"))  # fmt: skip
def cancel_task(request: HttpRequest, task_id: PathId) -> Any:
    """At once while it waits, before its next step while it runs."""
    return shape(actions.cancel(by=request.user, task_id=task_id))


def shape(task: Task) -> dict[str, Any]:
    """A task as its page shows it."""
    kind = KINDS.get(task.kind)
    same = ("kind", "state", "done", "total", "step", "cancel_asked", "result", "refused", "asked_at", "begun_at",
            "ended_at")  # fmt: skip
    return {name: getattr(task, name) for name in same} | {
        "id": task.pk, "words": words(kind.words if kind else Text(task.kind, task.kind)),
    }  # fmt: skip
