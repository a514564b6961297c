"""Merging by key equals what a dictionary would do, whatever rows come in whatever files."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from keepline.lake.merge import FATES, SET_ASIDE, copies, merge
from keepline.tables import TABLES

BILLS = TABLES["bills"]
SUPPLIED = list(BILLS.names)
Key = tuple[int, str]

bill = st.tuples(st.integers(1, 4), st.sampled_from(["recurring", "credit"]), st.integers(-2, 2))
a_file = st.lists(bill, max_size=8)


def table(rows: list[tuple[int, str, int]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[], [], []]
    said = {
        "customer_id": columns[0],
        "month": ["2026-09"] * len(rows),
        "component": columns[1],
        "amount_fen": columns[2],
    }
    return pa.table(said, schema=BILLS.arrow)


def by_hand(lake: dict[Key, int], rows: list[tuple[int, str, int]]) -> dict[str, int]:
    """Load one file into a dictionary and count what became of its rows."""
    amounts: dict[Key, set[int]] = {}
    for who, component, amount in rows:
        amounts.setdefault((who, component), set()).add(amount)
    counts = dict.fromkeys(FATES, 0)
    seen: set[Key] = set()
    for who, component, amount in rows:
        key = (who, component)
        if len(amounts[key]) > 1:
            counts["set_aside"] += 1
        elif key in seen:
            counts["ignored"] += 1
        else:
            seen.add(key)
            counts["unchanged" if lake.get(key) == amount else "updated" if key in lake else "loaded"] += 1
            lake[key] = amount
    return counts


def by_merging(lake: pa.Table, rows: list[tuple[int, str, int]]) -> tuple[pa.Table, dict[str, int]]:
    new = table(rows)
    clashing = copies(new, BILLS, SUPPLIED).clashing
    keep = [i for i in range(len(rows)) if i not in set(clashing.tolist())]
    done = merge(new.take(pa.array(keep, pa.int64())), lake, BILLS, SUPPLIED, add_up=False)
    counts: dict[str, Any] = {name: int((done.fates == code).sum()) for name, code in FATES.items()}
    assert counts["set_aside"] == 0
    assert SET_ASIDE not in done.fates
    return done.rows, counts | {"set_aside": len(clashing)}


@settings(max_examples=200, deadline=None)
@given(st.lists(a_file, min_size=1, max_size=3))
def test_files_merged_in_turn_equal_a_dictionary(files: list[list[tuple[int, str, int]]]) -> None:
    lake, model = table([]), dict[Key, int]()
    for rows in files:
        lake, counts = by_merging(lake, rows)
        assert counts == by_hand(model, rows)
    found = {(r["customer_id"], r["component"]): r["amount_fen"] for r in lake.to_pylist()}
    assert found == model
    assert lake["customer_id"].to_pylist() == sorted(lake["customer_id"].to_pylist())


@settings(max_examples=100, deadline=None)
@given(a_file)
def test_rows_added_up_give_the_sum_of_each_key(rows: list[tuple[int, str, int]]) -> None:
    sums: dict[Key, int] = {}
    for who, component, amount in rows:
        sums[who, component] = sums.get((who, component), 0) + amount
    done = merge(table(rows), table([]), BILLS, SUPPLIED, add_up=True)
    assert {(r["customer_id"], r["component"]): r["amount_fen"] for r in done.rows.to_pylist()} == sums
    assert len(done.fates) == len(rows)
