"""The API's description as OpenAPI: every operation with its words, what it needs, and everything it may answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from keepline_web.api.operations import api
from keepline_web.frame.refusals import HEADINGS, PROBLEM
from keepline_web.people.scopes import SCOPES

ROOT = "/api/v1/"
ANSWERS = (400, 401, 403, 404, 405, 409, 422, 429, 503)
FILES = {"fetch_export": "text/csv", "read_set_aside": "application/octet-stream"}
TEXT = {"type": "string"}
SHAPE = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "reference"],
    "properties": {
        "type": TEXT, "title": TEXT, "status": {"type": "integer"},
        "detail": TEXT | {"description": "what, why and what to do, in the language asked for"},
        "code": TEXT | {"description": "which rule it was, for programs"},
        "reference": TEXT | {"description": "a number to quote"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {"where": TEXT, "what": TEXT}}},
    },
}  # fmt: skip
SCHEME = {
    "type": "http", "scheme": "bearer", "bearerFormat": "kpl_…",
    "description": "scopes: " + "; ".join(f"{scope} {said.zh} / {said.en}" for scope, said in SCOPES.items()),
}  # fmt: skip


@cache
def description() -> dict[str, Any]:
    """The whole of it, as a program fetches it."""
    said = dict(api.get_openapi_schema(path_prefix=ROOT))
    for _, operation in operations(said):
        _complete(operation)
    said["components"] = {
        "schemas": {**said["components"]["schemas"], "Problem": SHAPE}, "securitySchemes": {"Bearer": SCHEME},
        "responses": {f"Problem{status}": _problem(status) for status in ANSWERS},
    }  # fmt: skip
    said["servers"] = [{"url": "/"}]
    return said


def operations(said: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation with its method and address."""
    for path, methods in said["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@cache
def names_of() -> dict[tuple[str, str], frozenset[str]]:
    """What may stand behind the question mark, by method and address."""
    found = {}
    for title, operation in operations(description()):
        method, address = title.split(" ", 1)
        names = (parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query")
        found[method, address.removeprefix(ROOT)] = frozenset(names)
    return found


def _complete(operation: dict[str, Any]) -> None:
    """Add what may go wrong, files where they are given, and what a parameter in an address can really be."""
    answers = {str(status): told for status, told in operation["responses"].items()}
    if kind := FILES.get(operation["operationId"]):
        answers["200"]["content"] = {kind: {"schema": {"type": "string", "format": "binary"}}}
    answers |= {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in ANSWERS}
    operation["responses"] = answers
    for parameter in operation["parameters"]:
        parameter["schema"] = _said(parameter["schema"])
        parameter.pop("examples", None)


def _said(schema: dict[str, Any]) -> dict[str, Any]:
    """Nothing is said by leaving a parameter out, not by a null in the address."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    return {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0]


def _problem(status: int) -> dict[str, Any]:
    words = HEADINGS[status]
    headers = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}
    told: dict[str, Any] = {
        "description": f"{words.zh} · {words.en}",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    return told | ({"headers": {headers[status]: {"schema": TEXT}}} if status in headers else {})
