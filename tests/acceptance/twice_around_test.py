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
        done, found = before["by_hand"], turn["people"]
        assert found[str(done["kept"])]["promises_kept_3m"] >= 1
        assert found[str(done["broken"])]["promises_broken_3m"] >= 1
        granted = found[str(done["granted"])]
        assert granted["granted_3m_fen"] >= done["cost_fen"]
        assert granted["contacts_out_1m"] >= 1  # nobody logged a contact: what was granted counts as one
    assert [turn["in_lake"]["approvals"] for turn in turns] == [0, 1, 2]
    assert [turn["in_lake"]["promises"] for turn in turns] == [0, 2, 4]
