"""Targets of a demo: worked out from accounts and plan for its months, so that no page of them opens empty."""

from __future__ import annotations

from collections import defaultdict

from django.db import transaction
from django.db.models import Count, Q, Sum

from keepline.front import Month, Site, published_months
from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.customers.models import Assignment, PlanRow, Standing
from keepline_web.customers.queries import on_day
from keepline_web.frame import clock
from keepline_web.people.models import Person, Unit
from keepline_web.people.queries import SELLERS
from keepline_web.people.roles import Role
from keepline_web.work.models import Target

CONTACTS_LEAST, CONTACTS_MOST = 8, 60
ROUND_FEN = 100_000  # a target is whole thousands of yuan
VISITS_OF_CONTACTS, TAKEN_OF_PLAN, GROWTH, KEPT = 5, 3, 101, 90  # every fifth, every third, 101 %, 90 %
PUBLISHED = ("revenue_3m", "high_kept")  # what publications tell of months before the workbench's first day
Amounts = dict[int, dict[str, int]]


@transaction.atomic
def aim(site: Site) -> int:
    """Once, when there is no target yet: those of each person, and of each unit what its people come to."""
    chief = Person.objects.filter(role=Role.PROVINCE_CHIEF).order_by("pk").first()
    published = [month for month, _ in published_months(site)]
    if chief is None or not published or Target.objects.exists():
        return 0
    _owned_since(published[0])
    months = sorted({*published, Month.of(clock.today())})
    made = sum(_month(month, min(month, published[-1]), chief) for month in months)
    detail = {"demo": True, "targets": made, "months": [str(month) for month in months]}
    write(Stream.WORK, act="demo_targets_set", by=None, object="targets", detail=detail)
    return made


def _owned_since(first: Month) -> None:
    """The demo's files name the managers in its first published month already."""
    Assignment.objects.filter(reason="operator", starts_on=clock.today()).update(starts_on=first.first_day)


def _month(month: Month, told: Month, chief: Person) -> int:
    amounts = _amounts(str(told))
    if month < Month.of(clock.today()):
        amounts = {pk: {name: row[name] for name in PUBLISHED if name in row} for pk, row in amounts.items()}
    units: Amounts = defaultdict(lambda: defaultdict(int))
    above = dict(Unit.objects.values_list("pk", "above_id"))
    for pk, unit in Person.objects.filter(pk__in=amounts).values_list("pk", "unit"):
        at = unit
        while at is not None:
            for measure, amount in amounts[pk].items():
                units[at][measure] += amount
            at = above[at]
    common = {"month": str(month), "set_by": chief, "set_at": clock.now()}
    rows = [Target(person_id=pk, measure=m, amount=n, **common) for pk, row in amounts.items() for m, n in row.items()]
    rows += [Target(unit_id=pk, measure=m, amount=n, **common) for pk, row in units.items() for m, n in row.items()]
    Target.objects.bulk_create(rows, 2_000)
    return len(rows)


def _amounts(told: str) -> Amounts:
    """What each seller may be asked for, by the accounts they own and what the month ``told`` says of them."""
    mine = Assignment.objects.filter(on_day(clock.today()), person__role__in=SELLERS)
    owned = dict(mine.values_list("person").annotate(n=Count("pk")))
    planned = _by_owner(PlanRow, told, Count("pk"))
    revenue = _by_owner(Standing, told, Sum("revenue_3m_fen"))
    high = _by_owner(Standing, str(Month.parse(told) + -1), Count("pk", filter=Q(risk_band="high")))
    found: Amounts = {}
    for pk, count in owned.items():
        contacts = min(CONTACTS_MOST, max(CONTACTS_LEAST, count // 2))
        grown = revenue.get(pk, 0) * GROWTH // 100
        found[pk] = {
            "contacts": contacts, "visits": contacts // VISITS_OF_CONTACTS,
            "agreed": max(1, planned.get(pk, 0) // TAKEN_OF_PLAN), "revenue_3m": grown // ROUND_FEN * ROUND_FEN,
        }  # fmt: skip
        if high.get(pk):
            found[pk]["high_kept"] = -(-high[pk] * KEPT // 100)
    return found


def _by_owner(model: type[Standing] | type[PlanRow], month: str, what: Count | Sum) -> dict[int, int]:
    held = Q(account__assignments__in=Assignment.objects.filter(on_day(clock.today())))
    rows = model.objects.filter(held, month=month).values_list("account__assignments__person").annotate(n=what)
    return {pk: amount or 0 for pk, amount in rows}
