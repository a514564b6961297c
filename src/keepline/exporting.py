"""A published table, or the whole of a list that a workbook shows a part of, as one file that says whether it is whole.

It is streamed, however long it is, takes its place in one step, and lies beside ``FILE.sha256``: rows, month and
checksum, as ``sha256sum --check`` reads them. Rows that were counted and do not come are a refusal, never a shorter
file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
from sqlglot import exp

from keepline.canonical import file_hash
from keepline.engine import Engine, Files, Scan
from keepline.errors import KeeplineError, UsageError
from keepline.jsonfile import damaged
from keepline.lake.store import reading
from keepline.periods import Month
from keepline.placed import footer_of
from keepline.progress import Progress
from keepline.publication import Publication, demand, may_write
from keepline.report.plan_rows import SOURCES, planned
from keepline.report.sheets import FORMULA_STARTS
from keepline.report.tally import Shelf
from keepline.report.win_back_book import see_win_back, worth_winning
from keepline.run import started
from keepline.site import Site
from keepline.tables import TABLES, WIN_BACK, Column, Table, Type
from keepline.workfolder import own_folder

KINDS = (".csv", ".parquet")
BOM = b"\xef\xbb\xbf"  # so that spreadsheets read Chinese as what it is
LISTS = {
    "plan": tuple(SOURCES),
    "win-back": (WIN_BACK.name,),
}  # for those who sell, nobody of them held out; and the published tables that each is made of
ORDER = ("place", "rank_fen")  # columns that only put a list in order
KEY, DETAILS = "customer_id", TABLES["contact_details"]
NUMBER = DETAILS.column("customer_no")


@dataclass(frozen=True)
class Exported:
    """What was written, and what can be checked of it."""

    what: str
    month: Month
    publication_id: str
    path: Path
    rows: int
    bytes: int
    sha256: str

    @property
    def for_sellers(self) -> bool:
        return self.what in LISTS

    def to_dict(self) -> dict[str, Any]:
        return vars(self) | {"month": str(self.month), "path": str(self.path), "for_sellers": self.for_sellers}

    def text(self, lang: str) -> str:
        """One answer in sentences; tables of all customers are said to be for analysts."""
        zh = f"已导出 {self.what}（{self.month}）：{self.rows:,} 行，{self.bytes:,} 字节，{self.path}"
        en = f"Exported {self.what} of {self.month}: {self.rows:,} rows, {self.bytes:,} bytes, {self.path}"
        zh, en = (f"{said}\nSHA-256 {self.sha256}" for said in (zh, en))
        if not self.for_sellers:
            zh += "\n本表供分析使用，可看出谁是对照组；给销售人员的名单请导出 plan 或 win-back。"
            en += "\nFor analysts: it can tell who is held out. Lists for those who sell are plan and win-back."
        return zh if lang == "zh" else en


@dataclass(frozen=True)
class _Source:
    """What is to be written: its columns, how many rows there are, and the Parquet files they are in, in order."""

    table: Table
    rows: int
    files: Sequence[Path]

    @property
    def shown(self) -> Table:
        """The table without the columns that only put it in order."""
        columns = tuple(column for column in self.table.columns if column.name not in ORDER)
        return replace(self.table, columns=columns)


def export(site: Site, month: Month, what: str, *, out: Path, progress: Progress) -> Exported:
    """Write a published table or a list to ``out``, .csv or .parquet; what stands there gives way to the whole."""
    made = demand(site, month)
    _check(made, what, out)
    may_write(site, out)
    if what in LISTS:
        progress.begin(f"整理清单 {what}", f"putting in order: {what}")
    with _source(site, made, what) as source:
        total = sum(pq.read_metadata(file).num_row_groups for file in source.files)
        progress.begin(f"导出 {what}", f"export of {what}", total)
        return _written(made, what, source, out, progress)


def _check(made: Publication, what: str, out: Path) -> None:
    known = [*LISTS, *sorted(made.manifest.get("tables") or {})]
    if what not in known:
        raise UsageError(
            f"{what!r} is not published in {made.month}; there are: {', '.join(known)}",
            f"{made.month} 没有发布 {what}；可导出：{'、'.join(known)}",
            code="unknown_table",
        )
    if out.suffix not in KINDS:
        raise UsageError(
            f"{out} ends in neither {' nor '.join(KINDS)}, so its kind is not known; name it so",
            f"{out} 的后缀不是 {'、'.join(KINDS)} 之一，无法确定格式；请改名",
            code="bad_kind",
        )


@contextmanager
def _source(site: Site, made: Publication, what: str) -> Iterator[_Source]:
    if what not in LISTS:
        yield _Source(TABLES[what], made.manifest["tables"][what]["rows"], made.parts(what))
        return
    for table in LISTS[what]:
        _demand_whole(made, table)
    with own_folder(site.work, "export-") as work, started(site) as engine:
        shelf = Shelf(engine, made.folder)
        with (_plan if what == "plan" else _win_back)(shelf, work) as source:
            named = site.settings.plan_shows == "customer_no"
            yield _with_numbers(site, made.month, engine, source, work) if named else source


def _demand_whole(made: Publication, table: str) -> None:
    """Refuse to make a list of a table that lost rows or a part: nobody would see that it is shorter."""
    published = (made.manifest.get("tables") or {}).get(table, {}).get("rows", 0)
    if (rows := sum(footer_of(part).num_rows for part in made.parts(table))) != published:
        raise _lost(made, table, rows, published)


def _lost(made: Publication, what: str, rows: int, published: int) -> KeeplineError:
    return damaged(made.folder / what, f"{rows} rows, of {published} published", f"{rows} 行，发布时 {published} 行")


@contextmanager
def _plan(shelf: Shelf, work: Path) -> Iterator[_Source]:
    """The treated, by manager and then by what is gained."""
    with planned(shelf, work=work) as plan:
        yield _Source(plan.table, plan.count, [plan.file])


@contextmanager
def _win_back(shelf: Shelf, work: Path) -> Iterator[_Source]:
    """Who left, may be contacted and brought margin, the most first."""
    rank = Column("rank_fen", Type.BIGINT, "margin, negative so that the most comes first", "毛利次序", "fen")
    table = Table("win_back_list", ("rank_fen", "customer_id"), WIN_BACK.en, WIN_BACK.zh, (rank, *WIN_BACK.columns))
    see_win_back(shelf)
    to, ordered = work / "list.parquet", exp.alias_(exp.Neg(this=exp.column("margin_3m_fen")), "rank_fen")
    rows = shelf.engine.write(worth_winning(ordered, *WIN_BACK.names), table, to)
    yield _Source(table, rows, [to])


def _with_numbers(site: Site, month: Month, engine: Engine, source: _Source, work: Path) -> _Source:
    """The same rows with the operator's own numbers, as the site wants lists to name customers."""
    table = replace(source.table, columns=(NUMBER, *source.table.columns))
    with reading(site.lake) as lake:
        engine.see("listed", Scan(source.table, (Files(tuple(source.files)),)))
        engine.see("numbers", lake.scan(DETAILS.name, month))
        same = exp.EQ(this=exp.column(KEY, table="listed"), expression=exp.column(KEY, table="numbers"))
        own = [exp.column(name, table="listed") for name in source.table.names]
        query = exp.select(exp.column(NUMBER.name, table="numbers"), *own).from_("listed")
        engine.write(query.join("numbers", on=same, join_type="left"), table, work / "numbered.parquet")
    return _Source(table, source.rows, [work / "numbered.parquet"])


def _written(made: Publication, what: str, source: _Source, out: Path, progress: Progress) -> Exported:
    out.parent.mkdir(parents=True, exist_ok=True)
    partial, sums = out.with_name(f".{out.name}.partial"), out.with_name(f"{out.name}.sha256")
    try:
        rows = _stream(source, partial, kind=out.suffix, progress=progress)
        if rows != source.rows:
            raise _lost(made, what, rows, source.rows)
        said = Exported(what, made.month, made.id, out, rows, partial.stat().st_size, file_hash(partial))
        sums.unlink(missing_ok=True)  # of a former file of that name
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    about = f"# {what} {made.month} · {rows} 行 rows · {said.bytes} bytes · publication {made.id}"
    sums.write_text(f"{about}\n{said.sha256}  {out.name}\n", encoding="utf-8")
    return said


def _stream(source: _Source, to: Path, *, kind: str, progress: Progress) -> int:
    """Write the rows, a row group of the source at a time, to the disk itself; return how many."""
    table, rows = source.shown, 0
    schema = table.arrow
    with to.open("wb") as stream:
        as_csv = kind == ".csv"
        if as_csv:
            stream.write(BOM)
        with (
            csv.CSVWriter(stream, schema) if as_csv else pq.ParquetWriter(stream, schema, compression="zstd") as writer
        ):
            for file in source.files:
                for group in _groups(file, table):
                    writer.write_table(_as_text(group) if as_csv else group)
                    rows += len(group)
                    progress.advance()
        stream.flush()
        os.fsync(stream.fileno())
    return rows


def _groups(path: Path, table: Table) -> Iterator[pa.Table]:
    """Each row group in the declared columns; one that the file lacks, being older, is unknown."""
    with pq.ParquetFile(path) as file:
        there = set(file.schema_arrow.names)
        for i in range(file.num_row_groups):
            group = file.read_row_group(i, columns=[name for name in table.names if name in there])
            columns = [group[name] if name in there else pa.nulls(len(group)) for name in table.names]
            yield pa.table(columns, names=list(table.names)).cast(table.arrow)


def _as_text(group: pa.Table) -> pa.Table:
    """Texts that a spreadsheet would take for a formula stay texts by an apostrophe before them."""
    begins = f"^[{''.join(FORMULA_STARTS)}]".replace("-", r"\-")
    for place, field in enumerate(group.schema):
        if pa.types.is_string(field.type):
            column = group[field.name]
            quoted = pc.binary_join_element_wise("'", column, "")
            safe = pc.if_else(pc.match_substring_regex(column, begins), quoted, column)
            group = group.set_column(place, field, safe)
    return group
