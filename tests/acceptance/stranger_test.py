"""The README's five steps for one's own files, on real data nobody wrote a mapping for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acceptance.commands import answer, keepline, rows

MONTH = "2022-08"


@pytest.mark.data
def test_five_steps_from_a_strangers_file_to_a_report_that_says_what_it_could_not_know(
    data_dir: Path, tmp_path: Path
) -> None:
    file = data_dir / "china-mobile-satisfaction" / "voice_scored.csv.gz"
    site = tmp_path / "site"
    keepline("init", site)
    mapping = site / "intake" / "voice.toml"
    keepline("intake", "suggest", file, "--out", mapping)
    mapping.write_text(mapping.read_text(encoding="utf-8").replace("YYYY-MM", MONTH), encoding="utf-8")
    [checked] = answer("intake", "check", file, "--site", site)
    assert checked["read"] == 5433
    [loaded] = answer("intake", "load", file, "--site", site)
    assert loaded["loaded"] + loaded["set_aside"] + loaded["ignored"] == loaded["read"]
    answer("run", "--site", site, "--month", MONTH)

    manifest = json.loads((site / "published" / MONTH / "manifest.json").read_text(encoding="utf-8"))
    assert {"departures", "contacts", "managers"} <= {lack["table"] for lack in manifest["lacking"]}
    assert manifest["model_card"]["targets"]["leave"]["refused"]["zh"]
    assert all(row["leave_probability"] is None for row in rows(site, "scores", MONTH))
    page = (site / "published" / MONTH / "report.html").read_text(encoding="utf-8")
    assert "没有离网记录" in page or "不知道谁离网" in page
