"""What every page's template is given: who reads, where they may go, which day it is."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest

from keepline_web import keys
from keepline_web.frame import clock
from keepline_web.frame.menu import menu_of
from keepline_web.frame.words import HTML_LANGUAGES, language


def page(request: HttpRequest) -> dict[str, Any]:
    """The frame's own values."""
    person = getattr(request, "user", None)
    known = _known(person)
    return {
        "request": request,
        "person": person if known else None,
        "menu": menu_of(request) if known else [],
        "lang": language(),
        "html_lang": HTML_LANGUAGES[language()],
        "theme": (getattr(person, "theme", "") if known else "")
        or request.COOKIES.get(settings.THEME_COOKIE_NAME, "auto"),
        "demo": settings.DEMO,
        "simulated": settings.SITE.settings.simulated,
        "operator": settings.SITE.settings.name,
        "finds": known and person is not None and person.may("see_accounts"),
        "nameless": known and person is not None and person.rights.face == "pseudonym",  # finds nobody by name
        "rise": getattr(person, "rise", "red") if known else "red",
        "today": clock.today(),
        "keeping_key": _keeping_key(person) if known else "",
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }


def _known(person: Any) -> bool:
    """Whether somebody is signed in; while the database is away nobody can tell."""
    try:
        return bool(person is not None and person.is_authenticated)
    except OperationalError:
        return False


def _keeping_key(person: Any) -> str:
    """The key under which a browser keeps what waits for the network; without signing in as the person none has it."""
    key = keys.key(settings.SITE.root, "keeping")
    return base64.b64encode(hmac.digest(key, str(person.pk).encode(), hashlib.sha256)).decode()
