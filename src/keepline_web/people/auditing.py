"""The auditor's page: what was done by whom, with filters in the URL, and whether the chains hold."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from keepline_web.audit.models import Entry, Stream
from keepline_web.audit.queries import broken, entries
from keepline_web.audit.words import ACTS, STREAMS, act_said, details_said, object_said
from keepline_web.frame import clock
from keepline_web.frame.sought import text_of
from keepline_web.frame.words import Text
from keepline_web.people.access import page
from keepline_web.people.roles import RIGHTS, Act

EACH = (20, 50, 100)
EACH_AT_FIRST = 50
SPANS = (("1", Text("今天", "today")), ("7", Text("近 7 天", "7 days")), ("30", Text("近 30 天", "30 days")))


@dataclass(frozen=True)
class Asked:
    """What the URL asks for."""

    customer: str
    text: str
    act: str
    stream: str
    days: str

    @classmethod
    def of(cls, said: QueryDict) -> Asked:
        stream, days = said.get("stream", ""), said.get("days", "")
        return cls(
            customer=text_of(said, "customer")[:40], text=text_of(said, "q"),
            act=said.get("act", "")[:40], stream=stream if stream in Stream.values else "",
            days=days if days in dict(SPANS) else "",
        )  # fmt: skip


def fitting(asked: Asked) -> QuerySet[Entry]:
    """The entries that fit, latest first. A customer is known by the page's number or by the operator's own."""
    fits = Q()
    if asked.customer:
        said = asked.customer.removeprefix("account:")
        fits &= Q(object__in=[f"account:{said}", f"account:{settings.SITE.pseudonym(said)}"])
    if asked.text:
        fits &= Q(object__icontains=asked.text) | Q(person_name__icontains=asked.text) | Q(act__icontains=asked.text)
    if asked.act:
        fits &= Q(act=asked.act)
    if asked.stream:
        fits &= Q(stream=asked.stream)
    if asked.days:
        fits &= Q(at__gte=clock.now() - dt.timedelta(days=int(asked.days)))
    return entries().filter(fits)


@page(Act.READ_AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    """Entries in words, page by page."""
    asked, said = Asked.of(request.GET), request.GET.get("each")
    each = int(said) if said in map(str, EACH) else EACH_AT_FIRST
    paged = Paginator(fitting(asked), each).get_page(request.GET.get("page"))
    values: dict[str, Any] = {
        "page": paged, "lines": [_line(entry) for entry in paged], "asked": asked, "acts": ACTS, "streams": STREAMS,
        "spans": SPANS, "each": each, "each_choices": EACH, "broken": broken() if "verify" in request.GET else None,
    }  # fmt: skip
    return render(request, "audit/audit.html", values)


def _line(entry: Entry) -> tuple[Entry, Text, Text | None, str, list[tuple[Text, Any]]]:
    detail = dict(entry.detail)
    if detail.get("role") in RIGHTS:
        detail["role"] = RIGHTS[detail["role"]].words
    return (entry, act_said(entry.act), *object_said(entry.object), details_said(detail))
