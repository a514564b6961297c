"""Where engines are known to differ: inside the agreed subset they answer alike, outside it a model is refused."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp, parse_one

from core.small_lake import write_rows
from keepline import sqlmodel
from keepline.engine import Engine, Files, Scan
from keepline.errors import ModelError
from keepline.sqlmodel import as_query
from keepline.tables import TABLES

# Columns of one row: seven = 7, zero = 0, minus = -3, nothing = null, half = 2.5, han = 甲乙丙, yes = true, day, later.
SEEN = """SELECT u.customer_id, u.voice_s AS seven, u.offnet_s AS zero, u.sms AS minus, u.data_kb AS nothing,
  a.number AS half, a.code AS han, u.voice_s = 7 AS yes, c.opened_on AS day, c.closed_on AS later
FROM usage AS u JOIN attributes AS a ON a.customer_id = u.customer_id
JOIN complaints AS c ON c.customer_id = u.customer_id"""
DAY = dt.date(2028, 2, 29)

ANSWERS: dict[str, Any] = {
    # division: by nothing is nothing, whole numbers divide to fractions
    "seven / NULLIF(zero, 0)": None,
    "minus / NULLIF(zero + 0.0, 0)": None,
    "seven / 2": 3.5,
    "minus / NULLIF(seven, 0)": -3 / 7,
    # rounding: halves go away from zero; a fraction becomes whole by ROUND or FLOOR, never by CAST
    "ROUND(half)": 3.0,
    "ROUND(0 - half)": -3.0,
    "CAST(ROUND(CAST(seven AS DOUBLE) / 2) AS BIGINT)": 4,
    "CAST(ROUND(CAST(0 - seven AS DOUBLE) / 2) AS BIGINT)": -4,
    "CAST(FLOOR(0 - half) AS BIGINT)": -3,
    "ROUND(CAST(seven AS DOUBLE) / 3, 3)": 2.333,
    # casts
    "CAST(yes AS BIGINT)": 1,
    "CAST(seven AS DOUBLE)": 7.0,
    "CAST('2028-02-29' AS DATE)": DAY,
    "CAST(customer_id AS VARCHAR)": "4611686018427387903",
    # null: never equal, never more, lost in sums, skipped by GREATEST and LEAST
    "nothing = nothing": None,
    "nothing > 0": None,
    "nothing IS NULL AND NOT seven IS NULL": True,
    "nothing > 0 AND zero > 0": False,
    "nothing > 0 OR seven > 0": True,
    "NOT nothing > 0": None,
    "seven IN (1, 7)": True,
    "nothing IN (1, 7)": None,
    "seven BETWEEN 7 AND 7": True,
    "seven + nothing": None,
    "GREATEST(nothing, minus, zero)": 0,
    "LEAST(nothing, minus, zero)": -3,
    "COALESCE(nothing, minus)": -3,
    "COALESCE(nothing, half)": 2.5,
    "CASE WHEN nothing > 0 THEN 1 WHEN zero = 0 THEN 2 END": 2,
    "CASE seven WHEN 1 THEN 'x' END": None,
    "ABS(minus)": 3,
    # text: compared by code point, counted in characters; || keeps null, CONCAT leaves it out
    "'B' < 'a' AND 'z' < han AND 'a' < 'ab'": True,
    "'a' = 'a '": False,
    "SUBSTRING(han, 2, 1)": "乙",
    "LOWER('ÄB')": "äb",
    "han || CAST(seven AS VARCHAR)": "甲乙丙7",
    "han || CAST(nothing AS VARCHAR)": None,
    "CONCAT('a', CAST(nothing AS VARCHAR), 'b')": "ab",
    "MD5(han)": hashlib.md5("甲乙丙".encode(), usedforsecurity=False).hexdigest(),
    # dates
    "12 * YEAR(day) + MONTH(day)": 12 * 2028 + 2,
    "DAY(day)": 29,
    "DATEDIFF('day', day, later)": 2,
    "DATEDIFF('day', later, day)": -2,
    "COALESCE(day > later, FALSE)": False,
    # decimals written in a model
    "CAST(0.1 + 0.2 AS DOUBLE)": 0.3,
    "CAST(seven * 0.15 AS DOUBLE)": 1.05,
}
GROUPED: dict[str, Any] = {
    "SUM(v)": 6,
    "AVG(v)": 2.0,
    "MIN(v)": 1,
    "MAX(v)": 3,
    "COUNT(*)": 4,
    "COUNT(v)": 3,
    "COUNT(DISTINCT t)": 2,
    "MIN(t)": "B",
    "SUM(CASE WHEN v > 9 THEN v END)": None,
    "COUNT(CASE WHEN v > 9 THEN v END)": 0,
    "SUM(CASE WHEN place = 1 THEN v END)": 1,
    "SUM(CASE WHEN place = 4 AND v IS NULL THEN 1 END)": 1,
}
VALUES = """SELECT v, t, ROW_NUMBER() OVER (ORDER BY v) AS place FROM (
  SELECT nothing AS v, 'a' AS t FROM seen UNION ALL SELECT 2, 'a' FROM seen
  UNION ALL SELECT 1, 'B' FROM seen UNION ALL SELECT 3, NULL FROM seen) AS x"""


@pytest.fixture
def seen(engine: Engine, tmp_path: Path) -> exp.Query:
    """The one row, read from files, so that no engine folds it away."""
    who = {"customer_id": 2**62 - 1, "month": "2028-02"}
    rows = {
        "usage": {"voice_s": 7, "offnet_s": 0, "sms": -3},
        "attributes": {"name": "x", "number": 2.5, "code": "甲乙丙"},
        "complaints": {"complaint_id": "1", "opened_on": DAY, "closed_on": DAY + dt.timedelta(days=2)},
    }
    for table, row in rows.items():
        path = write_rows(tmp_path / f"{table}.parquet", table, [who | row])
        engine.see(table, Scan(TABLES[table], (Files((path,), 0),)))
    return query(SEEN)


def query(text: str) -> exp.Query:
    return as_query(parse_one(text, read="duckdb"))


def asked(
    engine: Engine, answers: dict[str, Any], source: exp.Query, values: str = "SELECT * FROM seen"
) -> dict[str, Any]:
    """All expressions in one query, because each query costs Spark seconds."""
    trees = [exp.alias_(parse_one(text, read="duckdb"), f"a{i}") for i, text in enumerate(answers)]
    body = exp.select(*trees).from_("given").with_("seen", as_=source).with_("given", as_=query(values))
    row = engine.fetch(body).to_pylist()[0]
    return dict(zip(answers, (plain(row[f"a{i}"]) for i in range(len(answers))), strict=True))


def plain(value: Any) -> Any:
    """Engines type whole numbers and decimals by their own taste; the declared cast evens that out."""
    if isinstance(value, (Decimal, float)):
        return round(float(value), 12)
    return value


def test_the_subset_answers_alike_on_both_engines(engine: Engine, seen: exp.Query) -> None:
    assert asked(engine, ANSWERS, seen) == {text: plain(value) for text, value in ANSWERS.items()}
    assert asked(engine, GROUPED, seen, VALUES) == {text: plain(value) for text, value in GROUPED.items()}


@pytest.mark.parametrize(
    "text", ["customer_id * 4", "CAST(han AS BIGINT)"], ids=["sums beyond 64 bits", "casts of words"]
)
def test_both_engines_stop_rather_than_guess(engine: Engine, seen: exp.Query, text: str) -> None:
    with pytest.raises(Exception, match=r"(?i)overflow|out of range|malformed|could not convert|cannot be cast"):
        asked(engine, {text: None}, seen)


MODEL = """-- question: is it allowed?
-- reads: bills
-- makes: features
SELECT customer_id, {what} AS {column} FROM bills GROUP BY customer_id"""


@pytest.mark.parametrize(
    ("what", "column"),
    [
        ("SUM(amount_fen) / COUNT(*)", "revenue_change"),
        ("SUM(amount_fen) // 2", "revenue_fen"),
        ("SUM(amount_fen) % 2", "revenue_fen"),
        ("HASH(customer_id)", "revenue_fen"),
        ("TRY_CAST(MIN(component) AS BIGINT)", "revenue_fen"),
        ("CAST(SUM(amount_fen) / 2 AS BIGINT)", "revenue_fen"),
        ("SUM(amount_fen) / 2", "revenue_fen"),
        ("QUANTILE_CONT(amount_fen, 0.5)", "revenue_change"),
        ("CORR(amount_fen, months_ago)", "revenue_change"),
        ("STDDEV(amount_fen)", "revenue_change"),
        ("LN(SUM(amount_fen))", "revenue_change"),
        ("SQRT(SUM(amount_fen))", "revenue_change"),
        ("FIRST(component)", "kind"),
        ("RANDOM()", "revenue_change"),
    ],
)
def test_what_engines_answer_differently_is_refused_without_running(what: str, column: str) -> None:
    with pytest.raises(ModelError):
        sqlmodel.check(sqlmodel.parse("bad", MODEL.format(what=what, column=column)))
