"""What the lake will hold after a file: its files overlaid with new ones that lie ready beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from keepline.canonical import file_hash
from keepline.lake.pieces import in_blocks
from keepline.lake.staging import ALWAYS
from keepline.lake.store import Lake, LakeFile
from keepline.periods import Month
from keepline.site import Site
from keepline.tables import TABLES, Personal, Table
from keepline.written import layout

OWNER_ONLY = 0o700
GROUP_ROWS = 250_000
LAID = {  # over how parts are laid
    "write_statistics": True,  # of every column: whether anything is known in it is asked of the footers
    "compression": "zstd",  # kept for years and read once a month
}


def last_published(site: Site) -> Month | None:
    """The last month that was published; it and all before it are closed."""
    folder = site.root / "published"
    months = [Month.parse(path.name) for path in folder.glob("????-??") if path.is_dir()] if folder.is_dir() else []
    return max(months, default=None)


@dataclass
class Shelf:
    """The lake with pending files on top; nothing of the lake is touched before they are moved in."""

    lake: Lake
    folder: Path
    closed: Month | None
    reopen: bool = False
    pending: dict[tuple[str, str], tuple[LakeFile, Path]] = field(default_factory=dict)

    def newest(self, table: str) -> list[tuple[LakeFile, Path]]:
        """The file of each month as a new row would find it."""
        found = {(f.table, f.month): (f, self.lake.root / f.path) for f in self.lake.versions() if f.table == table}
        found |= {place: ready for place, ready in self.pending.items() if place[0] == table}
        return [found[place] for place in sorted(found)]

    def is_closed(self, month: str) -> bool:
        return self.closed is not None and month != ALWAYS and Month.parse(month) <= self.closed

    def put(self, table: Table, month: str, rows: Iterable[pa.Table]) -> None:
        """Lay a month's new content ready; for a closed month it counts from the first open one on.

        Its bytes tell its rows and nothing of the pieces that they came in.
        """
        draft = self.folder / f"{table.name}-{month}-{len(self.pending)}.draft"
        count = 0
        with pq.ParquetWriter(draft, table.arrow, **layout(table) | LAID) as writer:
            for group in in_blocks((part.select(table.names) for part in rows), GROUP_ROWS):
                writer.write_table(group, row_group_size=GROUP_ROWS)
                count += group.num_rows
        with draft.open("rb+") as stream:
            os.fsync(stream.fileno())  # a manifest that outlives a power cut must not name a file that does not
        sha = file_hash(draft)
        same = any(f.month == month and f.sha256 == sha for f, _ in self.newest(table.name))
        if same and not self.reopens(table, month):
            return
        ready = draft.with_name(f"{table.name}-{month}-{sha[:16]}.parquet")
        draft.replace(ready)
        said = LakeFile(table.name, month, f"{table.name}/{month}/{sha[:16]}.parquet", count, sha)
        self.pending[table.name, month] = (replace(said, holds_from=self._holds_from(month)), ready)

    def _holds_from(self, month: str) -> str:
        if not self.is_closed(month):
            return ""
        assert self.closed is not None
        return "" if self.reopen else str(self.closed + 1)

    def reopens(self, table: Table, month: str) -> bool:
        """Whether a correction of a closed month, which counted from a later month on, is now to count from its own."""
        late = any(f.holds_from for f in self.lake.files if (f.table, f.month) == (table.name, month))
        return self.reopen and late and self.is_closed(month)

    def after(self) -> list[LakeFile]:
        """All files the lake will have: a pending one takes the place of the version it replaces, and of later ones."""
        coming = [ready for ready, _ in self.pending.values()]
        since = {(f.table, f.month): f.holds_from for f in coming}
        kept = [f for f in self.lake.files if (f.table, f.month) not in since or f.holds_from < since[f.table, f.month]]
        return kept + coming

    def move_in(self) -> None:
        """Put the files where the next manifest will look for them."""
        for said, ready in self.pending.values():
            target = self.lake.root / said.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if reaches_a_person(TABLES[said.table]):
                (self.lake.root / said.table).chmod(OWNER_ONLY)
            ready.replace(target)

    def adjusted(self) -> list[str]:
        """Closed months whose content changes."""
        return sorted(
            {month for table, month in self.pending if "month" in TABLES[table].names and self.is_closed(month)}
        )


def reaches_a_person(table: Table) -> bool:
    """Whether a table holds names or numbers: its folder is then the owner's alone."""
    return any(column.personal is Personal.RESTRICTED for column in table.columns)
