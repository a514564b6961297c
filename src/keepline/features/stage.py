"""A model of this room with the models it reads by name: checked, traced and bound as one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from keepline import sqlmodel
from keepline.sqlmodel import SqlModel
from keepline.tables import Table

Values = dict[str, sqlmodel.Value]


@dataclass(frozen=True)
class Stage:
    """A model and the models it reads by name: what the static check and lineage need."""

    model: SqlModel
    parts: dict[str, SqlModel]

    def check(self) -> None:
        """Refuse the model or a part that breaks the subset or disagrees with its table."""
        for part in self.parts.values():
            sqlmodel.check(part)
        sqlmodel.check(self.model, self.parts)

    @property
    def query(self) -> exp.Query:
        """The whole query, its placeholders still open."""
        return self.model.with_parts({name: part.query for name, part in self.parts.items()}).query

    def bound(self, values: Values) -> exp.Query:
        """The whole query with every placeholder filled."""
        parts = {name: bound(part, values).query for name, part in self.parts.items()}
        return bound(self.model, values).with_parts(parts).query

    def origins(self) -> dict[str, set[str]]:
        """For each output column the columns of the tables it reads, as ``table.column``, that it comes from."""
        models = (self.model, *self.parts.values())
        return sqlmodel.made_of(self.query, {view: table for each in models for view, table in each.views.items()})


def bound(model: SqlModel, values: Values) -> SqlModel:
    wanted = {str(node.this) for node in model.query.find_all(exp.Placeholder)}
    return model.bind(**{name: value for name, value in values.items() if name in wanted})


def load(name: str) -> SqlModel:
    return sqlmodel.load("keepline.features", name)


def declared(table: Table) -> list[tuple[str, str]]:
    """A table's columns and types, for the hash of what a part was made from."""
    return [(column.name, column.type) for column in table.columns]
