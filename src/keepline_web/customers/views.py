"""The list of customers, and seeing a name or number in full."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from keepline_web.customers import actions
from keepline_web.customers.listing import Listing, districts_of, listed, owners_of
from keepline_web.customers.queries import access_account, latest_month, shown, with_standing
from keepline_web.customers.sealed import grouped
from keepline_web.customers.words import CLASSES, LOYALTY, RISKS
from keepline_web.people.access import page
from keepline_web.people.roles import Act

EACH = (20, 50, 100)


@page(Act.SEE_ACCOUNTS)
def accounts(request: HttpRequest) -> HttpResponse:
    """Whom one sees, with filters that stay in the URL."""
    asked, month = Listing.of(request.GET), latest_month()
    rows = listed(request.user, asked)
    each = int(request.GET["each"]) if request.GET.get("each") in map(str, EACH) else EACH[0]
    paged = Paginator(with_standing(rows, month or ""), each).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    values = {
        "page": paged, "asked": asked, "month": month, "kept": kept.urlencode(), "classes": CLASSES, "risks": RISKS,
        "loyalties": LOYALTY, "districts": districts_of(request.user), "owners": owners_of(request.user),
        "rows": [(row, shown(row, request.user)) for row in paged], "each_choices": EACH, "each": each,
        "may_export": request.user.may(Act.EXPORT),
    }  # fmt: skip
    return render(request, "customers/accounts.html", values)


@page(Act.UNMASK, "POST")
def unmask(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Name and number in full for half a minute, for a reason."""
    name, phone, number = actions.unmask(
        person=request.user, customer_id=customer_id, reason=request.POST.get("reason", "")
    )
    values = {"name": name, "phone": grouped(phone), "number": number, "seconds": actions.UNMASK_SECONDS}
    return render(request, "customers/unmasked.html", values)


@page(Act.OWN_DAY, "POST")
def claim(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Take an account nobody owns, where one may see it."""
    actions.claim(account=access_account(request.user, customer_id), by=request.user)
    return redirect("account", customer_id)
