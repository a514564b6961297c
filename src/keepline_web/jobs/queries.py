"""Reading tasks: everyone sees their own."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404

from keepline_web.jobs.models import OPEN, Task
from keepline_web.people.models import Person


def tasks_of(person: Person) -> QuerySet[Task]:
    """One's own, latest first."""
    return Task.objects.filter(person=person).order_by("-pk")


def access_task(person: Person, task_id: int) -> Task:
    """Fetching and permission in one step: another's task is told not to be there."""
    task = tasks_of(person).filter(pk=task_id).first()
    if task is None:
        raise Http404
    return task


def something_runs(person: Person) -> bool:
    """Whether any of one's own has not ended yet."""
    return tasks_of(person).filter(state__in=OPEN).exists()


def news(person: Person) -> int:
    """How many of one's own run, or have ended since one last looked."""
    return Task.objects.filter(person=person, seen=False).count()
