"""The lake on disk: immutable Parquet files named by one manifest, which is switched whole.

A load writes new files beside the old ones and then renames a new ``manifest.json`` into
place; a kill at any moment leaves the lake as it was or as it should be. Files that no
manifest names are swept by the next load; those that a load replaced stay named while it can be undone.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median_high
from typing import Any

from keepline.canonical import text_hash
from keepline.engine import Files, Scan
from keepline.jsonfile import damaged, read_json
from keepline.lake.counting import count_customers
from keepline.periods import Month, months_between
from keepline.tables import TABLES

MANIFEST = "manifest.json"
READERS = ".readers"  # locked by whoever reads, so that a sweep waits
USUAL_MONTHS, USUAL_ROWS = 12, 10  # what is usual of a table, and from how many rows on none is a gap


@dataclass(frozen=True)
class LakeFile:
    """One file: rows of one table and month, sorted by customer where there is one."""

    table: str
    month: str
    path: str  # relative to the lake
    rows: int
    sha256: str
    holds_from: str = ""  # snapshot from which this version of a closed month counts; "" from the beginning


@dataclass(frozen=True)
class Trace:
    """How one load changed the lake, so that it can be undone."""

    load: int
    at: int = 0  # seconds by the file system's clock; told to people and to no run
    came: tuple[LakeFile, ...] = ()
    went: tuple[LakeFile, ...] = ()  # what ``came`` took the place of
    past: bool = False  # it can be undone no more, and ``went`` is let go
    waits: str = ""  # file of rows that wait for their customers since
    took: str = ""  # file of waiting rows that this load brought in
    because: int = 0  # load that brought the customers they waited for
    of: int = 0  # load whose rows they are

    @property
    def places(self) -> set[tuple[str, str]]:
        """Table and month of everything it changed."""
        return {(f.table, f.month) for f in self.came}


@dataclass(frozen=True)
class Lake:
    """What the lake holds at one moment."""

    root: Path
    files: tuple[LakeFile, ...]
    sources: tuple[dict[str, Any], ...] = field(default=())  # files loaded: load, path, sha256, rows, counts
    traces: tuple[Trace, ...] = ()
    undone: tuple[dict[str, Any], ...] = ()  # sources that were undone, with the reason
    moves: tuple[tuple[str, str], ...] = ()  # renames in the intake folder that belong to the last switch
    key_mark: str = ""  # of the key its pseudonyms were made with; unknown before it was first noted

    def months(self, table: str) -> list[Month]:
        return sorted({Month.parse(f.month) for f in self.files if f.table == table})

    def counts_from(self, table: str, month: Month) -> Month | None:
        """The first snapshot that sees rows of a month: itself, or a later one if they came after it was published."""
        found = [Month.parse(f.holds_from or f.month) for f in self.files if (f.table, f.month) == (table, str(month))]
        return min(found, default=None)

    def has(self, table: str) -> bool:
        return any(f.table == table and f.rows for f in self.files)

    def rows(self, table: str) -> int:
        return sum(f.rows for f in self.versions() if f.table == table)

    @cached_property
    def customers(self) -> int:
        """How many there are, near enough to cut ranges by: who is delivered every month counts once."""
        files = [f for f in self.versions() if f.table == "customers"]
        rows: Counter[str] = Counter()
        for file in files:
            rows[file.month] += file.rows
        if len(rows) < 2:
            return rows.total()
        return count_customers([self.root / f.path for f in files], max(rows.values()))

    def versions(self, snapshot: Month | None = None) -> list[LakeFile]:
        """The version of each table and month that a snapshot sees; the newest when none is given.

        A correction of a month that was published is a new version that counts from the first
        open month on, so that what was published stays what it was.
        """
        known = [f for f in self.files if snapshot is None or not f.holds_from or Month.parse(f.holds_from) <= snapshot]
        newest: dict[tuple[str, str], str] = {}
        for f in known:
            newest[f.table, f.month] = max(newest.get((f.table, f.month), ""), f.holds_from)
        return [f for f in known if f.holds_from == newest[f.table, f.month]]

    def scan(self, table: str, snapshot: Month, *, months: int | None = None, known: Month | None = None) -> Scan:
        """The table as known at the end of ``snapshot``: nothing later, at most ``months`` back.

        ``known``: of those months, what a later snapshot knows.
        """
        by_month: dict[int, list[Path]] = {}
        for f in self._seen(table, snapshot, months, known or snapshot):
            by_month.setdefault(snapshot - Month.parse(f.month), []).append(self.root / f.path)
        files = tuple(Files(tuple(sorted(by_month[ago])), ago) for ago in sorted(by_month))
        return Scan(TABLES[table], files, snapshot.index)

    def content(
        self, table: str, snapshot: Month, *, months: int | None = None, known: Month | None = None
    ) -> list[tuple[str, str]]:
        """Month and hash of every file that ``scan`` would show: equal content, equal view."""
        return sorted((f.month, f.sha256) for f in self._seen(table, snapshot, months, known or snapshot))

    def _seen(self, table: str, snapshot: Month, months: int | None, known: Month) -> list[LakeFile]:
        oldest = snapshot.index - months + 1 if months is not None else -1
        return [
            f
            for f in self.versions(known)
            if f.table == table and oldest <= Month.parse(f.month).index <= snapshot.index
        ]

    def window(self, table: str, first: Month, last: Month, *, known: Month | None = None) -> Scan:
        """The table from ``first`` to ``last``: the outcome window of a past snapshot.

        ``months_ago`` counts from ``last``. Only labels and measurement may ask for it.
        """
        return self.scan(table, last, months=last - first + 1, known=known)

    def gaps(self, table: str, first: Month, last: Month, *, known: Month | None = None) -> list[Month]:
        """The months of a window of which a table has nothing, though half the months up to its end have many rows.

        Where ten are usual none come by chance in one month of 22,000; what has none is not loaded yet, or was not
        recorded then. A table with few rows, or with rows in some months only, says nothing by having none.
        """
        rows: Counter[Month] = Counter()
        for file in self._seen(table, last, None, known or last):
            rows[Month.parse(file.month)] += file.rows
        begun = min((month for month in rows if rows[month]), default=last)
        usual = median_high(rows[month] for month in months_between(max(begun, last + -(USUAL_MONTHS - 1)), last))
        return [] if usual < USUAL_ROWS else [m for m in months_between(first, last) if not rows[m]]

    def identity(self, snapshot: Month) -> str:
        """Hash of everything a run of ``snapshot`` may read; contact details tell nobody's decision."""
        seen = sorted(
            (f.table, f.month, f.sha256)
            for f in self.versions(snapshot)
            if Month.parse(f.month) <= snapshot and "month" in TABLES[f.table].names
        )
        return text_hash(seen)


@contextmanager
def reading(root: Path) -> Iterator[Lake]:
    """The lake as it is now, none of whose files is swept away while it is read, whatever is loaded meanwhile."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / READERS).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)  # waits for a sweep, which is short
        yield open_lake(root)


def open_lake(root: Path) -> Lake:
    """The lake as its manifest says. Without one it is empty, unless there are files that nothing speaks of."""
    path = root / MANIFEST
    if not path.exists():
        if (stray := next(root.rglob("*.parquet"), None)) is not None:
            found = stray.relative_to(root)
            raise damaged(
                path, f"it is absent, and there are data such as {found}", f"文件缺失，而数据仍在，如 {found}"
            )
        return Lake(root, ())
    said = read_json(path)
    try:
        return _as_said(root, said)
    except (TypeError, KeyError, ValueError) as error:
        raise damaged(path, f"not what a manifest holds: {error}", "内容不是数据清单") from error


def _as_said(root: Path, said: dict[str, Any]) -> Lake:
    """The manifest read; loads of a version that did not number them are numbered in their order."""
    sources = tuple({"load": place, **source} for place, source in enumerate(said["sources"], start=1))
    traces = tuple(
        Trace(**trace | {side: tuple(LakeFile(**f) for f in trace[side]) for side in ("came", "went")})
        for trace in said.get("traces", ())
    )
    moves = tuple((was, to) for was, to in said.get("moves", ()))
    files = tuple(LakeFile(**f) for f in said["files"])
    return Lake(root, files, sources, traces, tuple(said.get("undone", ())), moves, said.get("key_mark", ""))


def begin(lake: Lake) -> None:
    """Write an empty manifest before the first data come, so that data without one are never a load cut short."""
    if not (lake.root / MANIFEST).exists():
        switch(lake, (), ())


def switch(lake: Lake, files: Iterable[LakeFile], sources: Iterable[dict[str, Any]], **rest: Any) -> Lake:
    """Make ``files``, ``sources`` and whatever else is given the whole content of the lake, atomically."""
    ordered = tuple(sorted(files, key=lambda f: (f.table, f.month, f.path)))
    new = replace(lake, files=ordered, sources=tuple(sources), **rest)
    partial = lake.root / f".{MANIFEST}.{os.getpid()}"
    lake.root.mkdir(parents=True, exist_ok=True)
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(_manifest(new))
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(lake.root / MANIFEST)
    return new


def _manifest(lake: Lake) -> str:
    sections: dict[str, Iterable[Any]] = {
        "files": map(vars, lake.files),
        "sources": lake.sources,
        "traces": map(asdict, lake.traces),
        "undone": lake.undone,
        "moves": lake.moves,
    }
    told = [f'"{name}": [{_lines(entries)}]' for name, entries in sections.items()]
    return "{" + ",\n".join([f'"key_mark": {json.dumps(lake.key_mark)}', *told]) + "}\n"


def _lines(entries: Iterable[Any]) -> str:
    """One entry a line: fast to write, and a change of one file is a change of one line."""
    return ",".join("\n" + json.dumps(entry, ensure_ascii=False) for entry in entries)


def sweep(lake: Lake) -> None:
    """Delete data files that the manifest does not name; while somebody reads the lake, leave them for later.

    What a load replaced is named as long as that load can be undone.
    """
    if not lake.root.is_dir():
        return
    named = {lake.root / f.path for files in (lake.files, *(trace.went for trace in lake.traces)) for f in files}
    with (lake.root / READERS).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for path in lake.root.rglob("*.parquet"):
            if path not in named:
                path.unlink()
