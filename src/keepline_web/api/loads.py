"""Loads of the lake: what each brought, what undoing one would take out, and asking for it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from keepline_web.api.access import needs
from keepline_web.api.fields import EACH, In, Out, Paged, PageNumber, PageSize, PathId, Words, words
from keepline_web.api.tasks import TaskShape
from keepline_web.api.tasks import shape as task_shape
from keepline_web.exchange import undoing
from keepline_web.exchange.data import ALWAYS
from keepline_web.exchange.undoing import REASON_LEAST, REASON_MOST, REOPEN, Loaded
from keepline_web.frame.refusals import Refused
from keepline_web.people.roles import Act

NAME = "载入 · loads"
router = Router()


class LoadCounts(Out):
    read: int
    loaded: int
    updated: int
    unchanged: int
    ignored: int
    set_aside: int


class UndoingShape(Out):
    """The last time that somebody asked to undo it."""

    by: str
    at: dt.datetime
    reason: str
    task: TaskShape | None


class LoadRow(Out):
    number: int
    name: str
    state: str
    at: dt.datetime | None
    by: str | None = Field(description="null: by the command line, or by the workbench itself")
    upload: int | None
    handed_back: bool
    with_load: int | None
    reason: str
    rows: LoadCounts
    undoing: UndoingShape | None


class Brought(Out):
    table: str
    month: str | None
    rows: int


class Foreseen(Out):
    table: str
    month: str | None
    rows: int
    rows_after: int


class ForeseenShape(Out):
    """What undoing takes out, and the months that were published from it, which stay."""

    places: list[Foreseen]
    with_it: list[int]
    waits_again: int
    published: list[str]


class LoadShape(LoadRow):
    brought: list[Brought]
    foreseen: ForeseenShape | None
    cannot: Words | None


class UndoIn(In):
    reason: str = Field(min_length=REASON_LEAST, max_length=REASON_MOST, examples=["金额单位弄错"])
    accept: list[Literal[REOPEN]] = Field(  # type: ignore[valid-type]
        default_factory=list, max_length=1, description="needed where a month was published from it"
    )


@router.get("loads", response=Paged[LoadRow], **needs(Act.LOAD, "data", zh="全部载入", en="All loads"))
def list_loads(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:  # noqa: ARG001
    """The last first; those that stand and those that were undone."""
    found = undoing.all_loads()
    some = found[(page - 1) * each : page * each]
    return {"items": [_row(one) for one in undoing.with_people(some)], "page": page, "each": each, "total": len(found)}


@router.get("loads/{number}", response=LoadShape, **needs(Act.LOAD, "data", zh="一次载入", en="One load"))
def read_load(request: HttpRequest, number: PathId) -> Any:  # noqa: ARG001
    """What it brought, and what undoing it would take out or why it cannot be undone."""
    one = undoing.access_load(number)
    values: dict[str, Any] = {"brought": _brought(one), "foreseen": None, "cannot": None}
    if one.may:
        try:
            values["foreseen"] = _foreseen(undoing.foreseen(number))
        except Refused as error:
            values["cannot"] = words(error.words)
    return _row(one) | values


@router.post("loads/{number}/undo", response={201: TaskShape},
             **needs(Act.LOAD, "data", zh="撤销一次载入", en="Undo a load"))  # fmt: skip
def undo_load(request: HttpRequest, number: PathId, said: UndoIn) -> Any:
    """A task: the data will be as if the file had never been loaded; of two at once the second is refused."""
    return task_shape(undoing.ask(by=request.user, number=number, **said.model_dump()).task)


def _row(one: Loaded) -> dict[str, Any]:
    said, trial, last = one.said, one.trial, one.undoing
    same = ("number", "name", "state", "handed_back", "reason", "rows")
    return {name: said[name] for name in same} | {
        "at": trial.at if trial else one.when, "by": trial.person.name if trial else None,
        "upload": trial.upload_id if trial else None, "with_load": said["with_load"] or None,
        "undoing": {"by": last.person.name, "at": last.at, "reason": last.reason,
                    "task": task_shape(last.task) if last.task else None} if last else None,
    }  # fmt: skip


def _brought(one: Loaded) -> list[dict[str, Any]]:
    return [
        {"table": table, "month": None if month == ALWAYS else month, "rows": rows}
        for table, months in one.said["months"].items() for month, rows in months.items()
    ]  # fmt: skip


def _foreseen(said: dict[str, Any]) -> dict[str, Any]:
    """Without the file's place on the server's disk."""
    places = [place | {"month": place["month"] or None} for place in said["places"]]
    return {name: said[name] for name in ("with_it", "waits_again", "published")} | {"places": places}
