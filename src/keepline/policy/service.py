"""service.toml: what each class is owed (D1), how often it is visited, and who may give how much away (D3).

It binds what people do in the workbench and no publication, so that it may change in the middle of a month.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from keepline.errors import UnclearError
from keepline.policy.document import Document, Part, Text, read
from keepline.vocabulary import CLASSES

FILE = "service.toml"
Days = Annotated[int, Field(ge=1, le=3660)]
Named = Literal["important", "key", "potential", "ordinary"]


class Entitlement(Part):
    """Something a class is owed so many times a year."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: Text
    times_a_year: int = Field(ge=1)


class ClassService(Part):
    """One class: how often it hears from us, how soon we answer, what it is owed."""

    code: Named
    contact_days_max: Days = Field(description="days without a contact after which one is due")
    response_hours: int = Field(ge=1)
    entitlement: tuple[Entitlement, ...] = ()


class Authority(Part):
    """What one person of a level of the chain may give alone: one offer at most, and all offers of a month."""

    level: Annotated[int, Field(ge=1, le=5)]
    cost_fen_max: Annotated[int, Field(ge=0)]
    month_fen_max: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="cost of all offers one person approves in a month; absent: no limit"
    )

    @model_validator(mode="after")
    def _month_holds_one(self) -> Self:
        if self.month_fen_max is not None and self.month_fen_max < self.cost_fen_max:
            raise UnclearError(
                f"level {self.level} may give {self.cost_fen_max} at once and {self.month_fen_max} in a month; "
                "a month's worth is at least one offer's",
                f"第 {self.level} 级单笔权限 {self.cost_fen_max} 大于每月 {self.month_fen_max}；每月不得小于单笔",
            )
        return self


class Service(Document):
    """service.toml."""

    cards_a_day: int = Field(default=12, ge=1, description="accounts proposed for one day")
    rest_days: int = Field(default=7, ge=0, description="days after a contact in which nothing new is proposed")
    not_reached_days: Days = 1
    refused_days: Days = 30
    agreed_days: Days = 3
    visit_ahead_days: int = Field(default=14, ge=0, description="how far ahead the day looks")
    proposal_days: Days = Field(default=30, description="days an approved offer may be used")
    classes: tuple[ClassService, ...]
    authority: tuple[Authority, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        said = [row.code for row in self.classes]
        wanted = [code for code in CLASSES if code != "new"]
        if sorted(said) != sorted(wanted):
            raise UnclearError(
                f"classes {', '.join(said)} are said; each of {', '.join(wanted)} once is wanted",
                f"写了类别 {'、'.join(said)}；应为 {'、'.join(wanted)} 各一次",
            )
        costs = [row.cost_fen_max for row in sorted(self.authority, key=lambda row: row.level)]
        if costs != sorted(costs) or len({row.level for row in self.authority}) != len(self.authority):
            raise UnclearError(
                "a higher level may not give less than a lower one, and each level is said once",
                "上级的优惠权限不得小于下级，每一级只写一次",
            )
        return self

    def of_class(self, code: str) -> ClassService:
        return next(row for row in self.classes if row.code == code)

    def authority_fen(self, level: int) -> int:
        """What a level may give alone; a level that is not named may give what the next below may."""
        known = [row.cost_fen_max for row in self.authority if row.level <= level]
        return max(known, default=0)

    def month_fen(self, level: int) -> int | None:
        """What one person of a level may give in a month; None where there is no limit."""
        known = [row for row in self.authority if row.level <= level]
        return max(known, key=lambda row: row.level).month_fen_max if known else 0


def read_service(policy: Path) -> Service:
    """The site's own, or the starter where an older site has none."""
    path = policy / FILE
    if path.exists():
        return read(path, Service)
    with resources.as_file(resources.files("keepline.policy").joinpath("starter", FILE)) as starter:
        return read(starter, Service)
