"""Adding to the audit: inside the transaction of the act itself, so that neither is there without the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from django.conf import settings
from django.db import connection, transaction

from keepline_web import keys
from keepline_web.audit.models import Entry, Head, Stream
from keepline_web.audit.sealing import ENDS, head_seal_of, seal_of
from keepline_web.frame import clock
from keepline_web.frame.append_only import remove_due_rows

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
    version = keys.current(settings.SITE.root)
    return _append(stream, version, act=act, by=by, object=object, detail=detail or {})


def bind(version: int) -> None:
    """An entry in every stream under the key of a version, which from then on must vouch for all that came before."""
    with transaction.atomic():
        for stream in Stream:
            _append(stream, version, act="keys_changed", by=None, object="", detail={"version": version})


def cut(stream: str, until: int, entry: int) -> int:
    """Remove the links up to a number, as ``entry`` tells; the seal of the last one stays as the beginning."""
    with transaction.atomic():
        _wait_for(Stream(stream))
        head = Head.objects.get(stream=stream)
        last = Entry.objects.get(stream=stream, number=until)
        head.cut_number, head.cut_seal = until, last.seal
        head.head_seal = head_seal_of({name: getattr(head, name) for name in ENDS})
        ids = list(Entry.objects.filter(stream=stream, number__lte=until).values_list("pk", flat=True))
        head.save()
        return remove_due_rows("audit_entry", ids, entry)


def _append(stream: Stream, version: int, *, act: str, by: Actor | None, object: str, detail: dict[str, Any]) -> Entry:
    with transaction.atomic():
        _wait_for(stream)
        head = Head.objects.filter(stream=stream).first() or Head(stream=str(stream), number=0, seal="")
        said = {
            "stream": str(stream),
            "number": head.number + 1,
            "at": clock.now(),
            "person_id": by.pk if by else None,
            "person_name": by.name if by else "",
            "act": act,
            "object": object,
            "detail": detail | ({"by_token": _token.get()} if _token.get() else {}),
            "seal_before": head.seal,
        }
        seal = seal_of(said, version=version)
        entry = Entry.objects.create(**said, seal=seal, key_version=version)
        head.number, head.seal = entry.number, seal
        head.head_seal = head_seal_of({name: getattr(head, name) for name in ENDS}, version=version)
        head.save()
    return entry


def _wait_for(stream: Stream) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, list(Stream).index(stream)])
