"""Apache Spark: the same views and queries as DuckDB's, by range, on this machine or on a cluster.

No customer comes to the machine that starts the run: the worker that has a range's rows writes their part file, and
what comes back is its name and the count. That machine then gives the part its place. A task that is tried twice,
because a worker died, writes two files; the one of the attempt that Spark counts is taken and the other removed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.engine import (
    BATCH_ROWS,
    Batches,
    Files,
    Range,
    Scan,
    empty_rows,
    of_range,
    seen_columns,
    side_by_side,
    write_batches,
)
from keepline.errors import EngineError
from keepline.tables import Table, Type

TYPES = {
    Type.BIGINT: "bigint",
    Type.DOUBLE: "double",
    Type.TEXT: "string",
    Type.DATE: "date",
    Type.BOOLEAN: "boolean",
}
WRITTEN = "name string, rows bigint"
ATTEMPT = "attempt"  # in the names of files that no other stage may take for its own
CONNECT, STANDALONE = "sc", "spark"
WAITING, PATIENCE = "spark.scheduler.maxRegisteredResourcesWaitingTime", "120s"
AT_ONCE_MAX = 64  # ranges; each has a thread here
NEEDED = {  # results hang on these
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
}
USUAL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "true",
}
LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


class Spark:
    """Apache Spark: a local session, a cluster, or a Connect server."""

    name = "spark"

    def __init__(self, *, master: str, memory: str, more: Mapping[str, str]) -> None:
        self._connect = urlsplit(master).scheme == CONNECT
        self._first = _connected(master, more) if self._connect else _session(master, memory, more)
        self._here = threading.local()
        self._here.session = self._first
        self._pool: tuple[int, ThreadPoolExecutor] | None = None

    @property
    def _spark(self) -> Any:
        """This thread's session: ranges that are worked on side by side have views of the same names."""
        if not hasattr(self._here, "session"):
            self._here.session = self._first.newSession()
        return self._here.session

    def see(self, view: str, scan: Scan, only: Range | None = None) -> None:
        with _failures():
            if scan.end is not None and scan.files:
                frame = self._files(scan, _all_files(scan), only, ago=_months_before(scan.end))
            else:
                frames = [self._files(scan, files, only) for files in scan.files if files.paths]
                frame = frames[0] if frames else self._spark.sql(empty_rows(scan).sql("spark"))
                for other in frames[1:]:
                    frame = frame.unionAll(other)
            frame.createOrReplaceTempView(view)

    def _files(self, scan: Scan, files: Files, only: Range | None, ago: exp.Expr | None = None) -> Any:
        table = scan.table
        raw = self._spark.read.schema(_ddl(table)).parquet(*_addresses(files.paths))
        kept = raw if (within := of_range(table, only)) is None else raw.where(within.sql("spark"))
        if scan.of is not None:
            kept = self._among(kept, scan.of, within)
        return kept.selectExpr(*[column.sql("spark") for column in seen_columns(table, files.months_ago, ago)])

    def _among(self, rows: Any, of: tuple[Path, ...], within: exp.Expr | None) -> Any:
        """Those of a customer whom the files hold; of the range, since each range would read them all."""
        if not of:
            return rows.where("FALSE")
        drawn = self._spark.read.parquet(*_addresses(of)).select("customer_id")
        drawn = drawn if within is None else drawn.where(within.sql("spark"))
        return rows.join(drawn, "customer_id", "leftsemi")

    def write(self, query: exp.Query, table: Table, to: Path) -> int:
        with _failures():
            return self._save(self._spark.sql(sqlmodel.declared(query, table).sql("spark")), table, to)

    def write_pieces(
        self, query: exp.Query, table: Table, to: Path, *, see: Callable[[Range], None], of: Sequence[Range]
    ) -> int:
        """All at once: Spark cuts what it shuffles by itself."""
        see(Range(of[0].number, of[0].low, of[-1].high))
        return self.write(query, table, to)

    def map(self, query: exp.Query, function: Batches, table: Table, to: Path) -> int:
        arrow = table.arrow

        def each(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return (function(batch).cast(arrow) for batch in batches)

        with _failures():
            frame = self._spark.sql(query.sql("spark")).coalesce(1).mapInArrow(each, _ddl(table))
            return self._save(frame, table, to)

    def _save(self, frame: Any, table: Table, to: Path) -> int:
        """One task has all rows, in order of the key, and writes them where it runs."""
        to = to.absolute()  # a worker stands in another folder
        to.parent.mkdir(parents=True, exist_ok=True)
        ordered = frame.coalesce(1).sortWithinPartitions(*table.key)
        done = ordered.mapInArrow(_writer(table, to), WRITTEN).collect()
        if not done:  # no rows, and therefore no task
            return write_batches(iter(()), table, to)
        ((name, rows),) = done
        _put(to.parent / name, to)
        return int(rows)

    def fetch(self, query: exp.Query) -> pa.Table:
        with _failures():
            return self._spark.sql(query.sql("spark")).toArrow()

    def each(self, work: Callable[[Range], None], cut: Sequence[Range]) -> Iterator[None]:
        """As many ranges at once as there are processors; each ends in one task, so that one alone leaves them idle."""
        at_once = min(len(cut), self._processors())
        if at_once == 1:
            for only in cut:
                work(only)
                yield
            return
        yield from side_by_side(self._hands(at_once), work, cut)

    def _processors(self) -> int:
        """Those that have come by now; a cluster's workers come one after another."""
        return 1 if self._connect else min(AT_ONCE_MAX, int(self._first.sparkContext.defaultParallelism))

    def _hands(self, count: int) -> ThreadPoolExecutor:
        """Threads are kept, because each new one costs a session."""
        if self._pool is None or self._pool[0] < count:
            self._rest()
            self._pool = count, ThreadPoolExecutor(count)
        return self._pool[1]

    def _rest(self) -> None:
        if self._pool is not None:
            self._pool[1].shutdown()

    def close(self) -> None:
        self._rest()
        self._first.stop()


def _addresses(paths: Sequence[Path]) -> list[str]:
    """A cluster's own default may be another storage."""
    return [f"file://{path.absolute()}" for path in paths]


def _ddl(table: Table) -> str:
    return ", ".join(f"`{column.name}` {TYPES[column.type]}" for column in table.columns)


def _all_files(scan: Scan) -> Files:
    return Files(tuple(path for files in scan.files for path in files.paths))


def _months_before(end: int) -> exp.Expr:
    """Months from a row's own month to ``end``: one scan of all files, where a union of months costs Spark seconds."""
    return parse_one(f"{end + 1} - 12 * CAST(SUBSTRING(month, 1, 4) AS INT) - CAST(SUBSTRING(month, 6, 2) AS INT)")


def _writer(table: Table, to: Path) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What a worker runs: write the rows beside their place, under the attempt's own name."""

    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        task = TaskContext.get()
        beside = to.with_name(f".{to.name}.{ATTEMPT}-{task.taskAttemptId() if task else 0}")
        rows = write_batches(batches, table, beside)
        yield pa.RecordBatch.from_pydict({"name": [beside.name], "rows": [rows]})

    return write


def _put(written: Path, to: Path) -> None:
    """Give the part its place, and remove what attempts that died left beside it."""
    if not written.exists():
        raise EngineError(
            f"a worker wrote {written}, and this machine does not see it: the site's folder must be on storage that "
            "all machines see under the same path",
            f"工作节点已写入 {written}，但本机看不到：站点目录须位于所有机器以同一路径可见的存储上",
            code="storage_not_shared",
        )
    written.replace(to)
    for left in to.parent.glob(f"*{to.name}.{ATTEMPT}-*"):
        left.unlink(missing_ok=True)


@contextmanager
def _failures() -> Iterator[None]:
    """What Spark could not do, as a refusal."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        what = _told(error)
        raise EngineError(
            f"Spark could not finish: {what}; docs/howto/spark.md says what goes wrong most often, "
            "the logs of the workers more",
            f"Spark 未能完成：{what}；常见原因见 docs/howto/spark.md，详情见各工作节点的日志",
            code="engine_failed",
        ) from error


def _told(error: Exception) -> str:
    """The line of an error that says what happened; others tell where."""
    lines = [line.removeprefix(": ").strip() for line in str(error).splitlines() if line[:1].strip()]
    named = (line for line in lines if re.match(r"[\w.]+(?:Error|Exception): ", line))
    return next(named, lines[0] if lines else type(error).__name__)


def _session(master: str, memory: str, more: Mapping[str, str]) -> Any:
    builder = _builder().master(master).appName("keepline")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise EngineError(
            'engine "spark" needs Java 17: install openjdk-17-jre-headless or set JAVA_HOME',
            "引擎 spark 需要 Java 17：请安装 openjdk-17-jre-headless 或设置 JAVA_HOME",
            code="no_java",
        )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    said = USUAL | (LOOPBACK if _is_here(master) else {}) | dict(more) | NEEDED
    for key, value in ({"spark.driver.memory": memory, "spark.executor.memory": memory} | said).items():
        builder = builder.config(key, value)
    session = _started(builder, master)
    session.sparkContext.setLogLevel("ERROR")
    if urlsplit(master).scheme == STANDALONE:
        _wait_for_a_worker(session)
    return session


def _wait_for_a_worker(session: Any) -> None:
    """Spark itself would wait without a word and without end for workers that offer what is asked for."""
    context = session.sparkContext._jsc.sc()
    until = time.perf_counter() + context.conf().getTimeAsSeconds(WAITING, PATIENCE)
    while context.getExecutorMemoryStatus().size() < 2:  # this machine is one
        if time.perf_counter() > until:
            memory = context.conf().get("spark.executor.memory")
            session.stop()
            raise EngineError(
                f"no worker of the cluster gave an executor of {memory}: lower memory or spark.executor.memory in "
                "keepline.toml, free the cluster, or start workers that offer more",
                f"集群中没有工作节点能提供 {memory} 的执行器：请在 keepline.toml 中调小 memory 或 "
                "spark.executor.memory，或释放集群资源、启动更大的工作节点",
                code="no_executor",
            )
        time.sleep(0.1)


def _connected(master: str, more: Mapping[str, str]) -> Any:
    """A session of a Connect server, which has its own settings; ours are those of a session alone."""
    builder = _builder().remote(master)
    for key, value in (USUAL | dict(more) | NEEDED).items():
        if key.startswith("spark.sql."):
            builder = builder.config(key, value)
    return _started(builder, master)


def _builder() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise EngineError(
            "engine \"spark\" needs PySpark: pip install 'keepline[spark]'",
            "引擎 spark 需要 PySpark：请运行 pip install 'keepline[spark]'",
            code="no_pyspark",
        ) from error
    return SparkSession.builder


def _started(builder: Any, master: str) -> Any:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return builder.getOrCreate()
    except (PySparkException, Py4JError, ImportError) as error:
        raise EngineError(
            f"Spark did not start at {master}: {_told(error)}; check spark_master and [spark] in keepline.toml, that "
            "the cluster runs, and that it has PySpark's version",
            f"Spark 未能在 {master} 启动：{_told(error)}；请检查 keepline.toml 中的 spark_master 与 [spark]、"
            "集群是否在运行、版本是否与 PySpark 一致",
            code="spark_not_started",
        ) from error


def _is_here(master: str) -> bool:
    """Whether all of Spark runs on this machine; then nothing of it answers a network."""
    return master.startswith("local") or urlsplit(master).hostname in ("127.0.0.1", "localhost")
