"""Which publications were brought in, and what was handed back."""

from __future__ import annotations

from django.db import models


class Arrival(models.Model):
    """One publication brought in, whole; the same one again changes nothing."""

    publication_id = models.CharField(max_length=64, unique=True)
    month = models.CharField(max_length=7)
    at = models.DateTimeField()
    accounts = models.IntegerField()
    plan_rows = models.IntegerField()
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
