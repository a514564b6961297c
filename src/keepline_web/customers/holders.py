"""Who holds how many accounts, who looks after whose, and which accounts nobody owns: what a chief arranges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, Q, QuerySet, Sum

from keepline_web.customers.models import Account, Assignment, Cover, Standing
from keepline_web.customers.queries import latest_month, on_day, owned_now, visible_to
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Person
from keepline_web.people.queries import SELLERS, people_of, sellers_of

ENDED_SHOWN = 30


@dataclass(frozen=True)
class Holder:
    """One person with the accounts that are theirs today, and who looks after these meanwhile."""

    person: Person
    accounts: int
    high: int
    owed_fen: int
    covered_by: str

    @property
    def sells(self) -> bool:
        return self.person.is_active and self.person.role in SELLERS


def holders(by: Person) -> list[Holder]:
    """People of one's scope who sell or still hold accounts; those who can no longer serve theirs come first."""
    held = _held(by)
    people = people_of(by).filter(Q(role__in=SELLERS, is_active=True) | Q(pk__in=held)).select_related("unit")
    away = {c.away_id: c.covered_by.name for c in covers_of(by) if _holds(c, clock.today())}
    found = [
        Holder(p, **held.get(p.pk, {"accounts": 0, "high": 0, "owed_fen": 0}), covered_by=away.get(p.pk, ""))
        for p in people.order_by("unit__path", "pk")
    ]
    return sorted(found, key=lambda holder: holder.sells)


def _held(by: Person) -> dict[int, dict[str, int]]:
    """How many accounts each owns today, how many of them may leave, and what they owe."""
    mine = Assignment.objects.filter(on_day(clock.today()), person__in=people_of(by))
    counts = dict(mine.values_list("person").annotate(n=Count("pk")))
    of_month = Standing.objects.filter(month=latest_month(), account__in=mine.values("account"))
    owner = F("account__assignments__person")
    today = Q(account__assignments__starts_on__lte=clock.today()) & (
        Q(account__assignments__ends_on__isnull=True) | Q(account__assignments__ends_on__gt=clock.today())
    )
    sums = of_month.filter(today).values(owner_pk=owner).annotate(
        high=Count("pk", filter=Q(risk_band="high")), owed=Sum("arrears_fen")
    )  # fmt: skip
    found = {row["owner_pk"]: (row["high"], row["owed"] or 0) for row in sums}
    none = (0, 0)
    return {
        pk: {"accounts": n, "high": found.get(pk, none)[0], "owed_fen": found.get(pk, none)[1]}
        for pk, n in counts.items()
    }


def accounts_of(by: Person, holder: Person) -> QuerySet[Account]:
    """The accounts somebody owns today, as far as ``by`` may see them."""
    held = Assignment.objects.filter(on_day(clock.today()), person=holder)
    return visible_to(by).filter(pk__in=held.values("account")).order_by("pk")


def unowned(by: Person) -> QuerySet[Account]:
    """Accounts of one's scope that nobody owns today."""
    return visible_to(by).filter(~Exists(owned_now())).order_by("pk")


def receivers(by: Person, *but: Person) -> list[Person]:
    """To whom accounts may be given: active sellers of one's scope."""
    people = sellers_of(by).filter(is_active=True).exclude(pk__in=[person.pk for person in but])
    return list(people.select_related("unit").order_by("unit__path", "pk"))


def receiver_of(by: Person, person_id: int | None) -> Person:
    """The one to whom accounts are to be given, of those to whom they may be."""
    to = next((person for person in receivers(by) if person.pk == person_id), None)
    if to is None:
        raise Refused(
            "请选择您范围内的一位在岗客户经理或代理商。",
            "Choose an active account manager or agent of your scope.",
            code="no_receiver",
            status=422,
        )
    return to


def summary(accounts: Iterable[Account], to: Person) -> dict[str, Any]:
    """What giving these accounts to ``to`` means, before it is done."""
    standings = Standing.objects.filter(month=latest_month(), account__in=accounts)
    sums = standings.aggregate(
        value=Sum("value_fen"), revenue=Sum("revenue_3m_fen"), owed=Sum("arrears_fen"),
        high=Count("pk", filter=Q(risk_band="high")),
    )  # fmt: skip
    before = Assignment.objects.filter(on_day(clock.today()), person=to).count()
    return sums | {"before": before}


def covers_of(by: Person) -> QuerySet[Cover]:
    """Cover of people of one's scope, the latest first; also by one who has moved out of it since."""
    rows = Cover.objects.filter(away__in=people_of(by))
    return rows.select_related("away__unit", "covered_by__unit", "made_by").order_by("-starts_on", "-pk")


def cover_lists(by: Person) -> tuple[list[Cover], list[Cover]]:
    """What holds or is to come, and what is over."""
    today = clock.today()
    open_now = Q(ends_on__gt=today, ended_early_on__isnull=True)
    rows = covers_of(by)
    return list(rows.filter(open_now).order_by("starts_on", "pk")), list(rows.exclude(open_now)[:ENDED_SHOWN])


def _holds(cover: Cover, day: dt.date) -> bool:
    end = min(cover.ends_on, cover.ended_early_on or cover.ends_on)
    return cover.starts_on <= day < end
