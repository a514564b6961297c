"""All operations of the API together, and how what a caller sends is read."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser

from keepline_web.api import (
    accounts,
    around,
    arranging,
    auditing,
    data,
    day,
    exports,
    leading,
    loads,
    offers,
    owing,
    own,
    people,
    tasks,
)
from keepline_web.frame.refusals import Refused
from keepline_web.frame.words import Text

ROOMS = (own, day, accounts, around, offers, leading, owing, arranging, exports, tasks, data, loads, people, auditing)
WHERE_SHOWN = 3
READABLE = Text(
    "客户价值工作台的接口。范围、脱敏、权限与页面完全一致；金额以分为单位，日期为 ISO 格式，客户编号为文本。",
    "The workbench for programs. Scope, masks and rights are those of the pages; amounts are in fen, days are ISO, "
    "customers' numbers are texts.",
)


class Strict(Parser):
    """JSON as the standard has it: UTF-8, no NaN; and no zero byte or half sign, which no database takes."""

    def parse_body(self, request: HttpRequest) -> Any:
        said = json.loads(request.body.decode("utf-8"), parse_constant=_none)
        if any("\0" in text or not _whole(text) for text in _texts(said)):
            raise ValueError("a text with a sign that no table holds")
        return said


def _none(name: str) -> None:
    raise ValueError(name)


def _texts(said: Any) -> list[str]:
    if isinstance(said, str):
        return [said]
    held = [*said, *said.values()] if isinstance(said, dict) else said if isinstance(said, list) else []
    return [text for one in held for text in _texts(one)]


def _whole(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


class Api(NinjaAPI):
    """Operations are named by their functions."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


class Invalid(Refused):
    """What was sent does not fit the description."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        told = [{"where": ".".join(str(part) for part in row["loc"]), "what": str(row["msg"])} for row in errors]
        places = ", ".join(row["where"] for row in told[:WHERE_SHOWN])
        super().__init__(
            f"请求中有 {len(told)} 处不符合接口说明：{places}。",
            f"{len(told)} of what was sent is not as the description says: {places}.",
            code="invalid",
            status=422,
        )
        self.more = {"errors": told}


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:  # noqa: ARG001
    raise Invalid(error.errors)


def _unread(request: HttpRequest, error: HttpError) -> HttpResponse:  # noqa: ARG001
    raise Refused(
        "请求正文不是可读的 JSON（UTF-8）。", "The body is no readable JSON in UTF-8.", code="unreadable", status=400
    ) from error


def _passed_on(request: HttpRequest, error: Exception) -> HttpResponse:  # noqa: ARG001
    raise error


api = Api(
    title="keepline", version="1", description=f"{READABLE.zh}\n\n{READABLE.en}", docs_url=None, openapi_url=None,
    parser=Strict(), urls_namespace="api",
)  # fmt: skip
for room in ROOMS:
    api.add_router("", room.router, tags=[room.NAME])
api.add_exception_handler(ValidationError, _invalid)
api.add_exception_handler(HttpError, _unread)
api.add_exception_handler(Exception, _passed_on)  # to the door, where everything is taken back and said
api.add_exception_handler(Http404, _passed_on)
