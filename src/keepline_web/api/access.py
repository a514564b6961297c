"""What stands before every operation: the act of the person's role, and the scope of the token."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from ninja.security.base import AuthBase

from keepline_web.frame.refusals import Refused
from keepline_web.people.roles import Act
from keepline_web.people.scopes import SCOPES
from keepline_web.people.tokens import is_short


class MayNot(Refused):
    """A token without the scope that is needed."""

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self.scope = " ".join(scopes)
        super().__init__(
            f"令牌没有所需的权限（{'、'.join(scopes)}）；请在“我的令牌”中生成带有该权限的令牌。",
            f"The token lacks the scope that is needed ({' or '.join(scopes)}); make one that has it.",
            code="insufficient_scope",
            status=403,
        )


class Lasting(Refused):
    """A token of many days, where a page would ask for the second factor again."""

    def __init__(self) -> None:
        super().__init__(
            "此操作在页面上需要再次验证身份，只接受有效期为 1 天的令牌；请在“我的令牌”中另行生成。",
            "On its page this asks for the second factor again, so it takes a token made for one day; make one for it.",
            code="short_token_needed",
            status=403,
        )


class Bearer(AuthBase):
    """The role's act, then the token's scope: to whom an act is not given, its address is not there."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, act: Act, scopes: tuple[str, ...], *, short: bool) -> None:
        super().__init__()
        assert set(scopes) <= set(SCOPES), scopes
        self.act, self.scopes, self.short = act, scopes, short

    def __call__(self, request: HttpRequest) -> Any:
        if not request.user.may(self.act):
            raise Http404
        if not set(self.scopes) & set(request.token.scopes):  # type: ignore[attr-defined]
            raise MayNot(self.scopes)
        if self.short and not is_short(request.token):  # type: ignore[attr-defined]
            raise Lasting
        return request.token  # type: ignore[attr-defined]


def needs(act: Act, *scopes: str, zh: str, en: str, short: bool = False) -> dict[str, Any]:
    """How an operation is declared: the act and scopes it needs (one of them is enough), and its words.

    ``short`` is said of what asks for the second factor again on its page: it needs a token made for one day.
    """
    return {
        "auth": Bearer(act, scopes, short=short),
        "summary": f"{zh} · {en}",
        "openapi_extra": {
            "x-act": act.value,
            "x-scopes": list(scopes),
            "x-short-token": short,
            "x-words": {"zh": zh, "en": en},
        },
    }
