"""The API's description: as a file for programs, and as a page of the workbench made of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from keepline_web.api.counting import A_MINUTE
from keepline_web.api.describing import ROOT, description, operations
from keepline_web.api.entering import refused_token, token_of
from keepline_web.frame.refusals import refusal
from keepline_web.frame.words import Text
from keepline_web.people.access import OPEN, page
from keepline_web.people.roles import Act
from keepline_web.people.scopes import SCOPES


def openapi(request: HttpRequest) -> HttpResponseBase:
    """For a token, and for whoever is signed in and proved."""
    if request.method not in ("GET", "HEAD"):
        said = refusal(request, 405)
        said["Allow"] = "GET"
        return said
    inside = request.user.is_authenticated and request.user.is_verified()
    if not inside and token_of(request) is None:
        return refused_token(request)
    return JsonResponse(description(), json_dumps_params={"ensure_ascii": False})


openapi.act = OPEN  # type: ignore[attr-defined]
openapi.methods = ("GET",)  # type: ignore[attr-defined]


@page(Act.SIGNED_IN)
def guide(request: HttpRequest) -> HttpResponse:
    """Every operation, by subject: what it does, what it needs, what it takes and gives."""
    said = description()
    rooms: dict[str, list[dict[str, Any]]] = {}
    for title, operation in operations(said):
        method, address = title.split(" ", 1)
        rooms.setdefault(operation["tags"][0], []).append(_row(method, address, operation, said, request.user))
    values = {
        "rooms": [(Text(*name.split(" · ")), rows) for name, rows in rooms.items()],
        "scopes": SCOPES,
        "a_minute": A_MINUTE,
        "root": ROOT,
        "header": "Authorization: Bearer kpl_…",
    }
    return render(request, "api/guide.html", values)


def _row(method: str, address: str, operation: dict[str, Any], said: dict[str, Any], person: Any) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    kind, content = next(iter(body.items()), ("", {}))
    schema = _of(content.get("schema", {}), said)
    required, fields = schema.get("required", []), schema.get("properties", {})
    return {
        "method": method, "address": address, "words": operation["x-words"], "scopes": operation["x-scopes"],
        "mine": person.may(operation["x-act"]), "kind": kind, "id": operation["operationId"],
        "about": operation.get("description", ""),
        "parameters": [(p["name"], _kind(p["schema"], said), p["required"]) for p in operation["parameters"]],
        "fields": [(name, _kind(one, said), name in required) for name, one in fields.items()],
        "gives": _gives(operation, said), "count": len(fields) + len(operation["parameters"]),
    }  # fmt: skip


def _gives(operation: dict[str, Any], said: dict[str, Any]) -> str:
    """The names of what comes back."""
    status = "201" if "201" in operation["responses"] else "200"
    content = operation["responses"][status].get("content", {})
    kind, told = next(iter(content.items()), ("", {}))
    if kind != "application/json":
        return kind
    schema = _of(told["schema"], said)
    names = ", ".join(_of(schema.get("items", schema), said).get("properties", {}))
    return f"[{names}]" if schema.get("type") == "array" else names


def _of(schema: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for."""
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    found: dict[str, Any] = said["components"]["schemas"].get(name, schema)
    return found


def _kind(schema: dict[str, Any], said: dict[str, Any]) -> str:
    """A short word for what a value may be."""
    if "anyOf" in schema:
        return " | ".join(_kind(one, said) for one in schema["anyOf"])
    found = _of(schema, said)
    if "enum" in found:
        return " | ".join(map(str, found["enum"]))
    if "const" in found:
        return str(found["const"])
    kind = found.get("format") or found.get("type", "object")
    return f"[{_kind(found['items'], said)}]" if kind == "array" else str(kind)
