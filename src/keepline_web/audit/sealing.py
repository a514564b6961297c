"""The seal of an entry: HMAC-SHA256 with the site's audit key, so that who can write the table cannot forge it."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

from django.conf import settings

from keepline_web import keys

FIELDS = ("stream", "number", "at", "person_id", "person_name", "act", "object", "detail", "seal_before")


def seal_of(said: dict[str, Any]) -> str:
    """The seal over the named fields in their canonical form."""
    return _hmac({name: _plain(said[name]) for name in FIELDS})


def head_seal_of(stream: str, number: int, seal: str) -> str:
    return _hmac({"head": stream, "number": number, "seal": seal})


def _plain(value: Any) -> Any:
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds") if isinstance(value, dt.datetime) else value


def _hmac(said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.digest(keys.key(settings.SITE.root, "audit"), text.encode(), hashlib.sha256).hex()
