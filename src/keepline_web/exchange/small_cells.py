"""A month's figures for those who see aggregates alone: no count below ten, and none that could be worked out."""

from __future__ import annotations

from typing import Any

from keepline_web.frame.small_counts import BESIDE, LEAST, SMALL, left_out, small

Figures = dict[str, Any]
SURE_OF_TEN = 2_000  # in a base this large what is worth saying concerns ten customers at least
MOVED = {
    "zh": f"有数据或预测与训练时相比变了；基数不足 {SURE_OF_TEN:,} 户，此处不列数字，请看报告。",
    "en": "Inputs or forecasts have moved since the models learnt; the report alone tells how far in a base so small.",
}
OF_CIRCLES = ("customers", "at_risk", "risk_around", "brought")

# What the pictures of a plan ask for; of a small plan none of it is told.
UNTOLD: dict[str, Any] = dict.fromkeys(("dual_value_fen", "primal_value_fen", "gap_share", "comparison"))


def guarded(figures: Figures) -> Figures:
    """The figures without small cells; what stays is as it was."""
    leaving, moves = figures.get("leaving") or {}, figures.get("moves") or {}
    small_plan = 0 < ((figures.get("plan") or {}).get("customers") or 0) < LEAST
    bands, flows = _bands(leaving.get("bands") or []), _moves(moves)
    return figures | {
        "leaving": leaving | {"bands": bands}, "moves": flows,
        "concentration": [_many(row) for row in figures.get("concentration") or []],
        "limits": [_means(row) for row in figures.get("limits") or []],
        "plan": UNTOLD | {"customers": None, "said": SMALL} if small_plan else figures.get("plan"),
        "findings": [row for row in figures.get("findings") or [] if _may_be_said(row, figures, bands, flows)],
        "niches": _niches(figures.get("niches")), "circles": _circles(figures.get("circles"), bands),
        "price": _price(figures.get("price")), "past": [_past(row) for row in figures.get("past") or []],
        "drift": _drift(figures.get("drift"), (figures.get("base") or {}).get("customers") or 0),
    }  # fmt: skip


def _niches(said: Figures | None) -> Figures | None:
    """Groups are of a hundred or more; one that were smaller is left out with all that is told of it."""
    if said is None:
        return None
    return said | {"found": [row for row in said["found"] if not small(row["customers"] or 0)]}


def _circles(said: Figures | None, bands: list[Figures]) -> Figures | None:
    """Left out whole with one small cell, and where a band of risk is hidden: those at risk are a sum of bands."""
    if said is None or said["abstains"]:
        return said
    counts = [row[name] or 0 for row in said["parts"] for name in OF_CIRCLES]
    rest = [row["customers"] - (row["at_risk"] or 0) for row in said["parts"]]
    hidden = any(band["customers"] is None for band in bands)
    return None if hidden or any(map(small, [*counts, *rest])) else said


def _past(row: Figures) -> Figures:
    """Of a plan for a few, or of which a few are compared, nothing is told: its sums would be theirs."""
    few = small(row["customers"] or 0) or small(row["compared"] or 0)
    return {"plan_month": row["plan_month"], "hidden": SMALL} if few else row


def _price(said: Figures | None) -> Figures | None:
    """By strength of the answer; the base is told, so others go with one that is too small."""
    if said is None:
        return None
    hidden = left_out({row["strength"]: row["customers"] for row in said["rows"]})
    rows = [_untold(row) if row["strength"] in hidden else row for row in said["rows"]]
    quotes = {name: SMALL if isinstance(n, int) and small(n) else n for name, n in (said.get("quotes") or {}).items()}
    return said | {"rows": rows, "quotes": quotes}


def _drift(said: Figures | None, base: int) -> Figures | None:
    """A warning tells shares and middles; in a small base one in a hundred is fewer than ten customers."""
    if not said or not said.get("warnings") or base >= SURE_OF_TEN:
        return said
    return said | {"warnings": [MOVED]}


def _untold(row: Figures) -> Figures:
    return row | {"customers": None, "share": None, "said": SMALL if row["customers"] < LEAST else BESIDE}


def _bands(rows: list[Figures]) -> list[Figures]:
    counts = {row["risk_band"]: row["customers"] for row in rows}
    hidden = left_out(counts)
    return [_hide(row) if row["risk_band"] in hidden else row for row in rows]


def _hide(row: Figures) -> Figures:
    said = SMALL if row["customers"] < LEAST else BESIDE
    return row | {"customers": None, "said": said, "expected_leavers": None, "value_fen": None, "revenue_fen": None}


def _moves(moves: Figures) -> Figures:
    """A class's total is told, and so must not give away from where a few came to it.

    The month before told the same of the class they came from, of which few or none are gone.
    """
    flows, classes = moves.get("flows") or [], moves.get("classes") or []
    cells = {(row["previous_class"] or "new", row["class"]): row for row in flows}
    lines = [[cell for cell in cells if cell[side] == code] for side in (0, 1) for code in {c[side] for c in cells}]
    hidden = left_out({cell: row["customers"] for cell, row in cells.items()}, lines)
    told = [row for cell, row in cells.items() if cell not in hidden]
    few = left_out({row["class"]: row["customers"] for row in classes})
    return moves | {
        "flows": [row for row in flows if row in told], "hidden": len(flows) - len(told),
        "classes": [_hide(row) if row["class"] in few else row for row in classes],
    }  # fmt: skip


def _many(row: Figures) -> Figures:
    """Shares of so few customers that they could be known are left out."""
    people = row.get("customers") or 0
    points = [point for point in row.get("points") or [] if point[0] == 0 or point[0] * people >= LEAST]
    return row | {"points": points, "tops": [t for t in row.get("tops") or [] if t["share"] * people >= LEAST]}


def _means(row: Figures) -> Figures:
    """What was used of a means tells how many were planned for: minutes of a district, a few contacts of a channel."""
    few = row["unit"] != "fen" and (row.get("used") or 0) < LEAST
    return row | {"used": None, "share": None} if row["kind"] == "hours" or few else row


def _may_be_said(row: Figures, figures: Figures, bands: list[Figures], moves: Figures) -> bool:
    """A sentence whose count is small, or from which a hidden one could be worked out, is not said."""
    name, reasons = row.get("id"), [r for r in (figures.get("leaving") or {}).get("reasons") or [] if r.get("reason_1")]
    base, plan = (figures.get("base") or {}).get("customers") or 0, (figures.get("plan") or {}).get("customers") or 0
    untold = {
        "leaving": any(band["customers"] is None for band in bands),
        "moves": bool(moves.get("hidden")),
        "reason": bool(reasons) and (reasons[0].get("customers") or 0) < LEAST,
        "plan": plan < LEAST,
        "exclusion": base < SURE_OF_TEN,
    }
    return not untold.get(str(name), False)
