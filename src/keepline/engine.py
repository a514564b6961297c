"""Where the SQL runs: DuckDB embedded, or Apache Spark; the only file that names an engine.

Both see the same Parquet files through the same views and write the same part files. A
part is written beside its place and renamed, so a part that is there is whole.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.errors import EngineError
from keepline.tables import Table, Type
from keepline.written import GROUP_ROWS, layout

Batches = Callable[[pa.RecordBatch], pa.RecordBatch]

ID_SPACE = 1 << 62
BATCH_ROWS = 10_000
SPARK_TYPES = {
    Type.BIGINT: "bigint",
    Type.DOUBLE: "double",
    Type.TEXT: "string",
    Type.DATE: "date",
    Type.BOOLEAN: "boolean",
}


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


class Engine(Protocol):
    """What a stage may ask of an engine."""

    name: str

    def see(self, view: str, scan: Scan, only: Range | None = None) -> None:
        """Make or replace a view over files; ``only`` keeps one range of customers."""

    def write(self, query: exp.Query, table: Table, to: Path) -> int:
        """Write the query's rows as one part file in the table's declared columns; return the rows."""

    def map(self, query: exp.Query, function: Batches, table: Table, to: Path) -> int:
        """Run a row-wise function over the query's record batches and write what it returns."""

    def fetch(self, query: exp.Query) -> pa.Table:
        """Bring a small result here; never a table of customers."""

    def close(self) -> None: ...


class DuckDB:
    """The embedded engine: no server, memory bounded by one setting."""

    name = "duckdb"

    def __init__(self, *, memory: str = "1GB", threads: int = 2, spill: Path | None = None) -> None:
        import duckdb

        self._db = duckdb.connect()
        self._execute(f"SET memory_limit = '{memory}'")
        self._execute(f"SET threads = {threads}")
        self._execute("SET preserve_insertion_order = true")
        self._execute("SET TimeZone = 'UTC'")
        self._execute("SET enable_progress_bar = false")  # stdout is for answers alone
        self._execute("SET enable_external_file_cache = false")  # a checker reads the disk, not a memory of it
        if spill is not None:
            self._execute("SET temp_directory = " + exp.Literal.string(str(spill)).sql("duckdb"))

    def _execute(self, sql: str) -> Any:
        with _duckdb_failures():
            return self._db.execute(sql)

    def see(self, view: str, scan: Scan, only: Range | None = None) -> None:
        selects = [_duckdb_files(scan.table, files, only) for files in scan.files if files.paths]
        body = " UNION ALL ".join(selects) if selects else _empty(scan).sql("duckdb")
        self._execute(f"CREATE OR REPLACE TEMP VIEW {exp.to_identifier(view).sql('duckdb')} AS {body}")

    def write(self, query: exp.Query, table: Table, to: Path) -> int:
        return _write_batches(self._batches(sqlmodel.declared(query, table)), table, to)

    def map(self, query: exp.Query, function: Batches, table: Table, to: Path) -> int:
        return _write_batches((function(batch) for batch in self._batches(query)), table, to)

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

    def close(self) -> None:
        self._db.close()


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
        first = str(error).strip().splitlines()[0]
        short = "Out of Memory" in str(error)
        raise EngineError(
            f"DuckDB could not finish: {first}; "
            + (
                "raise memory or lower range_customers in keepline.toml"
                if short
                else "check that the files it names are whole and that the disk has room"
            ),
            f"DuckDB 未能完成：{first}；"
            + (
                "请在 keepline.toml 中调大 memory 或调小 range_customers"
                if short
                else "请检查所列文件是否完好、磁盘是否有空间"
            ),
            code="engine_memory" if short else "engine_failed",
        ) from error


def _duckdb_files(table: Table, files: Files, only: Range | None) -> str:
    """The files' rows; a column that a table gained after they were written is null in them."""
    paths = exp.array(*[exp.Literal.string(str(path)) for path in files.paths]).sql("duckdb")
    types = {column.name: column.type.value for column in table.columns}
    nulls = exp.select(*[exp.alias_(exp.cast(exp.null(), kind), name) for name, kind in types.items()])
    whole = f"{nulls.where(exp.false()).sql('duckdb')} UNION ALL BY NAME SELECT * FROM read_parquet({paths})"
    query = exp.select(*_columns(table, files.months_ago)).from_(f"({whole})", dialect="duckdb")
    return _only(query, table, only).sql("duckdb")


def _columns(table: Table, months_ago: int | None, ago: exp.Expr | None = None) -> list[exp.Expr]:
    columns: list[exp.Expr] = [exp.column(name) for name in table.names]
    if "month" in table.names:
        known = exp.null() if months_ago is None else exp.Literal.number(months_ago)
        columns.append(exp.alias_(exp.cast(ago or known, "BIGINT"), "months_ago"))
    return columns


def _all_files(scan: Scan) -> Files:
    return Files(tuple(path for files in scan.files for path in files.paths))


def _months_before(end: int) -> exp.Expr:
    """Months from a row's own month to ``end``: one scan of all files, where a union of months costs Spark seconds."""
    return parse_one(f"{end + 1} - 12 * CAST(SUBSTRING(month, 1, 4) AS INT) - CAST(SUBSTRING(month, 6, 2) AS INT)")


def _only(query: exp.Select, table: Table, only: Range | None) -> exp.Select:
    if only is None or "customer_id" not in table.names:
        return query
    return query.where(
        exp.column("customer_id") >= exp.Literal.number(only.low),
        exp.column("customer_id") < exp.Literal.number(only.high),
    )


def _empty(scan: Scan) -> exp.Select:
    types = sqlmodel.view_types(scan.table)
    nulls = [exp.alias_(exp.cast(exp.null(), kind), name) for name, kind in types.items()]
    return exp.select(*nulls).where(exp.false())


def _write_batches(batches: Iterator[pa.RecordBatch], table: Table, to: Path) -> int:
    to.parent.mkdir(parents=True, exist_ok=True)
    partial = to.with_name(f".{to.name}.partial")
    rows = 0
    with pq.ParquetWriter(partial, table.arrow, **layout(table)) as writer:
        for batch in batches:
            writer.write_batch(batch.cast(table.arrow), row_group_size=GROUP_ROWS)
            rows += batch.num_rows
    partial.replace(to)
    return rows


class Spark:
    """Apache Spark: the same views and queries, by range, on a local session or a cluster."""

    name = "spark"

    def __init__(self, *, master: str = "local[2]", memory: str = "1g") -> None:
        self._spark = _spark_session(master, memory)

    def see(self, view: str, scan: Scan, only: Range | None = None) -> None:
        if scan.end is not None and scan.files:
            self._files(scan.table, _all_files(scan), only, ago=_months_before(scan.end)).createOrReplaceTempView(view)
            return
        frames = [self._files(scan.table, files, only) for files in scan.files if files.paths]
        frame = frames[0] if frames else self._spark.sql(_empty(scan).sql("spark"))
        for other in frames[1:]:
            frame = frame.unionAll(other)
        frame.createOrReplaceTempView(view)

    def _files(self, table: Table, files: Files, only: Range | None, ago: exp.Expr | None = None) -> Any:
        ddl = ", ".join(f"`{c.name}` {SPARK_TYPES[c.type]}" for c in table.columns)
        raw = self._spark.read.schema(ddl).parquet(*[str(path) for path in files.paths])
        raw.createOrReplaceTempView("keepline_files")
        query = exp.select(*_columns(table, files.months_ago, ago)).from_("keepline_files")
        return self._spark.sql(_only(query, table, only).sql("spark"))

    def write(self, query: exp.Query, table: Table, to: Path) -> int:
        return self._save(self._spark.sql(sqlmodel.declared(query, table).sql("spark")), table, to)

    def map(self, query: exp.Query, function: Batches, table: Table, to: Path) -> int:
        ddl = ", ".join(f"`{c.name}` {SPARK_TYPES[c.type]}" for c in table.columns)
        arrow = table.arrow

        def each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return (function(batch).cast(arrow) for batch in batches)

        frame = self._spark.sql(query.sql("spark")).coalesce(1).mapInArrow(each, ddl)
        return self._save(frame, table, to)

    def _save(self, frame: Any, table: Table, to: Path) -> int:
        to.parent.mkdir(parents=True, exist_ok=True)
        folder = to.with_name(f".{to.name}.spark")
        frame.coalesce(1).sortWithinPartitions(*table.key).write.mode("overwrite").parquet(str(folder))
        found = sorted(folder.glob("part-*.parquet"))
        batches = (batch for path in found for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS))
        rows = _write_batches(batches, table, to)
        shutil.rmtree(folder)
        return rows

    def fetch(self, query: exp.Query) -> pa.Table:
        return self._spark.sql(query.sql("spark")).toArrow()

    def close(self) -> None:
        self._spark.stop()


def _spark_session(master: str, memory: str) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineError(
            "engine \"spark\" needs PySpark: pip install 'keepline[spark]'",
            "引擎 spark 需要 PySpark：请运行 pip install 'keepline[spark]'",
            code="no_pyspark",
        ) from error
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise EngineError(
            'engine "spark" needs Java 17: install openjdk-17-jre-headless or set JAVA_HOME',
            "引擎 spark 需要 Java 17：请安装 openjdk-17-jre-headless 或设置 JAVA_HOME",
            code="no_java",
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("keepline")
    for key, value in _SPARK_SETTINGS.items():
        builder = builder.config(key, value)
    session = builder.config("spark.driver.memory", memory).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


_SPARK_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def start(name: str, *, memory: str = "1GB", threads: int = 2, spill: Path | None = None, master: str = "") -> Engine:
    """Start the engine a site names, or say what is missing."""
    if name == "duckdb":
        return DuckDB(memory=memory, threads=threads, spill=spill)
    if name == "spark":
        return Spark(master=master or f"local[{threads}]", memory=memory.replace("GB", "g").replace("MB", "m"))
    raise EngineError(
        f"engine {name!r} is not known; keepline.toml takes duckdb or spark",
        f"不认识引擎 {name!r}；keepline.toml 可写 duckdb 或 spark",
        code="unknown_engine",
    )
