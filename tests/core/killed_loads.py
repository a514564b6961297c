"""Kill a load at every change it makes to the disk, and look at what is left; run by lake_load_test in its own process.

usage: killed_loads.py FOLDER     prints how many kills there were
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from small_intake import CUSTOMERS, FREE, HEAD, OTHER, PHONE, Intake, row

from keepline.canonical import file_hash
from keepline.lake import intake
from keepline.lake.store import Lake, open_lake
from keepline.site import open_site

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.move", "shutil.copyfile"}
KILLED = 9


def load_killed_at(root: Path, number: int) -> bool:
    """Load in a child that dies before its n-th change of the disk; True when it died."""
    return killed_at(number, lambda: intake.load(open_site(root), sorted((root / "inbox").glob("*"))))


def killed_at(number: int, act: Callable[[], object]) -> bool:
    """Act in a child that dies before its n-th change of the disk; True when it died."""
    child = os.fork()
    if child == 0:
        _die_at(number)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), code
    return code == KILLED


def _die_at(number: int) -> None:
    seen = [0]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wxa+")
        if event in CHANGES or writes:
            seen[0] += 1
            if seen[0] == number:
                os._exit(KILLED)

    sys.addaudithook(hook)


def content(lake: Lake) -> dict[tuple[str, str, str], str]:
    """The lake's files, each of which must be there and whole."""
    for f in lake.files:
        assert file_hash(lake.root / f.path) == f.sha256, f.path
    return {(f.table, f.month, f.holds_from): f.sha256 for f in lake.files}


def main(folder: Path) -> int:
    """Every kill leaves the lake as it was, or with whole files of the load; loading again completes it."""
    start = Intake(folder / "start")
    start.load("customers.csv", f"手机号,账期\n{PHONE},2026-09\n")
    start.bills(row(), row(month="2026-08"))
    shutil.rmtree(start.inbox)
    start.inbox.mkdir()
    start.maps(customers=CUSTOMERS + FREE)
    start.put("customers.csv", f"手机号,账期\n{PHONE},2026-10\n{OTHER},2026-10\n")
    start.put("bills.csv", f"{HEAD}\n{row(amount='13')}\n{row(OTHER)}\n{row(month='2026-10')}\nx,2026-10,1\n")
    before = content(open_lake(start.site.lake))
    done = _copy(folder, "done")
    assert not load_killed_at(done, 1 << 30)
    after = content(open_lake(done / "lake"))
    number = 1
    while True:
        root = _copy(folder, f"{number}")
        died = load_killed_at(root, number)
        left = content(open_lake(root / "lake"))
        customers_only = before | {place: sha for place, sha in after.items() if place[0] in CUSTOMER_TABLES}
        assert left in (before, customers_only, after), f"kill {number} left half a load"
        assert not load_killed_at(root, 1 << 30)
        assert content(open_lake(root / "lake")) == after, f"kill {number} was not made good"
        assert list((root / "intake" / "set-aside").glob("*.csv")), f"kill {number} lost the rows set aside"
        shutil.rmtree(root)
        if not died:
            return number - 1
        number += 1


CUSTOMER_TABLES = ("customers", "contact_details")


def _copy(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(folder / "start", folder / name))


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
