"""Who owes, how much, for how long, who answers for it, and which offers wait for it (P6)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum

from keepline_web.customers.models import Account, PlanRow, Standing
from keepline_web.customers.queries import latest_month, owned_now, visible_to
from keepline_web.frame import clock
from keepline_web.people.models import Person
from keepline_web.people.roles import Role
from keepline_web.work.models import Contact, Proposal
from keepline_web.work.proposals import OPEN, with_state

OLD_MONTHS = 3  # arrears of more months are old ones
SILENT_DAYS = 7  # who owes hears from us within so many days
PARTS = ("", "old", "silent", "blacklist", "gated")


@dataclass(frozen=True)
class Owing:
    """One account that owes or is on the blacklist, with who answers for it and what waits."""

    account: Any  # with owed, age, owner_name and last_contact
    lead: str
    offer: PlanRow | None
    asked: int

    @property
    def silent(self) -> bool:
        """Owes, and nobody has turned to it for a week."""
        last = self.account.last_contact
        return bool(self.account.owed) and (last is None or last < _silent_since())


def owing(person: Person, part: str = "") -> QuerySet[Any]:
    """The accounts one may see that owe or are on the blacklist; most owed first."""
    month = latest_month()
    standing = Standing.objects.filter(account=OuterRef("pk"), month=month)
    contacts = Contact.objects.filter(account=OuterRef("pk"), withdrawn=False, corrected_by__isnull=True)
    owes = Standing.objects.filter(month=month, arrears_fen__gt=0).values("account")
    rows: QuerySet[Any] = (
        visible_to(person)
        .filter(Q(pk__in=owes) | Q(blacklisted=True))
        .annotate(
            owed=Subquery(standing.values("arrears_fen")[:1]),
            age=Subquery(standing.values("arrears_months")[:1]),
            class_code=Subquery(standing.values("class_code")[:1]),
            planned=Subquery(PlanRow.objects.filter(account=OuterRef("pk"), month=month).values("pk")[:1]),
            owner_pk=Subquery(owned_now().values("person")[:1]),
            owner_name=Subquery(owned_now().values("person__name")[:1]),
            owner_unit=Subquery(owned_now().values("person__unit")[:1]),
            last_contact=Subquery(contacts.values("account").annotate(last=Max("on_day")).values("last")),
        )
    )
    return rows.filter(_part(part)).order_by(F("owed").desc(nulls_last=True), "pk")


def _part(part: str) -> Q:
    return {
        "old": Q(owed__gt=0, age__gt=OLD_MONTHS),
        "silent": Q(owed__gt=0) & (Q(last_contact__isnull=True) | Q(last_contact__lt=_silent_since())),
        "blacklist": Q(blacklisted=True),
        "gated": Q(planned__isnull=False),
    }.get(part, Q())


def _silent_since() -> dt.date:
    return clock.today() - dt.timedelta(days=SILENT_DAYS)


def totals(person: Person) -> dict[str, Any]:
    """What is owed in all, and how many stand in each part; of the accounts one may see."""
    rows = owing(person)
    return rows.aggregate(
        owed_fen=Sum("owed"), accounts=Count("pk", filter=Q(owed__gt=0)),
        old=Count("pk", filter=_part("old")), old_fen=Sum("owed", filter=_part("old")),
        silent=Count("pk", filter=_part("silent")), blacklisted=Count("pk", filter=_part("blacklist")),
        gated=Count("pk", filter=_part("gated")),
    )  # fmt: skip


def told_of(accounts: list[Account]) -> list[Owing]:
    """Each with its lead, the plan's offer that waits, and how many offers were asked for and are open."""
    month, ids = latest_month(), [account.pk for account in accounts]
    offers = {row.account_id: row for row in PlanRow.objects.filter(account__in=ids, month=month)}
    asked = Counter(
        with_state(Proposal.objects.filter(account__in=ids)).filter(state__in=OPEN).values_list("account", flat=True)
    )
    leads = dict(Person.objects.filter(role=Role.TEAM_LEAD, is_active=True).order_by("-pk").values_list("unit", "name"))
    return [
        Owing(account, leads.get(account.owner_unit, ""), offers.get(account.pk), asked[account.pk])  # type: ignore[attr-defined]
        for account in accounts
    ]
