"""The intake room's front: draft a mapping, say what a file would do, load it."""

from __future__ import annotations

import fcntl
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from keepline.canonical import file_hash
from keepline.errors import IntakeError, UsageError
from keepline.lake import setaside
from keepline.lake.filereport import Counts, FileReport, reason, refused
from keepline.lake.identity import Identities
from keepline.lake.mapping import MappingFile, find_mapping, read_mapping, site_mappings
from keepline.lake.preparing import Prepared, prepare
from keepline.lake.refusals import refusal
from keepline.lake.rules import HELD
from keepline.lake.shelf import OWNER_ONLY, Shelf, last_published
from keepline.lake.store import Lake, begin, open_lake, reading, sweep, switch
from keepline.lake.suggest import suggest
from keepline.progress import Progress, Silent
from keepline.site import Site

SILENT = Silent()
AGAIN = "loaded_before"  # accept code: load a file that was loaded before
LOADING = "intake-load-"
REOPEN = "reopen"  # accept code: change published months in place

__all__ = ["check", "load", "suggest"]


def check(
    site: Site,
    files: Sequence[Path],
    *,
    mapping: Path | None = None,
    accept: Sequence[str] = (),
    progress: Progress = SILENT,
) -> list[FileReport]:
    """What load would do, file by file, each against the lake as it is now; nothing is kept."""
    _known_codes(accept)
    identities, reports = Identities(site), []
    with reading(site.lake) as lake:
        for file, used in _in_order(site, files, mapping):
            with _folder(site, "intake-check-") as folder:
                shelf = Shelf(lake, folder, last_published(site), REOPEN in accept)
                reports.append(
                    _try(file, used=used, shelf=shelf, identities=identities, accept=accept, progress=progress)[0]
                )
    return reports


def _known_codes(accept: Sequence[str]) -> None:
    """A code that stands for nothing is a slip of the hand, which silence would hide."""
    known = [*HELD, AGAIN, REOPEN]
    strange = [code for code in accept if code not in known]
    if strange:
        raise UsageError(
            f"nothing is held by the code {', '.join(strange)}; codes are {', '.join(known)}",
            f"没有代码 {'、'.join(strange)}；可接受的代码：{'、'.join(known)}",
            code="unknown_code",
        )


def load(
    site: Site,
    files: Sequence[Path],
    *,
    mapping: Path | None = None,
    accept: Sequence[str] = (),
    progress: Progress = SILENT,
) -> list[FileReport]:
    """Load file by file, each whole or not at all; rows that waited for these customers are tried again.

    A file that is held or refused loads nothing and does not stop the others; its report says
    why. Callers who cannot go on without every file ask ``report.insist()``.
    """
    _known_codes(accept)
    identities = Identities(site)
    with _alone(site):
        _clear_up(site)
        reports, retry = [], False
        for file, used in _in_order(site, files, mapping):
            report, prepared = _load_one(site, file, used=used, identities=identities, accept=accept, progress=progress)
            reports.append(report)
            retry = retry or (prepared is not None and prepared.feeds_customers)
        if retry:
            reports += _retry(site, identities, progress=progress)
    return reports


def _load_one(
    site: Site,
    file: Path,
    *,
    used: MappingFile | IntakeError,
    identities: Identities,
    accept: Sequence[str],
    progress: Progress,
) -> tuple[FileReport, Prepared | None]:
    lake = open_lake(site.lake)
    with _folder(site, LOADING) as folder:
        shelf = Shelf(lake, folder, last_published(site), REOPEN in accept)
        report, prepared = _try(file, used=used, shelf=shelf, identities=identities, accept=accept, progress=progress)
        if prepared is None or report.verdict == "held":
            return report, None
        kept = _keep_aside(site, file, prepared)
        report = replace(report, set_aside_file=", ".join(str(path) for path in kept))
        _commit(lake, prepared)
        return report, prepared


def _commit(lake: Lake, prepared: Prepared) -> None:
    """Files first, then the manifest that names them: a kill in between leaves the lake as it was."""
    begin(lake)
    prepared.shelf.move_in()
    switch(lake, prepared.shelf.after(), [*lake.sources, prepared.source])


def _keep_aside(site: Site, file: Path, prepared: Prepared) -> list[Path]:
    """Rows set aside are in their place before the lake changes, so that none can be lost."""
    kept = []
    for aside, waiting in ((prepared.aside, False), (prepared.waiting, True)):
        if aside.rows:
            folder = site.intake / "set-aside"
            folder.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)  # raw rows may name people
            target = setaside.place(folder, file.name, prepared.report.sha256, waiting=waiting)
            setaside.keep_mapping(target, prepared.used)
            shutil.move(aside.path, target)
            kept.append(target)
    return kept


def _try(
    file: Path,
    *,
    used: MappingFile | IntakeError,
    shelf: Shelf,
    identities: Identities,
    accept: Sequence[str],
    progress: Progress,
) -> tuple[FileReport, Prepared | None]:
    """The report of one file, and what would be loaded; nothing when it is refused or known."""
    try:
        if isinstance(used, IntakeError):
            raise used
        known = None if {AGAIN, REOPEN} & set(accept) else _known(file, used, shelf.lake)
        if known is not None:
            return known, None
        mapping = setaside.as_plain(used.mapping) if setaside.is_set_aside(file) else used.mapping
        prepared = prepare(
            file, used=used, mapping=mapping, shelf=shelf, identities=identities, accept=accept, progress=progress
        )
    except IntakeError as error:
        return FileReport(str(file), "refused", Counts(), problems=(refused(error),)), None
    return prepared.report, prepared


def _known(file: Path, used: MappingFile, lake: Lake) -> FileReport | None:
    """A file with the same bytes and mapping as one loaded before."""
    if not file.is_file():
        raise refusal("absent", file=str(file))
    sha = file_hash(file)
    for source in lake.sources:
        if source.get("sha256") == sha and source.get("mapping_sha256") == used.sha256:
            counts = Counts(read=source["rows"], ignored=source["rows"])
            return FileReport(str(file), "ignored", counts, sha, used.name, notes=(reason("loaded_before"),))
    return None


def _in_order(site: Site, files: Sequence[Path], mapping: Path | None) -> list[tuple[Path, MappingFile | IntakeError]]:
    """Each file with its mapping: those that bring customers first, those that bring bills last.

    Customers first, so that nobody is unknown; bills last, so that a month with bills is a month complete.
    """
    find = _finder(site, mapping)
    return sorted(((file, find(file)) for file in files), key=lambda pair: _turn(pair[1]))


def _turn(used: MappingFile | IntakeError) -> int:
    names = set() if isinstance(used, IntakeError) else {table.name for table in used.mapping.table}
    return 0 if "customers" in names else 2 if "bills" in names else 1


def _finder(site: Site, mapping: Path | None) -> Callable[[Path], MappingFile | IntakeError]:
    """Which mapping a file goes by: the one named, the one kept beside it, or the one that fits its name."""
    of_site = functools.cache(lambda: site_mappings(site))  # read once for all files

    def find(file: Path) -> MappingFile | IntakeError:
        beside = file.with_suffix(".toml")
        try:
            if mapping is not None:
                return read_mapping(mapping)
            kept = setaside.is_set_aside(file) and beside.exists()
            return read_mapping(beside) if kept else find_mapping(site, file, of_site())
        except IntakeError as error:
            return error

    return find


def _retry(site: Site, identities: Identities, *, progress: Progress) -> list[FileReport]:
    """Rows that waited for their customer; those still unknown go on waiting."""
    reports, find = [], _finder(site, None)
    for file in sorted((site.intake / "set-aside").glob("*.waiting.csv")):
        used = find(file)
        report, _ = _load_one(site, file, used=used, identities=identities, accept=(AGAIN,), progress=progress)
        reports.append(report)
        if report.verdict in ("accepted", "normalised", "partly") and str(file) not in report.set_aside_file:
            file.unlink()
            file.with_suffix(".toml").unlink(missing_ok=True)
    return reports


def _clear_up(site: Site) -> None:
    """What a killed load left behind: files no manifest names, folders of work half done."""
    sweep(open_lake(site.lake))
    for folder in site.work.glob(f"{LOADING}*"):
        shutil.rmtree(folder)


@contextmanager
def _folder(site: Site, prefix: str) -> Iterator[Path]:
    """A folder of our own for one file's work."""
    site.work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=site.work))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(site: Site) -> Iterator[None]:
    """One load at a time; the lock ends with the process, however it ends."""
    site.work.mkdir(parents=True, exist_ok=True)
    with (site.work / "intake.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise refusal("busy", file=str(site.root)) from error
        yield
