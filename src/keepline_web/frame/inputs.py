"""What came in a form or an address, read strictly."""

from __future__ import annotations

HIGHEST = 2**63 - 1  # that a row's number can be; the core's pseudonyms have up to nineteen digits


def whole(text: str) -> int | None:
    """A row's number as typed, or nothing: no sign, no other script's digits, nothing too high to be one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST))):
        return None
    number = int(text)
    return number if number <= HIGHEST else None
