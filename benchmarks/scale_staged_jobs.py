"""The jobs of scale_staged_bench.py: a year's features, deciles and shares of all customers in three written stages.

usage: scale_staged_jobs.py staged DATA WORK      ours: models run by the engine, by ranges, written by our writer
       scale_staged_jobs.py beside DATA WORK      the same, but the last stage writes its own columns alone, as ours do
       scale_staged_jobs.py theirs DATA WORK      run_staged.py of the peers' code, as it is
       scale_staged_jobs.py make DATA CUSTOMERS   its data, by gen.py of the peers' code
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from measuring import ROOT, job
from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.columns import Column, Table, Type
from keepline.engine import Engine, Files, Range, Scan, start

PEERS = ROOT.parent / "shared" / "reference" / "peers-code" / "scale"
RANGE_CUSTOMERS, MEMORY = 500_000, "1GB"
KINDS = {"i": Type.BIGINT, "d": Type.DOUBLE, "t": Type.TEXT, "b": Type.BOOLEAN, "y": Type.DATE}
OF_BILLS = "customer_id:i arpu_minor:d voice_min:d data_mb:d sms:d arrears_minor:d complaints:d plan_id:i month:t"
OF_CUSTOMERS = "customer_id:i segment:t region:t activation_date:y marketing_consent:b device_class:i"
OF_COMPLAINTS = "customer_id:i ts:y resolved:b"
OF_JOINED = (
    "customer_id:i n_months:i total_12m:d mean_arpu:d last_arpu:i last3:d slope:d months_since_arrears:i recency:i "
    "frequency:i voice_12m:d data_12m:d sms_12m:d arrears_12m:d bill_complaints:d last_plan:i plan_changed:i segment:t "
    "region:t activation_date:y marketing_consent:b device_class:i n_complaints:i n_open:i last_complaint:y"
)
OF_TILES = "v:d tile:i share:d"
TILES = {"value_decile": ("total_12m", 10, "DESC"), "r_q": ("COALESCE(recency, 99)", 5, "ASC"),
         "f_q": ("frequency", 5, "DESC")}  # fmt: skip
TILE = """
WITH counted AS (SELECT CAST({value} AS DOUBLE) AS v, COUNT(*) AS customers FROM joined GROUP BY 1),
ordered AS (
  SELECT
    v, customers,
    SUM(customers) OVER (ORDER BY v {order} ROWS UNBOUNDED PRECEDING) AS so_far,
    SUM(v * customers) OVER (ORDER BY v {order} ROWS UNBOUNDED PRECEDING) AS value_so_far,
    SUM(customers) OVER () AS everybody, SUM(v * customers) OVER () AS all_value
  FROM counted
)
SELECT v, CAST(FLOOR((so_far - customers) * {count} / NULLIF(everybody, 0)) AS BIGINT) + 1 AS tile,
  value_so_far / NULLIF(all_value, 0) AS share
FROM ordered
"""
WHOLE = """
SELECT {columns}, value_decile.tile AS value_decile, r_q.tile AS r_q, f_q.tile AS f_q, value_decile.share AS pareto_cum
FROM joined
INNER JOIN value_decile ON value_decile.v = joined.total_12m
INNER JOIN r_q ON r_q.v = CAST(COALESCE(joined.recency, 99) AS DOUBLE)
INNER JOIN f_q ON f_q.v = CAST(joined.frequency AS DOUBLE)
"""
CHECK = """
SELECT COUNT(*) AS n, SUM(total_12m) AS tot, SUM(CAST(ROUND(slope * 1716) AS BIGINT)) AS sl,
  SUM(months_since_arrears) AS msa, SUM(recency) AS rec, SUM(n_complaints) AS nc, SUM(last3) AS l3,
  SUM(value_decile * (joined.customer_id % 97)) AS vd, SUM(r_q * (joined.customer_id % 97)) AS rq,
  SUM(f_q * (joined.customer_id % 97)) AS fq,
  SUM(CASE WHEN value_decile <= 2 THEN total_12m ELSE 0 END) / SUM(total_12m) AS top20
FROM {made}
"""


def table(name: str, spec: str, *more: str) -> Table:
    words = " ".join((spec, *more)).split()
    columns = tuple(Column(word[:-2], KINDS[word[-1]], "", "") for word in words)
    return Table(name, (columns[0].name,), "", "", columns)


JOINED = table("joined", OF_JOINED)
OF_LAST = "value_decile:i r_q:i f_q:i pareto_cum:d"
MADE = {"joined.*": table("made", OF_JOINED, OF_LAST), "joined.customer_id": table("made", "customer_id:i", OF_LAST)}
FROM = {"joined.*": "made AS joined", "joined.customer_id": "joined INNER JOIN made USING (customer_id)"}


def staged(data: Path, work: Path, *, columns: str = "joined.*") -> None:
    customers = pq.read_metadata(data / "customers.parquet").num_rows
    with job() as said, _engine(work) as engine:
        cuts = range(0, customers, RANGE_CUSTOMERS)
        ranges = [Range(i, low, low + RANGE_CUSTOMERS) for i, low in enumerate(cuts)]
        query = sqlmodel.parse("joined", Path(__file__).with_name("scale_staged.sql").read_text(encoding="utf-8")).query
        for only in ranges:
            for each in _read(data):
                engine.see(each.table.name, each, only)
            engine.write(query, JOINED, work / "joined" / only.part)
        _tiles(engine, work)
        for only in ranges:
            engine.see("joined", _written(JOINED, work), only)
            engine.write(_query(WHOLE.format(columns=columns)), MADE[columns], work / "made" / only.part)
        for of in (JOINED, MADE[columns]):
            engine.see(of.name, _written(of, work))
        check = engine.fetch(_query(CHECK.format(made=FROM[columns]))).to_pylist()[0]
    said(check={name: float(value) for name, value in check.items()}, customers=customers)


def beside(data: Path, work: Path) -> None:
    staged(data, work, columns="joined.customer_id")


def _tiles(engine: Engine, work: Path) -> None:
    """Equal parts of the customers by a value, from how many have each value; ties stay together."""
    for name, (value, count, order) in TILES.items():
        tiles = table(name, OF_TILES)
        engine.see("joined", _written(JOINED, work))
        engine.write(_query(TILE.format(value=value, count=count, order=order)), tiles, work / name / "all.parquet")
        engine.see(name, _written(tiles, work))


def _read(data: Path) -> Iterator[Scan]:
    months = sorted(data.glob("bills/*/part-0.parquet"), reverse=True)
    yield Scan(table("bills", OF_BILLS), tuple(Files((path,), ago) for ago, path in enumerate(months)))
    for name, spec in (("customers", OF_CUSTOMERS), ("complaints", OF_COMPLAINTS)):
        yield Scan(table(name, spec), (Files((data / f"{name}.parquet",)),))


def _written(of: Table, work: Path) -> Scan:
    return Scan(of, (Files(tuple(sorted((work / of.name).glob("*.parquet")))),))


def _query(text: str) -> exp.Query:
    found = parse_one(text, read="duckdb")
    assert isinstance(found, exp.Query)
    return found


@contextmanager
def _engine(work: Path) -> Iterator[Engine]:
    engine = start("duckdb", memory=MEMORY, threads=2, spill=work / "spill")
    yield engine
    engine.close()


def theirs(data: Path, work: Path) -> None:
    _ = work
    import duckdb  # noqa: F401  not counted, as ours is not

    sys.argv, printed = ["run_staged.py", str(data), "sql", MEMORY, str(RANGE_CUSTOMERS)], io.StringIO()
    sys.path.insert(0, str(PEERS))
    with job() as said, contextlib.redirect_stdout(printed):
        runpy.run_path(str(PEERS / "run_staged.py"), run_name="__main__")
    found = json.loads(printed.getvalue().splitlines()[-1].removeprefix("RESULT "))
    said(check=found["chk"], customers=pq.read_metadata(data / "customers.parquet").num_rows)


def make(data: Path, customers: Path) -> None:
    sys.argv = ["gen.py", str(customers), str(data), "4GB"]
    with job() as said, contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(PEERS / "gen.py"), run_name="__main__")
    said()


JOBS = {each.__name__: each for each in (staged, beside, theirs, make)}

if __name__ == "__main__":
    JOBS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
