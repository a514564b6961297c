"""Exports: asking for a list, consenting to one, where it stands, and its file."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest, HttpResponseBase
from ninja import Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.accounts import Sought
from keepline_web.api.fields import (
    EACH,
    In,
    Key,
    Named,
    Out,
    Paged,
    PageNumber,
    PageSize,
    PathId,
    Words,
    named,
    paged,
    words,
)
from keepline_web.exports import actions
from keepline_web.exports.models import Export
from keepline_web.exports.queries import access_export, asked_of, exports_of, state_of, waiting_for
from keepline_web.exports.views import decided, file_answer
from keepline_web.exports.words import filters_in_words
from keepline_web.people.roles import Act

NAME = "导出 · exports"
router = Router()


class ExportIn(In):
    key: Key
    reason: str = Field(min_length=4, max_length=200, examples=["本周上门拜访"])
    filters: Sought = Field(default_factory=Sought, description="as in the list of customers")


class ConsentIn(In):
    what: Literal["approved", "refused"]
    reason: str = Field("", max_length=200, description="needed when it is refused")


class ExportStep(Out):
    what: str
    by: str
    at: dt.datetime
    reason: str


class ExportRow(Out):
    id: int
    person: Named
    state: str
    reason: str
    filters: list[Words]
    rows: int
    needs_second: bool
    asked_at: dt.datetime
    sha256: str | None
    size: int | None
    expires_at: dt.datetime | None


class ExportShape(ExportRow):
    steps: list[ExportStep]


@router.get("exports", response=Paged[ExportRow], **needs(Act.EXPORT, "export", zh="我的导出", en="One's own exports"))
def list_exports(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:
    """Latest first, with where each stands."""
    return paged(exports_of(request.user), page, each, lambda found: [_row(one) for one in found])


@router.get("exports/waiting", response=list[ExportRow],
            **needs(Act.EXPORT, "decide", "export", zh="待我审批的导出", en="Waiting for consent"))  # fmt: skip
def list_waiting_exports(request: HttpRequest) -> Any:
    """Of customers one may all see; never one's own."""
    return [_row(one) for one in waiting_for(request.user)]


@router.post(
    "exports", response={201: ExportShape}, **needs(Act.EXPORT, "export", zh="申请导出", en="Ask for an export")
)
def ask_export(request: HttpRequest, said: ExportIn) -> Any:
    """The list behind a page with its filters; above a limit a second person consents."""
    made = actions.ask(by=request.user, asked=said.filters.listing(), reason=said.reason, key=said.key)
    return _whole(access_export(request.user, made.pk))


@router.get("exports/{export_id}", response=ExportShape,
            **needs(Act.EXPORT, "export", "decide", zh="一份导出", en="One export"))  # fmt: skip
def read_export(request: HttpRequest, export_id: PathId) -> Any:
    """What is in it and each step."""
    return _whole(access_export(request.user, export_id))


@router.post("exports/{export_id}/decide", response={201: ExportShape},
             **needs(Act.APPROVE_EXPORT, "decide", zh="审批导出", en="Consent to an export, or refuse it"))  # fmt: skip
def decide_export(request: HttpRequest, export_id: PathId, said: ConsentIn) -> Any:
    """Never to one's own, and only to as many rows as were asked for."""
    refused = decided(request, export_id, what=said.what, reason=said.reason)
    return refused or _whole(access_export(request.user, export_id))


@router.post("exports/{export_id}/withdraw", response={201: ExportShape},
             **needs(Act.EXPORT, "export", zh="撤回导出申请", en="Take an export back"))  # fmt: skip
def withdraw_export(request: HttpRequest, export_id: PathId) -> Any:
    """While nobody has decided."""
    actions.withdraw(by=request.user, export_id=export_id)
    return _whole(access_export(request.user, export_id))


@router.post("exports/{export_id}/file", response={200: None},
             **needs(Act.EXPORT, "export", zh="下载文件", en="Fetch the file"))  # fmt: skip
def fetch_export(request: HttpRequest, export_id: PathId) -> HttpResponseBase:
    """The CSV file, for who asked, for 24 hours; each time is an entry of the audit, so it is a POST."""
    return file_answer(request, export_id)


def _row(one: Export) -> dict[str, Any]:
    made = getattr(one, "made", None)
    return {
        "id": one.pk, "person": named(one.person), "state": state_of(one), "reason": one.reason, "rows": one.rows,
        "filters": [words(text) for text in filters_in_words(asked_of(one))], "needs_second": one.needs_second,
        "asked_at": one.asked_at, "sha256": made.sha256 if made else None, "size": made.size if made else None,
        "expires_at": made.expires_at if made else None,
    }  # fmt: skip


def _whole(one: Export) -> dict[str, Any]:
    steps = one.steps.select_related("person")
    return _row(one) | {"steps": [{"what": s.what, "by": s.person.name, "at": s.at, "reason": s.reason} for s in steps]}
