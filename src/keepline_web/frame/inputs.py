"""What came in a form or an address, read strictly."""

from __future__ import annotations

DIGITS = 18  # of the longest number a row can have


def whole(text: str) -> int | None:
    """A row's number as typed, or nothing: no sign, no other script's digits, nothing too long to be one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else None
