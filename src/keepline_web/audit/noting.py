"""What was refused is written down: where, whom and how often, never what was typed or whose record it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse

from keepline_web.audit.actions import write
from keepline_web.audit.limits import counted, noting_tries
from keepline_web.audit.models import Stream

WINDOW_SECONDS = 600
ACTS = {400: "unreadable", 403: "forbidden", 404: "not_there", 405: "wrong_method", 409: "refused", 422: "not_right",
        429: "too_often"}  # fmt: skip
OWN = ("sign_in", "second_factor")  # these write their own refusals, with the name that was tried


class Noted:
    """Around every request, outside its transaction: a refusal takes back what the request did, but not this.

    Of one person, one address and one kind of refusal the first, tenth, hundredth … of ten minutes is an entry, so that
    somebody who tries a thousand addresses is seen and fills nothing.
    """

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with noting_tries() as tries:
            response = self.answer(request)
        if response.status_code in ACTS:
            with suppress(DatabaseError):  # what was refused stays refused; the service's log has the fault
                _note(request, response)
                for who, what, seconds in tries:
                    counted(who=who, what=what, seconds=seconds)
        return response


def _note(request: HttpRequest, response: HttpResponse) -> None:
    known = request.user if request.user.is_authenticated else None
    match, code = request.resolver_match, response.get("X-Refused", "")
    where = (match.url_name or "") if match else ""
    if (known is None and code != "csrf") or (where in OWN and code != "csrf"):
        return
    act = "forged" if code == "csrf" else ACTS[response.status_code]
    who = f"person:{known.pk}" if known else f"address:{request.META.get('REMOTE_ADDR', '')}"
    with transaction.atomic():
        count = counted(who=who, what=f"{act} {where}", seconds=WINDOW_SECONDS)
        if str(count).strip("0") != "1":
            return
        detail = {"method": (request.method or "")[:10], "code": code, "count": count}
        write(Stream.REFUSALS, act=act, by=known, object=f"page:{where or 'none'}", detail=detail)
