"""The door of the API: a token is known, counted and acts for its person; what goes wrong is a problem in JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import Resolver404, ResolverMatch, URLResolver
from django.urls.resolvers import RegexPattern
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from keepline_web.api.access import MayNot
from keepline_web.api.counting import A_MINUTE, HOUR, MINUTE, count, told_at, wait_seconds
from keepline_web.api.describing import names_of
from keepline_web.api.operations import Invalid, api
from keepline_web.audit.actions import through, write
from keepline_web.audit.models import Stream
from keepline_web.frame.refusals import SAID, answer_to, refusal
from keepline_web.frame.words import HTML_LANGUAGES, LANGUAGES, Text
from keepline_web.people.access import OPEN
from keepline_web.people.models import Person, Token
from keepline_web.people.tokens import known, note_use, why_dead

ROOT = "api-root"  # the library's own page of links, which is not offered
OPERATIONS = URLResolver(RegexPattern(r"^"), [pattern for pattern in api.urls[0] if pattern.name != ROOT])
SCHEME = "bearer"
PLACE = re.compile(r"<(?:\w+:)?(\w+)>")  # of an argument in an address
DEAD = {
    "": Text("令牌无效；请在“我的令牌”中生成新的。", "The token is not known; make one on the page My tokens."),
    "ended": Text("令牌已停用；请生成新的。", "The token was ended; make a new one."),
    "expired": Text("令牌已过期；请生成新的。", "The token has expired; make a new one."),
    "disabled": Text("令牌所属人员已停用。", "Whose token it is has been disabled."),
    "password": Text("请先登录并修改初始密码。", "Sign in and choose a password of your own first."),
    "second_factor": Text(
        "岗位现在要求第二重验证；请登录验证后重新生成令牌。",
        "The post asks for a second factor by now; sign in, prove it, and make a new token.",
    ),
}
NONE = Text(
    "请在 Authorization 请求头中提供令牌：Bearer kpl_…",
    "Send a token in the Authorization header: Bearer kpl_…",
)


@csrf_exempt  # no cookie opens anything here, so no other site can make a browser act
@transaction.non_atomic_requests  # what is counted and noted stays, also when the act is taken back
def answer(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Whatever lies below the API's address."""
    with _spoken(request):
        try:
            said = _answer(request, rest)
        except SAID as error:
            said = answer_to(request, error)
            if isinstance(error, MayNot):
                said["WWW-Authenticate"] = f'Bearer realm="keepline", error="insufficient_scope", scope="{error.scope}"'
        said.headers["Content-Language"] = HTML_LANGUAGES[_language(request)]
        return said


answer.act = OPEN  # type: ignore[attr-defined]  # by a token alone, which the API's own matrix holds
answer.methods = ("GET", "POST", "PUT")  # type: ignore[attr-defined]


def _answer(request: HttpRequest, rest: str) -> HttpResponseBase:
    token = token_of(request)
    if token is None:
        return refused_token(request)
    with _spoken(request):
        if count(f"token:{token.pk}", MINUTE) > A_MINUTE:
            return _too_many(request)
        note_use(token, request.META.get("REMOTE_ADDR"))
        try:
            match = OPERATIONS.resolve(rest)
        except Resolver404 as error:
            raise Http404 from error
        _known_names(request, match)
        with through(token.pk), transaction.atomic():
            said: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return _not_so(request, said) if said.status_code == 405 else said


def _known_names(request: HttpRequest, match: ResolverMatch) -> None:
    """A filter that is misspelt is refused, lest the whole list be taken for the part that was meant."""
    address = PLACE.sub(r"{\1}", match.route.removeprefix("^"))
    known_ones = names_of().get((request.method or "", address))
    unknown = sorted(set(request.GET) - known_ones) if known_ones is not None else []
    if unknown:
        raise Invalid([{"loc": ("query", name[:40]), "msg": "no such parameter"} for name in unknown])


def token_of(request: HttpRequest) -> Token | None:
    """The living token of a request, whose person the request then is."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != SCHEME or not secret:
        request.dead = None  # type: ignore[attr-defined]
        return None
    token = known(secret.strip())
    request.dead = why_dead(token) if token else ""  # type: ignore[attr-defined]
    if token is None or request.dead:  # type: ignore[attr-defined]
        _tell_refused(request, token)
        return None
    request.user, request.token = token.person, token  # type: ignore[attr-defined]
    return token


def _tell_refused(request: HttpRequest, token: Token | None) -> None:
    """Put a refused token into the audit: each the first time in an hour, and then ever more rarely."""
    address = request.META.get("REMOTE_ADDR", "")
    number = count(f"dead:{token.pk}" if token else f"unknown:{address}", HOUR)
    if told_at(number):
        by: Person | None = token.person if token else None
        detail = {"from": address, "times": number, "why": request.dead or "unknown"}  # type: ignore[attr-defined]
        detail |= {"token": token.pk} if token else {}
        write(Stream.SIGN_IN, act="token_refused", by=by, object=f"person:{by.pk}" if by else "", detail=detail)


def refused_token(request: HttpRequest) -> HttpResponseBase:
    why = request.dead  # type: ignore[attr-defined]
    said = refusal(request, 401, str(NONE if why is None else DEAD[why]), "no_token" if why is None else "bad_token")
    said["WWW-Authenticate"] = 'Bearer realm="keepline"' + ("" if why is None else ', error="invalid_token"')
    return said


def _too_many(request: HttpRequest) -> HttpResponseBase:
    words = Text(
        f"这个令牌一分钟内的请求超过 {A_MINUTE} 次；请稍后再试。",
        f"This token made more than {A_MINUTE} requests within a minute; try again in a moment.",
    )
    said = refusal(request, 429, str(words), "rate_limit")
    said["Retry-After"] = str(wait_seconds())
    return said


def _not_so(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    said = refusal(request, 405)
    said["Allow"] = ", ".join(sorted(word.strip() for word in answer["Allow"].split(",")))
    return said


@contextmanager
def _spoken(request: HttpRequest) -> Iterator[None]:
    """In the language the program asks for, else its person's."""
    with translation.override(LANGUAGES[_language(request)]):
        yield


def _language(request: HttpRequest) -> str:
    asked = request.headers.get("Accept-Language", "").split(",")[0].strip().lower()
    if asked.startswith(("zh", "en")):
        return asked[:2]
    token = getattr(request, "token", None)
    return token.person.language if token else "zh"
