"""How past probabilities and values did, once their horizon is over.

Judged are customers whom the lots leave alone (``untouched.py``): an offer changes what would have
happened, so the treated say nothing about the forecast. Every judgement states this. A plan of
which no delivery is on record was not carried out; where none was, everybody is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from keepline import sqlmodel
from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.measurement.accuracy import (
    Cells,
    Estimate,
    as_table,
    auc,
    brier,
    calibration,
    merge,
    tenths,
    top_tenth_lift,
)
from keepline.measurement.once import Keep, PastPlan, Proofs, made_anew, made_from, read_proofs
from keepline.measurement.outcomes import (
    PACKAGE,
    Window,
    compose,
    discounts,
    is_whole,
    leaving_is_known,
    parts_for,
    see_parts,
    see_window,
)
from keepline.measurement.statistics import shares_interval
from keepline.measurement.untouched import OFFERED, left_alone, until_reached
from keepline.measurement.words import judgement_words
from keepline.periods import Month
from keepline.placed import placed
from keepline.policy.documents import Policy
from keepline.policy.margins import basis_points
from keepline.sampled import EVERYBODY, LOOKED_AT, Sampled
from keepline.tables import SCORE_CELLS, SCORES, VALUE_SUMS, Table

EVENTS_MIN = 10  # under this the interval is shown with a warning
VALUED_MAX = 400_000  # customers whose value is set beside what followed: a year of bills is read for each


def judge(
    engine: Engine,
    lake: Lake,
    policy: Policy,
    *,
    snapshot: Month,
    past: Sequence[PastPlan],
    keep: Keep = made_anew,
    proofs: Proofs | None = None,
) -> list[dict[str, Any]]:
    """One JSON-able judgement for each past publication, oldest first, with its sentence in both languages.

    ``verdict`` is ``judged``, ``window_open`` (the horizon is not over), ``months_absent`` (not
    all of it is loaded), ``leaving_unknown`` (what tells it is not loaded) or ``nobody`` (none had a
    probability and was left alone by lot). Only ``judged`` carries figures. ``keep``: where sums that were made before
    are found. ``proofs``: what is on record of plans carried out, if it was read.
    """
    proofs = proofs or read_proofs(engine, lake, snapshot=snapshot, past=past)
    carried_out = [plan for plan in past if proofs.rows(plan.month)]
    judging = Judging(engine, lake, policy, snapshot, carried_out, keep)
    found = []
    for plan in sorted((p for p in past if p.month < snapshot), key=lambda plan: plan.month):
        said = judging.judged(plan)
        zh, en = judgement_words(said)
        found.append(said | {"zh": zh, "en": en})
    return found


@dataclass(frozen=True)
class Judging:
    """What judging any one plan needs."""

    engine: Engine
    lake: Lake
    policy: Policy
    snapshot: Month
    carried_out: Sequence[PastPlan]
    keep: Keep

    def judged(self, plan: PastPlan) -> dict[str, Any]:
        window = Window(plan.month, self.policy.leaving.horizon_months)
        about: dict[str, Any] = {"plan_month": str(plan.month), "month": str(window.last)}
        about |= {"horizon_months": window.months, "judged_on": self._judged_on(window)}
        if why := _cannot(self.lake, self.policy, snapshot=self.snapshot, window=window):
            return about | {"verdict": why}
        cells = self._cells(plan, window)
        if not cells.people:
            return about | {"verdict": "nobody"}
        return about | {"verdict": "judged"} | accuracy(cells) | {"value": self._value(plan)}

    def _within(self, window: Window) -> list[PastPlan]:
        """The plans carried out in the window."""
        return [plan for plan in self.carried_out if window.snapshot <= plan.month < window.last]

    def _judged_on(self, window: Window) -> str:
        return "left_alone" if self._within(window) else "everybody"

    def _left_alone(self, window: Window) -> exp.Select:
        return left_alone(plan.lot for plan in self._within(window))

    def _cells(self, plan: PastPlan, window: Window) -> Cells:
        people, cells, reached = (sqlmodel.load(PACKAGE, name) for name in ("judged_people", "score_cells", "reached"))
        gone = parts_for(self.policy, window=window, people=people)["gone"]
        judged = until_reached(self._left_alone(window), window)
        query = compose(cells.query, {"reached": reached.query, "people": judged, "gone": gone})
        made = self._sums(SCORE_CELLS, query, plan, window, add=lambda tables: as_table(merge(tables)), beside=OFFERED)
        return merge([made])

    def _value(self, plan: PastPlan) -> dict[str, Any] | None:
        """Published value against the discounted margin that followed; None until the value horizon is over."""
        window = Window(plan.month, self.policy.value.horizon_months)
        if window.last > self.snapshot or not is_whole(self.lake, window=window, known=self.snapshot):
            return None
        customers = sum(pq.read_metadata(part).num_rows for part in plan.scores)
        some = Sampled(min(1.0, VALUED_MAX / max(1, customers)), LOOKED_AT)
        query = _value_query(self.policy, window, self._left_alone(window))
        rows = self._sums(VALUE_SUMS, query, plan, window, some=some, add=pa.concat_tables).to_pylist()
        return _value_said(rows, share=some.share, judged_on=self._judged_on(window))

    def _sums(
        self,
        table: Table,
        query: exp.Query,
        plan: PastPlan,
        window: Window,
        *,
        add: Callable[[list[pa.Table]], pa.Table],
        some: Sampled = EVERYBODY,
        beside: Sequence[str] = (),
    ) -> pa.Table:
        """What the query says of each part of a plan's customers, added up; ``beside``: what else of the window it
        reads."""
        known = self.snapshot
        more = {name: self.lake.window(name, window.snapshot + 1, window.last, known=known) for name in beside}

        def make() -> pa.Table:
            made = table.arrow.empty_table()
            for part, whole in placed(plan.scores).parts:
                for only in some.within([whole]):
                    see_window(self.engine, self.lake, window=window, known=known, only=only)
                    see_parts(self.engine, view="scores", table=SCORES, parts=(part,), only=only)
                    for name, scan in more.items():
                        self.engine.see(name, scan, only)
                    made = add([made, self.engine.fetch(query).cast(table.arrow)])  # at once: no sum a part is held
            return made

        content = [self.lake.content(name, window.last, months=window.months, known=known) for name in beside]
        also = [some.low, some.high, content]
        named = made_from(self.lake, query, window=window, known=known, plans=[plan], also=also)
        return self.keep(table, plan.month, named, make)


def _cannot(lake: Lake, policy: Policy, *, snapshot: Month, window: Window) -> str:
    """Why a forecast cannot be judged; empty when it can."""
    if window.last > snapshot:
        return "window_open"
    if not is_whole(lake, window=window, known=snapshot):
        return "months_absent"
    return "" if leaving_is_known(lake, policy, window=window, known=snapshot) else "leaving_unknown"


def accuracy(cells: Cells) -> dict[str, Any]:
    """The figures of a judgement, JSON-able."""
    n, left = int(cells.people), int(cells.leavers)
    low, high = shares_interval(left, n)
    line = calibration(cells)
    lift = top_tenth_lift(cells)
    return {
        "customers": n,
        "left": left,
        "warning": "few_events" if left < EVENTS_MIN else None,
        "predicted": round(float(cells.probability.sum()) / n, 6),
        "observed": {"value": round(left / n, 6), "low": round(low, 6), "high": round(high, 6)},
        "auc": _said(auc(cells)),
        "calibration_slope": _said(line.slope if line else None),
        "calibration_intercept": _said(line.intercept if line else None),
        "brier": round(brier(cells), 6),
        "top_tenth_lift": None if lift is None else round(lift, 4),
        "tenths": [{name: round(value, 6) for name, value in row.items()} for row in tenths(cells)],
    }


def _said(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    ends = (estimate.value, estimate.low, estimate.high)
    return {k: None if v is None else round(v, 4) for k, v in zip(("value", "low", "high"), ends, strict=True)}


def _value_query(policy: Policy, window: Window, people: exp.Query) -> exp.Query:
    sums = sqlmodel.load(PACKAGE, "value_sums").bind(plan_month=str(window.snapshot), **basis_points(policy.value))
    factors = discounts(policy.value.discount_rate_year, months=window.months)
    return compose(sums.query, {"people": people, "discounts": factors})


def _value_said(rows: Sequence[dict[str, Any]], *, share: float, judged_on: str) -> dict[str, Any] | None:
    """Sums alone: the published interval is of an expected value, and says nothing of what one customer brings."""
    total = {name: sum(row[name] for row in rows) for name in ("customers", "predicted_fen", "realised_fen")}
    if not total["customers"]:
        return None
    predicted = total["predicted_fen"]
    return {
        "customers": total["customers"],
        "judged_on": judged_on,
        "share": share,
        "predicted_fen": predicted,
        "realised_fen": total["realised_fen"],
        "realised_share": round(total["realised_fen"] / predicted, 4) if predicted else None,
    }
