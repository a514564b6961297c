"""What the workbench refuses: said in the reader's language, with what, why and what to do, and a number to quote."""

from __future__ import annotations

import logging
import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepline_web.frame.words import Text

log = logging.getLogger("keepline")


class Refused(Exception):
    """An act that may not be, in words; ``status`` is HTTP's."""

    def __init__(self, zh: str, en: str, *, code: str, status: int = 409) -> None:
        super().__init__(en)
        self.words = Text(zh, en)
        self.code = code
        self.status = status


HEADINGS = {
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


def refusal(request: HttpRequest, status: int, said: str = "", code: str = "") -> HttpResponse:
    """The page of a refusal, or its line alone where a part of a page was asked for."""
    reference = secrets.token_hex(4)
    said = said or str(ADVICE.get(status, ADVICE[400]))
    values = {"status": status, "heading": HEADINGS.get(status, HEADINGS[400]), "said": said, "reference": reference}
    if status >= 500:
        log.error("reference %s: %s %s answered %s", reference, request.method, request.path, status)
    part = request.headers.get("HX-Request") == "true"
    answer = render(request, f"frame/{'refused_part' if part else 'refused'}.html", values, status=status)
    answer["X-Refused"] = code or str(status)
    return answer


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    return refusal(request, 404)


def broken(request: HttpRequest) -> HttpResponse:
    return refusal(request, 500)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    said = Text(
        "页面已过期或请求来自别处，未作任何改动；请刷新页面后重试。",
        "The page is out of date, or the request came from elsewhere. Nothing was changed; reload and try again.",
    )
    return refusal(request, 403, str(said), "csrf")
