"""What people did and are to reach: contacts, next steps, promises, offers asked for, and targets.

Rows are only added; what ends one is another row.
"""

from __future__ import annotations

import uuid

from django.db import models

from keepline_web.customers.models import Account, PlanRow
from keepline_web.people.models import Person, Unit


class Contact(models.Model):
    """One line of the marketing log. ``key`` is the browser's, so that a line sent twice is there once."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contacts")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="contacts")
    at = models.DateTimeField()
    on_day = models.DateField()
    channel = models.CharField(max_length=20)
    outcome = models.CharField(max_length=12)
    purpose = models.CharField(max_length=12)
    note = models.CharField(max_length=200, blank=True)
    plan_row = models.ForeignKey(PlanRow, null=True, on_delete=models.PROTECT, related_name="contacts")
    corrects = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="corrected_by")
    withdrawn = models.BooleanField(default=False)  # this line says that the one it corrects did not happen
    proposal = models.ForeignKey("Proposal", null=True, on_delete=models.PROTECT, related_name="contacts")

    class Meta:
        indexes = [
            models.Index(fields=["person", "-on_day"], name="contact_person_day"),
            models.Index(fields=["account", "-on_day"], name="contact_account_day"),
        ]


class Step(models.Model):
    """What is to be done next with an account, and when."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="steps")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="steps")
    due_on = models.DateField()
    channel = models.CharField(max_length=20)
    note = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    after = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="steps")


class StepEnd(models.Model):
    """That a step is no longer due: done by a contact, or dropped."""

    step = models.OneToOneField(Step, on_delete=models.PROTECT, related_name="end")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    contact = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="ended_steps")


class Promise(models.Model):
    """What was promised to a customer, by when."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="promises")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="promises")
    what = models.CharField(max_length=200)
    due_on = models.DateField()
    made_at = models.DateTimeField()
    made_on = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["account", "due_on"], name="promise_account")]


class PromiseEnd(models.Model):
    """Whether it was kept, when, and what is to be said of it."""

    promise = models.OneToOneField(Promise, on_delete=models.PROTECT, related_name="end")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    kept = models.BooleanField()
    on_day = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()


class Proposal(models.Model):
    """An offer asked for, from the plan or by hand, at a price."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="proposals")
    plan_row = models.ForeignKey(PlanRow, null=True, on_delete=models.PROTECT, related_name="proposals")
    month = models.CharField(max_length=7)  # of the publication whose catalogue it comes from
    offer_id = models.CharField(max_length=60)
    name = models.JSONField()
    price_fen = models.BigIntegerField()
    list_price_fen = models.BigIntegerField()
    floor_price_fen = models.BigIntegerField()
    cost_fen = models.BigIntegerField()  # the most it costs, at this price
    gain_fen = models.BigIntegerField(null=True)  # expected margin, where the plan says one
    reason = models.CharField(max_length=200)
    policy_version = models.CharField(max_length=60)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="proposals")
    made_at = models.DateTimeField()
    made_on = models.DateField()

    @property
    def below_list_fen(self) -> int:
        return self.list_price_fen - self.price_fen

    @property
    def off(self) -> float:
        """How much below the list price, as a share of it."""
        return self.below_list_fen / self.list_price_fen if self.list_price_fen else 0.0


class Ruling(models.Model):
    """One step in the life of a proposal; the last one is its state.

    ``needs_level`` is who must decide next, ``level`` who decided, ``last_on`` the last day an approved one holds.
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="rulings")
    number = models.IntegerField()
    what = models.CharField(max_length=10)
    needs_level = models.IntegerField(default=0)
    level = models.IntegerField(default=0)
    last_on = models.DateField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="rulings")
    at = models.DateTimeField()
    on_day = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "number"], name="ruling_once")]
        ordering = ["number"]
        indexes = [models.Index(fields=["person", "what", "on_day"], name="ruling_person_day")]


class Target(models.Model):
    """What a unit or a person is to reach in a month; the last row of each holds, and one without amount ends it."""

    month = models.CharField(max_length=7)
    measure = models.CharField(max_length=20)
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="targets")
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="targets")
    amount = models.BigIntegerField(null=True)  # a count, or fen where the measure is money
    set_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(unit__isnull=True) ^ models.Q(person__isnull=True), name="target_of_one"
            ),
            models.CheckConstraint(
                condition=models.Q(amount__isnull=True) | models.Q(amount__gte=0), name="target_not_below_zero"
            ),
        ]
        indexes = [models.Index(fields=["month", "unit", "person", "measure", "-id"], name="target_last")]


class Given(models.Model):
    """That something a class is owed was given to a customer (D1); taken off the year's count it was given in."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="given")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="given")
    entitlement_id = models.CharField(max_length=60)
    policy_version = models.CharField(max_length=60)
    on_day = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "entitlement_id", "on_day"], name="given_account")]
