"""Signing in and out, the second factor, one's own settings and sessions."""

from __future__ import annotations

import time
from typing import Any

import segno
from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django_otp import login as otp_login

from keepline_web.audit.actions import write
from keepline_web.audit.models import Stream
from keepline_web.frame import clock
from keepline_web.frame.refusals import Refused, refusal
from keepline_web.frame.words import LANGUAGES, Text
from keepline_web.people import actions, demo, queries
from keepline_web.people.access import lately, open_page, page, proved_lately
from keepline_web.people.forms import WRONG, Code, NewPassword, SignIn
from keepline_web.people.models import SecondFactor
from keepline_web.people.roles import Act
from keepline_web.people.sessions import ADDRESS, AGENT, PROVED

RISES = ("red", "green")
THEMES = ("auto", "light", "dark")
YEAR = 365 * 86400
EXPIRED = Text(
    "初始密码已过期，请联系管理员重置。", "The first password has expired; ask the administrator for a new one."
)
NOT_THE_CODE = Text(
    "验证码不正确或已用过；请等待下一个验证码。", "Not the code, or it was used; wait for the next one."
)


@open_page("GET", "POST")
def sign_in(request: HttpRequest) -> HttpResponse:
    """User name and password; where to go next is kept only when it is a place of ours."""
    if request.user.is_authenticated:
        return redirect("home")
    form = SignIn(request.POST or None)
    wrong = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        person = authenticate(request, username=said["username"], password=said["password"])
        if person is not None and not _expired(person):
            enter(request, person)
            return HttpResponseRedirect(_next(request))
        wrong = WRONG if person is None else EXPIRED
        write(Stream.SIGN_IN, act="sign_in_refused", by=None, detail={"username": said["username"]})
    values = {"form": form, "wrong": wrong, "next": _next(request), "logins": demo.hints(request)}
    return render(request, "people/sign_in.html", values, status=422 if wrong or form.errors else 200)


def _expired(person: Any) -> bool:
    """Whether it is a first password that was not used in its week."""
    return person.first_password_until is not None and person.first_password_until < clock.now()


def enter(request: HttpRequest, person: Any) -> None:
    """Sign the person in with a new session that knows where it came from."""
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    request.session[ADDRESS] = request.META.get("REMOTE_ADDR")
    request.session[AGENT] = request.headers.get("User-Agent", "")
    if not SecondFactor.objects.filter(user=person).exists():
        SecondFactor.objects.create(user=person, name="app", confirmed=False)  # for the page that sets it up
    write(Stream.SIGN_IN, act="signed_in", by=person, object=f"person:{person.pk}")


def _next(request: HttpRequest) -> str:
    said = request.POST.get("next") or request.GET.get("next") or "/"
    ours = said.startswith("/") and url_has_allowed_host_and_scheme(said, {request.get_host()}, request.is_secure())
    return said if ours else "/"


@open_page("POST")
def demo_enter(request: HttpRequest) -> HttpResponse:
    """On a demo, from this machine alone: go in as one of the invented people."""
    person = demo.person_of(request)
    if person is None:
        return refusal(request, 404)
    _as_on_the_first_page(request, person)
    enter(request, person)
    device = SecondFactor.objects.filter(user=person, confirmed=True).first()
    if device is not None:
        otp_login(request, device)
        request.session[PROVED] = time.time()
    return HttpResponseRedirect(_next(request))


def _as_on_the_first_page(request: HttpRequest, person: Any) -> None:
    """An invented person reads as this browser chose on the first page; a real one's own choice stays theirs."""
    language, theme = (request.COOKIES.get(name, "") for name in (settings.LANGUAGE_COOKIE_NAME,
                                                                  settings.THEME_COOKIE_NAME))  # fmt: skip
    person.language = language if language in LANGUAGES else person.language
    person.theme = theme if theme in THEMES else person.theme
    person.save(update_fields=["language", "theme"])


@open_page("GET", "POST")
def second_factor(request: HttpRequest) -> HttpResponse:
    """Set the second factor up at first use, afterwards prove it; again before what a passer-by must not do."""
    person = request.user
    if not person.is_authenticated:
        return redirect("sign_in")
    if person.is_verified() and lately(request):
        return HttpResponseRedirect(_next(request))
    device = _device_of(person)
    new = not device.confirmed
    form, wrong = Code(request.POST or None), None
    if request.method == "POST":
        if form.is_valid() and device.verify_is_allowed()[0] and device.verify_token(form.cleaned_data["code"]):
            _proved(request, device, new)
            return HttpResponseRedirect(_next(request))
        wrong = NOT_THE_CODE
        write(Stream.SIGN_IN, act="second_factor_refused", by=person, object=f"person:{person.pk}")
    values = {
        "new": new, "wrong": wrong, "key": device.config_url if new else "", "picture": _picture(device, new),
        "again": person.is_verified(), "next": _next(request), "demo_door": demo.may_enter(request, person),
    }  # fmt: skip
    return render(request, "people/second_factor.html", values, status=422 if wrong else 200)


def _device_of(person: Any) -> SecondFactor:
    """What proves the person, or is to; held until the request ends, so that one code sent twice at once holds once."""
    held = SecondFactor.objects.select_for_update().filter(user=person)
    device = held.order_by("-confirmed", "pk").first()
    if device is None:
        raise Refused(
            "第二重验证已被重置；请退出后重新登录，再设置一次。",
            "The second factor was reset; sign out and in again to set it up.",
            code="no_device",
        )
    return device


def _proved(request: HttpRequest, device: SecondFactor, new: bool) -> None:
    if new:
        device.confirmed = True
        device.save()
        write(Stream.SIGN_IN, act="second_factor_set_up", by=request.user, object=f"person:{request.user.pk}")
    otp_login(request, device)
    request.session[PROVED] = time.time()
    request.session.cycle_key()


def _picture(device: SecondFactor, new: bool) -> str:
    if not new:
        return ""
    drawn = segno.make(device.config_url, micro=False)
    return mark_safe(drawn.svg_inline(scale=5, border=2, dark="#17202b", light="#ffffff", omitsize=True))


@page(Act.SIGNED_IN, "POST")
def sign_out(request: HttpRequest) -> HttpResponse:
    write(Stream.SIGN_IN, act="signed_out", by=request.user, object=f"person:{request.user.pk}")
    logout(request)
    answer = redirect("sign_in")
    answer["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@open_page("POST")
def preferences(request: HttpRequest) -> HttpResponse:
    """Language, theme and the colour of growth: of the person, and of the browser before signing in."""
    language, theme = request.POST.get("language", ""), request.POST.get("theme", "")
    answer = HttpResponseRedirect(_next(request))
    person = request.user
    how: dict[str, Any] = {"samesite": "Lax", "httponly": True, "secure": settings.HTTPS}
    if language in LANGUAGES:
        answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, YEAR, **how)
        if person.is_authenticated:
            person.language = language
    if theme in THEMES:
        answer.set_cookie(settings.THEME_COOKIE_NAME, theme, YEAR, **how)
        if person.is_authenticated:
            person.theme = theme
    if person.is_authenticated:
        person.rise = request.POST.get("rise", "") if request.POST.get("rise", "") in RISES else person.rise
        person.save(update_fields=["language", "theme", "rise"])
    return answer


@page(Act.SIGNED_IN, "GET", "POST")
@proved_lately()
def me(request: HttpRequest) -> HttpResponse:
    """One's own password and the browsers one is signed in with."""
    form = NewPassword(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        here = request.session.session_key
        actions.change_password(person=request.user, password=form.cleaned_data["password"], here=here)
        update_session_auth_hash(request, request.user)
        return redirect("me")
    rows = [(row, row.session_key[-12:], row.session_key == request.session.session_key)
            for row in queries.sessions_of(request.user)]  # fmt: skip
    values = {"form": form, "sessions": rows}
    return render(request, "people/me.html", values, status=422 if form.errors else 200)


@page(Act.SIGNED_IN, "POST")
@proved_lately()
def end_session(request: HttpRequest, key_end: str) -> HttpResponse:
    actions.end_session(person=request.user, key_end=key_end)
    return redirect("me")


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Too many wrong passwords for this name from this address; the name is free elsewhere."""
    said = Text(
        "密码连续输错次数过多，本机在 15 分钟内不能再用这个用户名登录。忘记密码请联系管理员重置。",
        "Too many wrong passwords; from this address the user name is closed for 15 minutes. "
        "If you forgot the password, ask the administrator for a new one.",
    )
    return refusal(request, 429, str(said), "locked_out")
