"""The list beats the rules, the first rule that holds decides, and every move says what changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.small_lake import write_rows
from core.small_policy import small_policy
from keepline import sqlmodel
from keepline.engine import Engine, ranges
from keepline.errors import PolicyError
from keepline.insight.classes import build_classes, classes_model, judged_model
from keepline.periods import Month
from keepline.placed import placed
from keepline.policy.documents import Policy

NOW = Month.parse("2026-10")
ALL = ranges(1, 1)[0]


def rule(name: str, gives: str, **asked: Any) -> dict[str, Any]:
    return {"id": name, "gives": gives, "when": [asked], "reason": {"zh": f"因{name}", "en": f"for {name}"}}


RULES = [
    rule("big", "key", feature="revenue_3m_fen", at_least=300_000),
    rule("rising", "potential", feature="revenue_change", above=0.1),
]


def policy(*rules: dict[str, Any]) -> Policy:
    return small_policy(classes={"rule": list(rules or RULES)})


def judge(engine: Engine, folder: Path, customers: list[dict[str, Any]], before: dict[int, str]) -> dict[int, Any]:
    features = write_rows(folder / "features.parquet", "features", [{"month": "2026-10", **row} for row in customers])
    rows = [{"customer_id": who, "month": "2026-09", "class": given} for who, given in before.items()]
    previous = [write_rows(folder / "before.parquet", "classes", rows)] if before else []
    to = folder / "classes" / ALL.part
    build_classes(engine, policy(), snapshot=NOW, features=features, previous=placed(previous), only=ALL, to=to)
    return {row["customer_id"]: row for row in pq.read_table(to).to_pylist()}


def test_the_list_then_the_first_rule_then_ordinary_and_moves_have_reasons(engine: Engine, tmp_path: Path) -> None:
    customers = [
        {"customer_id": 1, "listed_class": "important", "revenue_3m_fen": 900_000},
        {"customer_id": 2, "revenue_3m_fen": 300_000, "revenue_change": 0.5},
        {"customer_id": 3, "revenue_3m_fen": 299_999, "revenue_change": 0.5},
        {"customer_id": 4, "revenue_3m_fen": 299_999, "revenue_change": None},
        {"customer_id": 5, "revenue_3m_fen": 1},
    ]
    found = judge(engine, tmp_path, customers, {1: "key", 2: "key", 3: "important", 4: "ordinary", 9: "key"})
    told = {who: (row["class"], row["move"], row["rule"], row["reason_en"]) for who, row in found.items()}
    assert told == {
        1: ("important", "up", "list", "on the operator's list; last month key"),
        2: ("key", "same", "big", "for big"),
        3: ("potential", "down", "rising", "for rising; last month important"),
        4: ("ordinary", "same", None, "no rule holds"),
        5: ("ordinary", "new", None, "no rule holds"),
    }
    assert found[3]["reason_zh"] == "因rising；上月为重要客户"
    assert found[5]["previous_class"] is None


def test_without_a_former_publication_everyone_is_new(engine: Engine, tmp_path: Path) -> None:
    found = judge(engine, tmp_path, [{"customer_id": 1, "revenue_3m_fen": 400_000}], {})
    assert (found[1]["class"], found[1]["move"]) == ("key", "new")


def test_a_rule_on_a_score_is_refused() -> None:
    with pytest.raises(PolicyError, match="value_fen"):
        judged_model(policy(rule("dear", "key", feature="value_fen", at_least=1)).classes)


def test_a_reserved_rule_id_is_refused() -> None:
    with pytest.raises(PolicyError, match="rule id"):
        judged_model(policy(rule("list", "key", feature="lines", above=1)).classes)


def test_the_model_and_the_rules_keep_to_the_subset_without_running() -> None:
    judged = judged_model(policy().classes)
    sqlmodel.check(judged)
    sqlmodel.check(classes_model(), {"judged": judged})
