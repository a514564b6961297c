"""What a pilot found, as rows of PILOTS and LEARNERS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keepline.measurement import uplift
from keepline.measurement.learners import Line, Numbers
from keepline.measurement.uplift import Uplift

INTERCEPT = "intercept"
MEANS = {"mean_effect": "mean", "low": "low", "high": "high"}
DIGITS = {"leave": 9, "margin": 6, "taken": 9}
# what a plain effect grows with, as PILOTS says what a term is multiplied by
ONE, TAKEN, TAKEN_RISK, PLAIN_RISK = "one", "taken", "taken_risk", "plain_risk"


@dataclass(frozen=True)
class Found:
    """One outcome of one pilot: who was compared and what came out; no uplift when there were too few."""

    treated: int
    held_out: int
    terms: uplift.Terms
    size: str  # what a plain effect grows with
    sizes: Numbers
    uplift: Uplift | None


def outcome_rows(outcome: str, found: Found, useful: bool) -> list[dict[str, Any]]:
    if found.uplift is None:
        return [too_few(outcome, found.treated, found.held_out)]
    about = mean_row(outcome, found.uplift, found.treated, found.held_out)
    if not useful:
        nothing = {"times": ONE, "term": INTERCEPT, "coefficient": 0.0, "centre": 0.0, "scale": 1.0}
        return [about | nothing | {"verdict": "no_effect"}]
    return _effect_rows(about | {"verdict": "measured"}, found, found.uplift, DIGITS[outcome])


def _effect_rows(about: dict[str, Any], found: Found, uplifted: Uplift, digits: int) -> list[dict[str, Any]]:
    """What is used of the effect; where it grows with nothing, the two lines are one."""
    effect = uplifted.effect
    if found.size == ONE:
        whole = Line(effect.line.intercept + effect.share.intercept, effect.line.slopes + effect.share.slopes)
        return line_rows(about, whole, found.terms, digits)
    rows = line_rows(about, effect.line, found.terms, digits)
    grows = {"times": found.size, "reach": round(uplifted.reach, digits) or None}
    return rows + line_rows(about | grows, effect.share, found.terms, digits)


def mean_row(outcome: str, found: Uplift | uplift.Taken, treated: int, held_out: int) -> dict[str, Any]:
    means = {name: round(getattr(found, part), DIGITS[outcome]) for name, part in MEANS.items()}
    return {"outcome": outcome, "treated": treated, "held_out": held_out} | means


def line_rows(about: dict[str, Any], line: Line, terms: uplift.Terms, digits: int) -> list[dict[str, Any]]:
    """One row a term; the intercept alone where the line says the same of everybody."""
    about = {"times": ONE} | about
    rows = [about | {"term": INTERCEPT, "coefficient": round(line.intercept, digits), "centre": 0.0, "scale": 1.0}]
    if not line.slopes.any():
        return rows
    each = zip(terms.names, line.slopes, terms.centre, terms.scale, strict=True)
    return rows + [
        about
        | {"term": name, "coefficient": round(float(slope), digits), "centre": float(centre), "scale": float(scale)}
        for name, slope, centre, scale in each
    ]


def learner_rows(outcome: str, found: Found, useful: bool) -> list[dict[str, Any]]:
    """How each learner ranked customers it had not seen; ``kept``: how much of the mean of those chosen is used."""
    if found.uplift is None:
        return []
    kept = round(found.uplift.kept, 6) if useful else 0.0
    digits = DIGITS[outcome]
    return [
        {"outcome": outcome, "learner": each.name, "qini": round(each.qini, digits),
         "error": round(each.error, digits), "chosen": each.chosen, "kept": kept if each.chosen else None}
        for each in found.uplift.choice.tried
    ]  # fmt: skip


def too_few(outcome: str, treated: int, held_out: int) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "times": ONE,
        "term": INTERCEPT,
        "treated": treated,
        "held_out": held_out,
        "verdict": "too_few",
    }


def rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
