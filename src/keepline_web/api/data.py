"""Data in and out: publications, what was handed back, and files dropped, tried and loaded."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import FileResponse, HttpRequest
from ninja import File, Router, UploadedFile
from pydantic import Field

from keepline.front import KeeplineError
from keepline_web.api.access import needs
from keepline_web.api.fields import EACH, In, MonthText, Out, Paged, PageNumber, PageSize, PathId, Words, paged
from keepline_web.api.tasks import TaskShape
from keepline_web.api.tasks import shape as task_shape
from keepline_web.exchange import data, uploads
from keepline_web.exchange.arriving import waiting
from keepline_web.exchange.models import Arrival, Handing, Trial, Upload
from keepline_web.jobs.actions import ask
from keepline_web.people.roles import Act

NAME = "数据 · data"
router = Router()
REPORT_HIDES = ("set_aside_files",)  # places on the server's disk


class ArrivalShape(Out):
    month: str
    publication_id: str
    at: dt.datetime
    accounts: int
    plan_rows: int


class HandedFile(Out):
    name: str
    rows: int
    sha256: str


class HandingShape(Out):
    id: int
    at: dt.datetime
    until: dt.date
    accepted: bool
    files: list[HandedFile]


class DataShape(Out):
    waiting: list[str]
    arrivals: list[ArrivalShape]
    handings: list[HandingShape]


class UploadRow(Out):
    id: int
    name: str
    size: int
    sha256: str
    by: str
    at: dt.datetime


class TrialShape(Out):
    """A trial or load: its task, and what intake said when it is done."""

    id: int
    verb: str
    mapping_name: str
    accept: list[str]
    at: dt.datetime
    task: TaskShape | None
    report: dict[str, Any] | None
    set_aside_files: int


class UploadShape(UploadRow):
    mapping: str
    mapping_name: str
    unread: Words | None
    last: TrialShape | None


class TrialIn(In):
    verb: Literal["check", "load"]
    mapping: str = Field(max_length=200_000, description="TOML, as the upload proposes it")
    mapping_name: str = Field("", max_length=66, description="to be kept under; empty for none")
    month: MonthText | None = Field(None, description="of the file, where its mapping leaves that open")
    accept: list[str] = Field(default_factory=list, max_length=50, description="codes of what is odd and accepted")


@router.get("data", response=DataShape, **needs(Act.LOAD, "data", zh="两扇门", en="Both doors"))
def read_data(request: HttpRequest) -> Any:  # noqa: ARG001
    """Months not in yet, the latest that came in, and the latest handings back."""
    return {"waiting": waiting(), "arrivals": list(Arrival.objects.order_by("-month", "-at")[: data.LATEST]),
            "handings": list(Handing.objects.order_by("-pk")[: data.LATEST])}  # fmt: skip


@router.post("data/bring-in", response={201: TaskShape}, **needs(Act.LOAD, "data", zh="接入账期", en="Bring months in"))
def bring_in(request: HttpRequest) -> Any:
    """A task; publications that are in already are left."""
    return task_shape(ask(kind="bring_in", asked={}, by=request.user))


@router.post("data/hand-back", response={201: TaskShape},
             **needs(Act.LOAD, "data", zh="交回记录", en="Hand back what was done"))  # fmt: skip
def hand_back(request: HttpRequest) -> Any:
    """A task; everything since the last published month, as Parquet through intake."""
    return task_shape(ask(kind="hand_back", asked={"person": request.user.pk}, by=request.user))


@router.get("uploads", response=Paged[UploadRow], **needs(Act.LOAD, "data", zh="上传的文件", en="Files dropped"))
def list_uploads(request: HttpRequest, page: PageNumber = 1, each: PageSize = EACH) -> Any:  # noqa: ARG001
    """Latest first."""
    rows = Upload.objects.select_related("person").order_by("-pk")
    return paged(rows, page, each, lambda found: [_row(one) for one in found])


@router.post("uploads", response={201: UploadRow}, **needs(Act.LOAD, "data", zh="上传文件", en="Drop a file"))
def upload_file(request: HttpRequest, file: UploadedFile = File(...)) -> Any:  # noqa: B008
    """CSV, Excel or Parquet, packed or not; nothing is loaded by it yet."""
    return _row(uploads.receive(by=request.user, file=file))


@router.get("uploads/{upload_id}", response=UploadShape, **needs(Act.LOAD, "data", zh="一个文件", en="One file"))
def read_upload(request: HttpRequest, upload_id: PathId) -> Any:  # noqa: ARG001
    """The mapping proposed, and what the last trial or load said."""
    one = data.access_upload(upload_id)
    last = one.trials.select_related("task").order_by("-pk").first()
    values: dict[str, Any] = {"last": _trial(last) if last else None, "mapping": "", "mapping_name": "", "unread": None}
    try:
        values["mapping"], values["mapping_name"] = uploads.proposed_mapping(one)
    except KeeplineError as error:
        values["unread"] = {"zh": error.zh, "en": error.en}
    return _row(one) | values


@router.post("uploads/{upload_id}/trials", response={201: TrialShape},
             **needs(Act.LOAD, "data", zh="试接入或接入", en="Try a file, or load it"))  # fmt: skip
def try_or_load(request: HttpRequest, upload_id: PathId, said: TrialIn) -> Any:
    """A task: what loading would do, or did; rows set aside with their reasons."""
    values = said.model_dump() | {"month": said.month or ""}
    return _trial(uploads.try_or_load(by=request.user, upload_id=upload_id, **values))


@router.get("uploads/{upload_id}/set-aside/{number}", response={200: None},
            **needs(Act.LOAD, "data", zh="搁置的行", en="Rows set aside"))  # fmt: skip
def read_set_aside(request: HttpRequest, upload_id: PathId, number: PathId) -> Any:  # noqa: ARG001
    """A file of the last report, counted from 1, to be mended and loaded again."""
    path = uploads.set_aside_file(data.access_upload(upload_id), number - 1)
    return FileResponse(
        path.open("rb"), as_attachment=True, filename=path.name, content_type="application/octet-stream"
    )


def _row(one: Upload) -> dict[str, Any]:
    return {"id": one.pk, "name": one.name, "size": one.size, "sha256": one.sha256, "by": one.person.name, "at": one.at}


def _trial(one: Trial) -> dict[str, Any]:
    report = one.report
    aside = len((report or {}).get("set_aside_files", []))
    told = {name: value for name, value in report.items() if name not in REPORT_HIDES} if report else None
    return {
        "id": one.pk, "verb": one.verb, "mapping_name": one.mapping_name, "accept": one.accept, "at": one.at,
        "task": task_shape(one.task) if one.task else None, "report": told, "set_aside_files": aside,
    }  # fmt: skip
