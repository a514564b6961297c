"""The key of a lake's pseudonyms: lost or changed it is refused, and no other takes its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_intake import HEAD, PHONE, Intake, row

from keepline import site as sites
from keepline.errors import SiteError
from keepline.lake import intake
from keepline.lake.store import open_lake


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


def test_a_lake_that_lost_its_key_takes_nothing_in_and_no_other_key_is_made(here: Intake) -> None:
    here.bills(row())
    key = here.site.key_file.read_bytes()
    here.site.key_file.unlink()
    for ask in (intake.check, intake.load):
        with pytest.raises(SiteError, match="is absent") as told:
            ask(here.site, [here.put("bills-10.csv", f"{HEAD}\n{row(month='2026-10')}\n")])
        assert told.value.code == "key_lost"
        for words in (told.value.en, told.value.zh):
            assert str(here.site.key_file) in words
    assert not here.site.key_file.exists()
    here.site.key_file.write_bytes(key)
    here.bills(row(month="2026-10"))
    assert here.values("bills", "customer_id") == [here.number(PHONE)] * 2


def test_a_key_that_is_not_the_lake_s_is_refused(here: Intake) -> None:
    here.bills(row())
    before = open_lake(here.site.lake).files
    sites.write_key(here.site.root, b"k" * 32)
    with pytest.raises(SiteError, match="is another one"):
        here.bills(row(month="2026-10"))
    here.site.key_file.write_text("", encoding="ascii")
    with pytest.raises(SiteError, match="is damaged"):
        here.bills(row(month="2026-10"))
    assert open_lake(here.site.lake).files == before


def test_a_lake_of_an_earlier_version_notes_its_key_at_the_next_load(here: Intake) -> None:
    here.bills(row())
    path = here.site.lake / "manifest.json"
    said = json.loads(path.read_text("utf-8"))
    marked = said.pop("key_mark")
    path.write_text(json.dumps(said), encoding="utf-8")
    here.bills(row(month="2026-10"))
    key = here.site.key()
    assert marked == open_lake(here.site.lake).key_mark == sites.key_mark(key)
    assert key.hex() not in path.read_text("utf-8")
