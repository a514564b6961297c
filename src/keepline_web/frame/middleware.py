"""Around every request: headers, the reader's language, refusals turned into pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from keepline_web.frame.refusals import SAID, answer_to, refusal
from keepline_web.frame.words import LANGUAGES

Answer = Callable[[HttpRequest], HttpResponse]


class Caller:
    """Behind the proxy, who asks is whom the proxy names last; what the caller wrote before that is not believed.

    Without this everybody would ask from the proxy's own address, and anyone could lock anyone out.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        said = request.META.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", 1)[-1].strip() if settings.HTTPS else ""
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(said))
        return self.answer(request)


class Headers:
    """Nothing of a page is kept by a browser or a proxy; what is said of the policy of scripts is said elsewhere."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        return response


class Language:
    """The person's own language; before signing in the cookie's, else the browser's; Chinese first."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kept = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        own = getattr(request.user, "language", None) or kept or _asked(request)
        with translation.override(LANGUAGES.get(own, LANGUAGES["zh"])):
            response = self.answer(request)
        response.headers.setdefault("Content-Language", "en" if own == "en" else "zh-CN")
        return response


def _asked(request: HttpRequest) -> str:
    first = request.headers.get("Accept-Language", "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


class Refusals:
    """A refusal raised anywhere becomes its page, and everything the request had changed is taken back."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """A zero byte is no part of any text, and no database takes one."""
        said = (text for sent in (request.GET, request.POST) for texts in sent.lists() for text in texts[1])
        return refusal(request, 400) if any("\0" in text for text in said) else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return answer_to(request, error) if isinstance(error, SAID) else None
