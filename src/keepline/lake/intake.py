"""The intake room's front: draft a mapping, say what a file would do, load it."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from keepline.canonical import file_hash
from keepline.errors import IntakeError, UsageError
from keepline.lake import setaside, tracing
from keepline.lake.alone import LOADING, alone, settle
from keepline.lake.filereport import Counts, FileReport, reason, refused
from keepline.lake.identity import Identities
from keepline.lake.mapping import MappingFile, find_mapping, read_mapping, site_mappings
from keepline.lake.preparing import Prepared, prepare
from keepline.lake.refusals import refusal
from keepline.lake.rules import HELD
from keepline.lake.shelf import OWNER_ONLY, Shelf, last_published
from keepline.lake.store import Lake, Trace, begin, open_lake, reading, switch
from keepline.lake.suggest import suggest
from keepline.progress import Progress, Silent
from keepline.site import Site
from keepline.workfolder import own_folder

SILENT = Silent()
AGAIN = "loaded_before"  # accept code: load a file that was loaded before
REOPEN = "reopen"  # accept code: change published months in place

__all__ = ["check", "load", "suggest"]


def check(
    site: Site,
    files: Sequence[Path],
    *,
    mapping: Path | None = None,
    accept: Sequence[str] = (),
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> list[FileReport]:
    """What load would do, file by file, each against the lake as it is now.

    Nothing is kept but, when a folder is given for it, the rows that would be set aside.
    """
    _known_codes(accept)
    with reading(site.lake) as lake:
        identities, reports = Identities(site, lake), []
        for file, used in _in_order(site, files, mapping):
            with own_folder(site.work, "intake-check-") as made:
                shelf = Shelf(lake, made, last_published(site), REOPEN in accept)
                report, prepared = _try(
                    file, used=used, shelf=shelf, identities=identities, accept=accept, progress=progress
                )
                if keep is not None and prepared is not None:
                    report = replace(report, set_aside_file=_listed(_keep_aside(keep, file, prepared)))
                reports.append(report)
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
    with alone(site):
        identities = Identities(site, open_lake(site.lake))
        reports, brought = [], 0
        for file, used in _in_order(site, files, mapping):
            report, prepared = _load_one(site, file, used=used, identities=identities, accept=accept, progress=progress)
            reports.append(report)
            if prepared is not None and prepared.feeds_customers:
                brought = report.load
        if brought:
            reports += _retry(site, identities, because=brought, progress=progress)
    return reports


def _load_one(
    site: Site,
    file: Path,
    *,
    used: MappingFile | IntakeError,
    identities: Identities,
    accept: Sequence[str],
    progress: Progress,
    because: int = 0,
) -> tuple[FileReport, Prepared | None]:
    """Load one file, or say why not; ``because`` is the load whose customers it waited for."""
    lake = open_lake(site.lake)
    with own_folder(site.work, LOADING) as made:
        shelf = Shelf(lake, made, last_published(site), REOPEN in accept)
        report, prepared = _try(file, used=used, shelf=shelf, identities=identities, accept=accept, progress=progress)
        if prepared is None or report.verdict == "held":
            return report, None
        if because and prepared.waiting.rows == report.counts.read:
            return report, None  # all of it waits on, where it is
        kept = _keep_aside(site.intake / setaside.FOLDER, file, prepared)
        load = tracing.next_load(lake)
        report = replace(report, set_aside_file=_listed(kept), load=load)
        whole = because and file not in kept
        trace = Trace(
            load=load,
            at=int(made.stat().st_mtime),
            waits=next((path.name for path in kept if path.name.endswith(setaside.WAITING)), ""),
            took=file.name if whole else "",
            because=because,
            of=tracing.waits_since(lake, file.name) if because else 0,
        )
        _commit(lake, prepared, trace, key_mark=identities.mark)
        settle(site)
        return report, prepared


def _commit(lake: Lake, prepared: Prepared, trace: Trace, *, key_mark: str) -> None:
    """Files first, then the manifest that names them: a kill in between leaves the lake as it was."""
    begin(lake)
    prepared.shelf.move_in()
    after = prepared.shelf.after()
    source = {"load": trace.load, **prepared.source}
    moves = setaside.moved(f"{setaside.FOLDER}/{trace.took}", f"{setaside.LOADED}/{trace.took}") if trace.took else ()
    traces = tracing.with_one_more(lake, trace, after)
    switch(lake, after, [*lake.sources, source], traces=traces, moves=tuple(moves), key_mark=key_mark)


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _keep_aside(beside: Path, file: Path, prepared: Prepared) -> list[Path]:
    """Rows set aside are in their place before the lake changes, so that none can be lost."""
    kept = []
    for aside, waiting in ((prepared.aside, False), (prepared.waiting, True)):
        if aside.rows:
            beside.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY)  # raw rows may name people
            target = setaside.place(beside, file.name, prepared.report.sha256, waiting=waiting)
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
            return FileReport(
                str(file), "ignored", counts, sha, used.name, notes=(reason("loaded_before"),), load=source["load"]
            )
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


def _retry(site: Site, identities: Identities, *, because: int, progress: Progress) -> list[FileReport]:
    """Rows that waited for their customer; those still unknown go on waiting."""
    reports, find = [], _finder(site, None)
    for file in sorted((site.intake / setaside.FOLDER).glob(f"*{setaside.WAITING}")):
        report, _ = _load_one(
            site,
            file,
            used=find(file),
            identities=identities,
            accept=(AGAIN,),
            progress=progress,
            because=because,
        )
        reports.append(report)
    return reports
