"""A simulated operator for tests: its months made, its files and its truth read as frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from keepline.periods import Month, months_between
from keepline.policy.documents import Policy, read_policy
from keepline.progress import Silent
from keepline.simulate.operator import next_month, start_site
from keepline.site import Site, open_site
from keepline.tables import DECISIONS

LAST = Month.parse("2026-10")


@dataclass(frozen=True)
class Simulated:
    """A site whose months have been made."""

    root: Path
    months: tuple[Month, ...]

    @cached_property
    def site(self) -> Site:
        return open_site(self.root)

    @cached_property
    def policy(self) -> Policy:
        return read_policy(self.site.policy, LAST)

    def rows(self, table: str, month: Month) -> pd.DataFrame:
        """What was delivered of a table in a month, with pseudonyms; empty when there was no file."""
        path = self.root / "intake" / "files" / str(month) / f"{table}.parquet"
        if not path.exists():
            return pd.DataFrame({"customer_id": pd.Series(dtype="int64")})
        frame = pd.read_parquet(path)
        if "customer_id" in frame:
            frame["customer_id"] = frame["customer_id"].map(self._pseudonyms)
        return frame

    @cached_property
    def _pseudonyms(self) -> dict[str, int]:
        files = sorted((self.root / "intake" / "files").glob("*/contact_details.parquet"))
        numbers = pd.concat([pd.read_parquet(path)["customer_no"] for path in files])
        return {number: self.site.pseudonym(number) for number in numbers}

    def truth(self, table: str, month: Month) -> pd.DataFrame:
        return pd.read_parquet(self.root / "truth" / table / str(month))

    def left(self, first: Month, last: Month) -> set[int]:
        """Who left between the two months, both included."""
        return {who for month in months_between(first, last) for who in self.rows("departures", month)["customer_id"]}

    def margin(self, month: Month) -> pd.Series:
        """Margin of each customer billed in the month, in fen."""
        bills = self.rows("bills", month)
        shares = bills["component"].map(self.policy.value.margin_share)
        return (bills["amount_fen"] * shares).groupby(bills["customer_id"]).sum()


def simulate(root: Path, *, customers: int, months: int, seed: int = 1) -> Simulated:
    """Open a site and make all its months; nobody is treated but in the pilots."""
    site = opened(root, customers=customers, months=months, seed=seed)
    for month in site.months:
        next_month(root, month, decisions=None, assignments=None, progress=Silent())
    return site


def opened(root: Path, *, customers: int, months: int, seed: int = 1) -> Simulated:
    start_site(root, customers=customers, months=months, last=LAST, seed=seed, engine="duckdb")
    return Simulated(root, tuple(months_between(LAST + (1 - months), LAST)))


def decide(path: Path, treated: Sequence[int], *, month: Month, offer_id: str, channel: str) -> Path:
    """A part of decisions that treats these customers and nobody else."""
    count = len(treated)
    columns = {
        "customer_id": pa.array(sorted(treated), pa.int64()),
        "month": pa.array(np.full(count, str(month))),
        "state": pa.array(np.full(count, "treated")),
        "arm": pa.array(np.full(count, "treated")),
        "offer_id": pa.array(np.full(count, offer_id)),
        "channel": pa.array(np.full(count, channel)),
    }
    schema = DECISIONS.arrow
    arrays = [columns.get(f.name, pa.nulls(count, f.type)).cast(f.type) for f in schema]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)
    return path
