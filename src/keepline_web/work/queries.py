"""Reading what was done and promised, and what may be offered: the same for a page and for a program."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from keepline.front import Month, read_published
from keepline_web.customers.models import Account, PlanRow
from keepline_web.customers.queries import latest_month, visible_to
from keepline_web.people.models import Person
from keepline_web.work.models import Contact, Promise
from keepline_web.work.words import OUTCOMES


def log_of(person: Person, outcome: str = "") -> QuerySet[Contact]:
    """One's own lines of the marketing log, latest first; those of one outcome where one is asked for."""
    rows = Contact.objects.filter(person=person, withdrawn=False).select_related("account", "corrected_by", "plan_row")
    return (rows.filter(outcome=outcome) if outcome in OUTCOMES else rows).order_by("-on_day", "-at", "-pk")


def promises_of(person: Person, *, ended: bool) -> QuerySet[Promise]:
    """What was promised to the customers one sees: what waits, the first due first; or what ended, the latest first."""
    rows = Promise.objects.filter(account__in=visible_to(person)).select_related("account", "end", "person")
    if ended:
        return rows.filter(end__isnull=False).order_by("-end__on_day", "-pk")
    return rows.filter(end__isnull=True).order_by("due_on", "pk")


def catalogue_of(account: Account) -> tuple[list[dict[str, Any]], dict[str, PlanRow]]:
    """The offers of the last month, the plan's for this account first, and these by their number."""
    month = latest_month()
    offers = read_published(settings.SITE, Month.parse(month)).offers if month else ()
    planned = {row.offer_id: row for row in account.plan_rows.filter(month=month)}
    return sorted(offers, key=lambda offer: offer["offer_id"] not in planned), planned
