"""How a line of a draft mapping is written: the setting, what it means in both languages, and whether it is a guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MONTH_UNKNOWN = "YYYY-MM"  # no billing month, so a draft that nobody read is refused


@dataclass(frozen=True)
class Line:
    """One setting of the draft."""

    name: str
    said: str
    zh: str
    en: str
    sure: bool

    def text(self) -> str:
        mark = "" if self.sure else "【请确认 CONFIRM】"
        note = f"{mark}{self.zh} {self.en}".replace("\n", " ").replace("\r", " ")
        return f"{self.name} = {self.said}  # {note}"


def section(table: str, lines: Iterable[Line], extra: Sequence[str] = ()) -> list[str]:
    """A ``[[table]]`` with its columns."""
    return ["", "[[table]]", f'name = "{table}"', *extra, "[table.columns]", *(line.text() for line in lines)]
