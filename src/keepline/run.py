"""One run of a month: what every stage is given, and the parts that are done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from keepline import __version__
from keepline import engine as engines
from keepline.canonical import text_hash
from keepline.engine import ID_SPACE, Engine, Range
from keepline.kept import Kept
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.progress import Progress
from keepline.publication import Publication, parts_of
from keepline.site import Site
from keepline.tables import Table
from keepline.workfolder import own_folder
from keepline.written import write_table

Build = Callable[[Range, Path], object]


@contextmanager
def started(site: Site) -> Iterator[Engine]:
    """The site's engine, closed whatever happens."""
    said = site.settings
    with own_folder(site.work, "spill-") as spill:
        engine = engines.start(
            said.engine,
            memory=said.memory,
            threads=said.threads,
            spill=spill,
            master=said.spark_master,
            more=said.spark_settings,
        )
        try:
            yield engine
        finally:
            engine.close()


@dataclass
class Run:
    """What every stage of one run is given; ``work`` holds the parts that are done."""

    site: Site
    engine: Engine
    lake: Lake
    policy: Policy
    policy_folder: Path
    month: Month
    id: str
    past: list[Publication]
    progress: Progress
    ranges: list[Range]
    kept: Kept
    durations: dict[str, float] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """Named by the cut as well: parts of another cut of customers are not these parts; and by the engine, so that
        neither goes on with the other's."""
        return self.site.work / f"{self.month}-{self.id[:16]}-{len(self.ranges)}-{self.engine.name}"

    def folder(self, table: str, month: Month | None = None) -> Path:
        """Where a table's parts lie: the month's own, or those of a past snapshot."""
        return self.work / (f"{table}-{month}" if month not in (None, self.month) else table)

    def parts(self, table: str, month: Month | None = None) -> tuple[Path, ...]:
        return parts_of(self.folder(table, month))

    def each_range(
        self,
        table: str,
        month: Month | None,
        build: Build,
        *,
        made_from: str | None = None,
        ranges: Sequence[Range] | None = None,
    ) -> None:
        """Build the parts that are not there yet, but for those a former run made from the same.

        ``ranges`` are those of the run, but where only some customers are meant.
        """
        asked = self.ranges if ranges is None else ranges
        kept = None if made_from is None else self.kept_folder(table, month, made_from, of=len(asked))

        def part(only: Range) -> None:
            self.part(table, month, only, build, kept=kept)

        for _ in self.engine.each(part, asked):
            self.progress.advance()

    def part(self, table: str, month: Month | None, only: Range, build: Build, *, kept: Path | None) -> Path:
        """Build one range's part if it is not there yet; where it lies."""
        to = self.folder(table, month) / only.part
        if not to.exists():
            self._build(only, to, build, kept)
        return to

    def once(self, table: Table, month: Month, made_from: str, make: Callable[[], pa.Table]) -> pa.Table:
        """A small table about a past month: found where a former run made it from the same, else made and kept."""
        kept = self.kept_folder(table.name, month, made_from, of=1)
        everybody = Range(0, 0, ID_SPACE)
        part = self.part(table.name, month, everybody, lambda _, to: write_table(make(), table, to), kept=kept)
        return pq.read_table(part)

    def kept_folder(self, table: str, month: Month | None, made_from: str, *, of: int | None = None) -> Path:
        return self.kept.folder(table, month or self.month, self.named(made_from, of=of))

    def named(self, made_from: str, *, of: int | None = None) -> str:
        """Named by the cut as well, as the work is; by the engine, so that neither rests on the other; and by our
        version, which may read or write the same query otherwise."""
        return text_hash([made_from, len(self.ranges) if of is None else of, self.engine.name, __version__])

    def _build(self, only: Range, to: Path, build: Build, kept: Path | None) -> None:
        if kept is None:
            build(only, to)
        elif not self.kept.find(kept / only.part, to):
            build(only, to)
            self.kept.add(to, kept / only.part)

    @contextmanager
    def step(self, name: str, zh: str, en: str, *, total: int | None = None) -> Iterator[None]:
        self.progress.begin(zh, en, total)
        began = time.perf_counter()
        yield
        self.durations[name] = round(time.perf_counter() - began, 3)
