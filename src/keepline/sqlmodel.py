"""A stage written in SQL: parsed, typed against ``tables.py`` and held to the agreed subset, without running.

A model is one file. Its comments at the top say what it is for::

    -- question: how much was billed, and is it falling?
    -- reads: bills
    -- makes: features

``makes`` names a table; a model may make only some of its columns (a *part*), but in the
table's order, with its types. Views of lake tables end at the snapshot month and carry one
more column, ``months_ago`` (0 at the snapshot), so that no model can read the future.
``reads: departures as departures_anywhere`` names a second view of the same table.
``:margin_points`` stands for the hundredths of a percent of a billed component that are margin.
What policy decides comes in as SQLGlot trees through :meth:`SqlModel.with_parts`.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from keepline.errors import ModelError
from keepline.tables import COMPONENTS, TABLES, Table, Type

Schema = dict[str, dict[str, str]]
Value = int | float | str | bool | dt.date | None

# fmt: off
SUBSET: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.With, exp.CTE,
    exp.Subquery, exp.Union, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Literal, exp.Star,
    exp.Boolean, exp.Null, exp.Paren, exp.Tuple, exp.In, exp.Between, exp.Case, exp.If, exp.Coalesce, exp.Nullif,
    exp.Cast, exp.DataType, exp.And, exp.Or, exp.Not, exp.Is, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Sum, exp.Min, exp.Max, exp.Count, exp.Avg, exp.Distinct,
    exp.Abs, exp.Round, exp.Floor, exp.Greatest, exp.Least, exp.Year, exp.Month, exp.DateDiff, exp.Var,
    exp.Window, exp.RowNumber, exp.WindowSpec, exp.Concat, exp.Lower, exp.MD5, exp.Substring, exp.Placeholder,
    exp.DPipe, exp.Day, exp.BitwiseAnd, exp.BitwiseOrAgg,
)
# fmt: on
SAME_TYPE = {
    "BIGINT": {"BIGINT", "INT", "SMALLINT", "TINYINT", "INT128"},
    "DOUBLE": {"DOUBLE", "FLOAT", "DECIMAL"},
    "VARCHAR": {"VARCHAR", "TEXT"},
    "DATE": {"DATE"},
    "BOOLEAN": {"BOOLEAN"},
}


@dataclass(frozen=True)
class SqlModel:
    """One parsed model. ``query`` never changes; every method returns a new model."""

    name: str
    question: str
    reads: tuple[str, ...]
    makes: str
    query: exp.Query
    aliases: tuple[tuple[str, str], ...] = ()  # further views of a table: (view, table)

    @property
    def views(self) -> dict[str, str]:
        """The lake table behind each view the model reads."""
        return {name: name for name in self.reads if name in TABLES} | dict(self.aliases)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.query.named_selects)

    def bind(self, **values: Value) -> SqlModel:
        """Put values in the place of ``:name`` placeholders; a missing or unused name is refused."""
        wanted = {str(node.this) for node in self.query.find_all(exp.Placeholder)}
        if wanted != set(values):
            raise _refuse(self.name, f"has parameters {sorted(wanted)}, was given {sorted(values)}")

        def fill(node: exp.Expr) -> exp.Expr:
            return literal(values[str(node.this)]) if isinstance(node, exp.Placeholder) else node

        return replace(self, query=as_query(self.query.transform(fill)))

    def with_parts(self, parts: Mapping[str, exp.Query]) -> SqlModel:
        """Let the model read ``parts`` by name: each becomes a common table expression.

        The parts' own expressions come along under longer names, because Spark knows no nested ones.
        """
        query = self.query.copy()
        own = list(query.ctes)
        query.set("with_", None)
        for name, part in parts.items():
            for step, tree in _steps(name, part.copy()):
                query = query.with_(step, as_=tree, copy=False)  # ours already
        for cte in own:
            query = query.with_(cte.alias, as_=cte.this, copy=False)
        return replace(self, query=query)


@functools.cache
def load(package: str, name: str) -> SqlModel:
    """Read ``name``.sql from a package and parse it, once a process."""
    return parse(name, resources.files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> SqlModel:
    head = dict(line[3:].split(":", 1) for line in text.splitlines() if line.startswith("-- ") and ":" in line)
    missing = {"question", "reads", "makes"} - {key.strip() for key in head}
    if missing:
        raise _refuse(name, f"lacks the opening comments {sorted(missing)}")
    said = {key.strip(): value.strip() for key, value in head.items()}
    try:
        tree = sqlglot.parse_one(text, read="duckdb")
    except SqlglotError as error:
        raise _refuse(name, f"does not parse: {error}") from error
    if not isinstance(tree, exp.Query):
        raise _refuse(name, "is not one SELECT")
    words = [part.split() for part in said["reads"].split(",") if part.strip()]
    reads = tuple(word[0] for word in words if len(word) == 1)
    aliases = tuple((word[2], word[0]) for word in words if len(word) == 3 and word[1] == "as")
    return SqlModel(name, said["question"], reads, said["makes"], as_query(tree.transform(_margin_points)), aliases)


def _margin_points(node: exp.Expr) -> exp.Expr:
    """``:margin_points`` as a choice by component among ``:recurring_bp`` … ``:credit_bp``."""
    if not isinstance(node, exp.Placeholder) or node.this != "margin_points":
        return node
    by_component = exp.Case(this=exp.column("component"))
    for component in COMPONENTS:
        by_component = by_component.when(exp.Literal.string(component), exp.Placeholder(this=f"{component}_bp"))
    return by_component.else_(exp.Literal.number(0))


def check(model: SqlModel, parts: Mapping[str, SqlModel] | None = None) -> None:
    """Refuse a model that leaves the subset, reads what it did not say, or disagrees with its table.

    ``parts`` are the models whose results it reads by name; they are typed by their own table.
    """
    _check_subset(model)
    schema = {view: view_types(TABLES[table]) for view, table in model.views.items()}
    for name, part in (parts or {}).items():
        table = TABLES[part.makes]
        schema[name] = {column: table.column(column).type.value for column in part.columns}
    _check_reads(model, set(schema))
    _check_types(model, TABLES[model.makes], schema)


def view_types(table: Table) -> dict[str, str]:
    """Column types of a view: the table's own, and ``months_ago`` where it has a month."""
    types = {column.name: column.type.value for column in table.columns}
    return types | ({"months_ago": Type.BIGINT.value} if "month" in types else {})


def _check_subset(model: SqlModel) -> None:
    for node in model.query.walk():
        if type(node) not in SUBSET:  # exactly: TRY_CAST is a kind of CAST, and engines differ on it
            raise _refuse(model.name, f"uses {type(node).__name__}, which is outside the agreed subset: {node.sql()}")
        if isinstance(node, exp.Div) and not isinstance(node.expression, (exp.Nullif, exp.Literal)):
            raise _refuse(model.name, f"divides by {node.expression.sql()}; write NULLIF(…, 0), engines differ on zero")


def _check_reads(model: SqlModel, known: set[str]) -> None:
    own = {cte.alias for cte in model.query.find_all(exp.CTE)}
    used = {table.name for table in model.query.find_all(exp.Table)} - own
    if used != known:
        raise _refuse(model.name, f"reads {sorted(used)} but says it reads {sorted(known)}")


def _check_types(model: SqlModel, table: Table, schema: Schema) -> None:
    order = [name for name in table.names if name in set(model.columns)]
    if list(model.columns) != order:
        raise _refuse(model.name, f"lists columns {list(model.columns)}; {table.name} wants them as {order}")
    bound = model.query.transform(lambda n: exp.null() if isinstance(n, exp.Placeholder) else n)
    known: dict[str, object] = dict(schema)
    try:
        full = qualify(bound, schema=known, dialect="duckdb")
        typed = as_query(annotate_types(full, schema=known, dialect="duckdb"))
    except SqlglotError as error:
        raise _refuse(model.name, f"does not fit its inputs: {error}") from error
    _check_casts(model, typed)
    for select in typed.selects:
        found = select.type.this.value if select.type else "UNKNOWN"
        wanted = table.column(select.alias_or_name).type.value
        if found not in SAME_TYPE[wanted] | {"UNKNOWN", "NULL"}:
            raise _refuse(model.name, f"makes {select.alias_or_name} as {found}; {table.name} declares {wanted}")


def _check_casts(model: SqlModel, typed: exp.Query) -> None:
    for cast in typed.find_all(exp.Cast):
        inner = cast.this
        fraction = inner.type is not None and inner.type.this.value in SAME_TYPE["DOUBLE"]
        if cast.to.this.value in SAME_TYPE["BIGINT"] and fraction and not isinstance(inner, (exp.Round, exp.Floor)):
            raise _refuse(model.name, f"casts a fraction to a whole number; write ROUND or FLOOR: {cast.sql()}")


def declared(query: exp.Query, table: Table, columns: tuple[str, ...] | None = None) -> exp.Select:
    """The query with each column cast to its declared type, ordered by the table's key."""
    names = columns or table.names
    casts = [exp.alias_(exp.cast(exp.column(name, table="q"), table.column(name).type.value), name) for name in names]
    key = [exp.column(name) for name in table.key if name in names]
    whole = query.copy().subquery("q", copy=False)  # one copy, where each step would make another of the whole tree
    return exp.select(*casts).from_(whole, copy=False).order_by(*key, copy=False)


def origins(query: exp.Query, schema: Schema) -> dict[str, set[str]]:
    """For each output column the source columns, as ``table.column``, that it comes from."""
    known: dict[str, Any] = dict(schema)
    roots = lineage(None, query.copy(), schema=known, dialect="duckdb", trim_selects=False)
    assert isinstance(roots, dict)
    return {column: _sources(root) for column, root in roots.items()}


def made_of(query: exp.Query, views: Mapping[str, str]) -> dict[str, set[str]]:
    """The same in columns of tables, where ``views`` names the table behind each view the query reads."""
    schema = {view: view_types(TABLES[table]) for view, table in views.items()}
    return {
        column: {_of_table(source, views) for source in sources} for column, sources in origins(query, schema).items()
    }


def _of_table(source: str, views: Mapping[str, str]) -> str:
    view, name = source.replace("months_ago", "month").split(".")
    return f"{views[view]}.{name}"


def _sources(root: Node) -> set[str]:
    ends = (node for node in root.walk() if not node.downstream)
    return {f"{n.expression.name}.{n.name.split('.')[-1]}" for n in ends if isinstance(n.expression, exp.Table)}


def literal(value: Value) -> exp.Expr:
    """A value as a tree; dates are cast from text, so that both engines read them alike."""
    if isinstance(value, dt.date):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    return exp.convert(value)


def as_query(tree: exp.Expr) -> exp.Query:
    """The tree as the query it must be; anything else is a mistake of ours."""
    if not isinstance(tree, exp.Query):
        raise TypeError(f"not a query: {tree.sql()}")
    return tree


def _steps(name: str, part: exp.Query) -> list[tuple[str, exp.Query]]:
    """A part as a list of named queries, its own common table expressions renamed after it."""
    longer = {cte.alias: f"{name}_{cte.alias}" for cte in part.ctes}
    for table in list(part.find_all(exp.Table)):
        if table.name in longer:
            old = table.name
            table.set("this", exp.to_identifier(longer[old]))
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(old)))
    steps = [(longer[cte.alias], as_query(cte.this)) for cte in part.ctes]
    part.set("with_", None)
    return [*steps, (name, part)]


def _refuse(name: str, why: str) -> ModelError:
    return ModelError(f"SQL model {name} {why}", f"SQL 模型 {name} 不合规定：{why}", code="sql_model")
