"""Columns of text, numbers or dates become our five types; what does not fit is named by row and rule."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PLAIN_NUMBER = r"^[-+]?\d{1,15}(\.\d{1,17})?$"
INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad\u00a0\t\r\n]")
EXACT = 2**53  # whole numbers beyond it are no longer exact in a double
WAN, YI = 10_000.0, 100_000_000.0


class Unfit(ValueError):  # noqa: N818  it is not an error of the program
    """A value that cannot be what its column says; carries the rule's code."""


@dataclass
class Parsed:
    """One column of a batch: values, rows that do not fit with their rule, and what was mended how often."""

    values: pa.Array
    bad: dict[int, str] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)


One = Callable[[str], tuple[Any, str]]  # a value and the code of what was mended, "" when nothing


def tidy(text: str) -> str:
    """The same characters in their usual width, without invisible ones or spaces around."""
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


def as_text(values: pa.Array) -> pa.Array:
    """Anything as text: whole doubles without .0, dates as YYYY-MM-DD."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_string(values.type):
        return values
    if pa.types.is_floating(values.type):
        return _floats_as_text(values)
    return values.cast(pa.string())


def _floats_as_text(values: pa.Array) -> pa.Array:
    said = [None if v is None or v != v else str(int(v)) if v == int(v) else repr(v) for v in _finite(values)]
    return pa.array(said, pa.string())


def _finite(values: pa.Array) -> Iterable[float | None]:
    return (None if v in (float("inf"), float("-inf")) else v for v in values.to_pylist())


def trimmed(values: pa.Array, empty: pa.Array) -> pa.Array:
    """Text without spaces around it; what counts as empty becomes null."""
    text = pc.utf8_trim_whitespace(as_text(values))
    return pc.if_else(pc.is_in(text, value_set=empty), pa.scalar(None, pa.string()), text)


def by_unique(texts: pa.Array, kind: pa.DataType, one: One) -> Parsed:
    """Parse every distinct text once."""
    encoded = texts.dictionary_encode()
    results, bad, notes = [], {}, {}
    for number, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            value, note = one(text)
        except Unfit as unfit:
            value, note = None, ""
            bad[number] = str(unfit)
        results.append(value)
        if note:
            notes[number] = note
    values = pa.array(results, kind).take(encoded.indices)
    if not bad and not notes:
        return Parsed(values)
    indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return Parsed(values, _rows_of(indices, bad), _counted(indices, notes))


def _rows_of(indices: np.ndarray[Any, Any], bad: dict[int, str]) -> dict[int, str]:
    rows = np.flatnonzero(np.isin(indices, list(bad)))
    return {int(row): bad[int(indices[row])] for row in rows}


def _counted(indices: np.ndarray[Any, Any], notes: dict[int, str]) -> Counter[str]:
    seen = Counter(indices[np.isin(indices, list(notes))].tolist())
    total: Counter[str] = Counter()
    for number, times in seen.items():
        total[notes[number]] += times
    return total


def numbers(values: pa.Array, empty: pa.Array) -> Parsed:
    """Doubles from numbers or text. NaN in a typed file is how others write nothing."""
    if pa.types.is_null(values.type):
        return Parsed(pa.nulls(len(values), pa.float64()))
    if _is_number(values.type):
        return _typed_numbers(values)
    texts = trimmed(values, empty)
    plain = pc.match_substring_regex(texts, PLAIN_NUMBER)
    if pc.all(plain, min_count=0).as_py():
        return Parsed(texts.cast(pa.float64()))
    return _mixed_numbers(texts, pc.fill_null(plain, True))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _typed_numbers(values: pa.Array) -> Parsed:
    doubles = values.cast(pa.float64(), safe=False)
    if not pa.types.is_floating(values.type):
        return Parsed(doubles)
    known = pc.if_else(pc.is_nan(doubles), pa.scalar(None, pa.float64()), doubles)
    infinite = np.flatnonzero(pc.fill_null(pc.is_inf(known), False).to_numpy(zero_copy_only=False))
    return Parsed(known, {int(row): "not_a_number" for row in infinite})


def _mixed_numbers(texts: pa.Array, plain: pa.Array) -> Parsed:
    """Plain ones at once, the others one by one."""
    nothing = pa.scalar(None, pa.string())
    others = by_unique(pc.if_else(plain, nothing, texts), pa.float64(), number)
    plain_ones = pc.if_else(plain, texts, nothing).cast(pa.float64())
    return Parsed(pc.if_else(plain, plain_ones, others.values), others.bad, others.notes)


GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
DECIMAL = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?")


def number(text: str) -> tuple[float, str]:
    """A number as people write it: 1,234.50  ￥12.3  １２．３  1.2万  (12.30)."""
    said = tidy(text).replace(" ", "")
    brackets = said.startswith("(") and said.endswith(")")
    body = said[1:-1] if brackets else said
    sign = -1.0 if brackets or body.startswith("-") else 1.0
    body = body.lstrip("+-").lstrip("¥￥$€").lstrip("+-") if not brackets else body.lstrip("¥￥$€")
    body, times = _worded(body)
    if GROUPED.fullmatch(body):
        body = body.replace(",", "")
    if not DECIMAL.fullmatch(body):
        raise Unfit("not_a_number")
    value = sign * float(body) * times
    if abs(value) > 1e300:
        raise Unfit("too_large")
    return value, "money_signs"


def _worded(body: str) -> tuple[str, float]:
    for word, times in (("万元", WAN), ("亿元", YI), ("万", WAN), ("亿", YI), ("元", 1.0)):
        if body.endswith(word):
            return body.removesuffix(word), times
    return body, 1.0


def whole(parsed: Parsed, times: float) -> Parsed:
    """Numbers times a factor, rounded half away from zero to whole ones (fen, seconds, KB)."""
    known = parsed.values.is_valid().to_numpy(zero_copy_only=False)
    # Rounding to six decimals first takes off the last bit of a double: 1.005 × 100 is 100.49999….
    scaled = np.round(pc.fill_null(parsed.values, 0.0).to_numpy(zero_copy_only=False) * times, 6)
    rounded = np.trunc(scaled + np.copysign(0.5, scaled))
    big = np.abs(rounded) >= EXACT
    bad = parsed.bad | {int(row): "too_large" for row in np.flatnonzero(big & known)}
    notes = parsed.notes.copy()
    finer = int(np.count_nonzero((scaled != rounded) & known & ~big))
    if finer:
        notes["rounded"] += finer
    integers = np.where(big, 0.0, rounded).astype(np.int64)
    return Parsed(pa.array(integers, mask=~known | big), bad, notes)


def doubles(parsed: Parsed, times: float) -> Parsed:
    """Numbers times a factor; never minus zero."""
    return Parsed(pc.add(pc.multiply(parsed.values, times), 0.0), parsed.bad, parsed.notes)


YES = frozenset(["是", "有", "已", "同意", "yes", "y", "true", "t", "1", "1.0"])
NO = frozenset(["否", "无", "未", "不同意", "no", "n", "false", "f", "0", "0.0"])


def yes_or_no(values: pa.Array, empty: pa.Array, *, yes: frozenset[str], no: frozenset[str]) -> Parsed:
    """Booleans from booleans or words; the mapping's words count before the usual ones."""
    if pa.types.is_boolean(values.type):
        return Parsed(values)

    def one(text: str) -> tuple[bool, str]:
        said = tidy(text)
        if said in yes or said in no:
            return said in yes, ""
        if said.lower() in YES | NO and not (yes or no):
            return said.lower() in YES, ""
        raise Unfit("not_yes_or_no")

    return by_unique(trimmed(values, empty), pa.bool_(), one)


def codes(values: pa.Array, empty: pa.Array, *, table: dict[str, str], other: str | None) -> Parsed:
    """Their codes as ours; an unlisted one is ``other`` or set aside."""
    known = {tidy(theirs): ours for theirs, ours in table.items()}

    def one(text: str) -> tuple[str, str]:
        ours = known.get(tidy(text), other)
        if ours is None:
            raise Unfit("unknown_code")
        return ours, ""

    return by_unique(trimmed(values, empty), pa.string(), one)


def allowed(parsed: Parsed, codes_allowed: tuple[str, ...]) -> Parsed:
    """The column's closed list of codes, when it has one."""
    if not codes_allowed:
        return parsed
    fine = pc.is_in(parsed.values, value_set=pa.array([*codes_allowed, None], pa.string()))
    foreign = np.flatnonzero(~fine.to_numpy(zero_copy_only=False))
    return Parsed(parsed.values, parsed.bad | {int(row): "unknown_code" for row in foreign}, parsed.notes)


def words(values: pa.Array, empty: pa.Array) -> Parsed:
    """Text that is joined or grouped by: usual width, no invisible characters."""
    texts = trimmed(values, empty)
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return Parsed(texts)

    def one(text: str) -> tuple[str | None, str]:
        said = tidy(text)
        return said or None, "invisible" if INVISIBLE.search(text) else ""

    return by_unique(texts, pa.string(), one)


def as_written(values: pa.Array, empty: pa.Array) -> Parsed:
    """Free text, stored as it came; only what counts as empty becomes null."""
    text = as_text(values)
    blank = pc.is_in(pc.utf8_trim_whitespace(text), value_set=empty)
    return Parsed(pc.if_else(blank, pa.scalar(None, pa.string()), text))
