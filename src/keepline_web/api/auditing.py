"""The audit: what was done by whom, and whether the chains hold."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router

from keepline_web.api.access import needs
from keepline_web.api.fields import EACH, Out, Paged, PageNumber, PageSize, TextIn, Words, paged, words
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


StreamName = Literal[tuple(Stream.values)]  # type: ignore[valid-type]


class EntriesIn(TextIn):
    stream: StreamName | None = None


@router.get("audit", response=Paged[EntryShape], **needs(Act.READ_AUDIT, "audit", zh="审计记录", en="Entries"))
def list_entries(
    request: HttpRequest,  # noqa: ARG001
    stream: StreamName | None = None,
    page: PageNumber = 1,
    each: PageSize = EACH,
) -> Any:
    """Latest first."""
    return paged(entries_like(stream or "", ""), page, each)


@router.post("audit/search", response=Paged[EntryShape],
             **needs(Act.READ_AUDIT, "audit", zh="搜索审计记录", en="Search entries"))  # fmt: skip
def search_entries(request: HttpRequest, said: EntriesIn) -> Any:  # noqa: ARG001
    """The same; ``q`` is part of an object, a name or an act."""
    return paged(entries_like(said.stream or "", said.q), said.page, said.each)


@router.get(
    "audit/verify", response=Verified, **needs(Act.READ_AUDIT, "audit", zh="校验审计链", en="Verify the chains")
)
def verify_audit(request: HttpRequest) -> Any:  # noqa: ARG001
    """The first break of each stream; none when all chains hold."""
    found = [{"stream": one.stream, "number": one.number, "why": words(one.why)} for one in broken()]
    return {"holds": not found, "broken": found}
