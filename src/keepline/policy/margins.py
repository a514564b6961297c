"""What part of each billed amount is margin, in whole hundredths of a percent, so that sums stay exact.

A margin is ``ROUND(CAST(SUM(amount_fen * component_bp) AS DOUBLE) / 10000)``: the product and the
sum are integers, rounding to whole fen comes once and last, and both engines agree to the fen.
"""

from __future__ import annotations

from keepline.policy.documents import Value
from keepline.tables import COMPONENTS

POINTS = 10_000  # basis points in the whole


def basis_points(value: Value) -> dict[str, int]:
    """Parameters of a SQL model by bill component: ``recurring_bp`` … ``credit_bp``, 10,000 for all of it."""
    return {f"{component}_bp": round(value.margin_share[component] * POINTS) for component in COMPONENTS}
