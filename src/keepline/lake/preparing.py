"""One file from its first byte to what the lake would hold after it; the lake itself is not touched here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keepline.canonical import file_hash
from keepline.lake import holding, merging
from keepline.lake.convert import Piece, Section, Theirs
from keepline.lake.filereport import Counts, FileReport, Reason, reason
from keepline.lake.header import Header
from keepline.lake.identity import Identities
from keepline.lake.late import Judge, Late
from keepline.lake.mapping import Mapping, MappingFile
from keepline.lake.merge import FATES, IGNORED, SET_ASIDE
from keepline.lake.opening import Opened, look
from keepline.lake.readers import Batch, Odd, Reader, reader
from keepline.lake.refusals import refusal
from keepline.lake.sections import TableMap
from keepline.lake.setaside import SetAside, is_set_aside
from keepline.lake.shelf import Shelf
from keepline.lake.staging import Stage
from keepline.lake.totals import Totals, adds_up
from keepline.progress import Progress

Stamp = tuple[int, int]


@dataclass
class Prepared:
    """A file that has been read and judged, ready to be loaded or forgotten."""

    report: FileReport
    shelf: Shelf
    aside: SetAside
    waiting: SetAside
    used: MappingFile
    source: dict[str, object] = field(default_factory=dict)

    @property
    def feeds_customers(self) -> bool:
        return any(table.name == "customers" for table in self.used.mapping.table)


@dataclass
class Reading:
    """The state of one file while it is read."""

    path: Path
    opened: Opened
    used: MappingFile
    mapping: Mapping
    rows: Reader
    header: Header
    sections: list[Section]
    stages: list[Stage]
    aside: SetAside
    waiting: SetAside
    identities: Identities
    totals: Totals
    fates: list[np.ndarray[tuple[int], np.dtype[np.uint8]]] = field(default_factory=list)  # of the rows read, by batch
    read: int = 0
    notes: Counter[str] = field(default_factory=Counter)


def prepare(
    path: Path,
    *,
    used: MappingFile,
    mapping: Mapping,
    shelf: Shelf,
    identities: Identities,
    accept: Sequence[str],
    progress: Progress,
) -> Prepared:
    """Read, convert, judge and merge one file beside the lake. Raises IntakeError when it must be refused."""
    _ready(path, mapping)
    before, sha = _stamp(path), file_hash(path)
    reading = _begin(path, used=used, mapping=mapping, shelf=shelf, identities=identities)
    progress.begin(f"读取 {path.name}", f"reading {path.name}")
    for batch in reading.rows.batches():
        _take(reading, batch)
        progress.advance(batch.read)
    fates = _whole(reading)
    late, unchecked = _late(reading, shelf, fates)
    if _stamp(path) != before:
        raise refusal("being_written", file=path.name)
    problems, outcome = _merged(reading, shelf, fates, accept=accept)
    reading.notes.update(outcome.notes)
    _again(reading, late)
    reading.aside.close()
    reading.waiting.close()
    notes = _notes(reading, shelf, unchecked)
    report = _report(reading, sha, fates, outcome, problems=problems, notes=notes)
    return Prepared(
        report, shelf, reading.aside, reading.waiting, used, _source(reading, report, shelf.lake.root.parent.resolve())
    )


def _ready(path: Path, mapping: Mapping) -> None:
    if not path.is_file():
        raise refusal("absent", file=str(path))
    if mapping.source.ready_flag and not path.with_name(path.name + ".ok").exists():
        raise refusal("not_ready", file=path.name)


def _stamp(path: Path) -> Stamp:
    said = path.stat()
    return said.st_size, said.st_mtime_ns


def _begin(path: Path, *, used: MappingFile, mapping: Mapping, shelf: Shelf, identities: Identities) -> Reading:
    opened = look(path, mapping.source, mapping.limits)
    rows = reader(opened, mapping.source, mapping.limits)
    header = Header(rows.header, file=path.name, bounds=mapping.limits)
    sections = bind(mapping, header)
    return Reading(
        path=path,
        opened=opened,
        used=used,
        mapping=mapping,
        rows=rows,
        header=header,
        sections=sections,
        stages=[Stage(section, shelf.folder) for section in sections],
        aside=SetAside(shelf.folder / "aside.csv", rows.header),
        waiting=SetAside(shelf.folder / "waiting.csv", rows.header),
        identities=identities,
        totals=Totals(header.names),
    )


def bind(mapping: Mapping, header: Header) -> list[Section]:
    """The mapping's sections on this header; customers bring their numbers to the contact details by themselves."""
    said = list(mapping.table)
    sections = [Section(table, number=i, mapping=mapping, header=header) for i, table in enumerate(said)]
    if not any(table.name == "contact_details" for table in said):
        for customers in [s for s in sections if s.table.name == "customers"]:
            table = TableMap(
                name="contact_details", columns={"customer_id": customers.columns["customer_id"]},
                when=customers.said.when, when_any=customers.said.when_any,
            )  # fmt: skip
            made = Section(table, number=len(sections), mapping=mapping, header=header)
            made.automatic = True
            sections.append(made)
    first = next((s for s in sections if "customer_id" in s.columns and not s.automatic), None)
    if first is not None and mapping.rules.key_case == "set_aside":
        first.folds = True
    return sections


def _take(reading: Reading, batch: Batch) -> None:
    """One batch: convert every section, set bad rows aside whole, stage the others."""
    theirs = Theirs(batch, reading.header, reading.mapping, reading.identities, reading.path.name)
    pieces: list[list[Piece]] = [list(section.pieces(theirs)) for section in reading.sections]
    adds_up(theirs)
    good = np.ones(batch.rows, dtype=np.bool_)
    good[list(theirs.bad)] = False
    for stage, found in zip(reading.stages, pieces, strict=True):
        stage.add(theirs, found, good)
    fates = np.full(batch.read, IGNORED, dtype=np.uint8)
    start = reading.read
    for position in sorted(theirs.bad):
        column, rule = theirs.bad[position]
        fates[batch.ordinals[position] - start] = SET_ASIDE
        _put_aside(reading.aside, batch, position, column=column, rule=rule)
    reading.fates.append(fates)
    reading.read += len(fates)
    reading.notes.update(theirs.notes)
    _odd(reading, batch, start)
    reading.totals.add(theirs.sums)


def _put_aside(aside: SetAside, batch: Batch, position: int, *, column: str, rule: str) -> None:
    fields, raw = batch.fields(position), batch.raw(position)
    aside.add(line=batch.lines[position], column=column, rule=rule, fields=fields, raw=raw)


def _odd(reading: Reading, batch: Batch, start: int) -> None:
    """Blank rows are left out, broken ones set aside; a total waits to see whether rows follow it."""
    last = int(batch.ordinals[-1]) if batch.rows else -1
    for odd in batch.odd:
        if odd.rule == "total_row":
            _inside(reading, reading.totals.replace(odd))
        elif odd.rule == "blank_rows":
            reading.notes["blank_rows"] += 1
        else:
            reading.fates[-1][odd.ordinal - start] = SET_ASIDE
            _broken(reading, odd, odd.rule)
            last = max(last, odd.ordinal)
    if reading.totals.row is not None and reading.totals.row.ordinal < last:
        _inside(reading, reading.totals.replace(None))


def _broken(reading: Reading, odd: Odd, rule: str) -> None:
    reading.aside.add(line=odd.line, column="", rule=rule, fields=odd.fields, raw=odd.raw)


def _inside(reading: Reading, total: Odd | None) -> None:
    """A total with rows after it is none we can check."""
    if total is None:
        return
    place = total.ordinal
    for fates in reading.fates:
        if place < len(fates):
            fates[place] = SET_ASIDE
            break
        place -= len(fates)
    _broken(reading, total, "total_inside")


def _whole(reading: Reading) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    for stage in reading.stages:
        stage.close()
    whole = np.concatenate(reading.fates) if reading.fates else np.array([], dtype=np.uint8)
    reading.fates.clear()  # one byte a row is enough
    return whole


def _late(reading: Reading, shelf: Shelf, fates: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> tuple[Late, set[str]]:
    late = Late(len(fates))
    judge = Judge(reading.stages, shelf, reading.mapping.rules, late, reading.path.name)
    unchecked = judge.all()
    fates[late.of_row > 0] = SET_ASIDE
    return late, unchecked


def _merged(
    reading: Reading,
    shelf: Shelf,
    fates: np.ndarray[tuple[int], np.dtype[np.uint8]],
    *,
    accept: Sequence[str],
) -> tuple[list[Reason], merging.Outcome]:
    """The file merged onto the shelf, or why it is held: seen before it is merged, or by what it would write over."""
    stages, used, calm = reading.stages, reading.used, is_set_aside(reading.path)
    problems = holding.problems(stages=stages, shelf=shelf, totals=reading.totals, fates=fates, used=used, calm=calm)
    problems = [problem for problem in problems if problem.code not in accept]
    if problems:
        return problems, merging.Outcome()
    outcome = merging.merge_all(stages, shelf, fates)
    again = [] if calm else holding.overwriting(stages=stages, shelf=shelf, months=outcome.months, used=used)
    problems = [problem for problem in again if problem.code not in accept]
    if problems:
        shelf.pending.clear()
        return problems, merging.Outcome()
    return [], outcome


def _again(reading: Reading, late: Late) -> None:
    """Read the file once more for the text of rows that were set aside late."""
    if not late.of_row.any():
        return
    rows = reader(reading.opened, reading.mapping.source, reading.mapping.limits)
    for batch in rows.batches():
        for position in np.flatnonzero(late.of_row[batch.ordinals]).tolist():
            rule, column = late.rules[late.of_row[batch.ordinals[position]]]
            aside = reading.waiting if rule == "unknown_customer" else reading.aside
            _put_aside(aside, batch, position, column=column, rule=rule)


def _notes(reading: Reading, shelf: Shelf, unchecked: set[str]) -> list[Reason]:
    notes = [reason(code, value) for code, value in reading.opened.notes]
    notes += [reason("header_cleaned", name) for name in sorted(reading.header.cleaned)]
    if reading.header.unused:
        notes.append(reason("extra_columns", ", ".join(reading.header.unused), len(reading.header.unused)))
    counted = reading.notes + Counter(reading.rows.notes)
    notes += [reason(code, count=count) for code, count in sorted(counted.items())]
    notes += [reason(code) for code in sorted(unchecked)]
    if reading.totals.row is not None:
        notes.append(reason("total_row"))
    if not reading.read:
        notes.append(reason("no_rows"))
    if reading.waiting.rows:
        notes.append(reason("waiting", count=reading.waiting.rows))
    if months := shelf.adjusted():
        notes.append(reason("month_reopened" if shelf.reopen else "month_adjusted", ", ".join(months)))
    return notes


# What is worth saying but changed no value.
ACCOUNTED = ("no_rows", "blank_rows", "total_row", "repeated_rows", "not_checked", "waiting")
TAKEN_AS_IS = ("iot_number", "landline_number", "credit", "no_consent", "blacklist_wins")
PLAIN = frozenset((*ACCOUNTED, *TAKEN_AS_IS, "month_adjusted", "month_reopened"))


def _verdict(problems: Sequence[Reason], aside: int, notes: Sequence[Reason]) -> str:
    if problems:
        return "held"
    if aside:
        return "partly"
    return "normalised" if any(note.code not in PLAIN for note in notes) else "accepted"


def _report(
    reading: Reading,
    sha: str,
    fates: np.ndarray[tuple[int], np.dtype[np.uint8]],
    outcome: merging.Outcome,
    *,
    problems: list[Reason],
    notes: list[Reason],
) -> FileReport:
    aside = reading.aside.rows + reading.waiting.rows
    return FileReport(
        path=str(reading.path),
        verdict=_verdict(problems, aside, notes),
        counts=_counts(fates, held=bool(problems)),
        sha256=sha,
        mapping=reading.used.name,
        tables=outcome.tables,
        months=outcome.months,
        notes=tuple(notes),
        problems=tuple(problems),
        rules=dict(reading.aside.rules + reading.waiting.rules),
        samples=(*reading.aside.samples, *reading.waiting.samples)[:20],
    )


def _counts(fates: np.ndarray[tuple[int], np.dtype[np.uint8]], *, held: bool) -> Counts:
    """What became of the source rows; of a held file none is loaded, so they are all ignored or set aside."""
    found = {name: int(np.count_nonzero(fates == code)) for name, code in FATES.items()}
    if held:
        found["ignored"] = len(fates) - found["set_aside"]
        found |= {"loaded": 0, "updated": 0, "unchanged": 0}
    return Counts(read=len(fates), **found)


def _source(reading: Reading, report: FileReport, site: Path) -> dict[str, object]:
    """What the lake remembers of a file: enough to know it again and to compare the next month with it."""
    path = reading.path.resolve()
    place = path.relative_to(site).as_posix() if path.is_relative_to(site) else path.name
    counts = {name: getattr(report.counts, name) for name in ("read", *FATES)}
    months = holding.rows_by_month(reading.stages)
    return {
        "path": place,
        "sha256": report.sha256,
        "rows": report.counts.read,
        "mapping": reading.used.name,
        "mapping_sha256": reading.used.sha256,
        **counts,
        "months": months,
    }
