"""The list of customers, how one likes to see it, finding one by name or number, and seeing one in full."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from keepline_web.customers import actions, looks
from keepline_web.customers.claimable import brief_of, by_value
from keepline_web.customers.columns import COLUMNS, heads
from keepline_web.customers.holders import receivers
from keepline_web.customers.listing import CHOSEN_MOST, Listing, districts_of, listed, owners_of
from keepline_web.customers.queries import claimable_by, latest_month, search, shown, visible_to, with_standing
from keepline_web.customers.sealed import grouped
from keepline_web.customers.words import CLASSES, LOYALTY, RISKS, VALUE_BANDS, further
from keepline_web.frame.refusals import Refused
from keepline_web.frame.sought import MOST, text_of
from keepline_web.people.access import page
from keepline_web.people.roles import Act

FOUND_MOST = 8
FIND_LEAST = 1


@page(Act.SEE_ACCOUNTS)
def accounts(request: HttpRequest) -> HttpResponse:
    """Whom one sees, with filters that stay in the URL."""
    asked, person = Listing.of(request.GET), request.user
    month = asked.month or latest_month()
    rows = listed(person, asked)
    columns, each = looks.look_of(person)
    said = request.GET.get("each")
    each = int(said) if said in map(str, looks.EACH) else each
    paged = Paginator(with_standing(rows, month or ""), each).get_page(request.GET.get("page"))
    values = {
        "page": paged, "asked": asked, "month": month, "kept": _kept(request), "classes": CLASSES, "risks": RISKS,
        "loyalties": LOYALTY, "districts": districts_of(person), "owners": owners_of(person),
        "rows": [(row, shown(row, person)) for row in paged], "each_choices": looks.EACH, "each": each,
        "heads": heads(columns, asked), "columns": COLUMNS, "columns_shown": columns, "most": CHOSEN_MOST,
        "further": further(asked), "may_claim": claimable_by(person).exists(),
    }  # fmt: skip
    return render(request, "customers/accounts.html", values | _views(request) | _may(request))


def _kept(request: HttpRequest) -> str:
    kept = request.GET.copy()
    for name in ("page", "done", "act"):
        kept.pop(name, None)
    return kept.urlencode()


def _views(request: HttpRequest) -> dict[str, Any]:
    """The views with a name, which of them is open, and what was done on the page before."""
    here, done = looks.plain(request.GET.urlencode()), request.GET.get("done", "")
    open_one = here if not text_of(request.GET, "q") else None
    return {"views": looks.views_of(request.user), "here": open_one, "done": done if done.isdecimal() else ""}


def _may(request: HttpRequest) -> dict[str, Any]:
    """What may be done with several at once."""
    person = request.user
    to = receivers(person) if person.may(Act.ASSIGN) else []
    acts = {"may_export": person.may(Act.EXPORT), "may_plan": person.may(Act.OWN_DAY), "receivers": to}
    return acts | {"may_choose": any(acts.values())}


@page(Act.SEE_ACCOUNTS, "POST")
def look(request: HttpRequest) -> HttpResponse:
    """The columns and the rows a page, remembered."""
    said = request.POST
    looks.set_look(person=request.user, columns=said.getlist("column"), each=said.get("each", ""))
    return redirect(_back(request))


@page(Act.SEE_ACCOUNTS, "POST")
def save_view(request: HttpRequest) -> HttpResponse:
    """A name for the filters of the list."""
    said = request.POST
    view = looks.save_view(person=request.user, name=said.get("name", ""), query=said.get("filters", ""),
                           shared=said.get("shared") == "1")  # fmt: skip
    return redirect(f"/accounts?{view.query}")


@page(Act.SEE_ACCOUNTS, "POST")
def remove_view(request: HttpRequest, view_id: int) -> HttpResponse:
    looks.remove_view(person=request.user, view_id=view_id)
    return redirect("accounts")


def _back(request: HttpRequest) -> str:
    """The list one came from, with its filters; never another place."""
    return "/accounts?" + request.POST.get("filters", "")[:2_000]


@page(Act.SEE_ACCOUNTS, "POST")
def find(request: HttpRequest) -> HttpResponse:
    """For the palette: customers of one's scope by part of a name or a whole number, a few of them."""
    text = request.POST.get("q", "").strip()[:MOST]
    try:
        found = search(visible_to(request.user), text, request.user) if len(text) >= FIND_LEAST else ()
        rows = with_standing(found, latest_month() or "")[:FOUND_MOST] if text else ()
        told = ""
    except Refused as error:
        rows, told = (), str(error.words)
    values = {"rows": [(row, shown(row, request.user)) for row in rows], "told": told, "classes": CLASSES}
    return render(request, "customers/found.html", values)


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
    """Take an account nobody owns, of one's own district."""
    account = get_object_or_404(claimable_by(request.user), pk=customer_id)
    actions.claim(account=account, by=request.user)
    return redirect("account", customer_id)


@page(Act.OWN_DAY)
def claimable(request: HttpRequest) -> HttpResponse:
    """The accounts of one's district that nobody owns: enough to choose by, and no more."""
    month = latest_month() or ""
    paged = Paginator(by_value(claimable_by(request.user), month), looks.EACH_AT_FIRST).get_page(
        request.GET.get("page")
    )
    rows = [(row, brief_of(row, request.user)) for row in paged]
    return render(
        request,
        "customers/claimable.html",
        {"page": paged, "rows": rows, "month": month, "risks": RISKS, "value_bands": VALUE_BANDS},
    )
