"""Tasks: long work asked for by a person, with how far it has come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from keepline_web.people.models import Person


class State(models.TextChoices):
    """Where a task stands; the last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (State.QUEUED, State.RUNNING)


class Task(models.Model):
    """One piece of long work. ``claim`` is drawn anew whenever a worker takes it, and who holds another is too late."""

    kind = models.CharField(max_length=40)
    asked = models.JSONField(default=dict)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="tasks")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    step = models.JSONField(null=True)  # what is being done, in both languages
    claim = models.UUIDField(null=True)
    heartbeat = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    cancel_asked = models.BooleanField(default=False)
    result = models.JSONField(null=True)
    refused = models.JSONField(null=True)  # why it failed, in both languages
    asked_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seen = models.BooleanField(default=False)  # by the person, after it ended

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="task_open", condition=Q(state__in=["queued", "running"])),
            models.Index(fields=["person", "-id"], name="task_person"),
            models.Index(fields=["person"], name="task_news", condition=Q(seen=False)),
        ]

    @property
    def open(self) -> bool:
        return self.state in OPEN
