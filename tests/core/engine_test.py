"""Both engines show the same rows, write the same parts and draw the same lots."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlglot import exp, parse_one

from keepline import engine as engines
from keepline import sqlmodel
from keepline.canonical import table_hash
from keepline.engine import ID_SPACE, Engine, Files, Range, Scan, cut, ranges
from keepline.errors import EngineError, ModelError
from keepline.holdout import held_out_tree, is_held_out
from keepline.tables import TABLES

USAGE = TABLES["usage"]
IDS = [5, 7, ID_SPACE - 3]


def usage_file(path: Path, month: str, seconds: list[int | None]) -> Path:
    blank = {c.name: [None] * len(IDS) for c in USAGE.columns}
    rows = blank | {"customer_id": IDS, "month": [month] * len(IDS), "voice_s": seconds}
    pq.write_table(pa.table(rows, schema=USAGE.arrow), path)
    return path


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    old = usage_file(tmp_path / "old.parquet", "2026-09", [10, None, 30])
    new = usage_file(tmp_path / "new.parquet", "2026-10", [1, 2, 3])
    return Scan(USAGE, (Files((new,), 0), Files((old,), 1)))


def query(text: str) -> exp.Query:
    tree = parse_one(text, read="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


def test_a_view_counts_months_back_and_keeps_null(engine: Engine, scan: Scan) -> None:
    engine.see("usage", scan)
    rows = engine.fetch(query("SELECT customer_id, months_ago, voice_s FROM usage ORDER BY 1, 2")).to_pylist()
    assert [row["voice_s"] for row in rows] == [1, 10, 2, None, 3, 30]
    assert [row["months_ago"] for row in rows] == [0, 1] * 3


def test_a_range_shows_its_customers_alone(engine: Engine, scan: Scan) -> None:
    low, high = ranges(2, 1)
    found = []
    for only in (low, high):
        engine.see("usage", scan, only)
        found.append(
            engine.fetch(query("SELECT DISTINCT customer_id FROM usage ORDER BY 1")).to_pydict()["customer_id"]
        )
    assert found == [IDS[:2], IDS[2:]]


def test_no_files_give_an_empty_view(engine: Engine) -> None:
    engine.see("usage", Scan(USAGE, ()))
    assert engine.fetch(query("SELECT COUNT(*) AS n, SUM(voice_s) AS s FROM usage")).to_pylist() == [
        {"n": 0, "s": None}
    ]


def test_a_part_has_declared_types_and_key_order(engine: Engine, scan: Scan, tmp_path: Path) -> None:
    engine.see("usage", scan)
    sums = ", ".join(f"SUM({c}) AS {c}" for c in USAGE.names[2:])
    to = tmp_path / "out" / "part-00000.parquet"
    rows = engine.write(
        query(f"SELECT customer_id, '2026-10' AS month, {sums} FROM usage GROUP BY customer_id"), USAGE, to
    )
    written = pq.read_table(to)
    assert rows == 3
    assert written.schema.equals(USAGE.arrow)
    assert written["customer_id"].to_pylist() == IDS
    assert [path.name for path in to.parent.iterdir()] == [to.name]


def test_a_function_over_batches_writes_what_it_returns(engine: Engine, scan: Scan, tmp_path: Path) -> None:
    engine.see("usage", scan)

    def twice(batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as arrow

        doubled = arrow.array(
            [None if v is None else 2 * v for v in batch.column("voice_s").to_pylist()], arrow.int64()
        )
        return batch.set_column(batch.schema.get_field_index("voice_s"), "voice_s", doubled)

    now = query(f"SELECT {', '.join(USAGE.names)} FROM usage WHERE months_ago = 0 ORDER BY customer_id")
    engine.map(now, twice, USAGE, tmp_path / "part-00000.parquet")
    assert pq.read_table(tmp_path / "part-00000.parquet")["voice_s"].to_pylist() == [2, 4, 6]


def test_a_query_without_rows_writes_a_part_without_rows(engine: Engine, tmp_path: Path) -> None:
    engine.see("usage", Scan(USAGE, ()))
    to = tmp_path / "part-00000.parquet"
    assert engine.write(query(f"SELECT {', '.join(USAGE.names)} FROM usage"), USAGE, to) == 0
    assert pq.read_table(to).schema.equals(USAGE.arrow)


def test_what_an_attempt_that_died_left_beside_a_part_is_gone(spark: Engine, scan: Scan, tmp_path: Path) -> None:
    to = tmp_path / "out" / "part-00000.parquet"
    to.parent.mkdir()
    for name in (f".{to.name}.attempt-7", f"..{to.name}.attempt-7.partial", f".{to.name}.of-another"):
        (to.parent / name).write_text("cut short")
    spark.see("usage", scan)
    spark.write(query(f"SELECT {', '.join(USAGE.names)} FROM usage WHERE months_ago = 0"), USAGE, to)
    assert sorted(path.name for path in to.parent.iterdir()) == [f".{to.name}.of-another", to.name]


def test_ranges_worked_on_side_by_side_see_their_own_customers(engine: Engine, scan: Scan, tmp_path: Path) -> None:
    cut = ranges(8, 1)
    now = query(f"SELECT {', '.join(USAGE.names)} FROM usage WHERE months_ago = 0")

    def part(only: Range) -> None:
        engine.see("usage", scan, only)
        engine.write(now, USAGE, tmp_path / only.part)

    assert len(list(engine.each(part, cut))) == len(cut)
    found = [pq.read_table(tmp_path / only.part)["customer_id"].to_pylist() for only in cut]
    assert found == [[i for i in IDS if only.low <= i < only.high] for only in cut]


def test_a_range_that_fails_ends_the_rest_and_is_told(engine: Engine, scan: Scan) -> None:
    def part(only: Range) -> None:
        engine.see("usage", scan, only)
        engine.fetch(query("SELECT CAST(month AS BIGINT) AS n FROM usage"))

    with pytest.raises(EngineError, match="could not finish") as refusal:
        list(engine.each(part, ranges(4, 1)))
    assert "未能完成" in refusal.value.zh


def test_a_range_short_of_memory_beside_others_is_done_again_alone() -> None:
    tries: dict[int, list[int]] = {}
    duckdb = engines.start("duckdb")

    def part(only: Range) -> None:
        tries.setdefault(only.number, []).append(threading.get_ident())
        if only.number % 2 and len(tries[only.number]) == 1:
            raise EngineError("too little", "太少", code="engine_memory")

    assert len(list(duckdb.each(part, ranges(6, 1)))) == 6
    assert [len(tries[number]) for number in range(6)] == [1, 2, 1, 2, 1, 2]
    assert {tries[number][1] for number in (1, 3, 5)} == {threading.get_ident()}


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_who_leaves_in_the_middle_waits_for_no_query(late: float) -> None:
    """Nor for one that begins only after they have left."""
    begun, duckdb = threading.Event(), engines.start("duckdb")

    def part(only: Range) -> None:
        if only.number:
            begun.set()
            time.sleep(late)
            duckdb.fetch(query("SELECT COUNT(*) AS n FROM range(1000000000000) AS t(i) WHERE i % 7 = 3"))

    done = duckdb.each(part, ranges(2, 1))
    next(done)
    begun.wait()
    done.close()  # type: ignore[attr-defined]
    assert duckdb.fetch(query("SELECT 1 AS one")).to_pylist() == [{"one": 1}]


def test_lots_are_the_same_in_sql_and_in_python(engine: Engine, scan: Scan) -> None:
    engine.see("usage", scan)
    lot = held_out_tree("autumn", 0.5, exp.column("customer_id"))
    found = engine.fetch(exp.select("customer_id", exp.alias_(lot, "lot")).from_("usage").where("months_ago = 0"))
    assert {r["customer_id"]: r["lot"] for r in found.to_pylist()} == {
        i: is_held_out(i, salt="autumn", share=0.5) for i in IDS
    }


def test_a_hash_does_not_know_parts_or_the_last_bit(tmp_path: Path) -> None:
    table = TABLES["attributes"]
    whole = pa.table(
        {
            "customer_id": [1, 2],
            "month": ["2026-01"] * 2,
            "name": ["x", "x"],
            "number": [0.1 + 0.2, None],
            "code": ["甲", None],
        },
        schema=table.arrow,
    )
    paths = [tmp_path / name for name in ("whole", "a", "b")]
    nudged = whole.slice(0, 1).set_column(3, "number", pa.array([0.3]))
    for path, part in zip(paths, (whole, nudged, whole.slice(1)), strict=True):
        pq.write_table(part.cast(table.arrow), path)
    assert table_hash(paths[:1], table) == table_hash(paths[1:], table)
    assert table_hash(paths[1:2], table) != table_hash(paths[:1], table)


def test_a_hash_tells_texts_apart_that_run_into_each_other(tmp_path: Path) -> None:
    table = TABLES["attributes"]

    def hashed(*codes: str | None, cut: int = 2) -> str:
        rows = [{"customer_id": i, "month": "2026-01", "name": "x", "code": code} for i, code in enumerate(codes)]
        whole = pa.Table.from_pylist(rows, schema=table.arrow)
        for i, part in enumerate((whole.slice(0, cut), whole.slice(cut))):
            pq.write_table(part, tmp_path / str(i))
        return table_hash([tmp_path / "0", tmp_path / "1"], table)

    ways: list[tuple[str | None, ...]] = [("ab", "c", "d"), ("a", "bc", "d"), ("", None, "abcd"), (None, "", "abcd")]
    assert len({hashed(*codes) for codes in ways}) == len(ways)
    assert all(hashed(*codes, cut=cut) == hashed(*codes) for codes in ways for cut in (0, 1, 3))


MODEL = """-- question: how much is used?
-- reads: usage
-- makes: features
SELECT customer_id, {what} AS voice_s FROM usage GROUP BY customer_id"""


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("MEDIAN(voice_s)", "outside the agreed subset"),
        ("SUM(voice_s) / COUNT(*)", "NULLIF"),
        ("MAX(month)", "declares BIGINT"),
        ("SUM(nothing)", "does not fit"),
    ],
)
def test_a_model_that_leaves_the_rules_is_refused_without_running(what: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        sqlmodel.check(sqlmodel.parse("bad", MODEL.format(what=what)))


def test_lineage_names_the_operators_column() -> None:
    model = sqlmodel.parse("good", MODEL.format(what="SUM(voice_s)"))
    sqlmodel.check(model)
    schema = {"usage": sqlmodel.view_types(USAGE)}
    assert sqlmodel.origins(model.query, schema)["voice_s"] == {"usage.voice_s"}


@pytest.mark.parametrize("memory", ["1MB", "99999999999999999999GB"])
def test_a_memory_the_engine_cannot_work_in_is_refused(memory: str, tmp_path: Path) -> None:
    text = "SELECT * FROM (SELECT *, row_number() OVER (ORDER BY hash(i)) AS n FROM range(3000000) AS t(i)) ORDER BY n"
    with pytest.raises(EngineError, match="DuckDB could not finish") as refusal:
        engines.start("duckdb", memory=memory, spill=tmp_path / "spill").fetch(query(text))
    assert "DuckDB 未能完成" in refusal.value.zh


def test_a_full_disk_is_told_as_one_and_not_as_want_of_memory(tmp_path: Path) -> None:
    """No more memory is asked for, and a range that met it is not done again."""
    text = "SELECT * FROM (SELECT *, row_number() OVER (ORDER BY hash(i)) AS n FROM range(3000000) AS t(i)) ORDER BY n"
    tries: list[int] = []
    duckdb = engines.DuckDB(memory="600MB", spill=tmp_path / "spill")

    def part(only: Range) -> None:
        tries.append(only.number)
        if only.number == 0:
            small = engines.DuckDB(memory="40MB", threads=1, spill=tmp_path / "small")
            small._execute("SET max_temp_directory_size = '1MB'")
            small.fetch(query(text))

    with pytest.raises(EngineError, match="the disk that holds work/ is full") as refusal:
        list(duckdb.each(part, ranges(2, 1)))
    assert "work/ 所在磁盘已满" in refusal.value.zh
    assert "keepline.toml" not in refusal.value.en
    assert tries.count(0) == 1


def test_a_damaged_part_is_refused_by_name(scan: Scan) -> None:
    (path,) = scan.files[0].paths
    path.write_text("no parquet")
    with pytest.raises(EngineError, match=path.name):
        engines.start("duckdb").see("usage", scan)


@pytest.mark.parametrize(
    ("customers", "most", "count"), [(1, 10, 1), (10, 10, 1), (11, 10, 2), (21, 10, 4), (10**8, 500_000, 256)]
)
def test_a_base_is_cut_into_a_power_of_two_of_ranges_that_are_small_enough(
    customers: int, most: int, count: int
) -> None:
    made = cut(customers, most)
    assert (len(made), customers / len(made) <= most) == (count, True)
    assert (made[0].low, made[-1].high) == (0, ID_SPACE)
    assert all(one.high == other.low for one, other in itertools.pairwise(made))
