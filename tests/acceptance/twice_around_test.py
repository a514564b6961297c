"""The loop turned twice with people in it: what they did in the workbench is what the next month measures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

TURN = Path(__file__).parent / "twice_around.py"


def test_what_people_did_in_the_workbench_is_what_the_next_month_measures(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # PostgreSQL of a root runs as somebody else
    (tmp_path / "run").mkdir(mode=0o700)
    done = subprocess.run(
        [sys.executable, str(TURN), str(tmp_path / "site")],
        capture_output=True, text=True, check=False, env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path / "run")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    turns = json.loads(done.stdout.splitlines()[-1])["turns"]
    assert [turn["month"] for turn in turns] == ["2026-08", "2026-09", "2026-10"]
    for turn in turns:
        assert turn["plan_rows"] == turn["treated_managed"] > 0  # treated rows alone, all of the managed
        assert not turn["arrived_twice"]
        answered = turn["plan_rows"] - turn["plan_rows"] // 4
        assert turn["lake"] == {"contacts": answered, "deliveries": answered}
    for before, turn in pairwise(turns):
        assert turn["delivered"] == before["lake"]["deliveries"]
        assert turn["contacted"] >= before["lake"]["contacts"]
