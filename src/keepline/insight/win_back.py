"""Who left lately, for which recorded reason, and who of them is worth winning back (K6)."""

from __future__ import annotations

from typing import Any

from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.engine import Engine
from keepline.insight.inputs import Shelf
from keepline.periods import Month
from keepline.policy.documents import Leaving, Policy
from keepline.policy.margins import basis_points
from keepline.sqlmodel import SqlModel

MONTHS = 3
LISTED = 200
UNRECORDED = "unrecorded"
UNRECORDED_WORDS = {"zh": "未记录原因", "en": "no reason recorded"}

LATEST = """
SELECT d.customer_id, d.month AS month, d.kind AS kind, COALESCE(d.reason, 'unrecorded') AS reason, g.margin_3m_fen
FROM (SELECT customer_id, month, kind, reason, months_ago,
             ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY months_ago) AS nth
      FROM departures) AS d
LEFT JOIN gone AS g ON g.customer_id = d.customer_id
WHERE d.nth = 1 AND d.months_ago <= 2
"""
BY_REASON = "SELECT reason, COUNT(*) AS customers, SUM(margin_3m_fen) AS margin FROM latest GROUP BY reason"
RANKED = f"""
SELECT customer_id, month, kind, reason, margin_3m_fen FROM latest
WHERE margin_3m_fen > 0 ORDER BY margin_3m_fen DESC, customer_id LIMIT {LISTED}
"""


def win_back(engine: Engine, lake: Shelf, policy: Policy, *, snapshot: Month) -> list[dict[str, Any]]:
    """One entry a reason, the most margin first: reason, zh, en, customers, margin_3m_fen, and ``listed``.

    ``listed`` holds those of the reason among the 200 departed customers with the most margin in the
    three months before they left: customer_id, month, kind, margin_3m_fen.
    """
    engine.see("departures", lake.scan("departures", snapshot, months=MONTHS))
    engine.see("bills", lake.scan("bills", snapshot, months=2 * MONTHS))
    gone = sqlmodel.load("keepline.insight", "gone").bind(**basis_points(policy.value)).query
    counted = engine.fetch(_over(BY_REASON, gone)).to_pylist()
    ranked = engine.fetch(_over(RANKED, gone)).to_pylist()
    ranked.sort(key=lambda row: (-row["margin_3m_fen"], row["customer_id"]))
    entries = [_entry(row, ranked, policy.leaving) for row in counted]
    return sorted(entries, key=lambda entry: (-entry["margin_3m_fen"], entry["reason"]))


def _over(text: str, gone: exp.Query) -> exp.Query:
    """A query over ``latest``, with the margin model among its named steps."""
    query, latest = (sqlmodel.as_query(parse_one(each, read="duckdb")) for each in (text, LATEST))
    model = SqlModel("win_back", "who is worth winning back?", ("departures", "bills"), "features", query)
    return model.with_parts({"gone": gone, "latest": latest}).query


def _entry(row: dict[str, Any], ranked: list[dict[str, Any]], policy: Leaving) -> dict[str, Any]:
    code = row["reason"]
    words = policy.reasons.get(code)
    said = {"zh": words.zh, "en": words.en} if words else {"zh": code, "en": code}
    said = UNRECORDED_WORDS if code == UNRECORDED else said
    shown = ("customer_id", "month", "kind", "margin_3m_fen")
    listed = [{name: one[name] for name in shown} for one in ranked if one["reason"] == code]
    counts = {"customers": int(row["customers"]), "margin_3m_fen": int(row["margin"] or 0)}
    return {"reason": code, **said, **counts, "listed": listed}
