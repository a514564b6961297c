"""Value, loyalty, risk and its reasons for every customer of a snapshot, row by row over record batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from keepline.engine import Engine, Files, Range, Scan
from keepline.insight import loyalty, reasons, value
from keepline.insight.inputs import Shelf, Vector, numbers, rows_query, see_rows
from keepline.insight.leaving import Leaving, chance
from keepline.insight.staying import AHEAD
from keepline.insight.staying import READS as COURSE
from keepline.insight.topups import COLUMNS as TOPUPS
from keepline.insight.topups import active_query, see_bills
from keepline.insight.training import Models
from keepline.periods import Month
from keepline.placed import NOTHING, Placed
from keepline.policy.documents import Policy
from keepline.tables import FEATURES, SCORES, Type

REASON_BEFORE = "reason_before"
# Beside the inputs of the models, the features that each part of a customer's scores is given, and no others.
WORTH = (*value.READS, *TOPUPS)
LOYALTY = tuple(dict.fromkeys((*loyalty.CLASS_READS, *loyalty.KIND_READS)))
READS = tuple(dict.fromkeys((*value.READS, *LOYALTY, *COURSE, *reasons.FACTS)))


def score(
    engine: Engine,
    lake: Shelf,
    policy: Policy,
    models: Models,
    *,
    snapshot: Month,
    features: Path,
    only: Range,
    to: Path,
    previous: Placed = NOTHING,
) -> int:
    """Write one part of SCORES for the customers of one part of FEATURES; return the customers.

    ``previous`` are the scores of the month before, whose reasons stay where they hold.
    """
    attributes = models.inputs.attributes if models.inputs else ()
    scan = Scan(FEATURES, (Files((features,), 0),))
    see_rows(engine, lake, snapshot=snapshot, features=scan, attributes=attributes, only=only)
    query = rows_query(attributes)
    if models.value.topups is not None:
        see_bills(engine, lake, snapshot=snapshot, only=only)
        query = _with_topups(query)
    if previous.parts:
        engine.see("before", Scan(SCORES, (Files(previous.of(only), 1),)), only)
        query = _with_reasons_before(query)
    query = query.order_by(exp.column("customer_id", table="features"))
    return engine.map(query, Scorer(models, policy, models.value.history(snapshot.index)), SCORES, to)


def take_scores(engine: Engine, parts: Sequence[Path], *, among: Path, only: Range, to: Path) -> int:
    """Write what was published of the customers that a part of FEATURES holds; return the customers."""
    engine.see("scores", Scan(SCORES, (Files(tuple(parts), 0),)).among((among,)), only)
    return engine.write(exp.select(*SCORES.names).from_("scores").order_by("customer_id"), SCORES, to)


def _with_topups(query: exp.Select) -> exp.Select:
    """The course of each prepaid customer's top-ups beside the rest."""
    columns = [exp.column(name, table="topped") for name in TOPUPS]
    on = exp.EQ(this=exp.column("customer_id", table="features"), expression=exp.column("customer_id", table="topped"))
    return query.select(*columns).join(active_query().subquery("topped"), on=on, join_type="left")


def _with_reasons_before(query: exp.Select) -> exp.Select:
    """The first reason of the month before beside the rest."""
    on = exp.EQ(this=exp.column("customer_id", table="features"), expression=exp.column("customer_id", table="before"))
    told = exp.alias_(exp.column("reason_1", table="before"), REASON_BEFORE)
    return query.select(told).join("before", on=on, join_type="left")


@dataclass(frozen=True)
class Scorer:
    """Scores a batch; what it says of a customer does not depend on the others in the batch."""

    models: Models
    policy: Policy
    history: int = value.MONTHS_NOW  # months of bills known at the snapshot

    def __call__(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        told = (*READS, *(name for name in TOPUPS if self.models.value.topups is not None))
        column = {name: numbers(rows.column(name)) for name in told}
        ids = rows.column("customer_id").to_numpy()
        inputs = self.models.inputs
        matrix = inputs.matrix(rows) if inputs else np.empty((len(ids), 0))
        leave, why = self._leaving(matrix, ids, _some(column, reasons.FACTS), before=_reasons_before(rows))
        made: dict[str, Any] = {"customer_id": rows.column("customer_id"), "month": rows.column("month")}
        made |= self._worth(_some(column, WORTH), leave)
        made |= self._loyalty(_some(column, LOYALTY), leave)
        made |= self._risks(matrix, ids, leave, _some(column, COURSE))
        made |= {f"reason_{i + 1}": why[:, i] for i in range(reasons.SHOWN)}
        made["model_version"] = pa.array([self.models.version] * len(ids), pa.string())
        arrays = [_array(made[c.name], c.type) for c in SCORES.columns]
        return pa.RecordBatch.from_arrays(arrays, schema=SCORES.arrow)

    def _worth(self, column: dict[str, Vector], leave: Vector) -> dict[str, Vector]:
        """Value by the model's own rate, else by the rate policy states, else unknown."""
        monthly = value.monthly_rate(leave, self.models.horizon)
        if self.models.leave is None and self.models.value.monthly_rate is not None:
            monthly = np.full(len(leave), self.models.value.monthly_rate)
        if self.models.value_abstains:
            monthly = np.full(len(leave), np.nan)
        made = value.worth(self.models.value, self.policy.value, column=column, monthly=monthly, history=self.history)
        return {
            "value_fen": made.value,
            "value_low_fen": made.low,
            "value_high_fen": made.high,
            "persistence_fen": made.persistence,
            "growth_fen": made.growth,
            "word_of_mouth_fen": made.word_of_mouth,
            "expected_months": np.round(made.expected_months, 6),
        }

    def _loyalty(self, column: dict[str, Vector], leave: Vector) -> dict[str, Any]:
        of_the_sample = np.full(len(leave), np.nan) if self.models.value_abstains else leave
        return {
            "loyalty": loyalty.loyalty_class(_some(column, loyalty.CLASS_READS), of_the_sample, self.policy.loyalty),
            "loyalty_kind": loyalty.loyalty_kind(_some(column, loyalty.KIND_READS), self.policy.loyalty),
        }

    def _staying(self, column: dict[str, Vector], leave: Vector) -> dict[str, Vector]:
        """The chance to be here still after some months; unknown where value abstains, as its rate is."""
        course = self.models.course
        if course is None or self.models.value_abstains:
            return {name: np.full(len(leave), np.nan) for name in AHEAD}
        curve = course.curve(leave, *(column[name] for name in COURSE))
        return {name: np.round(curve[:, months - 1], 9) for name, months in AHEAD.items()}

    def _risks(self, matrix: Vector, ids: Any, leave: Vector, column: dict[str, Vector]) -> dict[str, Any]:
        port_out = np.minimum(_probability(self.models.port_out, matrix, ids), np.where(np.isnan(leave), 1.0, leave))
        said = self.policy.leaving
        bands = [leave >= said.high_band_min, leave >= said.medium_band_min, ~np.isnan(leave)]
        return {
            "leave_probability": leave,
            "port_out_probability": port_out,
            "downgrade_probability": _probability(self.models.downgrade, matrix, ids),
            "leave_monthly": np.round(value.monthly_rate(leave, self.models.horizon), 9),
            **self._staying(column, leave),
            "risk_band": np.select(bands, ["high", "medium", "low"], "unknown"),
        }

    def _leaving(
        self, matrix: Vector, ids: Any, column: dict[str, Vector], *, before: reasons.Codes | None
    ) -> tuple[Vector, reasons.Codes]:
        """The probability to leave and its reasons, both from what the curves say, which is spelt out once."""
        leave, made = np.full(len(ids), np.nan), np.full((len(ids), reasons.SHOWN), None, dtype=object)
        leaving, inputs = self.models.leave, self.models.inputs
        if leaving is not None and inputs is not None:
            for stack, mine, rows in leaving.each(matrix, ids):
                parts = stack.curves.parts(rows)
                leave[mine] = chance(stack.logit(rows, parts))
                own = {name: values[mine] for name, values in column.items()}
                was = None if before is None else before[mine]
                made[mine] = reasons.strongest(inputs, stack.curves, parts=parts, column=own, before=was)
        return leave, made


def _some(column: dict[str, Vector], names: Sequence[str]) -> dict[str, Vector]:
    """Of the columns those that are named: what was not declared cannot be read."""
    return {name: column[name] for name in names if name in column}


def _reasons_before(rows: pa.RecordBatch) -> reasons.Codes | None:
    if REASON_BEFORE not in rows.schema.names:
        return None
    return np.array(rows.column(REASON_BEFORE).to_pylist(), dtype=object)


def _probability(model: Leaving | None, matrix: Vector, ids: Any) -> Vector:
    return np.full(len(ids), np.nan) if model is None else model.probability(matrix, ids)


def _array(values: Any, kind: Type) -> pa.Array:
    """A declared column: unknown as null, money in whole fen."""
    if isinstance(values, pa.Array):
        return values
    if kind is Type.TEXT:
        return pa.array(values.tolist(), pa.string())
    unknown = np.isnan(values)
    if kind is Type.BIGINT:
        return pa.array(np.rint(np.where(unknown, 0, values)).astype(np.int64), pa.int64(), mask=unknown)
    return pa.array(values, pa.float64(), mask=unknown)
