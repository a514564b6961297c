"""The accounts of a publication: what they are, their unit and their owner, as the operator's files say it."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from keepline_web.customers.actions import assign
from keepline_web.customers.models import Account, Assignment
from keepline_web.customers.queries import on_day
from keepline_web.exchange.rows import BATCH, upsert
from keepline_web.frame import clock
from keepline_web.people.models import Person, Unit
from keepline_web.people.roles import Act

log = logging.getLogger("keepline")
TOLD = ("kind", "industry", "region", "district", "preferred_channel")
FIELDS = [*TOLD, "unit", "consent", "blacklisted", "contact_gap_days", "manager_said", "last_month"]
NOTED = 20  # of what was said in vain, so many are named
Row = dict[str, Any]
Place = tuple[str, str]  # region and district


class Placing:
    """Takes accounts in, many at a time, and keeps what the files said in vain."""

    def __init__(self, month: str, places: set[Place]) -> None:
        self.month = month
        self.units, self.unclear = units_of(places)
        self.idle: Counter[str] = Counter()  # managers who may not own, and of how many accounts

    def take(self, rows: list[Row]) -> list[Row]:
        before = dict(Account.objects.filter(pk__in=[r["customer_id"] for r in rows]).values_list("pk", "manager_said"))
        accounts = [self._account(row) for row in rows]
        upsert(Account, accounts, "customer_id", FIELDS)
        said = {account.pk: account.manager_said for account in accounts}
        self.idle += owners([row for row in rows if before.get(row["customer_id"], "") != said[row["customer_id"]]])
        return rows

    def _account(self, row: Row) -> Account:
        told = {name: row[name] or "" for name in TOLD}
        return Account(
            customer_id=row["customer_id"], unit_id=self.units.get((row["region"] or "", row["district"] or "")),
            consent=row["consent"], blacklisted=row["blacklisted"], contact_gap_days=row["contact_gap_days"],
            manager_said=row["manager_id"], last_month=self.month, **told,
        )  # fmt: skip

    def noted(self) -> dict[str, str]:
        """What the audit keeps of what was said in vain; the log is told too."""
        found = {
            "may_not_own": [f"{code} ({n})" for code, n in sorted(self.idle.items())],
            "no_one_unit": ["/".join(place) for place in self.unclear],
        }
        for name, said in found.items():
            if said:
                log.warning("the files of %s name in vain (%s): %s", self.month, name, _some(said))
        return {name: _some(said) for name, said in found.items() if said}


def _some(said: list[str]) -> str:
    return ", ".join(said[:NOTED]) + (" …" if len(said) > NOTED else "")


def those_there(rows: list[Row]) -> list[Row]:
    """Rows of accounts that are there; an earlier month makes none, as nobody would own it."""
    known = set(Account.objects.filter(pk__in=[r["customer_id"] for r in rows]).values_list("pk", flat=True))
    return [row for row in rows if row["customer_id"] in known]


def units_of(places: set[Place]) -> tuple[dict[Place, int], list[Place]]:
    """The unit of each region and district, and those that could be of more than one: they are left without.

    A district is told by its city, which is the unit above it. Where no city bears the region's name, its own name
    tells, if no other region has such a district and no other unit is called so.
    """
    named: dict[str, list[tuple[int, str]]] = {}
    for pk, name, city in Unit.objects.filter(kind=Unit.Kind.DISTRICT).values_list("pk", "name", "above__name"):
        named.setdefault(name, []).append((pk, city or ""))
    regions, shared = {region for region, _ in places}, Counter(district for _, district in places)
    units, unclear = dict[Place, int](), list[Place]()
    for region, district in sorted(places):
        there = named.get(district, [])
        here = [pk for pk, city in there if city == region]
        if not here and shared[district] == 1:
            here = [pk for pk, city in there if not region or city not in regions]
        if len(here) == 1:
            units[region, district] = here[0]
        elif there:
            unclear.append((region, district))
    return units, unclear


def owners(rows: list[Row]) -> Counter[str]:
    """The operator's word on who manages an account binds where it is new; what was handed over here since stays.

    A manager who may not own any more (moved to another post, disabled) is taken for one nobody knows. Which those
    are, and of how many accounts.
    """
    named = list(Person.objects.filter(manager_id__in={row["manager_id"] for row in rows}))
    people = {person.manager_id: person for person in named if person.may(Act.OWN_DAY)}
    day = clock.today()
    owned = set(
        Assignment.objects.filter(on_day(day), account__in=[r["customer_id"] for r in rows]).values_list(
            "account_id", flat=True
        )
    )
    fresh = [row for row in rows if row["manager_id"] in people and row["customer_id"] not in owned]
    Assignment.objects.bulk_create(
        [
            Assignment(
                account_id=row["customer_id"], person=people[row["manager_id"]], starts_on=day, reason="operator"
            )
            for row in fresh
        ],
        BATCH,
    )
    for row in rows:
        if row["manager_id"] in people and row["customer_id"] in owned:
            account = Account.objects.get(pk=row["customer_id"])
            assign(account=account, to=people[row["manager_id"]], reason="operator", by=None)
    idle = {person.manager_id for person in named} - set(people)
    return Counter(row["manager_id"] for row in rows if row["manager_id"] in idle)
