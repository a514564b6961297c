"""Their header and our mapping brought together: which column is which, and what is missing, doubled or renamed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from keepline.lake.mapping import Bounds
from keepline.lake.refusals import refusal
from keepline.lake.values import DECIMAL, tidy

REASON_COLUMNS = ("_line", "_column", "_rule", "_message_zh", "_message_en", "_raw")


class Header:
    """Column positions by name; a name fits exactly, or after tidying width, spaces and case."""

    def __init__(self, names: Sequence[str], *, file: str, bounds: Bounds) -> None:
        self.names, self._file = list(names), file
        if len(self.names) > bounds.columns_max:
            raise refusal("too_many_columns", file=file, said=len(self.names))
        doubled = [name for name, times in Counter(tidy(n) for n in self.names if tidy(n)).items() if times > 1]
        if doubled:
            raise refusal("duplicate_headers", file=file, said=", ".join(doubled))
        self._exact = {name: index for index, name in enumerate(self.names)}
        self._plain = {_plain(name): index for index, name in enumerate(self.names)}
        self.cleaned: set[str] = set()
        self.used: set[int] = set()

    def find(self, spellings: Iterable[str]) -> int | None:
        """The position of the first spelling the file has."""
        for name in spellings:
            index = self._exact.get(name)
            if index is None:
                index = self._plain.get(_plain(name))
                if index is not None:
                    self.cleaned.add(self.names[index].strip())
            if index is not None:
                self.used.add(index)
                return index
        return None

    def need(self, spellings: Sequence[str]) -> int:
        found = self.find(spellings)
        if found is None:
            raise self._missing(spellings)
        return found

    def _missing(self, spellings: Sequence[str]) -> Exception:
        first = ", ".join(self.names[:4])
        if not self.used and sum(_is_data(name) for name in self.names) * 2 >= len(self.names):
            return refusal("no_header", file=self._file, said=first)
        return refusal("missing_column", file=self._file, said=" / ".join(spellings))

    @property
    def unused(self) -> list[str]:
        """Their columns that nothing reads."""
        extra = (name for index, name in enumerate(self.names) if index not in self.used and name.strip())
        return [name for name in extra if name not in REASON_COLUMNS]


def _plain(name: str) -> str:
    return re.sub(r"\s", "", tidy(name)).casefold()


def _is_data(cell: str) -> bool:
    said = tidy(cell)
    return bool(DECIMAL.fullmatch(said.lstrip("-")) or re.fullmatch(r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?", said))
