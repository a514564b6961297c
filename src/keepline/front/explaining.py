"""One customer explained, as who sells may read it: a month opened once in a warm process, and asked many times.

The seller's face alone comes through: it names no arm, and who is held out reads as one below the cut.
"""

from __future__ import annotations

from typing import Any

from keepline.decisions.explain import OF_SELLERS
from keepline.inquiry import Inquiry
from keepline.periods import Month
from keepline.site import Site

Row = dict[str, Any]


class Explaining:
    """A published month that explains its managed customers; several threads may ask at once."""

    def __init__(self, site: Site, month: Month) -> None:
        self._inquiry = Inquiry(site, month, only=OF_SELLERS)

    def of(self, customer_id: int) -> Row | None:
        """Profile, class, value, risk, offers with why and why not; None for whom no account manager looks after."""
        found = self._inquiry.of(customer_id)
        if found is None or found.features["manager_id"] is None:
            return None
        return found.to_dict("seller")
