"""What people did between two days, person by person, counted from the logs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Count, Q, QuerySet

from keepline_web.frame import clock
from keepline_web.people.models import Person
from keepline_web.work.models import Contact, Promise, PromiseEnd, Ruling, Step


@dataclass
class Done:
    """The counts of one person, or of several together."""

    contacts: int = 0
    reached: int = 0
    agreed: int = 0
    visits: int = 0
    visits_planned: int = 0  # steps by visit that fall due in these days
    kept: int = 0
    broken: int = 0
    late: int = 0  # due by the end of these days, and without an outcome then
    approved: int = 0
    returned: int = 0
    refused: int = 0

    @property
    def decided(self) -> int:
        return self.approved + self.returned + self.refused

    @property
    def reached_share(self) -> float | None:
        return self.reached / self.contacts if self.contacts else None

    @property
    def kept_share(self) -> float | None:
        ended = self.kept + self.broken
        return self.kept / ended if ended else None


def together(rows: Iterable[Done]) -> Done:
    """The counts of all of them."""
    listed = list(rows)
    return Done(**{field.name: sum(getattr(row, field.name) for row in listed) for field in fields(Done)})


def done(people: Iterable[Person], first: dt.date, last: dt.date) -> dict[int, Done]:
    """Each person's counts from ``first`` to ``last``, both included; every one of ``people`` is there."""
    ids = [person.pk for person in people]
    found = {pk: Done() for pk in ids}
    _put(found, _contacts(ids, first, last))
    _put(found, _promises(ids, first, last))
    steps = Step.objects.filter(person__in=ids, channel="visit", due_on__range=(first, last))
    _put(found, steps.values_list("person").annotate(visits_planned=Count("pk")).values("person", "visits_planned"))
    rulings = Ruling.objects.filter(proposal__made_by__in=ids, on_day__range=(first, last))
    said = {what: Count("pk", filter=Q(what=what)) for what in ("approved", "returned", "refused")}
    _put(found, rulings.values("proposal__made_by").annotate(**said), key="proposal__made_by")
    return found


def _contacts(ids: list[int], first: dt.date, last: dt.date) -> QuerySet[Any, dict[str, Any]]:
    rows = Contact.objects.filter(
        person__in=ids, on_day__range=(first, last), withdrawn=False, corrected_by__isnull=True
    )
    return rows.values("person").annotate(
        contacts=Count("pk"), reached=Count("pk", filter=~Q(outcome="not_reached")),
        agreed=Count("pk", filter=Q(outcome="agreed")), visits=Count("pk", filter=Q(channel="visit")),
    )  # fmt: skip


def _promises(ids: list[int], first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """Outcomes said in these days, and what was due before their end, or before today, without one."""
    ends = PromiseEnd.objects.filter(promise__person__in=ids, on_day__range=(first, last))
    yes = dict(ends.filter(kept=True).values_list("promise__person").annotate(n=Count("pk")))
    no = dict(ends.filter(kept=False).values_list("promise__person").annotate(n=Count("pk")))
    rows = [{"person": pk, "kept": yes.get(pk, 0), "broken": no.get(pk, 0)} for pk in {*yes, *no}]
    over = min(last + dt.timedelta(days=1), clock.today())
    waiting = Q(end__isnull=True) | Q(end__on_day__gte=over)
    late = Promise.objects.filter(waiting, person__in=ids, due_on__lt=over)
    if over == clock.today():
        late = late.filter(end__isnull=True)
    return rows + list(late.values("person").annotate(late=Count("pk")))


def _put(found: dict[int, Done], rows: Iterable[dict[str, Any]], key: str = "person") -> None:
    for row in rows:
        one = found[row[key]]
        for name, number in row.items():
            if name != key:
                setattr(one, name, number)
