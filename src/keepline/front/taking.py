"""Taking in one file for another program: a mapping drafted, a trial, the load itself, told as plain values."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keepline.errors import IntakeError
from keepline.lake.filereport import FileReport
from keepline.lake.intake import check, load, suggest
from keepline.lake.mapping import find_mapping, site_mappings
from keepline.progress import Progress, Silent
from keepline.site import Site

Row = dict[str, Any]
Act = Callable[..., list[FileReport]]


def mapping_for(site: Site, file: Path) -> tuple[str, str]:
    """The site's own mapping of a file by its name, or a draft; with the mapping's name, empty for a draft."""
    try:
        found = find_mapping(site, file, site_mappings(site))
    except IntakeError:
        return suggest(file), ""
    return found.path.read_text(encoding="utf-8"), found.path.name


def try_file(site: Site, file: Path, *, mapping: str, accept: Sequence[str], progress: Progress | None = None) -> Row:
    """What loading would do; nothing is kept."""
    return _with(check, site, file, mapping, accept, progress)


def load_file(site: Site, file: Path, *, mapping: str, accept: Sequence[str], progress: Progress | None = None) -> Row:
    """Load the file, or say why it is held or refused."""
    return _with(load, site, file, mapping, accept, progress)


def keep_mapping(site: Site, name: str, text: str) -> Path:
    """Put a mapping beside the site's others, under a name of letters, digits and hyphens; one that is there stays."""
    to = site.intake / f"{name}.toml"
    if not to.exists():
        partial = to.with_name(f".{to.name}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(to)
    return to


def _with(act: Act, site: Site, file: Path, mapping: str, accept: Sequence[str], progress: Progress | None) -> Row:
    with _written(mapping) as path:
        reports = act(site, [file], mapping=path, accept=tuple(accept), progress=progress or Silent())
    return _told(reports)


@contextmanager
def _written(mapping: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="keepline-mapping-") as folder:
        path = Path(folder) / "mapping.toml"
        path.write_text(mapping, encoding="utf-8")
        yield path


def _told(reports: Sequence[FileReport]) -> Row:
    """The first report is the file's; rows that waited for it are counted after."""
    first = reports[0]
    return {
        "verdict": first.verdict,
        "counts": vars(first.counts),
        "problems": [_words(problem) | {"code": problem.code} for problem in first.problems],
        "notes": [_words(note) | {"count": note.count} for note in first.notes],
        "rules": dict(first.rules or {}),
        "samples": [_words(s) | {"line": s.line, "column": s.column, "rule": s.rule} for s in first.samples[:20]],
        "set_aside_files": [name for name in first.set_aside_file.split(", ") if name],
        "tables": {name: vars(counts) for name, counts in (first.tables or {}).items()},
        "waited": sum(report.counts.loaded for report in reports[1:]),
    }


def _words(said: Any) -> Row:
    return {"zh": said.zh, "en": said.en}
