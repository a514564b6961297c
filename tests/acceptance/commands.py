"""The command line as a user runs it, for tests that look from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

KEEPLINE = [sys.executable, "-c", "from keepline.cli import main; main()"]


def keepline(*words: str | Path, expect: int = 0) -> str:
    """Run a command and demand its exit code; what it printed."""
    done = subprocess.run([*KEEPLINE, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def answer(*words: str | Path, expect: int = 0) -> Any:
    """The command's answer as JSON."""
    return json.loads(keepline(*words, "--json", expect=expect))


def parts(site: Path, table: str, month: str) -> list[Path]:
    return sorted((site / "published" / month / table).glob("part-*.parquet"))


def rows(site: Path, table: str, month: str) -> list[dict[str, Any]]:
    return [row for part in parts(site, table, month) for row in pq.read_table(part).to_pylist()]
