"""What the values of a stranger's column look like: numbers, days, yes and no, a few codes, or anything."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from keepline.errors import IntakeError
from keepline.lake.days import AMBIGUOUS, day_reader
from keepline.lake.identity import mended
from keepline.lake.mapping import Rules
from keepline.lake.synonyms import YES
from keepline.lake.values import NO, Unfit, as_text, number, tidy
from keepline.lake.values import YES as YES_WORDS

MANY_CODES = 40
EMPTY = pa.array(["", "NULL", "null", "NA", "N/A", "nan", "NaN", "\\N"])
SEEN = 200  # distinct values looked at for days and telephones
MOST = 0.9


@dataclass(frozen=True)
class Looks:
    """One column of a sample."""

    name: str
    known: int
    distinct: int
    number: bool
    day: bool
    flag: bool
    phone: bool
    words: tuple[str, ...]  # the commonest values
    day_form: str  # strptime format when day and month could be mistaken
    largest: float

    @property
    def code(self) -> bool:
        return 0 < self.distinct <= MANY_CODES and not self.day

    @property
    def unique(self) -> bool:
        return self.known > 1 and self.distinct == self.known

    def is_a(self, kind: str) -> bool:
        return kind == "any" or not self.known or bool(getattr(self, kind))


def looks(name: str, values: pa.Array) -> Looks:
    """Judge a column by a sample of its values."""
    texts = pc.utf8_trim_whitespace(as_text(values))
    texts = texts.filter(pc.invert(pc.fill_null(pc.is_in(texts, value_set=EMPTY), True)))
    counted = sorted(pc.value_counts(texts).to_pylist(), key=lambda c: (-c["counts"], c["values"]))
    words = [str(entry["values"]) for entry in counted if entry["values"] is not None]
    numbers = [found for word in words if (found := _number(word)) is not None]
    return Looks(
        name=name,
        known=len(texts) - texts.null_count,
        distinct=len(words),
        number=_mostly(len(numbers), len(words)),
        day=_mostly(sum(_is_day(word) for word in words[:SEEN]), len(words[:SEEN])),
        flag=0 < len(words) <= 2 and all(_is_flag(word) for word in words),
        phone=_mostly(sum(_is_phone(word) for word in words[:SEEN]), len(words[:SEEN])),
        words=tuple(words[:5]),
        day_form=_day_form(words),
        largest=max(numbers, default=0.0),
    )


def _mostly(those: int, of: int) -> bool:
    """A slip in one value of many does not change what a column is."""
    return of > 0 and those >= MOST * of


def _number(word: str) -> float | None:
    try:
        return number(word)[0]
    except Unfit:
        return None


def _is_day(word: str) -> bool:
    if tidy(word).replace(".", "", 1).isdigit() and len(tidy(word)) != len("20261031"):
        return False
    try:
        day_reader(())(word)
    except Unfit:
        return False
    except IntakeError:
        return True
    return True


def _day_form(words: list[str]) -> str:
    """How days are written that could be mistaken: the part that passes twelve is the day."""
    found = [match for word in words if (match := AMBIGUOUS.fullmatch(tidy(word)))]
    if not _mostly(len(found), len(words)):
        return ""
    mark = re.sub(r"\d", "", found[0][0])[:1]
    year = "%Y" if len(found[0][3]) == 4 else "%y"
    day_first = any(int(match[1]) > 12 for match in found)
    return mark.join(("%d", "%m", year) if day_first else ("%m", "%d", year))


def _is_flag(word: str) -> bool:
    return tidy(word).lower() in {*YES_WORDS, *NO, *YES}


def _is_phone(word: str) -> bool:
    try:
        said, _ = mended(word, scientific=Rules().scientific)
    except Unfit:
        return False
    return len(said) == 11 and said.isdigit() and said.startswith("1")
