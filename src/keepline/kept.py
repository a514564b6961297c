"""Parts that later runs need again, kept by what they were made from: SITE/kept/, safe to delete.

::

    SITE/kept/TABLE-MONTH-HASH/part-00000.parquet      what the run made, by a hard link
                               made_from.json          where others can be made of it: from which files, and how

Of past months those customers that somebody learns from (``past.py``), and what their plans came to
(``measurement/once.py``); of the month that is closed what the next is rolled from, and its features until they are
published. Equal inputs, policy and query give equal parts. Keeping is a saving and no more: where it fails, as on a
full disk, the run goes on, and what others put here is left alone.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from keepline.periods import Month
from keepline.tables import LATEST

MONTHS = 36  # longest that a kept part can still be asked for,
MONTHS_OF = {
    **dict.fromkeys(("carried", *(table.name for table in LATEST.values())), 2),
    "features": 0,
    **dict.fromkeys(("arm_sums", "score_cells", "value_sums"), 1200),
}  # but for what the next month is rolled from, what is published by then, and sums of past plans, which are few rows
HASHED = 16
MADE_FROM = "made_from.json"
NAMED = re.compile(rf"(\w+)-([0-9]{{4}}-(?:0[1-9]|1[0-2]))-[0-9a-f]{{{HASHED}}}")


Content = dict[str, list[tuple[str, str]]]  # by table month and hash of each file


@dataclass(frozen=True)
class Told:
    """Kept parts, and the files that they were made from."""

    folder: Path
    content: Content


@dataclass(frozen=True)
class Kept:
    """What is kept of a site. Whoever may not add to it still finds what is there."""

    root: Path
    adds: bool = True

    def folder(self, table: str, month: Month, made_from: str) -> Path:
        return self.root / f"{table}-{month}-{made_from[:HASHED]}"

    def find(self, kept: Path, to: Path) -> bool:
        """Put the kept part in its place, if there is a whole one; one cut short goes, if it may, to be made anew."""
        if not kept.exists() or not self._is_whole(kept):
            return False
        same_file(kept, to)
        return True

    def _is_whole(self, kept: Path) -> bool:
        """Whether its footer, which is written last, can be read: a power cut may leave a part without its end."""
        try:
            pq.read_metadata(kept)
        except pa.ArrowException:
            if self.adds:
                kept.unlink()
            return False
        return True

    def add(self, part: Path, kept: Path) -> None:
        if self.adds and not kept.exists():
            with suppress(OSError):
                same_file(part, kept)

    def tell(self, folder: Path, made_by: str, content: Content) -> None:
        """Leave with the parts what they are made from, so that later ones can be made of them."""
        told = folder / MADE_FROM
        if not self.adds or _read(told):
            return
        partial = folder / f".{MADE_FROM}.{os.getpid()}.{threading.get_ident()}"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps({"made_by": made_by, "content": content}), encoding="utf-8")
            partial.replace(told)

    def told(self, table: str, month: Month, made_by: str) -> list[Told]:
        """What is kept of a table's month and made in that way, the latest first."""
        found = sorted(self.root.glob(f"{table}-{month}-*/{MADE_FROM}"), key=lambda told: told.stat().st_mtime_ns)
        said = [(path.parent, _read(path)) for path in reversed(found) if NAMED.fullmatch(path.parent.name)]
        return [Told(folder, each["content"]) for folder, each in said if each.get("made_by") == made_by]

    def sweep(self, now: Month) -> None:
        """Let go of what is too old to be asked for, and of all but the latest version of each table and month."""
        newest: dict[tuple[str, str], Path] = {}
        for folder in sorted(self.root.glob("*-????-??-*"), key=lambda each: each.stat().st_mtime_ns):
            if (named := NAMED.fullmatch(folder.name)) is None:
                continue
            table, month = named.groups()
            if (old := newest.pop((table, month), None)) is not None:
                shutil.rmtree(old)
            if now - Month.parse(month) < MONTHS_OF.get(table, MONTHS):
                newest[table, month] = folder
            else:
                shutil.rmtree(folder)


def _read(path: Path) -> dict[str, Any]:
    """Nothing where a power cut left it without its end, or somebody put another there."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) and said.keys() == {"made_by", "content"} else {}


def same_file(was: Path, to: Path) -> None:
    """One file under two names where the disk can, else a copy; whole or not there.

    Parts are written beside their place and renamed, and never written to again, so what has the one name stays as it
    is whatever becomes of the other.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    try:
        try:
            os.link(was, partial)
        except OSError:
            shutil.copyfile(was, partial)
        partial.replace(to)
    finally:
        partial.unlink(missing_ok=True)
