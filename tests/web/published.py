"""The cast's month on a site of its own, whose rows a test may turn and bring in again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from core.small_publication import MONTH
from keepline.front import Month, Site, open_site
from keepline_web.customers.models import PlanRow, Standing
from keepline_web.exchange.arriving import bring_in
from keepline_web.exchange.models import Arrival

Rows = dict[str, list[object]]


class Published:
    """A copy of ``site``."""

    def __init__(self, site: Path, root: Path) -> None:
        shutil.copytree(site, root)
        self.root, self.folder = root, root / "published" / MONTH

    @property
    def site(self) -> Site:
        return open_site(self.root)

    def of(self, month: str, number: int) -> Published:
        """The same rows published as another month, or anew, under a number of their own."""
        other = copy(self)
        other.folder = self.root / "published" / month
        if not other.folder.exists():
            shutil.copytree(self.folder, other.folder)
        manifest = other.folder / "manifest.json"
        said: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        said |= {"month": month, "publication_id": f"{number:064x}"}
        manifest.write_text(json.dumps(said), encoding="utf-8")
        return other

    def come_in(self) -> Arrival | None:
        return bring_in(self.site, Month.parse(self.folder.name))

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
