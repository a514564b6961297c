"""The seal of an entry: HMAC-SHA256 with the site's audit key, so that who can write the table cannot forge it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

from django.conf import settings

from keepline_web import keys

ENDS = ("stream", "number", "seal", "cut_number", "cut_seal")
FIELDS = ("stream", "number", "at", "person_id", "person_name", "act", "object", "detail", "seal_before")


def seal_of(said: dict[str, Any], *, version: int | None = None) -> str:
    """The seal over the named fields in their canonical form, under the newest key or that of a version."""
    return _hmac({name: plain(said[name]) for name in FIELDS}, version)


def head_seal_of(ends: dict[str, Any], *, version: int | None = None) -> str:
    """The seal over where a chain ends, and where it begins since its first links were removed."""
    said = {"head": ends["stream"], "number": ends["number"], "seal": ends["seal"]}
    cut = {"cut_number": ends["cut_number"], "cut_seal": ends["cut_seal"]} if ends["cut_number"] else {}
    return _hmac(said | cut, version)


def plain(value: Any) -> Any:
    """A moment as it is sealed; anything else as it is."""
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds") if isinstance(value, dt.datetime) else value


def _hmac(said: dict[str, Any], version: int | None) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.digest(keys.key(settings.SITE.root, "audit", version=version), text.encode(), hashlib.sha256).hex()
