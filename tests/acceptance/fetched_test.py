"""What a month brings to the process that conducts it is of few customers, however many the base has.

On a cluster that is the driver's memory. Left out are who took part in a pilot, of whom there are as many as were
drawn, and cells of equal probability, of which there are at most 100,001.
"""

from __future__ import annotations

import pyarrow as pa
import pytest
from sqlglot import exp

from keepline.engine import DuckDB
from keepline.lake.intake import load
from keepline.periods import Month, months_between
from keepline.pipeline import run_month
from keepline.progress import Silent
from keepline.simulate.operator import next_month, start_site
from keepline.site import Site, open_site
from keepline.tables import SCORE_CELLS

CUSTOMERS, LEARN_FROM, MONTHS = 5000, 1000, 8
LAST = Month.parse("2026-10")
MOST = 2 * LEARN_FROM  # rows: niches are sought among twice as many as models learn from


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("fetched") / "site"
    start_site(root, customers=CUSTOMERS, months=MONTHS, last=LAST, seed=2, engine="duckdb")
    leaving = root / "policy" / "leaving.toml"
    said = leaving.read_text(encoding="utf-8").splitlines()
    told = [f"training_customers_max = {LEARN_FROM}" if x.startswith("training_customers_max") else x for x in said]
    leaving.write_text("\n".join(told) + "\n", encoding="utf-8")
    site = open_site(root)
    for month in months_between(LAST + (1 - MONTHS), LAST):
        for report in load(site, next_month(root, month, decisions=None, assignments=None, progress=Silent())):
            report.insist()
        if month in (LAST + -4, LAST + -1):  # one plan to be judged, and the month before
            run_month(site, month)
    return site


def test_no_query_of_a_month_brings_the_base_here(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[int, str]] = []
    fetch = DuckDB.fetch

    def watched(engine: DuckDB, query: exp.Query) -> pa.Table:
        rows = fetch(engine, query)
        asked = query.sql("duckdb")
        if set(rows.column_names) != set(SCORE_CELLS.names) and "FROM experiments" not in asked:
            found.append((len(rows), asked[:200]))
        return rows

    monkeypatch.setattr(DuckDB, "fetch", watched)
    run_month(site, LAST)
    assert len(found) > 20
    assert max(found)[0] <= MOST < CUSTOMERS / 2, max(found)
