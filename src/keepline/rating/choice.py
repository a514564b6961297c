"""How likely each customer chooses a planned tariff, as its file assumes.

A customer considers it with probability ``considering`` and then moves when it would have saved more than the
inertia a month. With ``spread_fen`` s above zero the line is not sharp: a logit choice (McFadden 1974),

    P(move) = considering / (1 + exp(-(saved - inertia) / s))

Inertia is what staying is worth without a reason in the bill: customers keep plans that cost them more (Train,
McFadden and Ben-Akiva 1987; Miravete 2003). Past use is taken as it was: nobody is assumed to use more or less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import expit

from keepline.policy.tariff import Choice
from keepline.tables import TARIFF_CHANGES

Vector = np.ndarray[Any, np.dtype[np.float64]]


def moving(choice: Choice, saved_fen: Vector) -> tuple[Vector, Vector, Vector]:
    """The probability to move by fen saved a month: as thought likely, at the least and at the greatest readiness."""
    likely = _moving(saved_fen, choice.inertia_fen, choice.spread_fen, choice.considering)
    least = _moving(saved_fen, choice.inertia_high_fen, choice.spread_fen, choice.considering_low)
    most = _moving(saved_fen, choice.inertia_low_fen, choice.spread_fen, choice.considering_high)
    return likely, least, most


def _moving(saved: Vector, inertia: int, spread: int, considering: float) -> Vector:
    over = saved - inertia
    return np.asarray(considering * (expit(over / spread) if spread else (over > 0)), dtype=np.float64)


def chosen(choice: Choice, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of TARIFF_CHANGES, whose probabilities of moving are still to be filled."""
    months = np.maximum(_numbers(batch, "group_months"), 1.0)
    made = moving(choice, -_numbers(batch, "group_change_fen") / months)
    columns = {name: batch.column(name) for name in batch.schema.names}
    columns |= {name: pa.array(values) for name, values in zip(("moves", "moves_low", "moves_high"), made, strict=True)}
    return pa.record_batch([columns[name] for name in TARIFF_CHANGES.names], schema=TARIFF_CHANGES.arrow)


def _numbers(batch: pa.RecordBatch, name: str) -> Vector:
    return np.asarray(batch.column(name).fill_null(0).to_numpy(zero_copy_only=False), dtype=np.float64)
