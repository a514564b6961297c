"""What the workbench refuses: said in the reader's language, with what, why and what to do, and a number to quote."""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from keepline.front import KeeplineError
from keepline_web.frame.words import Text

log = logging.getLogger("keepline")


class Refused(Exception):
    """An act that may not be, in words; ``status`` is HTTP's, ``more`` what a program is told besides."""

    more: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, zh: str, en: str, *, code: str, status: int = 409) -> None:
        super().__init__(en)
        self.words = Text(zh, en)
        self.code = code
        self.status = status


API = "/api/"  # below it programs ask, and are answered in JSON
PROBLEM = "application/problem+json"
SAID = (Refused, KeeplineError, Http404, PermissionDenied, OperationalError)  # errors whose words are told

HEADINGS = {
    401: Text("需要令牌", "A token is needed"),
    400: Text("请求有误", "The request cannot be read"),
    403: Text("无权进行此操作", "Not yours to do"),
    404: Text("没有这个页面", "There is no such page"),
    405: Text("不支持这种请求方式", "Not done this way"),
    409: Text("未能完成", "Not done"),
    422: Text("填写有误", "Something in the form is not right"),
    429: Text("尝试次数过多", "Too many tries"),
    500: Text("系统出错", "Something broke"),
    503: Text("暂时不可用", "Not available now"),
}
ADVICE = {
    400: Text("请返回上一页重试。", "Go back and try again."),
    403: Text("如确有需要，请联系您的上级或管理员。", "If you need it, ask your chief or the administrator."),
    404: Text("地址有误，或该记录不在您的范围内。", "The address is wrong, or the record is not within your scope."),
    405: Text("请从页面上的按钮操作。", "Use the buttons of the page."),
    500: Text("数据没有改动。请重试；若仍出现，请把编号告诉管理员。",
              "Nothing was changed. Try again; if it happens again, tell the administrator the number."),
}  # fmt: skip
FOR_PROGRAMS = {
    400: Text("请求无法读取；请按接口说明书写。", "The request cannot be read; write it as the description says."),
    403: Text("令牌所属岗位不能做这件事。", "The post of the token's person may not do this."),
    405: Text("这个地址不支持该方法；可用的方法见 Allow 头。",
              "This address does not take that method; the header Allow names those it takes."),
}  # fmt: skip
DATABASE_AWAY = Text(
    "数据库暂时连不上，未作任何改动；请半分钟后重试。",
    "The database cannot be reached just now. Nothing was changed; try again in half a minute.",
)


def refusal(request: HttpRequest, status: int, said: str = "", code: str = "", **more: Any) -> HttpResponse:
    """The page of a refusal, or its line alone where a part of a page was asked for."""
    reference = secrets.token_hex(4)
    advice = ADVICE | FOR_PROGRAMS if request.path.startswith(API) else ADVICE
    said = said or str(advice.get(status, advice[400]))
    values = {"status": status, "heading": HEADINGS.get(status, HEADINGS[400]), "said": said, "reference": reference}
    if status >= 500:
        log.error("reference %s: %s %s answered %s", reference, request.method, request.path, status)
    if request.path.startswith(API):
        return problem(status, said, code=code or str(status), reference=reference, **more)
    part = request.headers.get("HX-Request") == "true"
    answer = render(request, f"frame/{'refused_part' if part else 'refused'}.html", values, status=status)
    answer["X-Refused"] = code or str(status)
    return answer


def problem(status: int, said: str, *, code: str, reference: str, **more: Any) -> HttpResponse:
    """The same for a program, after RFC 9457: one shape for whatever goes wrong."""
    body = {
        "type": f"urn:keepline:problem:{code}", "title": str(HEADINGS.get(status, HEADINGS[400])), "status": status,
        "detail": said, "code": code, "reference": reference,
    }  # fmt: skip
    answer = JsonResponse(body | more, status=status, content_type=PROBLEM, json_dumps_params={"ensure_ascii": False})
    answer["X-Refused"] = code
    return answer


def answer_to(request: HttpRequest, error: Exception) -> HttpResponse:
    """What is said of one of the errors of ``SAID``."""
    if isinstance(error, Refused):
        return refusal(request, error.status, str(error.words), error.code, **error.more)
    if isinstance(error, KeeplineError):
        return refusal(request, 409, str(Text(error.zh, error.en)), error.code)
    if isinstance(error, OperationalError):
        return refusal(request, 503, str(DATABASE_AWAY), "database")
    return refusal(request, 403 if isinstance(error, PermissionDenied) else 404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 404)


def broken(request: HttpRequest) -> HttpResponse:
    """What nobody foresaw, or a database that is away before a view was reached."""
    if isinstance(sys.exc_info()[1], OperationalError):
        return refusal(request, 503, str(DATABASE_AWAY), "database")
    return refusal(request, 500)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    said = Text(
        "页面已过期或请求来自别处，未作任何改动；请刷新页面后重试。",
        "The page is out of date, or the request came from elsewhere. Nothing was changed; reload and try again.",
    )
    return refusal(request, 403, str(said), "csrf")
