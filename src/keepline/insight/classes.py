"""Which customers are important, key or potential accounts this month, and why each one moved (K1).

The operator's list beats every rule; then the first rule of classes.toml that holds decides;
whoever meets none is an ordinary customer. The rules become one SQL part, ``judged``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine, Files, Range, Scan
from keepline.errors import PolicyError
from keepline.periods import Month
from keepline.placed import Placed
from keepline.policy.conditions import all_hold
from keepline.policy.document import Text
from keepline.policy.documents import Classes, ClassRule, Policy
from keepline.sqlmodel import SqlModel
from keepline.tables import CLASSES, FEATURES

LISTED = ("important", "key", "potential")
BY_LIST = "list"  # stands in the column rule where the list decided
ON_LIST = Text(zh="列入运营商名单", en="on the operator's list")
NO_RULE = Text(zh="没有规则成立", en="no rule holds")


def build_classes(
    engine: Engine, policy: Policy, *, snapshot: Month, features: Path, previous: Placed, only: Range, to: Path
) -> int:
    """Write the classes of one range; ``previous`` are last month's classes, none at first.

    Raises PolicyError when a rule asks for a score, which is known only later.
    """
    judged = judged_model(policy.classes)
    engine.see("features", Scan(FEATURES, (Files((features,), 0),)), only)
    engine.see("classes_before", Scan(CLASSES, (Files(previous.of(only)),)), only)
    query = classes_model().with_parts({"judged": judged.bind(month=str(snapshot)).query})
    return engine.write(query.query, CLASSES, to)


def classes_model() -> SqlModel:
    """The model that compares this month with the last; it reads the part ``judged``."""
    return sqlmodel.load("keepline.insight", "classes")


def judged_model(classes: Classes) -> SqlModel:
    """The rules of policy as a part of the table ``classes``: class, rule and reason of each customer."""
    _refuse_unclear(classes.rule)
    columns = {
        "customer_id": exp.column("customer_id"),
        "month": exp.Placeholder(this="month"),
        "class": _first(classes.rule, exp.column("listed_class"), lambda rule: rule.gives, "ordinary"),
        "rule": _first(classes.rule, _text(BY_LIST), lambda rule: rule.id, None),
        "reason_zh": _first(classes.rule, _text(ON_LIST.zh), lambda rule: rule.reason.zh, NO_RULE.zh),
        "reason_en": _first(classes.rule, _text(ON_LIST.en), lambda rule: rule.reason.en, NO_RULE.en),
    }
    query = exp.select(*[exp.alias_(tree, name) for name, tree in columns.items()]).from_("features")
    return SqlModel("judged", "which rule decides each customer's class?", ("features",), CLASSES.name, query)


def _first(
    rules: Sequence[ClassRule], listed: exp.Expr, said: Callable[[ClassRule], str], otherwise: str | None
) -> exp.Case:
    """What is said of a customer: by the list, else by the first rule that holds, else ``otherwise``."""
    case = exp.Case().when(exp.column("listed_class").isin(*LISTED), listed)
    for rule in rules:
        case = case.when(all_hold(rule.when), _text(said(rule)))
    return case.else_(exp.null() if otherwise is None else _text(otherwise))


def _text(words: str) -> exp.Literal:
    return exp.Literal.string(words)


def _refuse_unclear(rules: Sequence[ClassRule]) -> None:
    foreign = {c.feature for rule in rules for c in rule.when} - set(FEATURES.names)
    if foreign:
        raise PolicyError(
            f"classes.toml asks for {', '.join(sorted(foreign))}; classes are judged before scores: use features only",
            f"classes.toml 使用了 {'、'.join(sorted(foreign))}；分类先于评分，只能使用特征",
            code="class_rule_on_score",
        )
    ids = [rule.id for rule in rules]
    twice = sorted({name for name in ids if ids.count(name) > 1 or name == BY_LIST})
    if twice:
        raise PolicyError(
            f"classes.toml: rule id {', '.join(twice)} is used twice or reserved for the list; give each its own",
            f"classes.toml：规则 id {'、'.join(twice)} 重复或为名单保留；请逐条另取",
            code="class_rule_id",
        )
