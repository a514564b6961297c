"""Adding to the audit: inside the transaction of the act itself, so that neither is there without the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from django.db import connection, transaction

from keepline_web.audit.models import Entry, Head, Stream
from keepline_web.audit.sealing import head_seal_of, seal_of
from keepline_web.frame import clock

LOCK = 7_291  # of advisory locks; the second number is the stream's place
_token: ContextVar[int | None] = ContextVar("token", default=None)  # by which a program acts for a person


class Actor(Protocol):
    """Whoever acts; the people's room knows more of them."""

    pk: Any
    name: str


@contextmanager
def through(token: int) -> Iterator[None]:
    """What is written meanwhile says by which token it was done."""
    before = _token.set(token)
    try:
        yield
    finally:
        _token.reset(before)


def write(
    stream: Stream, *, act: str, by: Actor | None, object: str = "", detail: dict[str, Any] | None = None
) -> Entry:
    """Add one entry; appends to one stream wait for each other until their transactions end."""
    with transaction.atomic():
        _wait_for(stream)
        head = Head.objects.filter(stream=stream).first()
        said = {
            "stream": str(stream),
            "number": head.number + 1 if head else 1,
            "at": clock.now(),
            "person_id": by.pk if by else None,
            "person_name": by.name if by else "",
            "act": act,
            "object": object,
            "detail": (detail or {}) | ({"by_token": _token.get()} if _token.get() else {}),
            "seal_before": head.seal if head else "",
        }
        seal = seal_of(said)
        entry = Entry.objects.create(**said, seal=seal)
        values = {"number": entry.number, "seal": seal, "head_seal": head_seal_of(str(stream), entry.number, seal)}
        Head.objects.update_or_create(stream=stream, defaults=values)
    return entry


def _wait_for(stream: Stream) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, list(Stream).index(stream)])
