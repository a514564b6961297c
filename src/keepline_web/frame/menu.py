"""Where a person may go: each room puts its pages here, with the act that opens them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from keepline_web.frame.words import Text


@dataclass(frozen=True)
class Place:
    """One line of the menu: the page's name in the URLs, its words, icon, and the act that opens it."""

    url: str
    words: Text
    icon: str
    act: str
    order: int
    in_tabs: bool = False  # on a phone, at the bottom
    count: Callable[[Any], int] | None = None  # of what is new there for a person


GROUPS = (
    (30, Text("日常", "The day")), (60, Text("跟进", "Follow-up")), (70, Text("管理", "Leading")),
    (80, Text("数据与文件", "Data and files")), (1_000, Text("系统", "System")),
)  # fmt: skip
PLACES: list[Place] = []


def group_of(order: int) -> Text:
    """Under which heading of the menu a line stands, by its order."""
    return next(words for below, words in GROUPS if order < below)


def place(
    url: str,
    zh: str,
    en: str,
    *,
    icon: str,
    act: str,
    order: int,
    in_tabs: bool = False,
    count: Callable[[Any], int] | None = None,
) -> None:
    """Add a line; lines stand by their order, whichever room brings them."""
    PLACES.append(Place(url, Text(zh, en), icon, act, order, in_tabs, count))
    PLACES.sort(key=lambda line: line.order)


def menu_of(request: HttpRequest) -> list[dict[str, Any]]:
    """The lines the reader may follow, and which one is open."""
    match = request.resolver_match
    here = match.url_name if match else ""
    return [
        {
            "href": reverse(p.url),
            "words": p.words,
            "icon": p.icon,
            "here": p.url == here,
            "in_tabs": p.in_tabs,
            "group": group_of(p.order),
            "count": p.count(request.user) if p.count else 0,
        }
        for p in PLACES
        if request.user.may(p.act)
    ]
