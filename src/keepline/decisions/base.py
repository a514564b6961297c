"""The customers decided about: features and scores side by side, and the files they lie in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlglot import exp

from keepline.engine import Engine, Files, Range, Scan
from keepline.errors import PublicationError
from keepline.tables import FEATURES, SCORES, TABLES

AT_ONCE = 8  # parts that are joined together


def parts_of(path: Path) -> tuple[Path, ...]:
    """The part itself, or the parts of a folder in order of customers."""
    found = (path,) if path.is_file() else tuple(sorted(path.glob("part-*.parquet")))
    if not found:
        raise PublicationError(
            f"{path} holds no parts; the stage that makes {path.stem} has not run",
            f"{path} 下没有数据分片；生成 {path.stem} 的步骤尚未运行",
            code="no_parts",
        )
    return found


def see(engine: Engine, table: str, path: Path, only: Range | None = None) -> None:
    """Show a part, or a folder of parts, as the view of its table."""
    engine.see(table, Scan(TABLES[table], (Files(parts_of(path), 0),)), only)


def see_in_turn(engine: Engine, **folders: Path) -> Iterator[None]:
    """Show some parts of each of the tables at a time, of the same ranges, so that what joins them stays small."""
    parts = {table: parts_of(path) for table, path in folders.items()}
    for first in range(0, max(map(len, parts.values())), AT_ONCE):
        for table, paths in parts.items():
            engine.see(table, Scan(TABLES[table], (Files(paths[first : first + AT_ONCE], 0),)))
        yield


def base() -> exp.Select:
    """One row a customer of the base; scores are null where nothing could be scored."""
    own = [exp.alias_(exp.column(name, table="features"), name) for name in FEATURES.names]
    more = [exp.alias_(exp.column(name, table="scores"), name) for name in SCORES.names if name not in FEATURES.names]
    same = exp.EQ(
        this=exp.column("customer_id", table="features"), expression=exp.column("customer_id", table="scores")
    )
    return exp.select(*own, *more).from_("features").join("scores", on=same, join_type="left")
