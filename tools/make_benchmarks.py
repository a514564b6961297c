"""Runs the benchmarks and writes what they print to docs/benchmarks.md, a section each.

Without a name all are run, which takes hours; with names only theirs, and the other sections stay as they
are. A benchmark that fails leaves its last lines in its section, and this ends with 1.

usage: tools/make_benchmarks.py [NAME …]      as in: tools/make_benchmarks.py value experiments
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TO = ROOT / "docs" / "benchmarks.md"
ENDING = "_bench.py"
HEAD = """# Benchmarks · 基准测试

Written by `make bench`; do not edit. 由 `make bench` 生成，请勿手改。

CPU seconds, since wall time on a shared machine is not fair; ours and the peers' jobs take turns in one run. Run one
again with `make bench ONLY=value`; each file of `benchmarks/` says what it needs. Marks not met stand in bold.
"""
SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)(?=\n<!-- \w+ -->\n|\Z)", re.DOTALL)


def names() -> list[str]:
    return sorted(path.name.removesuffix(ENDING) for path in (ROOT / "benchmarks").glob(f"*{ENDING}"))


def known() -> dict[str, str]:
    """The sections that stand, by name."""
    return dict(SECTION.findall(TO.read_text(encoding="utf-8"))) if TO.exists() else {}


def measured(name: str) -> tuple[str, bool]:
    """What one benchmark printed, under the commit it was measured at; whether it ended well."""
    ran = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / f"{name}{ENDING}")], capture_output=True, text=True, check=False
    )
    said = ran.stdout.strip()
    if not said.startswith("## "):
        said = f"## {name.capitalize()}\n\n{said}"
    if ran.returncode:
        last = "\n".join(ran.stderr.strip().splitlines()[-3:])
        said += f"\n\n**It ended with {ran.returncode}:**\n\n```\n{last}\n```"
    return f"{said}\n\nCommit `{commit()}` · Python {platform.python_version()}\n", not ran.returncode


def commit() -> str:
    """The commit, and whether anything but the page itself differs from it."""
    others = ("status", "--porcelain", "--", ".", f":!{TO.relative_to(ROOT)}")
    return git("describe", "--always") + ("-dirty" if git(*others) else "")


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def write(sections: dict[str, str]) -> None:
    parts = [f"<!-- {name} -->\n{sections[name].strip()}\n" for name in sorted(sections)]
    TO.write_text(HEAD + "\n" + "\n".join(parts), encoding="utf-8")


def main(asked: list[str]) -> int:
    there = names()
    if strange := set(asked) - set(there):
        sys.exit(f"there is no benchmark {', '.join(sorted(strange))}; there are {', '.join(there)}")
    sections, good = {name: text for name, text in known().items() if name in there}, True
    for name in asked or there:
        print(f"{name} …", file=sys.stderr, flush=True)
        sections[name], well = measured(name)
        good &= well
        write(sections)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
