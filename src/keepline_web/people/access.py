"""What stands before every view: signed in, proved by a second factor, and the act allowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse

from keepline_web.frame.refusals import refusal
from keepline_web.people.roles import Act
from keepline_web.people.sessions import PROVED

View = Callable[..., HttpResponse]
OPEN = "open"  # for those who are not signed in yet
LATELY_SECONDS = 15 * 60  # after that the second factor is asked again before what must not be done by a passer-by
LEAVING = "sign_out"  # open to whoever is signed in, proved or not
FIRST = ("me", LEAVING)  # all that is open to whoever has still to choose a password of their own


def page(act: Act, *methods: str) -> Callable[[View], View]:
    """A view of ``methods`` (GET when none is said) for those whose role does ``act``; for others it is not there."""
    allowed = methods or ("GET",)

    def bind(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _sign_in(request)
            here = request.resolver_match.url_name
            if not request.user.is_verified() and here != LEAVING:
                return _prove(request)
            if request.user.must_change_password and here not in FIRST:
                return _choose(request)
            if not request.user.may(act):
                raise Http404
            if request.method not in _with_head(allowed):
                return _not_so(request, allowed)
            return view(request, *args, **values)

        asked.act = act  # type: ignore[attr-defined]
        asked.methods = allowed  # type: ignore[attr-defined]
        return asked

    return bind


def proved_lately(*methods: str) -> Callable[[View], View]:
    """Below ``page``: for ``methods`` (POST when none is said) the second factor is asked again after a while."""
    guarded = methods or ("POST",)

    def bind(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
            if request.method in guarded and not lately(request):
                return _prove_again(request)
            return view(request, *args, **values)

        return asked

    return bind


def lately(request: HttpRequest) -> bool:
    """Whether whoever sits at this browser proved the second factor in the last quarter of an hour."""
    return time.time() - float(request.session.get(PROVED, 0)) <= LATELY_SECONDS


def open_page(*methods: str) -> Callable[[View], View]:
    """A view for anyone, such as signing in."""
    allowed = methods or ("GET",)

    def bind(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:
            if request.method not in _with_head(allowed):
                return _not_so(request, allowed)
            return view(request, *args, **values)

        asked.act = OPEN  # type: ignore[attr-defined]
        asked.methods = allowed  # type: ignore[attr-defined]
        return asked

    return bind


def _with_head(allowed: tuple[str, ...]) -> tuple[str, ...]:
    return (*allowed, "HEAD") if "GET" in allowed else allowed


def _not_so(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    answer = refusal(request, 405)
    answer["Allow"] = HttpResponseNotAllowed(allowed)["Allow"]
    return answer


def _sign_in(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Redirect": "/sign-in"})
    if request.method not in ("GET", "HEAD"):
        return refusal(request, 403)
    return redirect_to_login(request.get_full_path())


def _prove(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return refusal(request, 403)
    return redirect("second_factor")


def _prove_again(request: HttpRequest) -> HttpResponse:
    """Nothing is done yet; after the code one is back on the page one came from."""
    came = urlsplit(request.headers.get("Referer", ""))
    here = request.get_full_path() if request.method == "GET" else came.path or reverse("me")
    where = f"{reverse('second_factor')}?{urlencode({'next': here})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Redirect": where})
    return redirect(where)


def _choose(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return refusal(request, 403)
    return redirect("me")
