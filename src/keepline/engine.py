"""Where the SQL runs: what a stage may ask of an engine, and DuckDB, the embedded one; Apache Spark is in ``spark.py``.

Both see the same Parquet files through the same views and write the same part files. A
part is written beside its place and renamed, so a part that is there is whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from keepline import sqlmodel
from keepline.errors import EngineError
from keepline.tables import Table
from keepline.written import RANGE_ROWS, group_rows, layout

Batches = Callable[[pa.RecordBatch], pa.RecordBatch]

ID_SPACE = 1 << 62
SHORT = "engine_memory"  # the code of a refusal for want of memory
ROOM = ("disk_full", "the disk that holds work/ is full: make room on it, then run the same command again",
        "work/ 所在磁盘已满：请清理空间，再运行同一命令")  # fmt: skip
TO_DO = (  # words of DuckDB's, of which the first that are found count | code, and what to do
    ("failed to offload data block", *ROOM),  # which it counts as want of memory
    ("No space left on device", *ROOM),
    ("Out of Memory", SHORT, "raise memory or lower range_customers in keepline.toml",
     "请在 keepline.toml 中调大 memory 或调小 range_customers"),
    ("", "engine_failed", "check that the files it names are whole and that the disk has room",
     "请检查所列文件是否完好、磁盘是否有空间"),
)  # fmt: skip
AGAIN_S = 0.1  # between asking those that are still at work to stop
RANGE_MB = 256  # of an engine's memory, for each range of those it works on side by side
BATCH_ROWS = RANGE_ROWS  # scored at once: a quarter of it costs a tenth more, four times it as much memory


@dataclass(frozen=True)
class Range:
    """A range of customers, ``low <= customer_id < high``: the unit of work and of restart."""

    number: int
    low: int
    high: int

    @property
    def part(self) -> str:
        return f"part-{self.number:05d}.parquet"


def ranges(customers: int, each: int) -> list[Range]:
    """Cut the space of pseudonyms into even ranges of about ``each`` customers."""
    count = max(1, -(-customers // each))
    cuts = [ID_SPACE * i // count for i in range(count + 1)]
    return [Range(i, cuts[i], cuts[i + 1]) for i in range(count)]


def cut(customers: int, most: int) -> list[Range]:
    """Ranges of ``most`` customers or fewer, a power of two in number.

    So a base that grows is cut anew when it has doubled and not every month, and parts kept by range stay of use.
    """
    return ranges(1 << (-(-customers // most) - 1).bit_length(), 1)


def pieces(of: Range, count: int) -> list[Range]:
    """A range in even pieces that follow each other."""
    cuts = [of.low + (of.high - of.low) * i // count for i in range(count + 1)]
    return [Range(of.number, low, high) for low, high in pairwise(cuts)]


@dataclass(frozen=True)
class Files:
    """Some Parquet files of one month of a table; ``months_ago`` is counted from the snapshot."""

    paths: tuple[Path, ...]
    months_ago: int | None = None


@dataclass(frozen=True)
class Scan:
    """What a view shows: a table's files. No files give an empty view, never an absent one."""

    table: Table
    files: tuple[Files, ...]
    end: int | None = None  # index of the month the view ends at, where each row's own month tells months_ago
    of: tuple[Path, ...] | None = None  # files of rows whose customers alone are shown; None: everybody

    def among(self, of: tuple[Path, ...] | None) -> Scan:
        """The same for the customers of some rows alone, where rows are a customer's; no files are nobody's."""
        return replace(self, of=of) if "customer_id" in self.table.names else self

    def months(self, ago: Collection[int]) -> Scan:
        """The same of some months alone, counted from the snapshot."""
        return replace(self, files=tuple(each for each in self.files if each.months_ago in ago))


class Engine(Protocol):
    """What a stage may ask of an engine."""

    name: str

    def see(self, view: str, scan: Scan, only: Range | None = None) -> None:
        """Make or replace a view over files; ``only`` keeps one range of customers."""

    def write(self, query: exp.Query, table: Table, to: Path) -> int:
        """Write the query's rows as one part file in the table's declared columns; return the rows."""

    def write_pieces(
        self, query: exp.Query, table: Table, to: Path, *, see: Callable[[Range], None], of: Sequence[Range]
    ) -> int:
        """The same for a range in pieces that follow each other: ``see`` shows one, so that each fits the memory."""

    def map(self, query: exp.Query, function: Batches, table: Table, to: Path) -> int:
        """Run a row-wise function over the query's record batches and write what it returns."""

    def fetch(self, query: exp.Query) -> pa.Table:
        """Bring a small result here; never a table of customers."""

    def each(self, work: Callable[[Range], None], cut: Sequence[Range]) -> Iterator[None]:
        """Do a range's work for each of them, side by side where the engine can; yield as each is done."""

    def close(self) -> None: ...


class DuckDB:
    """The embedded engine: no server, memory bounded by one setting."""

    name = "duckdb"

    def __init__(self, *, memory: str = "1GB", threads: int = 2, spill: Path | None = None) -> None:
        import duckdb

        self._first = duckdb.connect()
        self._here = threading.local()
        self._here.db = self._first
        self._threads, self._megabytes = threads, int(memory[:-2]) * (1000 if memory.endswith("GB") else 1)
        self._beside: list[Any] = []  # connections of ranges that are worked on side by side
        self._execute(f"SET memory_limit = '{memory}'")
        self._execute(f"SET threads = {threads}")
        self._execute("SET preserve_insertion_order = true")
        self._execute("SET GLOBAL TimeZone = 'UTC'")  # of each range's connection as well
        self._execute("SET enable_progress_bar = false")  # stdout is for answers alone
        self._execute("SET enable_external_file_cache = false")  # a checker reads the disk, not a memory of it
        if spill is not None:
            self._execute("SET temp_directory = " + exp.Literal.string(str(spill)).sql("duckdb"))

    @property
    def _db(self) -> Any:
        """This thread's connection: ranges that are worked on side by side have views of the same names."""
        if not hasattr(self._here, "db"):
            self._here.db = self._first.cursor()
            self._beside.append(self._here.db)
        return self._here.db

    def _execute(self, sql: str) -> Any:
        with _duckdb_failures():
            return self._db.execute(sql)

    def see(self, view: str, scan: Scan, only: Range | None = None) -> None:
        body = _duckdb_files(scan, only) if any(files.paths for files in scan.files) else empty_rows(scan).sql("duckdb")
        self._execute(f"CREATE OR REPLACE TEMP VIEW {exp.to_identifier(view).sql('duckdb')} AS {body}")

    def write(self, query: exp.Query, table: Table, to: Path) -> int:
        return write_batches(self._batches(sqlmodel.declared(query, table)), table, to)

    def write_pieces(
        self, query: exp.Query, table: Table, to: Path, *, see: Callable[[Range], None], of: Sequence[Range]
    ) -> int:
        declared = sqlmodel.declared(query, table)

        def batches() -> Iterator[pa.RecordBatch]:
            for piece in of:
                see(piece)
                yield from self._batches(declared)

        return write_batches(batches(), table, to)

    def map(self, query: exp.Query, function: Batches, table: Table, to: Path) -> int:
        return write_batches((function(batch) for batch in self._batches(query)), table, to)

    def fetch(self, query: exp.Query) -> pa.Table:
        reader = self._reader(query)
        with _duckdb_failures():
            return reader.read_all()

    def _reader(self, query: exp.Query) -> pa.RecordBatchReader:
        reader: pa.RecordBatchReader = self._execute(query.sql("duckdb")).to_arrow_reader(BATCH_ROWS)
        return reader

    def _batches(self, query: exp.Query) -> Iterator[pa.RecordBatch]:
        reader = self._reader(query)
        while (batch := _next(reader)) is not None:
            yield batch

    def each(self, work: Callable[[Range], None], cut: Sequence[Range]) -> Iterator[None]:
        """A range to a thread: within one, engine and mathematics would wait for each other."""
        at_once = min(self._threads, len(cut), max(1, self._megabytes // RANGE_MB))
        if at_once <= 1:
            for only in cut:
                work(only)
                yield
            return
        short: list[Range] = []
        self._execute(f"SET threads = {self._threads - at_once + 1}")  # each range's own thread works as well
        try:
            with ThreadPoolExecutor(at_once) as pool:
                yield from side_by_side(pool, partial(_tried, work, short), cut, stop=self._stop)
        finally:
            self._beside.clear()
            self._execute(f"SET threads = {self._threads}")
        for only in short:  # alone it has the memory that it shared
            work(only)

    def _stop(self) -> None:
        for beside in list(self._beside):
            beside.interrupt()

    def close(self) -> None:
        self._first.close()


def _tried(work: Callable[[Range], None], short: list[Range], only: Range) -> None:
    """Do a range's work, or note that the memory it shared was too small."""
    try:
        work(only)
    except EngineError as error:
        if error.code != SHORT:
            raise
        short.append(only)


def side_by_side(
    pool: ThreadPoolExecutor,
    work: Callable[[Range], None],
    cut: Sequence[Range],
    *,
    stop: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Do a range's work for each of them in threads; yield as each is done. Of one that fails the others not begun are
    left, and those begun are waited for; whoever leaves in the middle has them stopped by ``stop``."""
    begun = [pool.submit(work, only) for only in cut]
    try:
        for done in as_completed(begun):
            yield done.result()
    except (KeyboardInterrupt, GeneratorExit):
        for each in begun:
            each.cancel()
        stop()
        while wait(begun, timeout=AGAIN_S).not_done:
            stop()  # whoever was between two queries has not heard it
        raise
    finally:
        for each in begun:
            each.cancel()
        wait(begun)


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    with _duckdb_failures():
        return next(iter(reader), None)


@contextmanager
def _duckdb_failures() -> Iterator[None]:
    """What DuckDB could not do, as a refusal; a stream that fails while it is read comes as an error of Arrow."""
    import duckdb

    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        told, first = str(error), str(error).strip().splitlines()[0]
        code, en, zh = next(do for words, *do in TO_DO if words in told)
        raise EngineError(
            f"DuckDB could not finish: {first}; {en}", f"DuckDB 未能完成：{first}；{zh}", code=code
        ) from error


def _duckdb_files(scan: Scan, only: Range | None) -> str:
    """The rows of all months' files as one scan; a column that a table gained after they were written is null in them.

    A union of months would cost a group-by a table of groups for each of them: three times the CPU, and the memory.
    """
    table = scan.table
    paths = exp.array(*[_text(path) for files in scan.files for path in files.paths]).sql("duckdb")
    rows = f"SELECT *, filename FROM read_parquet({paths}, union_by_name = true)"
    shown = exp.select(*seen_columns(table, None, _ago_by_file(scan))).sql("duckdb")
    within = of_range(table, only)
    among = None if scan.of is None else _among(scan.of, within)
    asked = [each for each in (within and within.sql("duckdb"), among) if each]
    kept = f" WHERE {' AND '.join(asked)}" if asked else ""
    return f"{shown} FROM ({_no_rows(table)} UNION ALL BY NAME {rows}){kept}"


def _among(of: tuple[Path, ...], within: exp.Expr | None) -> str:
    """Whether a row is of a customer whom the files hold; of the range, since each range would read them all."""
    if not of:
        return "FALSE"
    paths = exp.array(*[_text(path) for path in of]).sql("duckdb")
    drawn = exp.select("customer_id").from_(f"read_parquet({paths})", dialect="duckdb")
    return exp.column("customer_id").isin(query=drawn if within is None else drawn.where(within)).sql("duckdb")


@cache
def _no_rows(table: Table) -> str:
    """A table's columns, and nothing in them; kept, as making the text costs more than reading a small file."""
    types = {column.name: column.type.value for column in table.columns}
    nulls = exp.select(*[exp.alias_(exp.cast(exp.null(), kind), name) for name, kind in types.items()])
    return nulls.where(exp.false()).sql("duckdb")


def _ago_by_file(scan: Scan) -> exp.Expr | None:
    """How many months ago a row is, by the file it lies in."""
    known = [(path, files.months_ago) for files in scan.files for path in files.paths if files.months_ago is not None]
    if not known:
        return None
    by_file = exp.Case(this=exp.column("filename"))
    for path, ago in known:
        by_file = by_file.when(_text(path), exp.Literal.number(ago))
    return by_file


def _text(path: Path) -> exp.Expr:
    return exp.Literal.string(str(path))


def seen_columns(table: Table, months_ago: int | None, ago: exp.Expr | None = None) -> list[exp.Expr]:
    """What a view shows of a table's files."""
    columns: list[exp.Expr] = [exp.column(name) for name in table.names]
    if "month" in table.names:
        known = exp.null() if months_ago is None else exp.Literal.number(months_ago)
        columns.append(exp.alias_(exp.cast(ago or known, "BIGINT"), "months_ago"))
    return columns


def of_range(table: Table, only: Range | None) -> exp.Expr | None:
    """What a row of the range's customers fulfils; None where all rows are meant."""
    if only is None or "customer_id" not in table.names:
        return None
    who = exp.column("customer_id")
    return exp.and_(who >= exp.Literal.number(only.low), who.copy() < exp.Literal.number(only.high))


def empty_rows(scan: Scan) -> exp.Select:
    types = sqlmodel.view_types(scan.table)
    nulls = [exp.alias_(exp.cast(exp.null(), kind), name) for name, kind in types.items()]
    return exp.select(*nulls).where(exp.false())


def write_batches(batches: Iterator[pa.RecordBatch], table: Table, to: Path) -> int:
    """Write batches as one part, beside its place and then renamed; return the rows."""
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.partial")
    rows = 0
    with pq.ParquetWriter(partial, table.arrow, **layout(table)) as writer:
        for batch in batches:
            writer.write_batch(batch.cast(table.arrow), row_group_size=group_rows(table))
            rows += batch.num_rows
    partial.replace(to)
    return rows


def start(
    name: str,
    *,
    memory: str = "1GB",
    threads: int = 2,
    spill: Path | None = None,
    master: str = "",
    more: Mapping[str, str] | None = None,
) -> Engine:
    """Start the engine a site names, or say what is missing. ``more`` are settings of Spark by their own names."""
    if name == "duckdb":
        return DuckDB(memory=memory, threads=threads, spill=spill)
    if name == "spark":
        from keepline.spark import Spark

        short = memory.replace("GB", "g").replace("MB", "m")
        return Spark(master=master or f"local[{threads}]", memory=short, more=more or {})
    raise EngineError(
        f"engine {name!r} is not known; keepline.toml takes duckdb or spark",
        f"不认识引擎 {name!r}；keepline.toml 可写 duckdb 或 spark",
        code="unknown_engine",
    )
