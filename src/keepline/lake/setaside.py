"""Rows set aside: written with their reasons into a file that can be mended and loaded again."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from keepline.lake.filereport import Sample
from keepline.lake.header import REASON_COLUMNS
from keepline.lake.mapping import Mapping, MappingFile, Source
from keepline.lake.rules import SET_ASIDE

SAMPLES = 20
MARK = ".set-aside."
FOLDER = "set-aside"  # in the intake folder
LOADED = f"{FOLDER}/loaded"  # waiting rows that came in, kept while that can be undone
WAITING, UNDONE = ".waiting.csv", ".undone.csv"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


class SetAside:
    """Writes rows with their reasons beside each other; counts them by rule."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path, self.header = path, list(header)
        self.rules: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self._stream: IO[str] | None = None
        self._writer: Any = None

    def add(self, *, line: int, column: str, rule: str, fields: Sequence[str], raw: str) -> None:
        """One row with its place, rule and words."""
        value = self._value(column, fields)
        en, zh = SET_ASIDE[rule].told(column=column, value=value)
        self.rules[rule] += 1
        shown = readable(raw.rstrip("\n"))
        if len(self.samples) < SAMPLES:
            self.samples.append(Sample(line, column, rule, en, zh, shown[:500]))
        cells = [*fields, *[""] * len(self.header)][: len(self.header)]
        row = [guarded(readable(cell)) for cell in cells]
        self._open().writerow([*row, line, column, rule, zh, en, guarded(shown)])

    def _value(self, column: str, fields: Sequence[str]) -> str:
        if column in self.header and len(fields) == len(self.header):
            return fields[self.header.index(column)]
        return ""

    def _open(self) -> Any:
        if self._stream is None:
            self._stream = self.path.open("w", encoding="utf-8-sig", newline="", errors="backslashreplace")
            self._writer = csv.writer(self._stream)
            self._writer.writerow([*self.header, *REASON_COLUMNS])
        return self._writer

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @property
    def rows(self) -> int:
        return sum(self.rules.values())


def readable(text: str) -> str:
    """Bytes that were not in the file's encoding, read as GB18030 or UTF-8 where that gives text."""
    if not any("\udc80" <= char <= "\udcff" for char in text):
        return text
    for was, perhaps in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        try:
            return text.encode(was, "surrogateescape").decode(perhaps)
        except UnicodeError:
            continue
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def guarded(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula is shielded by an apostrophe; loading takes it off."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def place(folder: Path, name: str, sha256: str, *, waiting: bool) -> Path:
    """Where the set-aside rows of a file lie; the name keeps that of the file, without any folder."""
    stem = Path(name).name.split(MARK)[0]
    return folder / f"{stem}{MARK}{sha256[:8]}{WAITING if waiting else '.csv'}"


def moved(was: str, to: str) -> list[tuple[str, str]]:
    """The renames that put a file of rows elsewhere, with the mapping beside it."""
    return [(was, to), (was.removesuffix(".csv") + ".toml", to.removesuffix(".csv") + ".toml")]


def is_set_aside(path: Path) -> bool:
    return MARK in path.name and path.suffix == ".csv"


def keep_mapping(target: Path, used: MappingFile) -> None:
    """Keep the mapping beside the rows, so that they can be loaded again whatever it is called then."""
    beside = target.with_suffix(".toml")
    if not beside.exists() or beside.read_bytes() != used.path.read_bytes():
        partial = beside.with_name(f".{beside.name}")
        shutil.copyfile(used.path, partial)
        partial.replace(beside)


def as_plain(mapping: Mapping) -> Mapping:
    """The mapping for set-aside rows: commas, the header first; odd totals are no surprise.

    They were written as UTF-8, but a spreadsheet in which they were mended may have saved them otherwise.
    """
    kept = mapping.source
    plain = Source(delimiter=",", null_values=kept.null_values, dates=kept.dates, units=kept.units)
    return mapping.model_copy(update={"source": plain})
