"""Of a table of another month a range reads the parts of its own customers, however that month was cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.small_lake import write_rows
from keepline.engine import ID_SPACE, Range, cut
from keepline.errors import SiteError
from keepline.placed import NOTHING, placed
from keepline.tables import CLASSES


def _published(folder: Path, count: int) -> dict[Path, list[int]]:
    """A customer at either end of each part."""
    held = {}
    for only in cut(count, 1):
        who = [only.low, only.high - 1]
        rows = [{"customer_id": each, "month": "2026-09", "class": "key"} for each in who]
        held[write_rows(folder / only.part, CLASSES.name, rows)] = who
    return held


@pytest.mark.parametrize("before", [1, 2, 8])
@pytest.mark.parametrize("now", [1, 2, 8])
def test_a_range_reads_the_parts_of_its_own_customers_and_no_others(before: int, now: int, tmp_path: Path) -> None:
    held = _published(tmp_path, before)
    there = placed(held)
    for only in cut(now, 1):
        mine = {path for path, who in held.items() if any(only.low <= each < only.high for each in who)}
        assert set(there.of(only)) >= mine
        assert len(there.of(only)) == max(1, before // now)


def test_a_part_that_lost_its_end_is_refused_with_its_name(tmp_path: Path) -> None:
    rows = [{"customer_id": 1, "month": "2026-09", "class": "key"}]
    part = write_rows(tmp_path / "part-00000.parquet", CLASSES.name, rows)
    part.write_bytes(part.read_bytes()[:-4])
    with pytest.raises(SiteError, match=r"part-00000.parquet is damaged .its end is missing.*restore it"):
        placed([part])


def test_a_part_without_rows_holds_nobody_and_no_parts_are_nothing(tmp_path: Path) -> None:
    empty = write_rows(tmp_path / "part-00000.parquet", CLASSES.name, [])
    assert placed([empty]) == placed([]) == NOTHING
    assert NOTHING.of(Range(0, 0, ID_SPACE)) == ()
