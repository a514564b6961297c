"""Visits to every address of the workbench, as the table of who may go where lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.test import Client
from django.urls import reverse

from keepline_web.people.models import Person
from web.cast import Cast, enter
from web.matrix_test import ROWS, places

CHANGING = re.compile(r'csrfmiddlewaretoken" value="[^"]+"|name="csrf" content="[^"]+"|X-CSRFToken": "[^"]+"'
                      r'|name="key" value="[^"]+"|nonce="[^"]+"|(编号|Reference) [0-9a-f]{8}')  # fmt: skip

API = "api"  # no cookie opens it; api_matrix_test.py visits what lies below


def browser(person: Person, *, csrf: bool = False) -> Client:
    """Signed in and proved; what breaks is seen as the page that says so."""
    return enter(Client(raise_request_exception=False, enforce_csrf_checks=csrf), person)


def pages(role: str, cast: Cast) -> Iterator[str]:
    """Every address the role may read, with its own record where one is named."""
    for name, (methods, roles, kind, *_) in ROWS.items():
        if name != API and "GET" in methods.split() and (roles == "open" or role in roles.split()):
            _, args = next(places(kind, cast))
            yield reverse(name, args=args)


def unsafe(cast: Cast) -> Iterator[tuple[str, str, str]]:
    """Every address that takes a POST of a browser: its name, who may use it, where it is."""
    for name, (methods, roles, kind, *_) in ROWS.items():
        if name != API and "POST" in methods.split():
            _, args = next(places(kind, cast))
            yield name, "account_manager" if roles == "open" else roles.split()[0], reverse(name, args=args)


def text_of(answer: Any) -> str:
    """What an answer holds, page or file."""
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return whole.decode("utf-8", errors="replace")


def steady(text: str) -> str:
    """The page without what is new each time it is asked for."""
    return CHANGING.sub("…", text)
