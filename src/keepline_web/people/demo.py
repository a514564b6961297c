"""The invented people of a demo, who may be entered as from the same machine alone."""

from __future__ import annotations

import csv
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from keepline_web.people.models import Person

FILE = "demo-logins.csv"
HEADER = ("role", "user", "password", "second_factor_secret", "name", "unit")
LOOPBACK = ("127.0.0.1", "::1")


def open_here(request: HttpRequest) -> bool:
    """Only a demo, and only from this machine, without a proxy in between."""
    near = request.META.get("REMOTE_ADDR") in LOOPBACK and "HTTP_X_FORWARDED_FOR" not in request.META
    return settings.DEMO and not settings.PUBLIC.hostname and near


def hints(request: HttpRequest) -> list[dict[str, Any]]:
    """One person a role, to choose from on the sign-in page of a demo."""
    if not open_here(request):
        return []
    names = {row["user"] for row in written()}
    found: dict[str, Person] = {}
    for person in Person.objects.filter(username__in=names, is_active=True).select_related("unit").order_by("pk"):
        found.setdefault(person.role, person)
    return [
        {"username": p.username, "words": p.rights.words, "name": p.name, "unit": p.unit.name} for p in found.values()
    ]


def person_of(request: HttpRequest) -> Person | None:
    """The invented person asked for, if this request may go in as them."""
    if not open_here(request):
        return None
    said = request.POST.get("username", "")
    return Person.objects.filter(username=said, is_active=True).first() if said in _names() else None


def may_enter(request: HttpRequest, person: Person) -> bool:
    """Whether this request may go in as the person without a code."""
    return open_here(request) and person.username in _names()


def _names() -> set[str]:
    return {row["user"] for row in written()}


def written() -> list[dict[str, str]]:
    """The rows of ``SITE/demo-logins.csv``."""
    path = settings.SITE.root / FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))
