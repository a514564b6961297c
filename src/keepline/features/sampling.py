"""How large a share of a past month's customers is made, when models may learn from so many and no more."""

from __future__ import annotations

from sqlglot import exp, parse_one

from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.sampled import Sampled

SEEN_IN = ("bills", "usage")
COUNTED = 1_000_000  # rows read at most to count customers; of more, those of a share of the customers
SPARE = 1.25  # so that a base that grew, or has fewer than were seen, still gives as many as policy allows
CUSTOMERS = "SELECT COUNT(DISTINCT customer_id) AS customers FROM ({union}) AS seen"
UNION = " UNION ALL ".join(f"SELECT customer_id FROM {table}" for table in SEEN_IN)


def sampled(engine: Engine, lake: Lake, month: Month, *, most: int, snapshots: int) -> Sampled:
    """The share of a month's customers that ``snapshots`` months like it need to have ``most`` rows together.

    It hangs on the lake as that month knew it and on nothing that was made of it: whoever is seen in the month's bills
    or use counts as a customer. So it is the same whenever it is asked for, and the base need not be made to know it.
    """
    rows = sum(f.rows for f in lake.versions(month) if f.month == str(month) and f.table in SEEN_IN)
    enough = SPARE * most / snapshots
    if rows <= enough:  # then customers are fewer still
        return Sampled()
    return Sampled(min(1.0, enough / max(1.0, _customers(engine, lake, month, rows))))


def _customers(engine: Engine, lake: Lake, month: Month, rows: int) -> float:
    """How many customers a month's rows are of: counted, or estimated from a share of all pseudonyms.

    Of n customers counted in a share f the estimate n / f has a standard error of about sqrt(n) / f, which with a
    million rows is well under one in a hundred.
    """
    share = 1.0
    while rows * share > COUNTED:
        share /= 2
    some = Sampled(share)
    for table in SEEN_IN:
        engine.see(table, lake.scan(table, month, months=1), some.alone)
    query = parse_one(CUSTOMERS.format(union=UNION))
    assert isinstance(query, exp.Query)
    return float(engine.fetch(query).column("customers")[0].as_py()) / share
