"""No count under ten is told, nor can it be worked out from what is."""

from __future__ import annotations

import random

import pytest

from keepline_web.frame.small_counts import BESIDE, LEAST, SMALL, left_out, told, told_sum


@pytest.mark.parametrize(("count", "said"), [(0, 0), (1, SMALL), (9, SMALL), (10, 10), (11, 11)])
def test_one_to_nine_is_written_as_under_ten(count: int, said: int | str) -> None:
    assert told_sum([count]) == said
    assert told({"a": count, "b": 500, "c": 600})["a"] == said


def test_a_sum_of_small_counts_alone_is_not_told_either() -> None:
    assert [told_sum(line) for line in ((9, 9), (9, 9, 90), (1, 10), (3, 40), (0, 0), (12, 13))] == [
        BESIDE, 108, BESIDE, 43, 0, 25,
    ]  # fmt: skip


def test_the_smallest_other_is_left_out_too_since_the_sum_is_told() -> None:
    assert told({"a": 3, "b": 40, "c": 90, "d": 0}) == {"a": SMALL, "b": BESIDE, "c": 90, "d": 0}


def test_those_left_out_could_be_shared_out_in_many_ways() -> None:
    assert left_out({"a": 2, "b": 3, "c": 70, "d": 90}) == {"a", "b", "c"}
    assert left_out({"a": 1, "b": 11, "c": 70, "d": 90}) == {"a", "b", "c"}


def test_without_a_small_count_everything_is_told() -> None:
    assert left_out({"a": 10, "b": 0, "c": 70}) == set()
    assert left_out({}) == set()


def test_a_table_is_kept_by_its_rows_and_by_its_columns() -> None:
    counts = {("n", 1): 3, ("n", 2): 50, ("n", 3): 60, ("s", 1): 40, ("s", 2): 70, ("s", 3): 80}
    rows = [[("n", c) for c in (1, 2, 3)], [("s", c) for c in (1, 2, 3)]]
    columns = [[(r, c) for r in "ns"] for c in (1, 2, 3)]
    assert left_out(counts, rows + columns) == {("n", 1), ("n", 2), ("s", 1), ("s", 2)}


def tables() -> list[dict[tuple[int, int], int]]:
    drawn = random.Random(7)
    return [
        {(r, c): drawn.choice((0, 1, 4, 8, 9, 12, 15, 30, 200)) for r in range(3) for c in range(3)} for _ in range(60)
    ]


@pytest.mark.parametrize("counts", tables())
def test_in_every_line_any_small_count_fits_one_that_is_left_out(counts: dict[tuple[int, int], int]) -> None:
    lines = [[(r, c) for c in range(3)] for r in range(3)] + [[(r, c) for r in range(3)] for c in range(3)]
    out = left_out(counts, lines)
    for line in lines:
        values = [counts[cell] for cell in line]
        hidden = [counts[cell] for cell in line if cell in out]
        if isinstance(told_sum(values), int):
            assert_open(hidden)
    for cell in (cell for cell, count in counts.items() if 0 < count < LEAST):
        assert cell in out


@pytest.mark.parametrize("counts", [(3, 40, 90), (9, 9, 90), (1, 12, 13), (1, 10, 11), (5, 5, 5, 60), (1, 1, 1, 19)])
def test_of_one_line_any_small_count_fits_one_that_is_left_out(counts: tuple[int, ...]) -> None:
    said = told(dict(enumerate(counts)))
    if isinstance(told_sum(counts), int):
        assert_open([counts[at] for at in said if not isinstance(said[at], int)])


def assert_open(hidden: list[int]) -> None:
    """Whoever knows which are under ten, which are not, and what all make together, knows of none what it is."""
    whole = sum(hidden)
    ranges = [range(1, LEAST) if 0 < count < LEAST else range(LEAST, whole + 1) for count in hidden]
    for at, count in enumerate(hidden):
        others = ranges[:at] + ranges[at + 1 :]
        least, most = sum(other[0] for other in others), sum(other[-1] for other in others)
        if 0 < count < LEAST:
            assert {value for value in ranges[at] if least <= whole - value <= most} == set(range(1, LEAST)), hidden
