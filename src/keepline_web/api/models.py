"""How often somebody came in one stretch of time."""

from __future__ import annotations

from django.db import models


class Visits(models.Model):
    """A count of one subject, such as a token, from a moment on; the table is not logged, a crash may lose it."""

    subject = models.CharField(max_length=60)
    since = models.DateTimeField()
    number = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "since"], name="visits_once")]
        indexes = [models.Index(fields=["since"], name="visits_since")]
