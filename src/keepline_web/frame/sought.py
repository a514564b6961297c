"""A name or number searched for, as an address may carry it: sealed, so that no log or history on the way holds it."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.http import QueryDict

from keepline_web import keys
from keepline_web.frame.refusals import Refused

NONCE, STAMP = 12, 8
GOOD_SECONDS = 12 * 3600  # as long as one can be signed in
MOST = 80  # signs of a text
BOUND = b"sought"
CONCEALED = ("q", "customer")  # fields whose texts may name somebody
MARK = "sought-"


def address_of(said: QueryDict) -> str:
    """The fields of a form as the rest of an address, those that may name somebody sealed, empty ones left out."""
    kept = QueryDict(mutable=True)
    for name, texts in said.lists():
        for text in filter(None, texts):
            concealed = name in CONCEALED
            kept.appendlist(MARK + name if concealed else name, conceal(text) if concealed else text)
    return kept.urlencode()


def text_of(said: QueryDict, name: str) -> str:
    """What was searched for in a field: sealed by us, or as a program or an old bookmark wrote it.

    One that cannot be read any more is refused: without it the list, and an export of it, would be of everybody.
    """
    sealed = said.get(MARK + name, "")
    text = (reveal(sealed) if sealed else said.get(name, "")).strip()[:MOST]
    if sealed and not text:
        raise Refused(
            "搜索链接已失效（超过 12 小时，或密钥已更换）；请重新搜索。",
            "This link to a search is no longer good: it is older than twelve hours, or the keys were changed. "
            "Search again.",
            code="search_over",
            status=422,
        )
    return text


def conceal(text: str) -> str:
    """The text as an address may carry it; another one each time."""
    nonce = secrets.token_bytes(NONCE)
    plain = int(time.time()).to_bytes(STAMP, "big") + text.strip()[:MOST].encode()
    sealed = nonce + _cipher(settings.SITE.root).encrypt(nonce, plain, BOUND)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def reveal(said: str) -> str:
    """What was concealed; nothing when it is none of ours, or too old."""
    try:
        raw = base64.urlsafe_b64decode(said.encode("ascii") + b"=" * (-len(said) % 4))
        plain = _cipher(settings.SITE.root).decrypt(raw[:NONCE], raw[NONCE:], BOUND)
    except (UnicodeEncodeError, binascii.Error, ValueError, InvalidTag):
        return ""
    age = time.time() - int.from_bytes(plain[:STAMP], "big")
    return plain[STAMP:].decode() if -60 <= age <= GOOD_SECONDS else ""


def _cipher(root: Path) -> AESGCM:
    return AESGCM(keys.key(root, "search"))
