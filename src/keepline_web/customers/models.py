"""Accounts and what publications said of them, month by month; owners and cover, by date."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from keepline_web.people.models import Person, Unit

KEY_MOST = 80  # of an event: its kind and a hash fit


class Account(models.Model):
    """A customer with an account manager. Names and numbers are sealed; ``customer_id`` is the core's pseudonym."""

    customer_id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=12, blank=True)
    industry = models.CharField(max_length=40, blank=True)
    region = models.CharField(max_length=40, blank=True)
    district = models.CharField(max_length=40, blank=True)
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="accounts")
    name_sealed = models.BinaryField(null=True)
    number_sealed = models.BinaryField(null=True)
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.CharField(max_length=64, blank=True, db_index=True)
    joined_on = models.DateField(null=True)
    birthday = models.DateField(null=True)
    consent = models.BooleanField(null=True)
    blacklisted = models.BooleanField(null=True)
    preferred_channel = models.CharField(max_length=20, blank=True)
    contact_gap_days = models.IntegerField(null=True)
    manager_said = models.CharField(max_length=40, blank=True)  # the operator's last word on who manages it
    last_month = models.CharField(max_length=7)  # of a publication it was in
    head_id = models.BigIntegerField(null=True, db_index=True)  # the organisation right above, seen here or not
    head_said = models.BigIntegerField(null=True)  # the operator's last word on it


class Standing(models.Model):
    """What one publication said of an account; the state is the seller's, which names nobody held out."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="standings")
    month = models.CharField(max_length=7)
    class_code = models.CharField(max_length=12)
    previous_class = models.CharField(max_length=12, blank=True)
    move = models.CharField(max_length=6, blank=True)
    class_reason = models.JSONField()
    star_rating = models.CharField(max_length=20, blank=True)
    value_fen = models.BigIntegerField(null=True)
    value_low_fen = models.BigIntegerField(null=True)
    value_high_fen = models.BigIntegerField(null=True)
    persistence_fen = models.BigIntegerField(null=True)
    growth_fen = models.BigIntegerField(null=True)
    word_of_mouth_fen = models.BigIntegerField(null=True)
    loyalty = models.CharField(max_length=10)
    loyalty_kind = models.CharField(max_length=12)
    risk_band = models.CharField(max_length=8)
    risks = models.JSONField()
    facts = models.JSONField()
    staying = models.JSONField(null=True)  # words and points of the curve; none where nobody knows
    price = models.JSONField(null=True)  # how purchases answer to price, likewise
    circle = models.JSONField(null=True)  # the part in a circle of callers, likewise
    state = models.CharField(max_length=20)
    state_words = models.JSONField(null=True)
    tenure_months = models.IntegerField(null=True)
    revenue_fen = models.BigIntegerField(null=True)
    revenue_3m_fen = models.BigIntegerField(null=True)
    revenue_12m_fen = models.BigIntegerField(null=True)
    revenue_change = models.FloatField(null=True)
    margin_3m_fen = models.BigIntegerField(null=True)
    margin_12m_fen = models.BigIntegerField(null=True)
    discount_3m_fen = models.BigIntegerField(null=True)
    voice_change = models.FloatField(null=True)
    data_change = models.FloatField(null=True)
    complaints_3m = models.IntegerField(null=True)
    complaints_open = models.IntegerField(null=True)
    days_since_contact = models.IntegerField(null=True)
    arrears_fen = models.BigIntegerField(null=True)
    arrears_months = models.IntegerField(null=True)
    lines = models.IntegerField(null=True)
    products = models.IntegerField(null=True)
    contract_months_left = models.IntegerField(null=True)
    satisfaction = models.FloatField(null=True)
    recommend = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "month"], name="standing_once")]
        indexes = [models.Index(fields=["month", "class_code"], name="standing_month")]


class PlanRow(models.Model):
    """An offer that a month's plan has for an account: treated customers alone have one."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="plan_rows")
    month = models.CharField(max_length=7)
    offer_id = models.CharField(max_length=60)
    name = models.JSONField()
    channel = models.CharField(max_length=20)
    purpose = models.CharField(max_length=10)
    gain_fen = models.BigIntegerField(null=True)
    cost_fen = models.BigIntegerField(null=True)
    price_fen = models.BigIntegerField()
    list_price_fen = models.BigIntegerField()
    floor_price_fen = models.BigIntegerField()
    unit_cost_fen = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "month"], name="plan_row_once")]


class MonthPaid(models.Model):
    """What an account paid and used in one month."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="months")
    month = models.CharField(max_length=7)
    revenue_fen = models.BigIntegerField(null=True)
    recurring_fen = models.BigIntegerField(null=True)
    discount_fen = models.BigIntegerField(null=True)
    voice_s = models.BigIntegerField(null=True)
    data_kb = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "month"], name="month_once")]


class Line(models.Model):
    """A number or circuit of an account, as last told."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="held")
    line_id = models.BigIntegerField(primary_key=True)
    product = models.CharField(max_length=12, blank=True)
    plan_name = models.CharField(max_length=80, blank=True)
    price_fen = models.BigIntegerField(null=True)
    status = models.CharField(max_length=14, blank=True)
    started_on = models.DateField(null=True)
    contract_end_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)


class Event(models.Model):
    """A contact or complaint that the operator's own files told of; a number is one among its kind alone."""

    event_id = models.CharField(max_length=KEY_MOST, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10)
    happened_on = models.DateField()
    channel = models.CharField(max_length=20, blank=True)
    direction = models.CharField(max_length=3, blank=True)
    about = models.CharField(max_length=40, blank=True)
    closed_on = models.DateField(null=True)

    @classmethod
    def key_of(cls, kind: str, number: str) -> str:
        """By kind and number; a number that is too long by its hash."""
        key = f"{kind}:{number}"
        return key if len(key) <= KEY_MOST else f"{kind}:{hashlib.sha256(number.encode()).hexdigest()}"


class DateRange(Func):
    """PostgreSQL's daterange, first day in, last day out; an open end never ends."""

    function = "daterange"
    output_field = models.Field()


class OnlyRange(Func):
    """A range of one number, so that equality can stand in an exclusion without an extension."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"
    output_field = models.Field()


class Assignment(models.Model):
    """Who owns an account from a day on, until a day that is not theirs any more; two never at once."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="assignments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="assignments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    reason = models.CharField(max_length=200)
    made_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="assignment_ends_later"
            ),
            ExclusionConstraint(
                name="one_owner_at_a_time",
                expressions=[
                    (OnlyRange("account_id", "account_id"), RangeOperators.OVERLAPS),
                    (DateRange("starts_on", "ends_on", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [models.Index(fields=["person", "ends_on"], name="assignment_person")]


class Cover(models.Model):
    """A colleague who looks after somebody's accounts for some days; the owner stays the owner."""

    away = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="covers")
    covered_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="covering")
    starts_on = models.DateField()
    ends_on = models.DateField()  # the first day it no longer holds
    reason = models.CharField(max_length=200)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    ended_early_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="cover_ends_later"),
            models.CheckConstraint(condition=~Q(away=F("covered_by")), name="cover_by_another"),
        ]

    @property
    def last_day(self) -> dt.date:
        """The last day it holds, as people say it."""
        return self.ends_on - dt.timedelta(days=1)


class SavedView(models.Model):
    """A name for the filters of the list, one's own or shared with a unit; it opens no customer to anybody."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="views")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)
    unit = models.ForeignKey(Unit, null=True, on_delete=models.CASCADE, related_name="views")  # with whom it is shared

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="view_named_once")]
        ordering = ["pk"]


class ListLook(models.Model):
    """How a person likes the list: its columns, and how many rows a page has."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="look")
    columns = models.JSONField(default=list)
    each = models.SmallIntegerField(default=20)


class Unmasking(models.Model):
    """That somebody saw a name or number in full, and why."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="unmaskings")
    contact_person = models.ForeignKey("ContactPerson", null=True, on_delete=models.PROTECT, related_name="unmaskings")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="unmaskings")
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()
    on_day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["person", "on_day"], name="unmasking_day")]


class ContactPerson(models.Model):
    """Who speaks for an account, as known from a moment on. A row that none replaces and that does not end holds.

    ``said_as`` and ``said`` are keyed digests: of what the operator tells the person by, and of the operator's words.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4)  # the sealed columns are bound to it
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contact_persons")
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    ended = models.BooleanField(default=False)
    role = models.CharField(max_length=12, blank=True)
    name_sealed = models.BinaryField(null=True)
    phone_sealed = models.BinaryField(null=True)
    phone_index = models.CharField(max_length=64, blank=True, db_index=True)
    note_sealed = models.BinaryField(null=True)
    birthday = models.DateField(null=True)
    preferred_channel = models.CharField(max_length=20, blank=True)
    said_as = models.CharField(max_length=64, blank=True)
    said = models.CharField(max_length=64, blank=True)
    made_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")  # none: the operator
    at = models.DateTimeField()
    on_day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["account", "said_as"], name="contact_person_account")]


class Affiliation(models.Model):
    """That an account belongs, from a day on, to the organisation ``head_id``, or to none; the last row holds."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="affiliations")
    head_id = models.BigIntegerField(null=True)
    head_before = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=200)
    made_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")  # none: the operator
    at = models.DateTimeField()
    on_day = models.DateField()
