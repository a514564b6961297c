"""One's own tasks: how far they are, what came of them, and a way to end them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline_web.jobs import actions
from keepline_web.jobs.kinds import KINDS
from keepline_web.jobs.models import State, Task
from keepline_web.jobs.queries import access_task, something_runs, tasks_of
from keepline_web.jobs.words import STATES
from keepline_web.people.access import page
from keepline_web.people.roles import Act

EACH = 20


@page(Act.SIGNED_IN)
def tasks(request: HttpRequest) -> HttpResponse:
    """One's own, latest first; asked again every two seconds while something runs."""
    paged = Paginator(tasks_of(request.user), EACH).get_page(request.GET.get("page"))
    actions.see(by=request.user, tasks=[task.pk for task in paged if not task.open])
    values = {"page": paged, "lines": [_line(task) for task in paged], "runs": something_runs(request.user)}
    return render(request, "jobs/tasks.html", values)


@page(Act.SIGNED_IN)
def task(request: HttpRequest, task_id: int) -> HttpResponse:
    one = access_task(request.user, task_id)
    actions.see(by=request.user, tasks=[one.pk] if not one.open else [])
    return render(request, "jobs/task.html", {"line": _line(one), "runs": one.open})


@page(Act.SIGNED_IN, "POST")
def cancel_task(request: HttpRequest, task_id: int) -> HttpResponse:
    actions.cancel(by=request.user, task_id=task_id)
    return redirect("task", task_id)


def _line(task: Task) -> dict[str, Any]:
    """A task as its page shows it. A kind that this version no longer knows is still listed."""
    kind = KINDS.get(task.kind)
    address = kind.address(task.asked) if kind and kind.address else ""
    share = min(100, task.done * 100 // task.total) if task.total else None
    return {"task": task, "words": kind.words if kind else task.kind, "state": STATES[task.state], "share": share,
            "address": address, "resumed": task.attempts > 1 and task.state != State.QUEUED}  # fmt: skip
