"""A test of policy asked of one row answers as DuckDB does, unknowns and all; a tree it does not know is refused."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import exp, parse_one

from core.decisions_cast import GIFT, VISIT, policy_with
from keepline import engine as engines
from keepline.decisions import offers
from keepline.engine import Engine, Files, Scan
from keepline.onerow import asked
from keepline.policy.conditions import Condition, all_hold
from keepline.tables import TABLES

KNOWN: dict[str, list[Any]] = {
    "customer_id": [1],
    "kind": [None, "person", "organisation", ""],
    "manager_id": [None, "M1", ""],
    "consent": [None, True, False],
    "tenure_months": [None, -3, 0, 24, 1 << 53],
    "revenue_change": [None, -0.2, 0.0, 0.1, 0.30000000000000004],
}
CONDITIONS = [
    {"feature": "tenure_months", "at_least": 24},
    {"feature": "tenure_months", "above": -3, "below": 24.5},
    {"feature": "tenure_months", "missing": True},
    {"feature": "tenure_months", "missing": False, "at_most": 0},
    {"feature": "revenue_change", "at_most": -0.2},
    {"feature": "revenue_change", "above": 0.1, "at_most": 0.3},
    {"feature": "revenue_change", "below": 1e-9},
    {"feature": "manager_id", "one_of": ["M1", ""]},
    {"feature": "kind", "none_of": ["person"]},
    {"feature": "kind", "one_of": ["person"], "none_of": ["organisation"], "missing": False},
    {"feature": "consent", "true": True},
    {"feature": "consent", "true": False},
]
OFFERS = policy_with().offers.offer
TREES: dict[str, exp.Expr] = {
    **{str(said): Condition.model_validate(said).tree() for said in CONDITIONS},
    "all": all_hold([Condition.model_validate(said) for said in CONDITIONS[:3]]),
    "none": all_hold([]),
    **{f"suits {offer.id}": offers.suits(offer, policy_with().contact) for offer in OFFERS},
    "any": offers.any_of([Condition.model_validate(said).tree() for said in CONDITIONS[:2]]),
    **{
        text: parse_one(text, dialect="duckdb")
        for text in (
            "consent AND tenure_months > 0", "consent OR tenure_months > 0", "NOT consent", "tenure_months <> 24",
            "kind IN ('person', NULL)", "NOT (kind IN ('person'))", "COALESCE(consent, tenure_months > 0, TRUE)",
            "revenue_change IS NULL OR kind = 'person'",
        )
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
    """Every combination of values known and unknown, and what DuckDB answers to each tree of it."""
    given = [dict(zip(KNOWN, values, strict=True)) for values in product(*KNOWN.values())]
    people = [row | {"customer_id": place} for place, row in enumerate(given)]
    return people, asked_of_duckdb(engines.start("duckdb"), people, tmp_path_factory.mktemp("people") / "x.parquet")


def asked_of_duckdb(engine: Engine, people: list[dict[str, Any]], path: Path) -> dict[str, list[Any]]:
    table = TABLES["features"]
    pq.write_table(
        pa.table({name: [row.get(name) for row in people] for name in table.names}, schema=table.arrow), path
    )
    engine.see("features", Scan(table, (Files((path,)),)))
    columns = [exp.alias_(tree.copy(), f"t{place}") for place, tree in enumerate(TREES.values())]
    found = engine.fetch(exp.select(*columns).from_("features").order_by("customer_id"))
    engine.close()
    return {name: found[f"t{place}"].to_pylist() for place, name in enumerate(TREES)}


@pytest.mark.parametrize("name", TREES)
def test_it_answers_as_duckdb_does(name: str, answers: tuple[list[dict[str, Any]], dict[str, list[Any]]]) -> None:
    people, said = answers
    holds = asked(TREES[name])
    assert [holds(row) for row in people] == said[name]


def test_the_cast_asks_for_what_offers_ask() -> None:
    assert {offer["id"] for offer in (GIFT, VISIT)} == {offer.id for offer in OFFERS}


@pytest.mark.parametrize("text", ["kind LIKE 'p%'", "tenure_months + 1 > 2", "kind IN (SELECT 1)", "LENGTH(kind) > 2"])
def test_a_tree_it_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(TypeError, match="not a test of one row"):
        asked(parse_one(text, dialect="duckdb"))
