"""Which publications were brought in, and what was handed back."""

from __future__ import annotations

from django.db import models

from keepline_web.jobs.models import Task
from keepline_web.people.models import Person


class Arrival(models.Model):
    """One publication brought in, whole; the last one of a month is what is in. Which came before may come again."""

    publication_id = models.CharField(max_length=64)
    month = models.CharField(max_length=7)
    at = models.DateTimeField()
    accounts = models.IntegerField()
    plan_rows = models.IntegerField()
    events = models.IntegerField(null=True)  # contacts and complaints; none where they were not read
    figures = models.JSONField(default=dict)  # the report's aggregates; no customer in them

    class Meta:
        ordering = ["-month", "-at"]


class Handing(models.Model):
    """One handing back: which files, how many rows, their checksums, what intake said."""

    at = models.DateTimeField()
    person_id = models.BigIntegerField(null=True)
    until = models.DateField()
    files = models.JSONField()
    accepted = models.BooleanField(default=False)


class Taken(models.Model):
    """That a line of what people did was taken in, and by which handing: what has no such row goes out next."""

    handing = models.ForeignKey(Handing, on_delete=models.PROTECT, related_name="taken")
    kind = models.CharField(max_length=12)
    line = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "line"], name="taken_once")]


class Upload(models.Model):
    """A file of the operator as it was dropped; ``place`` is the random folder it lies in."""

    name = models.CharField(max_length=120)
    place = models.CharField(max_length=40, unique=True)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="uploads")
    at = models.DateTimeField()


class Trial(models.Model):
    """One trial or load of an upload: with which mapping, what was accepted, and what intake said."""

    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="trials")
    verb = models.CharField(max_length=5)
    mapping = models.TextField()
    mapping_name = models.CharField(max_length=80, blank=True)
    accept = models.JSONField(default=list)
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="+")
    report = models.JSONField(null=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()


class Undoing(models.Model):
    """A load of the lake asked to be undone: why, what was foreseen, and what came of it."""

    load = models.IntegerField()
    name = models.CharField(max_length=120)
    reason = models.CharField(max_length=200)
    accept = models.JSONField(default=list)
    foreseen = models.JSONField()
    result = models.JSONField(null=True)
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["load", "-id"], name="undoing_load")]
