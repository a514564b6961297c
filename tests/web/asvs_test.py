"""docs/asvs.csv answers every requirement of levels 1 and 2, and names only files and tests that are there."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT.parent / "shared" / "reference" / "asvs-5.0.0-ids.csv"
COLUMNS = ["id", "applies", "how", "where", "test"]
COUNT = 253  # of levels 1 and 2 in version 5.0.0
TESTED_AT_LEAST = 0.85  # of the rows that apply; what is said in a document or left to a proxy has no test


def rows() -> list[dict[str, str]]:
    with (ROOT / "docs" / "asvs.csv").open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        assert reader.fieldnames == COLUMNS
        return list(reader)


def test_every_requirement_is_answered_once() -> None:
    names = [row["id"] for row in rows()]
    assert len(names) == len(set(names)) == COUNT
    assert all(re.fullmatch(r"V\d{1,2}\.\d{1,2}\.\d{1,2}", name) for name in names)


def test_an_answer_is_yes_with_a_place_or_no_with_a_reason() -> None:
    for row in rows():
        assert row["applies"] in ("yes", "no"), row
        assert 6 <= len(row["how"]) <= 300, row
        assert bool(row["where"]) == (row["applies"] == "yes"), row
        assert row["applies"] == "yes" or not row["test"], row


def test_every_place_is_there() -> None:
    assert [row["id"] for row in rows() if row["where"] and not (ROOT / row["where"]).exists()] == []


def test_every_test_that_is_named_is_there() -> None:
    known: dict[str, set[str]] = {}
    missing = []
    for row in rows():
        if row["test"]:
            path, name = row["test"].split("::")
            if path not in known:
                known[path] = functions(ROOT / path)
            if name not in known[path]:
                missing.append((row["id"], row["test"]))
    assert missing == []


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_what_is_not_met_at_all_claims_no_test() -> None:
    assert [row["id"] for row in rows() if row["how"].startswith("not yet") and row["test"]] == []


def test_more_than_four_of_five_rows_that_apply_are_held_by_a_test() -> None:
    applying = [row for row in rows() if row["applies"] == "yes"]
    assert sum(bool(row["test"]) for row in applying) / len(applying) >= TESTED_AT_LEAST


def test_the_list_is_the_published_one() -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published list of requirements does not lie beside the project")
    with PUBLISHED.open(encoding="utf-8", newline="") as stream:
        wanted = [row["requirement"] for row in csv.DictReader(stream) if row["level"] in ("1", "2")]
    assert [row["id"] for row in rows()] == wanted
