"""A search that is sent, so that its text stands in no address: the list is then opened by an address that seals it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from keepline_web.frame.sought import address_of
from keepline_web.people.access import page
from keepline_web.people.roles import Act

PLACES = ("accounts", "audit", "people")  # lists with a search; each asks itself who may open it
NOT_KEPT = ("csrfmiddlewaretoken", "place", "page")


@page(Act.SIGNED_IN, "POST")
def seek(request: HttpRequest) -> HttpResponse:
    """On to the list with the filters of the form."""
    said = request.POST.copy()
    place = said.get("place", PLACES[0])
    if place not in PLACES:
        raise Http404
    for name in NOT_KEPT:
        said.pop(name, None)
    return redirect(f"{reverse(place)}?{address_of(said)}")
