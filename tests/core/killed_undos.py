"""Kill an undo at every change it makes to the disk: it is done or not done, and whoever comes next completes it.

usage: killed_undos.py FOLDER     prints how many kills there were
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from killed_loads import content, killed_at
from small_intake import OTHER, PHONE, Intake, row

from keepline.lake.alone import alone
from keepline.lake.store import open_lake
from keepline.lake.undoing import undo
from keepline.site import open_site

THIRD = "13700137000"


def main(folder: Path) -> int:
    """The load undone brought customers, and with them rows that had waited."""
    start = Intake(folder / "start")
    start.load("customers.csv", f"手机号,账期\n{PHONE},2026-09\n")
    start.bills(row(), row(OTHER), row(THIRD))
    without = (content(open_lake(start.site.lake)), open_rows(start.site.root))
    brought = start.load("customers-new.csv", f"手机号,账期\n{OTHER},2026-09\n{PHONE},2026-10\n").load
    within = (content(open_lake(start.site.lake)), open_rows(start.site.root))
    assert without != within
    number = 1
    while True:
        root = Path(shutil.copytree(folder / "start", folder / f"{number}"))
        died = killed_at(number, lambda at=root: undo(open_site(at), brought))  # type: ignore[misc]
        stands = any(source["load"] == brought for source in open_lake(root / "lake").sources)
        with alone(open_site(root)):  # whoever comes next
            found = (content(open_lake(root / "lake")), open_rows(root))
        assert found == (within if stands else without), f"kill {number} left half an undo"
        if stands:
            undo(open_site(root), brought)
            assert (content(open_lake(root / "lake")), open_rows(root)) == without, f"kill {number} was not made good"
        assert died or not stands
        shutil.rmtree(root)
        if not died:
            return number - 1
        number += 1


def open_rows(root: Path) -> dict[str, str]:
    """Rows that wait for their customers, by file; each has its mapping beside it."""
    found = {}
    for path in (root / "intake" / "set-aside").glob("*.waiting.csv"):
        assert path.with_suffix(".toml").exists(), path
        found[path.name] = path.read_text("utf-8-sig")
    return found


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
