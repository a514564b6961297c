"""What a fixed site gives does not change unless somebody means it to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import fixed_site
from keepline.engine import Engine

pytestmark = pytest.mark.usefixtures("compiled")


def test_the_tables_of_a_fixed_site_are_what_they_were(engine: Engine, tmp_path: Path) -> None:
    known = json.loads(fixed_site.KNOWN.read_text(encoding="ascii"))
    found = fixed_site.hashes(engine, tmp_path)
    moved = sorted(table for table in found if known.get(table) != found[table])
    assert not moved, (
        f"results changed in {', '.join(moved)}; if that is meant, write the hashes anew (fixed_site.py says how) "
        "and tell why in the commit and in CHANGELOG.md"
    )
    assert set(known) == set(found)
