"""Whom the lake and a file know, and who has left: asked for the customers at hand, so that nobody else is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from keepline.lake.pieces import Filters, read_those
from keepline.lake.shelf import Shelf
from keepline.lake.staging import Stage

LEFT = pa.array(["left", "port_out"])  # for good; who merely fell silent may come back
Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Known:
    """The files that tell of customers, those of most first, and of their departures."""

    customers: tuple[Path, ...]
    departures: tuple[Path, ...]

    def strangers(self, rows: pa.Table, only: Filters) -> Bools:
        """Which rows are of customers that neither the lake nor the file knows."""
        left = pc.unique(rows["customer_id"])
        for path in self.customers:
            if len(left):
                found = read_those(path, ["customer_id"], pa.table({"customer_id": left}), only)["customer_id"]
                left = left.filter(pc.invert(pc.is_in(left, found.combine_chunks())))
        return _among(rows, left)

    def gone(self, rows: pa.Table, only: Filters, *, before: str) -> Bools:
        """Which rows are of customers who last left before a month."""
        columns = ["customer_id", "month", "kind"]
        found = pa.concat_tables([read_those(path, columns, rows, only) for path in self.departures])
        found = found.filter(pc.is_in(found["kind"], LEFT))
        last = found.group_by("customer_id").aggregate([("month", "max")])
        return _among(rows, last.filter(pc.less(last["month_max"], before))["customer_id"].combine_chunks())


def known_to(stages: Sequence[Stage], shelf: Shelf) -> Known:
    """Those known by the lake as it is, and by the customers that the file brings."""
    lake = shelf.newest("contact_details") or shelf.newest("customers")
    rows = {path: f.rows for f, path in lake}
    for stage in stages:
        if stage.section.table.name == "customers":
            rows |= {stage.path(month): count for month, count in stage.rows.items()}
    departures = tuple(path for _, path in shelf.newest("departures"))
    return Known(tuple(sorted(rows, key=lambda path: -rows[path])), departures)


def _among(rows: pa.Table, customers: pa.Array) -> Bools:
    return np.asarray(pc.is_in(rows["customer_id"], customers).to_numpy())
