"""What came in a form or an address, read strictly."""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from keepline_web.frame.refusals import Refused

HIGHEST = 2**63 - 1  # that a row's number can be; the core's pseudonyms have up to nineteen digits


def whole(text: str) -> int | None:
    """A row's number as typed, or nothing: no sign, no other script's digits, nothing too high to be one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST))):
        return None
    number = int(text)
    return number if number <= HIGHEST else None


def entry_key(request: HttpRequest) -> uuid.UUID:
    """The browser's number for an entry, so that it is there once however often it is sent."""
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError as error:
        raise Refused(
            "页面已过期，请刷新后重填。", "The page is out of date; reload it.", code="no_key", status=422
        ) from error
