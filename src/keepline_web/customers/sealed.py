"""Names and numbers at rest: AES-GCM with a key of the site, and a keyed index to find a number by.

An unkeyed hash of eleven digits is undone in minutes; a keyed one is not.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from django.conf import settings

from keepline_web import ciphers, keys

STAR = "*"


def seal(text: str | None, *, customer_id: int, row: str = "") -> bytes | None:
    """The text sealed for one customer, or for one ``row`` of theirs; it cannot be moved to another's."""
    if text is None or text == "":
        return None
    return ciphers.seal(settings.SITE.root, text.encode(), bound=_bound(customer_id, row))


def unseal(data: bytes | memoryview | None, *, customer_id: int, row: str = "") -> str | None:
    if data is None:
        return None
    return ciphers.unseal(settings.SITE.root, bytes(data), bound=_bound(customer_id, row)).decode()


def index(phone: str | None, *, version: int | None = None) -> str:
    """What a number is found by: its digits under a key."""
    digits = digits_of(phone or "")
    if not digits:
        return ""
    return hmac.digest(keys.key(settings.SITE.root, "index", version=version), digits.encode(), hashlib.sha256).hex()


def indexes(phone: str | None) -> list[str]:
    """What it may be found by while a change of keys is under way: under each key there was."""
    return [index(phone, version=version) for version in range(1, keys.current(settings.SITE.root) + 1)]


def digest(*words: str) -> str:
    """What tells words apart without telling them: under the first key, for it is compared with what comes in later."""
    return hmac.digest(
        keys.key(settings.SITE.root, "index", version=1), "\x1f".join(words).encode(), hashlib.sha256
    ).hex()


def digits_of(text: str) -> str:
    found = re.sub(r"\D", "", text)
    return found.removeprefix("0086") if len(found) > 13 else found.removeprefix("86") if len(found) == 13 else found


def _bound(customer_id: int, row: str) -> bytes:
    return f"{customer_id}:{row}".encode() if row else str(customer_id).encode()


def mask_name(name: str | None) -> str:
    """张*, 欧阳* as 欧**: the first sign, then one star for each that follows."""
    return name[0] + STAR * max(1, len(name) - 1) if name else ""


def mask_phone(phone: str | None) -> str:
    """154 **** 2976: the first three and the last four."""
    digits = digits_of(phone or "")
    return f"{digits[:3]} **** {digits[-4:]}" if len(digits) >= 8 else "*" * len(digits)


def mask_number(number: str | None) -> str:
    return "****" + number[-4:] if number else ""


def grouped(phone: str | None) -> str:
    """154 0000 2976."""
    digits = digits_of(phone or "")
    return f"{digits[:3]} {digits[3:7]} {digits[7:]}" if len(digits) == 11 else digits
