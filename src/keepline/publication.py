"""A month published whole or not at all: its identity, its manifest, and the one rename that makes it so."""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from keepline import __version__
from keepline.canonical import table_hash, text_hash
from keepline.errors import PublicationError, SiteError
from keepline.holdout import Lot
from keepline.jsonfile import damaged, read_json
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.policy.conditions import PUBLISHED
from keepline.policy.document import read
from keepline.policy.documents import Limits
from keepline.site import Settings, Site
from keepline.tables import TABLES
from keepline.workfolder import sweep_left

MANIFEST = "manifest.json"
AT_CWD, EXCHANGE = -100, 2  # of renameat2(2)
# settings that decide how fast a run is, never what it finds
MACHINE_SETTINGS = {"engine", "memory", "threads", "range_customers", "spark_master", "spark"}


@dataclass(frozen=True)
class Publication:
    """One published month on disk."""

    month: Month
    folder: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.manifest["publication_id"])

    @property
    def lot(self) -> Lot:
        """Whom its plan left alone."""
        limits = read(self.folder / "policy" / "limits.toml", Limits, context=PUBLISHED)
        return Lot(limits.held_out_salt, limits.held_out_share)

    def parts(self, table: str) -> tuple[Path, ...]:
        return parts_of(self.folder / table)


def parts_of(folder: Path) -> tuple[Path, ...]:
    """The part files of a table's folder, in key order."""
    return tuple(sorted(folder.glob("part-*.parquet")))


def published(site: Site) -> list[Publication]:
    """All published months, oldest first."""
    return [Publication(Month.parse(path.name), path, read_manifest(path)) for path in month_folders(site)]


def month_folders(site: Site) -> list[Path]:
    """The folders of published months, oldest first, whether they can be read or not."""
    return sorted((site.root / "published").glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]"))


def find(site: Site, month: Month) -> Publication | None:
    folder = site.published(month)
    return Publication(month, folder, read_manifest(folder)) if (folder / MANIFEST).exists() else None


def demand(site: Site, month: Month) -> Publication:
    """The publication of a month, or a refusal that names those there are."""
    if (found := find(site, month)) is not None:
        return found
    months = ", ".join(str(p.month) for p in published(site)) or "-"
    raise PublicationError(
        f"{month} is not published in {site.root}; published are: {months}. "
        f"Publish it with: keepline run --month {month}",
        f"{site.root} 尚未发布 {month}；已发布账期：{months}。发布请运行 keepline run --month {month}",
        code="not_published",
    )


def demand_bills(lake: Lake, month: Month) -> None:
    """Refuse to publish a month whose bills are not there, or count from a later month on only."""
    since = lake.counts_from("bills", month)
    if since == month:
        return
    if since is not None:
        raise PublicationError(
            f"the bills of {month} count from {since} on, as they were loaded when {month} was published already: "
            f"it would be published without them. Load their files again with: keepline intake load FILE "
            f"--accept reopen",
            f"{month} 的账单在该账期发布之后才载入，自 {since} 起才计入，现在发布就会缺少这些账单；"
            f"请重新载入这些文件：keepline intake load 文件 --accept reopen",
            code="bills_count_later",
        )
    have = lake.months("bills")
    span = f"{have[0]} … {have[-1]}" if have else "-"
    raise PublicationError(
        f"there are no bills of {month} in the lake (bills: {span}); load them with: keepline intake load",
        f"数据湖中没有 {month} 的账单（现有：{span}）；请先用 keepline intake load 载入",
        code="no_bills",
    )


def may_write(site: Site, out: Path) -> None:
    """Refuse a place among publications, or one that is no plain file, for something that was asked for beside them."""
    kept = {(site.root / name).resolve() for name in ("published", "superseded")}
    if kept & set(out.resolve().parents):
        raise SiteError(
            f"{out} lies inside a publication, which nothing changes; choose another place",
            f"{out} 位于发布目录内，发布内容不可更改；请另选位置",
            code="inside_publication",
        )
    if out.exists() and not out.is_file():
        raise SiteError(
            f"{out} is a folder or a device, which nothing written can take the place of; name a file",
            f"{out} 是目录或设备，不能被写入的文件取代；请指定文件",
            code="no_file",
        )


def read_manifest(folder: Path) -> dict[str, Any]:
    if not (folder / MANIFEST).exists():
        raise damaged(folder / MANIFEST, "it is missing", "文件缺失")
    said: dict[str, Any] = read_json(folder / MANIFEST)
    if not isinstance(said, dict) or "publication_id" not in said:
        raise damaged(folder / MANIFEST, "not what a manifest holds", "内容不是发布清单")
    return said


def identity(settings: Settings, *, month: Month, lake: str, policies: dict[str, str], past: list[Publication]) -> str:
    """What a publication depends on, as one hash: inputs, policy, seed, past plans, and our version."""
    meaning = settings.model_dump(exclude=MACHINE_SETTINGS)
    said = {
        "keepline": __version__,
        "month": str(month),
        "settings": meaning,
        "lake": lake,
        "policies": policies,
        "past": {str(p.month): p.id for p in past},
    }
    return text_hash(said)


def table_summary(folder: Path, table: str) -> dict[str, Any]:
    """Rows and hash of a table's parts."""
    parts = parts_of(folder / table)
    rows = sum(pq.ParquetFile(part).metadata.num_rows for part in parts)
    return {"rows": rows, "sha256": table_hash(parts, TABLES[table])}


def switch(site: Site, month: Month, prepared: Path) -> Path:
    """Make ``prepared`` the publication of ``month``; a former one is kept under ``superseded/``."""
    target = site.published(month)
    target.parent.mkdir(parents=True, exist_ok=True)
    _sync(prepared)
    if target.exists():
        kept = site.root / "superseded" / f"{month}-{read_manifest(target)['publication_id'][:12]}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(kept, ignore_errors=True)
        _exchange(prepared, target, kept)
    else:
        prepared.replace(target)
    _sync_folder(target.parent)
    return target


def _exchange(prepared: Path, target: Path, kept: Path) -> None:
    """Let ``prepared`` and the former change places in one step, so that at no moment the month is without either.

    The new one waits where the former shall lie, so that a kill on either side of that step loses nothing.
    Where the system cannot (not Linux, or some network drives) the former is moved to its place first.
    """
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    prepared.replace(kept)
    if rename is not None and rename(AT_CWD, os.fsencode(kept), AT_CWD, os.fsencode(target), EXCHANGE) == 0:
        return
    kept.replace(prepared)
    target.replace(kept)
    prepared.replace(target)


def _sync(folder: Path) -> None:
    """Bring every file to the disk before the rename that makes it count."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        else:
            _sync_folder(path)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_OF_A_RUN = re.compile(r"([0-9]{4}-[0-9]{2})-[0-9a-z-]{16}-[0-9]+(-[a-z]+)?")  # without an engine: of an older version


def sweep_work(site: Site) -> None:
    """Let go of the work on months that are published, also of runs and trials that were cut short. For whoever holds
    the site."""
    done = {str(made.month) for made in published(site)}
    for folder in site.work.iterdir():
        if (run := _OF_A_RUN.fullmatch(folder.name)) and run[1] in done:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone(site: Site) -> Iterator[None]:
    """Hold the site for one run; a second run at the same time is refused, not queued."""
    site.work.mkdir(parents=True, exist_ok=True)
    sweep_left(site.work)
    with (site.work / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PublicationError(
                f"another run is at work in {site.root}; wait until it ends, or stop it",
                f"{site.root} 正有另一个任务在运行；请等待其结束或将其停止",
                code="busy",
            ) from error
        yield
