"""Entries of the audit: rows that are only ever added, each sealed over the one before it in its stream."""

from __future__ import annotations

from django.db import models


class Stream(models.TextChoices):
    """Chains of their own, so that a busy one does not hold up the others."""

    SIGN_IN = "sign_in"
    PEOPLE = "people"
    CUSTOMERS = "customers"
    WORK = "work"
    DECISIONS = "decisions"
    EXPORTS = "exports"
    EXCHANGE = "exchange"
    REFUSALS = "refusals"


class Entry(models.Model):
    """One act. ``seal`` is an HMAC over everything here and over the seal before it."""

    stream = models.CharField(max_length=20, choices=Stream)
    number = models.BigIntegerField()
    at = models.DateTimeField()
    person_id = models.BigIntegerField(null=True)
    person_name = models.CharField(max_length=80, blank=True)
    act = models.CharField(max_length=40)
    object = models.CharField(max_length=80, blank=True)
    detail = models.JSONField(default=dict)
    seal_before = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64)
    key_version = models.SmallIntegerField(default=1, db_default=1)  # of the key it is sealed with

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "number"], name="audit_one_chain")]
        indexes = [models.Index(fields=["object", "-at"], name="audit_object")]
        ordering = ["-id"]


class Head(models.Model):
    """Where each chain ends, sealed too with the newest key, so that a tail cut off is missed.

    ``cut_number`` and ``cut_seal`` are the last link removed when its time was over; the chain begins after it.
    """

    stream = models.CharField(max_length=20, choices=Stream, primary_key=True)
    number = models.BigIntegerField()
    seal = models.CharField(max_length=64)
    head_seal = models.CharField(max_length=64)
    cut_number = models.BigIntegerField(default=0, db_default=0)
    cut_seal = models.CharField(max_length=64, blank=True, default="", db_default="")


class Doing(models.Model):
    """How often somebody did one thing in the window that runs, for every process alike; ``who`` names no customer."""

    who = models.CharField(max_length=60)
    what = models.CharField(max_length=60)
    began = models.BigIntegerField()
    count = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["who", "what"], name="audit_one_window")]


class Forwarded(models.Model):
    """Up to which entry a stream has been sent to where the operator keeps logs."""

    stream = models.CharField(max_length=20, choices=Stream, primary_key=True)
    number = models.BigIntegerField()
