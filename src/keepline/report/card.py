"""The model's card and the judgement of past probabilities, brought to one shape; what a card lacks stays unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepline.report.tally import Row
from keepline.report.words import Words, both

ORDER = ("leave", "port_out", "downgrade", "margin")


def card_figures(card: Mapping[str, Any]) -> dict[str, Any]:
    """Every model of the card that says how well it ranks, and what the card says in words."""
    found = [_judged(name, where) for name, where in _with_auc(card)]
    return {"models": sorted(found, key=_place), "notes": _notes(card), "version": card.get("version")}


def judgement_figures(said: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Past snapshots whose horizon is over, latest first."""
    rows = [
        _judged(str(row.get("outcome", "leave")), row)
        | {"month": str(row.get("month", row.get("plan_month", ""))), "verdict": row.get("verdict", "judged")}
        | {"said": _said(row)}
        for row in said
    ]
    return sorted(rows, key=lambda r: r["month"], reverse=True)


def _said(row: Mapping[str, Any]) -> Words | None:
    zh, en = row.get("zh"), row.get("en")
    return both(str(zh), str(en)) if zh and en else None


def _with_auc(value: Any, name: str = "leave") -> list[tuple[str, Mapping[str, Any]]]:
    """The parts of a card that hold an AUC, each with the name it lies under."""
    if not isinstance(value, Mapping):
        return []
    if "auc" in value:
        return [(name, value)]
    return [found for key, inner in sorted(value.items()) for found in _with_auc(inner, _name(key, name))]


def _name(key: str, outer: str) -> str:
    known = {"leaving": "leave", "leave": "leave", "port_out": "port_out", "downgrade": "downgrade", "margin": "margin"}
    return known.get(key, outer)


def _place(row: Row) -> tuple[int, str]:
    return (ORDER.index(row["model"]) if row["model"] in ORDER else len(ORDER), row["model"])


def _judged(name: str, said: Mapping[str, Any]) -> Row:
    return {
        "model": name,
        "where": said.get("where"),
        "customers": _first(said, "customers", "people", "n"),
        "events": _first(said, "events", "left", "leavers"),
        "auc": estimate(said, "auc"),
        "slope": estimate(said, "slope") or estimate(said, "calibration_slope"),
        "brier": _first(said, "brier"),
        "lift": _first(said, "lift", "top_tenth_lift"),
        "tenths": _tenths(_first(said, "tenths", "calibration_table", "calibration")),
    }


def _first(said: Mapping[str, Any], *names: str) -> Any:
    return next((said[name] for name in names if said.get(name) is not None), None)


def estimate(said: Mapping[str, Any], name: str) -> Row | None:
    """A figure and its interval, written as a number beside ``name_low`` and ``name_high``, a mapping or a list."""
    value = said.get(name)
    if isinstance(value, Mapping):
        return {"value": value.get("value"), "low": value.get("low"), "high": value.get("high")}
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 3:
        return {"value": value[0], "low": value[1], "high": value[2]}
    if value is None:
        return None
    return {"value": value, "low": said.get(f"{name}_low"), "high": said.get(f"{name}_high")}


def _tenths(said: Any) -> list[Row]:
    if not isinstance(said, Sequence) or isinstance(said, str):
        return []
    names = ("predicted", "observed", "low", "high", "customers")
    rows = [{name: row.get(name) for name in names} for row in said if isinstance(row, Mapping)]
    return sorted((r for r in rows if None not in (r["predicted"], r["observed"])), key=lambda r: r["predicted"])


def _notes(card: Mapping[str, Any]) -> list[Words]:
    """Sentences of the card in both languages: what it lacked, why it abstained."""
    found: list[Words] = []
    for key in ("lacking", "notes", "abstains"):
        rows = card.get(key) or []
        for row in rows if isinstance(rows, Sequence) and not isinstance(rows, str) else []:
            if isinstance(row, Mapping) and row.get("zh") and row.get("en"):
                found.append(both(str(row["zh"]), str(row["en"])))
    return found
