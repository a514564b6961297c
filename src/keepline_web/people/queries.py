"""Reading units and people."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from keepline_web.people.models import Person, Session, Unit
from keepline_web.people.roles import RIGHTS, Act, Scope

SELLERS = [role for role, rights in RIGHTS.items() if Act.OWN_DAY in rights.acts]


def units() -> QuerySet[Unit]:
    """The whole tree, for those who configure it."""
    return Unit.objects.all()


def units_below(unit: Unit) -> QuerySet[Unit]:
    """The unit and everything under it."""
    return Unit.objects.filter(path__startswith=unit.path)


def sellers_of(person: Person) -> QuerySet[Person]:
    """Account managers and agents whose work the person may see."""
    return people_of(person).filter(role__in=SELLERS)


def people_of(person: Person) -> QuerySet[Person]:
    """Everyone whose work the person may see, whatever their post is now."""
    everyone = Person.objects.all()
    scope = person.rights.scope
    if scope is Scope.ALL:
        return everyone
    if scope is Scope.SUBTREE:
        return everyone.filter(unit__path__startswith=person.unit.path)
    if scope is Scope.TEAM:
        return everyone.filter(unit=person.unit)
    return everyone.filter(pk=person.pk) if scope is Scope.OWN else everyone.none()


def people_like(text: str) -> QuerySet[Person]:
    """Everyone, by unit; those with a text in their name, user name or unit, where there is one."""
    rows, text = Person.objects.select_related("unit").order_by("unit__path", "role", "pk"), text.strip()
    if not text:
        return rows
    return rows.filter(Q(name__icontains=text) | Q(username__icontains=text) | Q(unit__name__icontains=text))


def approvers_of(person: Person) -> QuerySet[Person]:
    """Who may decide what the person asks: the leads and chiefs of every unit above, or the same, never themselves."""
    paths = [person.unit.path[: end + 1] for end, letter in enumerate(person.unit.path) if letter == "/"][1:]
    above = Q(unit__path__in=paths)
    roles = [role for role, rights in RIGHTS.items() if rights.level > person.rights.level]
    return Person.objects.filter(above, role__in=roles, is_active=True).exclude(pk=person.pk)


def sessions_of(person: Person) -> QuerySet[Session]:
    return Session.objects.filter(person=person).order_by("-seen_at")
