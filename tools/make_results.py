"""Runs every test, the long ones too, and writes what they found to docs/results.md.

A test hands over a figure through the fixture ``found`` of tests/conftest.py. The page names
the commit, so that a figure can be made again.

usage: tools/make_results.py [pytest arguments]
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
TO = ROOT / "docs" / "results.md"


@dataclass(frozen=True)
class Figure:
    """One figure a test found."""

    room: str
    what: str
    value: str
    demand: str
    source: str
    test: str
    passed: bool


def figures(junit: Path) -> Iterator[Figure]:
    """What the tests handed over, in the order they ran."""
    for case in ElementTree.parse(junit).iter("testcase"):
        passed = case.find("failure") is None and case.find("error") is None
        room, test = case.get("classname", "").rpartition(".")[2], case.get("name", "")
        for said in case.iter("property"):
            if said.get("name") == "found":
                yield Figure(**json.loads(said.get("value", "{}")), room=room, test=test, passed=passed)


def page(found: list[Figure], *, commit: str, counts: str) -> str:
    """The document: one table a test file."""
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    lines = [
        "# Results · 测试结果",
        "",
        "Written by `make check-full`; do not edit. 由 `make check-full` 生成，请勿手改。",
    ]
    lines += ["", f"Commit `{commit}` · {machine} · {counts}", ""]
    for room in sorted({figure.room for figure in found}):
        lines += [
            f"## {room.removesuffix('_test').replace('_', ' ')}",
            "",
            "| what | found | demanded | source | test |",
        ]
        lines += ["|---|---|---|---|---|", *(row(figure) for figure in found if figure.room == room), ""]
    return "\n".join(lines)


def row(figure: Figure) -> str:
    value = figure.value if figure.passed else f"{figure.value} **(test failed)**"
    cells = (figure.what, value, figure.demand, figure.source, f"`{figure.test}`")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def counted(junit: Path) -> str:
    suite = next(ElementTree.parse(junit).iter("testsuite"))
    total, bad, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "skipped"))
    bad += int(suite.get("errors", 0))
    return f"{total - bad - skipped} passed, {bad} failed, {skipped} skipped"


def commit() -> str:
    """The commit the figures belong to, and whether files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return said.stdout.strip()


def main(arguments: list[str]) -> int:
    at = commit()
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        asked = arguments or ["-m", "", "-n", "2", "--dist", "loadgroup"]
        code = subprocess.run(
            [sys.executable, "-m", "pytest", *asked, f"--junitxml={junit}", "-o", "junit_family=xunit1"],
            cwd=ROOT, check=False,
        ).returncode  # fmt: skip
        TO.write_text(page(list(figures(junit)), commit=at, counts=counted(junit)), encoding="utf-8")
    print(f"written / 已写入: {TO.relative_to(ROOT)}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
