"""One batch of their rows becomes rows of our tables, as one section of the mapping says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from keepline.lake import values
from keepline.lake.days import day_before, days, months
from keepline.lake.header import Header
from keepline.lake.identity import Identities, account_numbers, phone
from keepline.lake.mapping import Mapping, unit_of
from keepline.lake.readers import Batch
from keepline.lake.refusals import refusal
from keepline.lake.sections import MONTHS, SLOT, ColumnMap, TableMap, is_pseudonym, must_have
from keepline.lake.selection import passing
from keepline.lake.units import factor
from keepline.lake.values import Parsed
from keepline.tables import ARROW, Column, Type

ROW = "__row"  # ordinal of the source row
FOLD = "__fold"  # pseudonym of the upper-case form of the number
OWN_TYPE = pa.array(["discount", "credit"])  # components that are negative by nature
AS_WRITTEN = {("contact_details", "name"), ("contact_persons", "name"), ("contact_persons", "person_no"),
              ("plans", "name"), ("attributes", "code"), ("departures", "reason")}  # fmt: skip
PHONES = {("contact_details", "phone"), ("contact_persons", "phone")}
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass
class Theirs:
    """One batch seen through the header; every column is read and every number parsed once."""

    batch: Batch
    header: Header
    mapping: Mapping
    identities: Identities
    file_name: str
    bad: dict[int, tuple[str, str]] = field(default_factory=dict)  # position -> their column, rule
    notes: Counter[str] = field(default_factory=Counter)
    sums: dict[int, float] = field(default_factory=dict)
    _arrays: dict[int, pa.Array] = field(default_factory=dict)
    _numbers: dict[int, Parsed] = field(default_factory=dict)
    _noted: set[tuple[int, str]] = field(default_factory=set)
    accounts: dict[tuple[tuple[int, ...], str], tuple[Parsed, Parsed]] = field(default_factory=dict)

    @property
    def empty(self) -> pa.Array:
        return pa.array(self.mapping.source.null_values, pa.string())

    def column(self, index: int) -> pa.Array:
        if index not in self._arrays:
            self._arrays[index] = self.batch.column(index)
        return self._arrays[index]

    def number(self, index: int) -> Parsed:
        """A column as doubles; its sum is kept for the check of a total row."""
        if index not in self._numbers:
            parsed = self._numbers[index] = values.numbers(self.column(index), self.empty)
            self.sums[index] = pc.sum(parsed.values, min_count=0).as_py() or 0.0
        return self._numbers[index]

    def mark(self, parsed: Parsed, column: str, keep: Mask) -> None:
        """Remember the rows that do not fit, unless the section leaves them out, and what was mended."""
        for position, rule in parsed.bad.items():
            if keep[position]:
                self.bad.setdefault(position, (column, rule))
        if parsed.notes and (id(parsed), column) not in self._noted:
            self._noted.add((id(parsed), column))
            self.notes.update(parsed.notes)


@dataclass(frozen=True)
class Piece:
    """Rows of ours from one batch: the columns in full length and which positions count."""

    columns: dict[str, pa.Array]
    keep: Mask


class Section:
    """A ``[[table]]`` of the mapping, bound to a file's header."""

    def __init__(self, said: TableMap, *, number: int, mapping: Mapping, header: Header) -> None:
        self.said, self.number, self.table, self.mapping = said, number, said.table, mapping
        self.automatic = False
        self.folds = False
        self.columns = _identity(said, header) if said.identity else dict(said.columns)
        self._months = said.wide.months if said.wide else {"": ""}
        self._rows = _long_rows(said)
        self._found: dict[tuple[int, str], tuple[int, ...] | None] = {}
        self._bind(header)

    def _bind(self, header: Header) -> None:
        specs = [*self.columns.values(), *(spec for _, _, spec in self._rows if spec is not None)]
        for slot in self._months:
            for spec in specs:
                self._found[id(spec), slot] = _positions(spec, slot, header)
            for test in (*self.said.when, *self.said.when_any):
                header.need([test.column.replace(SLOT, slot)])
        lacking = {n for n, spec in self.columns.items() if all(self._found[id(spec), s] is None for s in self._months)}
        for name in lacking:
            if name in must_have(self.table):
                header.need(self.columns[name].spellings)
        self.columns = {name: spec for name, spec in self.columns.items() if name not in lacking}

    @property
    def supplied(self) -> list[str]:
        """Our columns that this section gives, in declared order; others keep what the lake has."""
        given = set(self.columns) | ({"month"} if self.said.wide else set())
        if self.said.long:
            given |= {self.said.long.into, self.said.long.value}
        if self.said.attributes:
            given |= {"name", "number", "code"}
        if self.table.name == "contact_details":
            given |= {"customer_no"}
        return [name for name in self.table.names if name in given]

    def schema(self) -> pa.Schema:
        fields = [(name, ARROW[self.table.column(name).type]) for name in self.supplied]
        return pa.schema([*fields, *([(FOLD, pa.int64())] if self.folds else []), (ROW, pa.int64())])

    def pieces(self, theirs: Theirs) -> Iterator[Piece]:
        """Rows of ours; what does not fit is marked in ``theirs``."""
        everyone = np.ones(theirs.batch.rows, dtype=np.bool_)
        steady: dict[str, pa.Array] | None = None
        for slot, month in self._months.items():
            keep = passing(self.said, slot, theirs, everyone)
            if steady is None or self.said.wide:
                columns = self._columns(theirs, slot, keep, steady or {})
                steady = {name: columns[name] for name in columns if not self._moves(name)}
            if self.said.wide and "month" not in self.columns:
                columns["month"] = pa.repeat(pa.scalar(month), theirs.batch.rows)
            for piece in self._spread(columns, slot, keep, theirs):
                self._refuse_negative(piece, slot, theirs)
                yield piece

    def _moves(self, name: str) -> bool:
        return name in self.columns and self.columns[name].wide

    def _columns(self, theirs: Theirs, slot: str, keep: Mask, ready: dict[str, pa.Array]) -> dict[str, pa.Array]:
        made = dict(ready)
        for name, spec in self.columns.items():
            if name in ready:
                continue
            parsed = self.value(theirs, self.table.column(name), spec, slot)
            theirs.mark(parsed, _said(spec, slot, name), keep)
            made[name] = parsed.values
            if name == "customer_id":
                made |= self._numbers(theirs, spec, slot)
        return made

    def _numbers(self, theirs: Theirs, spec: ColumnMap, slot: str) -> dict[str, pa.Array]:
        """The number behind the pseudonym, for contact details, and its upper-case twin, for the check of case."""
        extra: dict[str, pa.Array] = {}
        number, pseudonyms = self._account(theirs, spec, slot)
        if self.table.name == "contact_details":
            extra["customer_no"] = _bare(number.values) if spec.opened else number.values
        if self.folds:
            upper = pc.utf8_upper(number.values)
            extra[FOLD] = pseudonyms.values if upper.equals(number.values) else theirs.identities.pseudonyms(upper)
        return extra

    def _spread(self, columns: dict[str, pa.Array], slot: str, keep: Mask, theirs: Theirs) -> Iterator[Piece]:
        """One piece, or one for each row of ``long`` or attribute."""
        if not self._rows:
            keep = self._not_empty(columns, keep)
            self._require(columns, keep, theirs)
            yield Piece(columns, keep)
        for code, value_column, spec in self._rows:
            assert spec is not None
            parsed = self.value(theirs, self.table.column(value_column), spec, slot)
            theirs.mark(parsed, _said(spec, slot, code), keep)
            known = keep & parsed.values.is_valid().to_numpy(zero_copy_only=False)
            self._require(columns, known, theirs)
            yield Piece(columns | self._named(code, value_column, parsed.values), known)

    def _refuse_negative(self, piece: Piece, slot: str, theirs: Theirs) -> None:
        """Where the mapping wants no negative bill but credits and discounts, it is set aside."""
        if self.table.name != "bills" or self.mapping.rules.negative_bill != "set_aside":
            return
        own = pc.is_in(piece.columns["component"], value_set=OWN_TYPE).to_numpy(zero_copy_only=False)
        below = pc.fill_null(pc.less(piece.columns["amount_fen"], 0), False).to_numpy(zero_copy_only=False)
        spec = self.columns.get("amount_fen")
        for position in np.flatnonzero(piece.keep & below & ~own).tolist():
            theirs.bad.setdefault(position, (_said(spec, slot, "amount_fen"), "negative_bill"))

    def _named(self, code: str, value_column: str, found: pa.Array) -> dict[str, pa.Array]:
        into = self.said.long.into if self.said.long else "name"
        named = {into: pa.repeat(pa.scalar(code), len(found)), value_column: found}
        if self.said.attributes:
            other = "code" if value_column == "number" else "number"
            named[other] = pa.nulls(len(found), ARROW[self.table.column(other).type])
        return named

    def _not_empty(self, columns: dict[str, pa.Array], keep: Mask) -> Mask:
        """In a wide file, a month in which nothing is said makes no row."""
        if not self.said.wide or self.said.wide.keep_empty:
            return keep
        moving = [columns[name] for name in self.columns if self._moves(name)]
        known = [column.is_valid().to_numpy(zero_copy_only=False) for column in moving]
        return keep & np.logical_or.reduce(known) if known else keep

    def _require(self, columns: dict[str, pa.Array], keep: Mask, theirs: Theirs) -> None:
        for name in must_have(self.table):
            if name in columns and columns[name].null_count:
                absent = columns[name].is_null().to_numpy(zero_copy_only=False) & keep
                for position in np.flatnonzero(absent).tolist():
                    spec = self.columns.get(name)
                    theirs.bad.setdefault(position, (_said(spec, "", name) if spec else name, "missing_value"))

    # How one column is worked out.

    def value(self, theirs: Theirs, column: Column, spec: ColumnMap, slot: str) -> Parsed:
        """One of our columns from the batch."""
        if spec.constant is not None:
            return Parsed(pa.repeat(pa.scalar(spec.constant, ARROW[column.type]), theirs.batch.rows))
        if spec.file_name is not None:
            said = _from_name(spec.file_name, theirs.file_name)
            return self._typed(theirs, column, spec, pa.repeat(pa.scalar(said), theirs.batch.rows))
        if is_pseudonym(column):
            return self._account(theirs, spec, slot)[1]
        if column.type in (Type.BIGINT, Type.DOUBLE) and not spec.codes:
            return self._filled(self._quantity(theirs, column, spec, slot), column, spec)
        found = self._found[id(spec), slot]
        if not found:
            return Parsed(pa.nulls(theirs.batch.rows, ARROW[column.type]))
        return self._filled(self._typed(theirs, column, spec, theirs.column(found[0])), column, spec)

    def _account(self, theirs: Theirs, spec: ColumnMap, slot: str) -> tuple[Parsed, Parsed]:
        """The operator's number and its pseudonym, worked out once for a batch however many sections ask."""
        found = self._found[id(spec), slot]
        assert found
        place = (found, spec.model_dump_json())
        if place not in theirs.accounts:
            number = self._number(theirs, spec, found)
            given = spec.read_as == "pseudonym"
            pseudonyms = number.values.cast(pa.int64()) if given else theirs.identities.pseudonyms(number.values)
            theirs.accounts[place] = (number, Parsed(pseudonyms, number.bad, number.notes))
        return theirs.accounts[place]

    def _number(self, theirs: Theirs, spec: ColumnMap, found: tuple[int, ...]) -> Parsed:
        number = account_numbers(theirs.column(found[0]), theirs.empty, spec=spec, rules=self.mapping.rules)
        if not spec.opened:
            return number
        day = days(theirs.column(found[1]), theirs.empty, formats=self._formats(spec))
        both = pc.binary_join_element_wise(number.values, day.values.cast(pa.string()), "|")
        return Parsed(both, number.bad | day.bad, number.notes)

    def _formats(self, spec: ColumnMap) -> tuple[str, ...]:
        return spec.dates or self.mapping.source.dates

    def _quantity(self, theirs: Theirs, column: Column, spec: ColumnMap, slot: str) -> Parsed:
        """Numbers, added up where asked, in our unit."""
        found = self._found[id(spec), slot]
        if not found:
            return Parsed(pa.nulls(theirs.batch.rows, ARROW[column.type]))
        parsed = theirs.number(found[0]) if len(found) == 1 else _added(theirs, found, len(spec.sum))
        unit = unit_of(column, spec, self.mapping.source.units)
        times = (factor(unit, column.unit) if unit else 1.0) / spec.divide_by * (-1.0 if spec.negate else 1.0)
        return values.whole(parsed, times) if column.type is Type.BIGINT else values.doubles(parsed, times)

    def _typed(self, theirs: Theirs, column: Column, spec: ColumnMap, found: pa.Array) -> Parsed:
        if spec.codes:
            coded = values.codes(found, theirs.empty, table=spec.codes, other=spec.other)
            if column.type is Type.TEXT:
                return values.allowed(coded, column.allowed)
            plain = self._plain(theirs, column, spec.model_copy(update={"codes": {}}), coded.values)
            return Parsed(plain.values, coded.bad | plain.bad, coded.notes + plain.notes)
        return self._plain(theirs, column, spec, found)

    def _plain(self, theirs: Theirs, column: Column, spec: ColumnMap, found: pa.Array) -> Parsed:
        empty = theirs.empty
        if column.name in MONTHS:
            return months(found, empty, formats=self._formats(spec), first=self.mapping.rules.first_month)
        if column.type is Type.DATE:
            if spec.ago:
                return day_before(values.numbers(found, empty), spec.ago)
            return days(found, empty, formats=self._formats(spec))
        if column.type is Type.BOOLEAN:
            return values.yes_or_no(found, empty, yes=frozenset(spec.yes), no=frozenset(spec.no))
        if column.type is not Type.TEXT:
            parsed = values.numbers(found, empty)
            return values.whole(parsed, 1.0) if column.type is Type.BIGINT else parsed
        return self._text(theirs, column, found)

    def _text(self, theirs: Theirs, column: Column, found: pa.Array) -> Parsed:
        place = (self.table.name, column.name)
        if place in PHONES:
            read: Callable[[str], tuple[str, str]] = lambda text: phone(text, self.mapping.rules)  # noqa: E731
            return values.by_unique(values.trimmed(found, theirs.empty), pa.string(), read)
        if place in AS_WRITTEN:
            return values.as_written(found, theirs.empty)
        return values.allowed(values.words(found, theirs.empty), column.allowed)

    def _filled(self, parsed: Parsed, column: Column, spec: ColumnMap) -> Parsed:
        """What stands in for nothing: the mapping's word; for consent, no."""
        consent = (self.table.name, column.name) == ("customers", "consent")
        stand_in = False if consent and spec.when_empty is None else spec.when_empty
        if stand_in is None or not parsed.values.null_count:
            return parsed
        absent = parsed.values.null_count - len(parsed.bad)
        filled = pc.fill_null(parsed.values, pa.scalar(stand_in, ARROW[column.type]))
        notes = Counter({"no_consent": absent}) if consent and absent > 0 else Counter[str]()
        return Parsed(filled, parsed.bad, parsed.notes + notes)


def _identity(said: TableMap, header: Header) -> dict[str, ColumnMap]:
    """The file's columns that bear our names, in our units; what the mapping says of one counts more."""
    found = {c.name: c for c in said.table.columns if c.name in header.names}
    units = {"fen": "fen", "s": "seconds", "minutes": "minutes", "KB": "KB"}
    made = {n: ColumnMap.model_validate({"from": n, "unit": units.get(c.unit)}) for n, c in found.items()}
    for name in must_have(said.table):
        if name not in said.columns:
            header.need([name])
    return made | said.columns


def _long_rows(said: TableMap) -> list[tuple[str, str, ColumnMap | None]]:
    """Name of the row, our column of its value, and where the value comes from."""
    if said.long:
        return [(code, said.long.value, spec) for code, spec in said.long.rows.items()]
    if not said.attributes:
        return []
    pairs = [(name, "number") for name in said.attributes.numbers] + [(name, "code") for name in said.attributes.codes]
    return [(name.replace(SLOT, "").strip("_"), kind, ColumnMap.model_validate({"from": name})) for name, kind in pairs]


def _positions(spec: ColumnMap, slot: str, header: Header) -> tuple[int, ...] | None:
    """Where in the header the columns of ``spec`` stand; None when it reads none or an optional one is absent."""
    spellings = [name.replace(SLOT, slot) for name in spec.spellings]
    if spellings:
        first = header.find(spellings)
        if first is None and spec.optional:
            return None
        start = (header.need(spellings) if first is None else first,)
        return (*start, *((header.need([spec.opened]),) if spec.opened else ()))
    return tuple(header.need([name.replace(SLOT, slot)]) for name in (*spec.sum, *spec.less)) or ()


def _bare(numbers: pa.Array) -> pa.Array:
    """Numbers without the opening day that made them unmistakable."""
    return pc.replace_substring_regex(numbers, r"\|[^|]*$", "")


def _from_name(pattern: str, file_name: str) -> str:
    found = re.search(pattern, file_name)
    if found is None:
        raise refusal("no_month_in_name", file=file_name, said=pattern)
    return found[1]


def _said(spec: ColumnMap | None, slot: str, name: str) -> str:
    """How the column is called in a message: their name for it."""
    return spec.sources[0].replace(SLOT, slot) if spec and spec.sources else name


def _added(theirs: Theirs, found: Sequence[int], plus: int) -> Parsed:
    """Sum of the first ``plus`` columns less the others; empty ones count nothing unless all are empty."""
    parts = [theirs.number(index) for index in found]
    total = np.zeros(theirs.batch.rows)
    for number, part in enumerate(parts):
        filled = pc.fill_null(part.values, 0.0).to_numpy(zero_copy_only=False)
        total = total + filled if number < plus else total - filled
    known = np.logical_or.reduce([part.values.is_valid().to_numpy(zero_copy_only=False) for part in parts])
    bad = {position: rule for part in parts for position, rule in part.bad.items()}
    notes = sum((part.notes for part in parts), Counter[str]())
    return Parsed(pa.array(total, mask=~known), bad, notes)
