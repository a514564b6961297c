"""The audit: what was done by whom, and whether the chains hold."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router

from keepline_web.api.access import needs
from keepline_web.api.fields import EACH, Out, Paged, PageNumber, PageSize, Words, paged, words
from keepline_web.audit.models import Stream
from keepline_web.audit.queries import broken, entries_like
from keepline_web.people.roles import Act

NAME = "审计 · audit"
router = Router()


class EntryShape(Out):
    stream: str
    number: int
    at: dt.datetime
    person_id: int | None
    person_name: str
    act: str
    object: str
    detail: dict[str, Any]
    seal: str


class BreakShape(Out):
    stream: str
    number: int
    why: Words


class Verified(Out):
    holds: bool
    broken: list[BreakShape]


@router.get("audit", response=Paged[EntryShape], **needs(Act.READ_AUDIT, "audit", zh="审计记录", en="Entries"))
def list_entries(
    request: HttpRequest,  # noqa: ARG001
    stream: Literal[tuple(Stream.values)] | None = None,  # type: ignore[valid-type]
    q: str = "",
    page: PageNumber = 1,
    each: PageSize = EACH,
) -> Any:
    """Latest first; ``q`` is part of an object, a name or an act."""
    return paged(entries_like(stream or "", q), page, each)


@router.get(
    "audit/verify", response=Verified, **needs(Act.READ_AUDIT, "audit", zh="校验审计链", en="Verify the chains")
)
def verify_audit(request: HttpRequest) -> Any:  # noqa: ARG001
    """The first break of each stream; none when all chains hold."""
    found = [{"stream": one.stream, "number": one.number, "why": words(one.why)} for one in broken()]
    return {"holds": not found, "broken": found}
