"""A test of policy, written as a tree of SQL, asked of one row here: the answer an engine would give, without one.

Three-valued as SQL is (ISO/IEC 9075-2, boolean value expressions): what is unknown is None, ``and`` is false as soon as
one side is, and a comparison with the unknown is unknown. Trees hold what :mod:`keepline.policy.conditions` and
:mod:`keepline.decisions.offers` write, and any other node is refused.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from sqlglot import exp

Asked = Callable[[Mapping[str, Any]], Any]
COMPARED: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GTE: operator.ge,
    exp.GT: operator.gt,
    exp.LTE: operator.le,
    exp.LT: operator.lt,
}


def asked(tree: exp.Expr) -> Asked:
    """The tree as a function of a row, which names the tree's columns."""
    if (known := _constant(tree)) is not None:
        return known
    if isinstance(tree, exp.Column):
        name = tree.name
        return lambda row: row[name]
    if isinstance(tree, exp.Paren):
        return asked(tree.this)
    if isinstance(tree, exp.Coalesce):
        return _first_known([asked(each) for each in (tree.this, *tree.expressions)])
    if isinstance(tree, exp.And | exp.Or):
        return _joined(asked(tree.this), asked(tree.expression), decides=isinstance(tree, exp.Or))
    if isinstance(tree, exp.In) and tree.expressions:
        return _among(asked(tree.this), [asked(each) for each in tree.expressions])
    if isinstance(tree, exp.Not | exp.Neg):
        return _turned(asked(tree.this), operator.not_ if isinstance(tree, exp.Not) else operator.neg)
    if isinstance(tree, exp.Is) and isinstance(tree.expression, exp.Null):
        inner = asked(tree.this)
        return lambda row: inner(row) is None
    if type(tree) in COMPARED:
        return _compared(asked(tree.this), asked(tree.expression), COMPARED[type(tree)])
    raise TypeError(f"not a test of one row: {tree.sql()}")


def _constant(tree: exp.Expr) -> Asked | None:
    if isinstance(tree, exp.Null):
        return lambda _: None
    if isinstance(tree, exp.Boolean):
        said = bool(tree.this)
        return lambda _: said
    if isinstance(tree, exp.Literal):
        value = tree.this if tree.is_string else int(tree.this) if tree.is_int else float(tree.this)
        return lambda _: value
    return None


def _first_known(each: list[Asked]) -> Asked:
    return lambda row: next((value for one in each if (value := one(row)) is not None), None)


def _joined(one: Asked, other: Asked, *, decides: bool) -> Asked:
    """``and`` is decided by what is false, ``or`` by what is true; else what is unknown stays so."""

    def answer(row: Mapping[str, Any]) -> bool | None:
        pair = one(row), other(row)
        if decides in pair:
            return decides
        return None if None in pair else not decides

    return answer


def _among(inner: Asked, each: list[Asked]) -> Asked:
    def answer(row: Mapping[str, Any]) -> bool | None:
        value, listed = inner(row), [one(row) for one in each]
        if value is None:
            return None
        return True if value in listed else None if None in listed else False

    return answer


def _turned(inner: Asked, turn: Callable[[Any], Any]) -> Asked:
    return lambda row: None if (value := inner(row)) is None else turn(value)


def _compared(one: Asked, other: Asked, how: Callable[[Any, Any], bool]) -> Asked:
    def answer(row: Mapping[str, Any]) -> bool | None:
        left, right = one(row), other(row)
        return None if left is None or right is None else how(left, right)

    return answer
