"""What a person may give alone, in one offer and in a month, and how much of the month is used and left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Sum

from keepline.front import Month, Service, read_service
from keepline_web.frame import clock
from keepline_web.frame.words import Text
from keepline_web.people.models import Person
from keepline_web.people.queries import people_of
from keepline_web.people.roles import RIGHTS
from keepline_web.work.models import Ruling


@dataclass(frozen=True)
class Authority:
    """``each_fen`` for one offer, ``month_fen`` for all of a month (None: no limit), ``used_fen`` of it."""

    each_fen: int
    month_fen: int | None
    used_fen: int

    @property
    def left_fen(self) -> int | None:
        return None if self.month_fen is None else max(0, self.month_fen - self.used_fen)

    @property
    def share(self) -> float | None:
        """How much of the month is used."""
        return self.used_fen / self.month_fen if self.month_fen else None

    def lasts_for(self, cost_fen: int) -> bool:
        """Whether the month still has room for it."""
        return self.month_fen is None or self.used_fen + cost_fen <= self.month_fen

    def covers(self, cost_fen: int) -> bool:
        return cost_fen <= self.each_fen and self.lasts_for(cost_fen)


@dataclass(frozen=True)
class LevelUsed:
    """One level of the chain: its people together."""

    words: Text
    people: int
    authority: Authority


def held_authority(person: Person) -> Authority:
    """The person's, with nobody else spending of it until this transaction ends."""
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    return authority_of(person)


def authority_of(person: Person) -> Authority:
    return authorities_of([person])[person.pk]


def authorities_of(people: Iterable[Person]) -> dict[int, Authority]:
    """Everyone's of this month: what each approved counts in the month of the decision, whatever became of it."""
    listed, service = list(people), read_service(settings.SITE.policy)
    month = Month.of(clock.today())
    given = Ruling.objects.filter(
        person__in=[person.pk for person in listed], what="approved", on_day__range=(month.first_day, month.last_day)
    )
    used = dict(given.values_list("person").annotate(fen=Sum("proposal__cost_fen")))
    return {person.pk: _authority(person, service, used.get(person.pk) or 0) for person in listed}


def _authority(person: Person, service: Service, used_fen: int) -> Authority:
    level = person.rights.level
    own = person.authority_fen if person.authority_fen is not None else service.authority_fen(level)
    return Authority(own if level else 0, service.month_fen(level) if level else 0, used_fen)


def levels_of(person: Person) -> list[LevelUsed]:
    """Each level below and at the person's own, of the people whose work the person sees."""
    people = [one for one in people_of(person).filter(is_active=True) if 0 < one.rights.level <= person.rights.level]
    each, found = authorities_of(people), []
    for role, rights in RIGHTS.items():
        mine = [each[one.pk] for one in people if one.role == role]
        if mine:
            found.append(LevelUsed(rights.words, len(mine), _together(mine)))
    return found


def _together(rows: list[Authority]) -> Authority:
    months = [row.month_fen for row in rows]
    limit = None if None in months else sum(month or 0 for month in months)
    return Authority(max(row.each_fen for row in rows), limit, sum(row.used_fen for row in rows))
