"""Everything one customer's page shows, gathered in one place and in few queries (K13)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Case, Count, F, Min, Q, When

from keepline.front import Service, read_service
from keepline_web.customers.group import group_of
from keepline_web.customers.models import Account, Event, Line, PlanRow, Standing
from keepline_web.customers.persons import persons_of
from keepline_web.customers.pictures import pictures_of, staying_of
from keepline_web.customers.queries import owner_of, shown
from keepline_web.frame.words import Text
from keepline_web.people.models import Person
from keepline_web.people.roles import Act

EVENTS = 40
COMPARED: tuple[tuple[str, Text, str], ...] = (
    ("value_fen", Text("客户价值", "value"), "money"),
    ("revenue_3m_fen", Text("近三月收入", "revenue of three months"), "money"),
    ("class_code", Text("客户分类", "class"), "code"),
    ("risk_band", Text("离网风险", "risk of leaving"), "code"),
    ("loyalty", Text("忠诚", "loyalty"), "code"),
    ("arrears_fen", Text("欠费", "arrears"), "money"),
    ("products", Text("产品数", "kinds of service"), "count"),
    ("complaints_3m", Text("近三月投诉", "complaints of three months"), "count"),
)


def page_of(account: Account, person: Person) -> dict[str, Any]:
    """The page's values, as this person may see them."""
    standings = list(Standing.objects.filter(account=account).order_by("-month")[:2])
    now = standings[0] if standings else None
    plan = PlanRow.objects.filter(account=account, month=now.month).first() if now else None
    service, group = read_service(settings.SITE.policy), group_of(account, person)
    return {
        "account": account,
        "shown": shown(account, person),
        "standing": now,
        "changes": _changes(*standings) if len(standings) == 2 else [],
        "previous_month": standings[1].month if len(standings) == 2 else None,
        "plan": plan,
        "owner": owner_of(account),
        "holdings": _holdings(account),
        "told": list(Event.objects.filter(account=account).order_by("-happened_on")[:EVENTS]),
        "entitled": service.of_class(now.class_code) if now else None,
        "may_unmask": person.may(Act.UNMASK),
        "may_work": person.may(Act.OWN_DAY),
        "persons": persons_of(account, person),
        "members": group["members"],
        "head": group["head"],
        "group_count": group.get("count"),
        "group_value": group.get("value"),
        "group_revenue": group.get("revenue"),
        "charts": pictures_of(account),
        "staying": staying_of(now),
        **_service(service),
    }


def _holdings(account: Account) -> list[dict[str, Any]]:
    """Numbers and circuits that are alike, counted together; the dearest first, closed ones last."""
    alike = ("product", "plan_name", "price_fen", "contract_end_on", "closed")
    closed = Case(When(Q(status="disconnected") | Q(ended_on__isnull=False), then=True), default=False)
    rows = Line.objects.filter(account=account).annotate(closed=closed).values(*alike)
    return list(
        rows.annotate(count=Count("pk"), since=Min("started_on")).order_by(
            "closed", F("price_fen").desc(nulls_last=True), "product"
        )
    )


def _service(service: Service) -> dict[str, Any]:
    return {"policy_version": service.version}


def _changes(now: Standing, before: Standing) -> list[dict[str, Any]]:
    """What is different from the month before, in the order of COMPARED."""
    found = []
    for field, words, kind in COMPARED:
        new, old = getattr(now, field), getattr(before, field)
        if new != old and not (new is None and old is None):
            found.append({"words": words, "kind": kind, "field": field, "new": new, "old": old})
    return found
