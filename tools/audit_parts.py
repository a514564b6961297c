"""Asks pip-audit, where a network is, whether a locked part has a known fault; a part it skips counts as a fault.

usage: tools/audit_parts.py [LOCK ...]     exit code 1: a part has a known fault, 2: not every part was looked at

pip-audit is none of our dependencies: install it beside, as by ``pipx install pip-audit``, or name it by ``PIP_AUDIT``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements/run.txt", "requirements/build.txt")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def main(locks: list[str]) -> int:
    program = os.environ.get("PIP_AUDIT") or shutil.which("pip-audit")
    if program is None:
        print("pip-audit is not here: pipx install pip-audit, or PIP_AUDIT=/path/to/pip-audit. Nothing was looked at.")
        return 2
    return max(audit(program, ROOT / lock) for lock in locks or LOCKS)


def audit(program: str, lock: Path) -> int:
    """One lock: every pin of it must come back with an answer."""
    words = [
        program,
        "--requirement",
        str(lock),
        "--no-deps",
        "--disable-pip",
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        answered: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        print(f"{lock.name}: pip-audit did not answer: {done.stderr.strip()[-400:]}")
        return 2
    wanted = {name.lower() for name in PIN.findall(lock.read_text(encoding="utf-8"))}
    looked = {part["name"].lower() for part in answered if "skip_reason" not in part}
    faults = [f"{part['name']} {part['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'none yet'}"
              for part in answered for one in part.get("vulns", [])]  # fmt: skip
    for words_ in faults:
        print(f"{lock.name}: {words_}")
    if missed := sorted(wanted - looked):
        print(f"{lock.name}: not looked at: {', '.join(missed)}")
        return 2
    print(f"{lock.name}: {len(wanted)} parts looked at, {len(faults)} known faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
