"""The models' card and the judgement of past probabilities, brought to one shape; what they lack stays unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from statistics import NormalDist
from typing import Any

from keepline.report.tally import Row
from keepline.report.words import Words, both

Said = Mapping[str, Any]
ORDER = ("leave", "port_out", "downgrade")
LEVEL = 0.90  # of every interval on the page
REASON_WORDS = "reasons"


def card_figures(card: Said) -> dict[str, Any]:
    """Each target with how well it was predicted for the unseen, or why it was not learnt; and what was lacking."""
    targets = card.get("targets") or {}
    names = [*(name for name in ORDER if name in targets), *sorted(set(targets) - set(ORDER))]
    return {
        "version": card.get("version"),
        "level": LEVEL,
        "models": [_target(name, targets[name]) for name in names],
        "snapshots": [{key: row.get(key) for key in ("month", "customers")} for row in card.get("snapshots") or []],
        "value": _words(card.get("value")),
        "lifetimes": _sentences((card.get("value") or {}).get("who_by_what")),
        "staying": _words(card.get("staying")),
        "notes": _sentences(card.get("notes")),
        "lacked": _sentences(card.get("lacked")),
    }


def reasons_of(card: Said) -> dict[str, Words]:
    """The sentences of the reason codes, as the room that made the codes says them."""
    said = (card.get("words") or {}).get(REASON_WORDS) or {}
    return {code: both(words["zh"], words["en"]) for code, words in sorted(said.items())}


def _target(name: str, said: Said) -> Row:
    judged = said.get("validation") or {}
    return {
        "model": name,
        "learnt_from": {"customers": said.get("customers"), "events": said.get("events")},
        "refused": _words(said.get("refused")),
        "how": _words(judged),
    } | _accuracy(judged)


def judgement_figures(said: Iterable[Said]) -> list[Row]:
    """Every past publication, latest first, with its sentence; figures only where its horizon is over."""
    rows = [
        {"month": row.get("plan_month"), "until": row.get("month"), "verdict": row.get("verdict")}
        | {"said": _words(row), "value": row.get("value"), "level": LEVEL}
        | _accuracy(row)
        for row in said
    ]
    return sorted(rows, key=lambda row: str(row["month"]), reverse=True)


def _accuracy(said: Said) -> Row:
    return {
        "customers": said.get("customers"),
        "events": said.get("events", said.get("left")),
        "auc": estimate(said.get("auc")),
        "slope": estimate(said.get("calibration_slope")),
        "brier": estimate(said.get("brier")),
        "lift": said.get("top_decile_lift", said.get("top_tenth_lift")),
        "tenths": _tenths(said.get("tenths") or said.get("calibration") or []),
    }


def estimate(said: Any) -> Row | None:
    """A figure, with its interval where it has one."""
    if isinstance(said, Mapping):
        return None if said.get("value") is None else {key: said.get(key) for key in ("value", "low", "high")}
    return None if said is None else {"value": said, "low": None, "high": None}


def _tenths(rows: Iterable[Said]) -> list[Row]:
    """Predicted and observed shares of tenths of the customers, the lowest first, each with an interval."""
    return sorted((_tenth(row) for row in rows), key=lambda row: (row["predicted"], row["observed"]))


def _tenth(row: Said) -> Row:
    observed = row.get("observed", row.get("happened"))
    low, high = row.get("low"), row.get("high")
    if low is None and observed is not None:
        low, high = wilson(float(observed), int(row["customers"]))
    return {
        "predicted": row["predicted"],
        "observed": observed,
        "low": low,
        "high": high,
        "customers": row["customers"],
    }


def wilson(share: float, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval of a share among ``n`` (1927, JASA 22:209)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = share + z * z / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return round(max(0.0, (middle - reach) / (1 + z * z / n)), 6), round((middle + reach) / (1 + z * z / n), 6)


def drift_figures(said: Said) -> dict[str, Any]:
    """What moved since the models learnt, in words; how many inputs were compared, or why none was."""
    inputs = said.get("inputs") or {}
    return {
        "warnings": _sentences(said.get("warnings")),
        "checked": inputs.get("checked"),
        "refused": _words(inputs.get("refused")),
    }


def _words(said: Any) -> Words | None:
    if isinstance(said, Mapping) and said.get("zh") and said.get("en"):
        return both(str(said["zh"]), str(said["en"]))
    return None


def _sentences(rows: Any) -> list[Words]:
    listed = rows if isinstance(rows, Sequence) and not isinstance(rows, str) else []
    return [words for words in map(_words, listed) if words is not None]
