"""Programs that call the API with a token of one of the cast."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Iterator
from typing import Any

from django.test import Client

from keepline_web.api.describing import description, operations
from keepline_web.frame import clock
from keepline_web.people.models import Person, Token
from keepline_web.people.scopes import SCOPES
from keepline_web.people.tokens import PREFIX, digest_of

ROOT = "/api/v1/"


def token_of(person: Person, *scopes: str, **values: Any) -> tuple[Token, str]:
    """A token of any scopes, also such as the person's page would not offer."""
    secret = PREFIX + secrets.token_urlsafe(32)
    said = {"expires_at": clock.now() + dt.timedelta(days=1), "proved": True, **values}
    token = Token.objects.create(
        person=person, name="试", scopes=list(scopes or SCOPES), start=secret[:8], digest=digest_of(secret),
        made_at=clock.now(), **said,
    )  # fmt: skip
    return token, secret


class Program:
    """Something that holds a token and calls."""

    def __init__(self, person: Person | None, *scopes: str, secret: str = "", language: str = "zh") -> None:
        self.headers = {"Accept-Language": language}
        if person is not None:
            self.token, secret = token_of(person, *scopes)
        if secret:
            self.headers["Authorization"] = f"Bearer {secret}"
        self.client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, **values: Any) -> Any:
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, path if path.startswith("/") else ROOT + path, headers=self.headers,
                                   **sent, **values)  # fmt: skip

    def get(self, path: str, **query: Any) -> Any:
        return self("GET", path, query_params=query)

    def post(self, path: str, body: Any = None) -> Any:
        return self("POST", path, body)


def addresses() -> dict[str, tuple[str, str]]:
    """Each operation by its name: its method and its address with the places of its arguments."""
    found = {}
    for title, operation in operations(description()):
        method, path = title.split(" ", 1)
        found[operation["operationId"]] = (method, path)
    return found


def filled(path: str, args: list[Any]) -> str:
    """An address with its arguments, in their order."""
    left = iter(args)
    return "/".join(str(next(left)) if part.startswith("{") else part for part in path.split("/"))


def everything(program: Program, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Every row of a list, page by page."""
    page = 1
    while items := program.get(path, page=page, each=100, **query).json()["items"]:
        yield from items
        page += 1


def key() -> str:
    return str(uuid.uuid4())
