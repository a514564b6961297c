"""The cast's month on a site of its own, whose rows a test may turn and bring in again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from core.small_publication import MONTH
from keepline.front import Month, open_site
from keepline_web.customers.models import PlanRow, Standing
from keepline_web.exchange.arriving import bring_in
from keepline_web.exchange.models import Arrival

Rows = dict[str, list[object]]


class Published:
    """A copy of ``site``."""

    def __init__(self, site: Path, root: Path) -> None:
        shutil.copytree(site, root)
        self.root, self.folder = root, root / "published" / MONTH

    def turn(self, table: str, change: Callable[[Rows], None]) -> None:
        for path in sorted((self.folder / table).glob("part-*.parquet")):
            rows = pq.read_table(path)
            values = rows.to_pydict()
            change(values)
            pq.write_table(pa.table(values, schema=rows.schema), path)

    def rows(self, table: str) -> Rows:
        return pa.concat_tables(
            pq.read_table(p) for p in sorted((self.folder / table).glob("part-*.parquet"))
        ).to_pydict()

    def bring_in(self) -> None:
        """As if it were the first time, with the numbers the rows would have had."""
        Arrival.objects.all().delete()
        for model in (PlanRow, Standing):
            model.objects.all().delete()
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), 1000000)")
        assert bring_in(open_site(self.root), Month.parse(MONTH)) is not None
        Arrival.objects.update(at="2026-11-01T00:00:00Z")
