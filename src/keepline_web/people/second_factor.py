"""The seed a person's second factor counts from: at rest sealed for that person alone."""

from __future__ import annotations

import base64

from django.conf import settings

from keepline_web import ciphers

ROOM = ":"  # stands in no seed in the clear, which is written in hexadecimal signs alone


def seal(seed: bytes, *, person_id: int) -> str:
    """The version of the key, then the rest: which key it was is read, and sought, without opening it."""
    data = ciphers.seal(settings.SITE.root, seed, bound=_bound(person_id))
    return f"{under(data[0])}{base64.b64encode(data).decode()}"


def unseal(text: str, *, person_id: int) -> bytes:
    return ciphers.unseal(settings.SITE.root, base64.b64decode(text.partition(ROOM)[2]), bound=_bound(person_id))


def is_sealed(text: str) -> bool:
    return ROOM in text


def under(version: int) -> str:
    """What a seed begins with that the key of this version sealed."""
    return f"{version}{ROOM}"


def _bound(person_id: int) -> bytes:
    return f"second_factor:{person_id}".encode()
