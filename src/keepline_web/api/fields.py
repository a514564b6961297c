"""The kinds of values the API takes and gives: days, fen, customers' numbers as texts, words in both languages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from ninja import Path, Query, Schema
from pydantic import BeforeValidator, ConfigDict, Field, StrictInt, WithJsonSchema

from keepline_web.frame.inputs import HIGHEST, whole

Shape = TypeVar("Shape")
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MOST_FEN = 10**14
EACH, EACH_MOST, PAGES_MOST = 20, 100, 100_000


def only_text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    raise ValueError("a text")


def _day(value: Any) -> Any:
    """``2026-11-05`` and nothing else."""
    if isinstance(value, dt.date) or (isinstance(value, str) and ISO_DAY.fullmatch(value)):
        return value
    raise ValueError("a day such as 2026-11-05")


def _integer(value: Any) -> Any:
    """A number without a fraction, as JSON has them: 7 and 7.0 are the same; a text and a truth are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a whole number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


INTEGER = BeforeValidator(_integer)  # last of an annotation, so that the bounds stay in the description
Id = Annotated[StrictInt, Field(ge=1, le=HIGHEST), INTEGER]
PathId = Annotated[int, Path(ge=1, le=HIGHEST)]
Day = Annotated[dt.date, BeforeValidator(_day)]
Key = Annotated[UUID, BeforeValidator(only_text), Field(
    description="drawn by the caller; the same key again makes nothing new",
    examples=["6f2c8c1e-4a53-4f0e-9a6c-0d2f4b7f6a11"],
)]  # fmt: skip
Fen = Annotated[
    StrictInt, Field(ge=0, le=MOST_FEN, description="in fen, a hundredth of a yuan", examples=[6900]), INTEGER
]
Note = Annotated[str, Field(max_length=200)]
Reason = Annotated[str, Field(min_length=2, max_length=200, examples=["调岗"])]
CUSTOMER = {
    "pattern": "^[0-9]{1,19}$",
    "description": "a number of up to 19 digits, as a text",
    "examples": ["461168601842738790"],
}
CustomerIn = Annotated[str, Field(pattern=CUSTOMER["pattern"], description=CUSTOMER["description"])]
CustomerPath = Annotated[str, Path(pattern="^[0-9]{1,19}$", description="as a text", examples=CUSTOMER["examples"])]
CustomerId = Annotated[str, BeforeValidator(str), WithJsonSchema({"type": "string", **CUSTOMER})]
MonthText = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"])]
PageNumber = Annotated[int, Query(ge=1, le=PAGES_MOST, description="which page; beyond the last there is nothing")]
PageSize = Annotated[int, Query(ge=1, le=EACH_MOST, description="rows a page")]
PageIn = Annotated[StrictInt, Field(ge=1, le=PAGES_MOST), INTEGER]
EachIn = Annotated[StrictInt, Field(ge=1, le=EACH_MOST), INTEGER]


class In(Schema):
    """What a caller sends: unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


class TextIn(In):
    """A text searched for, which may name somebody: it is sent, and stands in no address."""

    q: str = Field("", max_length=80)
    page: PageIn = 1
    each: EachIn = EACH


class Out(Schema):
    """What a caller is given."""


class Words(Out):
    """Words in Chinese and English."""

    zh: str
    en: str


class Named(Out):
    """A person or unit by number and name."""

    id: int
    name: str


class Paged(Out, Generic[Shape]):
    """One page of a list."""

    items: list[Shape]
    page: int
    each: int
    total: int


def at(customer_id: str) -> int:
    """The number of a customer; one too high is nobody's."""
    number = whole(customer_id)
    if number is None:
        raise Http404
    return number


def paged(
    rows: QuerySet[Any] | Sequence[Any], page: int, each: int, told: Callable[[list[Any]], Sequence[Any]] = list
) -> dict[str, Any]:
    """A page of rows, as ``told`` tells them."""
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    chosen = list(rows[(page - 1) * each : page * each])
    return {"items": told(chosen), "page": page, "each": each, "total": total}


def named(one: Any) -> dict[str, Any] | None:
    """A person or unit by number and name; nothing for nobody."""
    return {"id": one.pk, "name": one.name} if one is not None else None


def words(said: Any) -> dict[str, str] | None:
    """Words of a table, of a policy or of our own, in both languages; a name is the same in both."""
    if said is None:
        return None
    if isinstance(said, str):
        return {"zh": said, "en": said}
    return {"zh": said["zh"], "en": said["en"]} if isinstance(said, dict) else {"zh": said.zh, "en": said.en}
