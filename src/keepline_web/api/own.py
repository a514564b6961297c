"""Who the token acts for, and what it may do."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest
from ninja import Router

from keepline_web.api.access import needs
from keepline_web.api.fields import Named, Out, Words, named, words
from keepline_web.customers.queries import latest_month
from keepline_web.frame import clock
from keepline_web.people.roles import Act
from keepline_web.people.scopes import SCOPES

NAME = "自己 · own"
router = Router()


class TokenShape(Out):
    name: str
    scopes: list[str]
    expires_at: dt.datetime


class Me(Out):
    id: int
    name: str
    role: str
    role_words: Words
    unit: Named
    acts: list[str]
    token: TokenShape
    today: dt.date
    month: str | None


@router.get("me", response=Me, **needs(Act.SIGNED_IN, *SCOPES, zh="令牌代表谁", en="Whom the token acts for"))
def read_me(request: HttpRequest) -> object:
    """The person, what their post may do, what the token may, the business day and the last month brought in."""
    person, token = request.user, request.token  # type: ignore[attr-defined]
    return {
        "id": person.pk, "name": person.name, "role": person.role, "role_words": words(person.rights.words),
        "unit": named(person.unit), "acts": sorted(person.rights.acts),
        "token": {"name": token.name, "scopes": token.scopes, "expires_at": token.expires_at},
        "today": clock.today(), "month": latest_month(),
    }  # fmt: skip
