"""How rows of a publication go into a table: many at once, each text no longer than its column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

from django.db import models

BATCH = 2_000
CUT = "…"  # the last sign of a text that was cut
Made = TypeVar("Made", bound=models.Model)


def upsert(model: type[models.Model], rows: Iterable[Any], key: str | tuple[str, ...], fields: list[str]) -> None:
    keys = [key] if isinstance(key, str) else list(key)
    for batch in _batches(map(fitted, rows)):
        model._default_manager.bulk_create(batch, update_conflicts=True, unique_fields=keys, update_fields=fields)


def fitted(row: Made) -> Made:
    """The row with the operator's texts cut to their columns, so that one long name does not keep a month out."""
    for name, most in _texts(type(row)):
        setattr(row, name, fitting(getattr(row, name), most))
    return row


def fitting(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + CUT


@cache
def _texts(model: type[models.Model]) -> list[tuple[str, int]]:
    """The columns of text that are no keys, and how long they may be."""
    fields = (field for field in model._meta.concrete_fields if isinstance(field, models.CharField))
    return [(field.attname, field.max_length) for field in fields if field.max_length and not field.primary_key]


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    held: list[Any] = []
    for row in rows:
        held.append(row)
        if len(held) == BATCH:
            yield held
            held = []
    if held:
        yield held
