"""How good the month's data were, what was lacking, and what long standing earns: figures of two short sections."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from keepline.policy.documents import Policy, TenureBenefit
from keepline.report.tally import Row, Shelf, group, model
from keepline.report.words import both
from keepline.tables import OF_PEOPLE, TABLES

MOST_ASIDE = 20
COUNTS = ("read", "loaded", "updated", "unchanged", "ignored", "set_aside")


def quality_figures(manifest: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """Intake of every file, tables that are lacking and what that costs, features by how many are known."""
    return {
        "intake": _by_source([_intake(row) for row in manifest.get("intake") or []]),
        "aside": [row for row in map(_intake, manifest.get("intake") or []) if row["set_aside"]][:MOST_ASIDE],
        "lacking": [{k: row.get(k, "") for k in ("table", "zh", "en")} for row in manifest.get("lacking") or []],
        "known": _known(base),
    }


def _intake(row: dict[str, Any]) -> Row:
    """A file's name without its folders, and its counts; a count nobody wrote down is unknown."""
    counts = row.get("counts") if isinstance(row.get("counts"), dict) else row
    file = PurePath(str(row.get("path", ""))).name
    said = {"file": file, "source": str(row.get("mapping") or file), "files": 1}
    return said | {name: (counts or {}).get(name) for name in COUNTS}


def _by_source(rows: list[Row]) -> list[Row]:
    """A year of monthly files of one kind is one line."""
    return group(rows, ("source",), ("files", *COUNTS))


def _known(base: dict[str, Any]) -> list[Row]:
    customers = base["customers"]
    declared = TABLES["features"]
    return [
        {"feature": name, "name": both(declared.column(name).zh, declared.column(name).en), "share": known / customers}
        for name, known in base["known"].items()
        if customers and (known or name not in OF_PEOPLE)
    ]


def tenure_figures(shelf: Shelf, policy: Policy) -> dict[str, Any]:
    """Customers by tenure band and the yearly benefit policy gives each (D6)."""
    rows = shelf.sums(model("tenure").query, ["features"], ["tenure_months"])
    benefits = sorted(policy.offers.tenure_benefit, key=lambda b: b.from_months)
    known = [row for row in rows if row["tenure_months"] is not None]
    unknown = sum(row["customers"] for row in rows if row["tenure_months"] is None)
    ends = [*(benefit.from_months for benefit in benefits[1:]), None]
    bands = [_band(known, benefit, end) for benefit, end in zip(benefits, ends, strict=False)]
    return {"bands": bands, "unknown": unknown, "customers": sum(row["customers"] for row in rows)}


def _band(known: list[Row], benefit: TenureBenefit, end: int | None) -> Row:
    inside = [
        r for r in known if r["tenure_months"] >= benefit.from_months and (end is None or r["tenure_months"] < end)
    ]
    customers = sum(row["customers"] for row in inside)
    return {
        "from_months": benefit.from_months,
        "below_months": end,
        "name": both(benefit.name.zh, benefit.name.en),
        "customers": customers,
        "yearly_fen": benefit.yearly_benefit_fen,
        "cost_fen": customers * benefit.yearly_benefit_fen,
    }
