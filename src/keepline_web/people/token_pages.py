"""Making a token and ending one: of oneself, and of somebody one looks after."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from keepline_web.frame.inputs import whole
from keepline_web.people import tokens
from keepline_web.people.access import page, proved_lately
from keepline_web.people.models import Person
from keepline_web.people.roles import Act
from keepline_web.people.scopes import SCOPES, scopes_of


@page(Act.SIGNED_IN, "GET", "POST")
@proved_lately()
def my_tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens; a new one is shown here, this once."""
    made, secret = None, ""
    if request.method == "POST":
        said = request.POST
        made, secret = tokens.make_token(
            by=request.user, name=said.get("name", ""), scopes=said.getlist("scope"),
            days=whole(said.get("days", "")) or 0, proved=request.user.is_verified(),
        )  # fmt: skip
    values = {
        "made": made, "secret": secret, "alive": tokens.alive(request.user), "words": SCOPES, "days": tokens.DAYS,
        "scopes": [(scope, SCOPES[scope]) for scope in scopes_of(request.user)], "days_most": tokens.DAYS_AT_MOST,
        "at_most": tokens.AT_MOST,
    }  # fmt: skip
    return render(request, "people/tokens.html", values)


@page(Act.SIGNED_IN, "POST")
@proved_lately()
def end_token(request: HttpRequest, token_id: int) -> HttpResponse:
    tokens.end_token(person=request.user, token_id=token_id, by=request.user)
    return redirect("my_tokens")


@page(Act.CONFIGURE, "POST")
@proved_lately()
def end_token_of(request: HttpRequest, pk: int, token_id: int) -> HttpResponse:
    """An administrator ends somebody's token; of nobody is its secret ever seen."""
    tokens.end_token(person=get_object_or_404(Person, pk=pk), token_id=token_id, by=request.user)
    return redirect("person", pk)
