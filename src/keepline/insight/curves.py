"""The curves of an additive model as arrays, and what each says of many customers at once, as machine code.

A B-spline between two knots is a cubic; its four coefficients are kept (SciPy's ``PPoly.from_spline``), so that a value
costs a short search and three multiplications.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.interpolate import PPoly

from keepline.compiled import compiled
from keepline.insight.inputs import Vector

CUBIC = 4  # coefficients, from the cube down


@dataclass(frozen=True)
class Term:
    """f of one matrix column: a curve or a line inside the range seen, constant outside it."""

    column: int
    low: float
    high: float
    curve: Any  # scipy BSpline, or None for a line
    slope: float
    centre: float  # subtracted, so that the mean of the training base is 0
    unknown: float  # contribution of a customer of whom this is not known

    def contribution(self, values: Vector) -> Vector:
        known = np.clip(np.where(np.isnan(values), self.low, values), self.low, self.high)
        curve = self.slope * known if self.curve is None else self.curve(known)
        return np.where(np.isnan(values), self.unknown, curve - self.centre)


class Curves(NamedTuple):
    """Several curves; ``first`` has one entry more than there are, the bounds of each one's pieces."""

    column: Any
    low: Any  # constant below
    high: Any  # and above
    unknown: Any
    first: Any
    begin: Any  # of each piece: where it begins,
    cubic: Any  # and its coefficients, pieces × 4; the centre is subtracted already


def as_arrays(terms: Sequence[Term]) -> Curves:
    pieces = [_pieces(term) for term in terms]
    bounds = np.cumsum([0, *(len(begin) for begin, _ in pieces)])
    return Curves(
        column=np.array([term.column for term in terms], np.int32),
        low=np.array([term.low for term in terms], np.float64),
        high=np.array([term.high for term in terms], np.float64),
        unknown=np.array([term.unknown for term in terms], np.float64),
        first=bounds.astype(np.int32),
        begin=np.concatenate([begin for begin, _ in pieces]) if pieces else np.empty(0),
        cubic=np.concatenate([cubic for _, cubic in pieces]) if pieces else np.empty((0, CUBIC)),
    )


def _pieces(term: Term) -> tuple[Any, Any]:
    """Where the pieces within ``low`` to ``high`` begin, and their coefficients."""
    if term.curve is None:
        return np.array([0.0]), np.array([[0.0, 0.0, term.slope, -term.centre]])
    whole = PPoly.from_spline(term.curve)
    inside = (whole.x[:-1] < whole.x[1:]) & (whole.x[1:] > term.low) & (whole.x[:-1] < term.high)
    cubic = whole.c[:, inside].T.copy()
    cubic = np.column_stack([np.zeros((len(cubic), CUBIC - cubic.shape[1])), cubic])
    cubic[:, -1] -= term.centre
    return whole.x[:-1][inside], cubic


@compiled
def spell_out(matrix: Any, curves: Curves, made: Any) -> None:
    """Write what each curve says of each row into ``made``, curves × rows; unknown in the matrix as NaN."""
    for term in range(len(curves.column)):
        begin, end = curves.first[term], curves.first[term + 1]
        for row in range(len(matrix)):
            value = matrix[row, curves.column[term]]
            if value != value:
                made[term, row] = curves.unknown[term]
                continue
            value = min(max(value, curves.low[term]), curves.high[term])
            piece = begin
            while piece + 1 < end and curves.begin[piece + 1] <= value:
                piece += 1
            x, cubic = value - curves.begin[piece], curves.cubic[piece]
            made[term, row] = ((cubic[0] * x + cubic[1]) * x + cubic[2]) * x + cubic[3]
