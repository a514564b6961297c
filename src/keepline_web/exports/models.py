"""Exports asked for, each step in their lives, and the files made: rows are only added."""

from __future__ import annotations

import uuid

from django.db import models

from keepline_web.jobs.models import Task
from keepline_web.people.models import Person


class Export(models.Model):
    """A list asked for. ``filters`` are the page's; a text that was searched for may be a number, and is sealed."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="exports")
    reason = models.CharField(max_length=200)
    filters = models.JSONField()
    text_sealed = models.BinaryField(null=True)
    rows = models.BigIntegerField()  # when it was asked
    needs_second = models.BooleanField()
    asked_at = models.DateTimeField()
    asked_on = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="export_person")]


class Step(models.Model):
    """One step in the life of an export; the last that is no download is its state. ``task`` is what makes the file."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="steps")
    number = models.IntegerField()
    what = models.CharField(max_length=10)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    task = models.ForeignKey(Task, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="export_step_once")]
        ordering = ["number"]


class Made(models.Model):
    """The file of an export: its random name, what is in it, and until when it may be had."""

    export = models.OneToOneField(Export, on_delete=models.PROTECT, related_name="made")
    name = models.CharField(max_length=60, unique=True)
    rows = models.BigIntegerField()
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
