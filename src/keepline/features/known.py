"""What the lake knows at a snapshot: where a customer without a row means zero, and where it means unknown.

Only the footers of the files are read, never a range of customers, so that every range
gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.parquet as pq

from keepline.engine import Scan
from keepline.lake.store import Lake
from keepline.periods import Month

# feature: (table, column, months). The feature of a customer without a row is 0 when some customer
# has a value of the column within so many months, and unknown otherwise.
NOTHING_IS_ZERO: dict[str, tuple[str, str, int]] = {
    "voice_s": ("usage", "voice_s", 1),
    "voice_3m_s": ("usage", "voice_s", 3),
    "voice_in_3m_s": ("usage", "voice_in_s", 3),
    "roaming_3m_s": ("usage", "roaming_s", 3),
    "data_kb": ("usage", "data_kb", 1),
    "data_3m_kb": ("usage", "data_kb", 3),
    "sms_3m": ("usage", "sms", 3),
    "topups_3m": ("usage", "topups", 3),
    "active_days": ("usage", "active_days", 1),
    "dropped_calls_3m": ("usage", "dropped_calls", 3),
    "complaints_3m": ("complaints", "customer_id", 3),
    "complaints_12m": ("complaints", "customer_id", 12),
    "complaints_open": ("complaints", "customer_id", 12),
    "contacts_out_1m": ("contacts", "purpose", 1),
    "contacts_out_3m": ("contacts", "purpose", 3),
    "district_faults_3m": ("network_faults", "faults", 3),
    "arrears_fen": ("payments", "arrears_fen", 1),
    "arrears_months": ("payments", "arrears_months", 1),
    "late_6m": ("payments", "arrears_fen", 6),
    "lines": ("lines", "line_id", 0),
    "products": ("lines", "product", 0),
    "referrals_12m": ("referrals", "referrer_id", 12),
    "granted_3m_fen": ("approvals", "decision", 6),
    "promises_kept_3m": ("promises", "due_on", 12),
    "promises_broken_3m": ("promises", "due_on", 12),
    "peers": ("call_edges", "peer_id", 1),
    "peers_left_3m": ("call_edges", "peer_id", 3),
}


@dataclass(frozen=True)
class Knowledge:
    """A lake as seen at the end of ``snapshot``. Months are counted back, 0 is the snapshot's own."""

    lake: Lake
    snapshot: Month

    def months(self, table: str, column: str, *, within: int) -> set[int]:
        """The months, of the last ``within`` (0: ever), in which some row has a value of the column."""
        scan = self.lake.scan(table, self.snapshot, months=within or None)
        return known_months(scan, column)

    def flags(self) -> dict[str, int | bool | None]:
        """Values of the models' placeholders that say what is known."""
        used = self.months("usage", "customer_id", within=6)
        return {
            **{feature: self._nothing(*source) for feature, source in NOTHING_IS_ZERO.items()},
            "months_silent": len(used) if 0 in used else None,
            "usage_1m": 0 in used,
            "voice_s_each_3m": len(self.months("usage", "voice_s", within=3)) == 3,
            "data_kb_each_3m": len(self.months("usage", "data_kb", within=3)) == 3,
            "bills_6m": len(self.months("bills", "amount_fen", within=6)) == 6,
            "closed_on_12m": bool(self.months("complaints", "closed_on", within=12)),
            "departures_3m": bool(self.months("departures", "customer_id", within=0)),
        }

    def _nothing(self, table: str, column: str, months: int) -> int | None:
        return 0 if self.months(table, column, within=months) else None


def known_months(scan: Scan, column: str) -> set[int]:
    """The months of a scan, counted back from its end, with a value of ``column`` in some row."""
    place = scan.table.names.index(column)
    return {
        files.months_ago
        for files in scan.files
        if files.months_ago is not None and any(_has_value(str(path), place) for path in files.paths)
    }


def _has_value(path: str, place: int) -> bool:
    """Whether a file's footer allows a value in the column; a footer without counts allows it."""
    footer = pq.read_metadata(path)
    if place >= footer.num_columns:  # the table gained the column after the file was written
        return False
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    for group in groups:
        said = group.column(place).statistics
        if group.num_rows and (said is None or not said.has_null_count or said.null_count < group.num_rows):
            return True
    return False
