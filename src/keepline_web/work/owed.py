"""The pages of arrears and of fairness."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepline_web.customers.queries import latest_month, shown
from keepline_web.people.access import page
from keepline_web.people.roles import Act
from keepline_web.work.arrears import OLD_MONTHS, PARTS, SILENT_DAYS, owing, told_of, totals
from keepline_web.work.fairness import DAYS, compared

EACH = 30


@page(Act.SEE_ARREARS)
def arrears(request: HttpRequest) -> HttpResponse:
    """Who owes how much, who answers for it, and what waits for it."""
    part = request.GET.get("part", "")
    part = part if part in PARTS else ""
    paged = Paginator(owing(request.user, part), EACH).get_page(request.GET.get("page"))
    values = {
        "page": paged, "part": part, "totals": totals(request.user), "month": latest_month(), "old": OLD_MONTHS,
        "silent_days": SILENT_DAYS, "may_assign": request.user.may(Act.ASSIGN),
        "rows": [(row, shown(row.account, request.user)) for row in told_of(list(paged))],
    }  # fmt: skip
    return render(request, "work/arrears.html", values)


@page(Act.APPROVE)
def fairness(request: HttpRequest) -> HttpResponse:
    """Approved offers of one kind at different prices."""
    offers, same = compared(request.user)
    rows = [(one, [(price, shown(price.account, request.user)) for price in one.prices]) for one in offers]
    return render(request, "work/fairness.html", {"offers": rows, "same": same, "days": DAYS})
