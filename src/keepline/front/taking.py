"""Taking in one file for another program: a mapping drafted, a trial, the load itself, told as plain values."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keepline.errors import IntakeError
from keepline.lake.drafting import MONTH_UNKNOWN
from keepline.lake.explaining import Use, explain
from keepline.lake.filereport import FileReport
from keepline.lake.intake import check, load, suggest
from keepline.lake.loads import loads as all_loads
from keepline.lake.mapping import find_mapping, read_mapping, site_mappings
from keepline.lake.redrawing import choices, redraw
from keepline.lake.undoing import foresee, undo
from keepline.periods import Month
from keepline.progress import Progress, Silent
from keepline.site import Site
from keepline.tables import LAKE

Row = dict[str, Any]
TABLE_WORDS = {table.name: {"zh": table.zh, "en": table.name.replace("_", " ")} for table in LAKE}
_SOME_MONTH = "1990-01"


def month_is_open(mapping: str) -> bool:
    """Whether a draft still asks which billing month its file is of."""
    return f'"{MONTH_UNKNOWN}"' in mapping


def redraw_mapping(mapping: str, chosen: dict[str, str]) -> str:
    """The mapping with columns of theirs sent elsewhere, or nowhere; raises where only the text can be changed."""
    return redraw(mapping, chosen) if chosen else mapping


def with_month_said(mapping: str, month: Month) -> str:
    """The draft with the month it asked for."""
    return mapping.replace(f'"{MONTH_UNKNOWN}"', f'"{month}"')


def mapping_for(site: Site, file: Path) -> tuple[str, str]:
    """The site's own mapping of a file by its name, or a draft; with the mapping's name, empty for a draft."""
    try:
        found = find_mapping(site, file, site_mappings(site))
    except IntakeError:
        return suggest(file), ""
    return found.path.read_text(encoding="utf-8"), found.path.name


def explain_mapping(file: Path, mapping: str) -> Row:
    """Their columns, what each feeds, and what the mapping fills itself; or ``problem``, why it does not fit.

    A month that the draft leaves to be said is told as a question.
    """
    with _written(mapping.replace(f'"{MONTH_UNKNOWN}"', f'"{_SOME_MONTH}"'), "") as path:
        try:
            told = explain(file, read_mapping(path).mapping)
        except IntakeError as error:
            return {"theirs": [], "stated": [], "problem": _words(error, path)}
    columns = [{"name": name, "uses": list(map(_use, uses))} for name, uses in told.theirs]
    return {"theirs": columns, "stated": list(map(_use, told.stated)), "problem": None}


def _use(use: Use) -> Row:
    how = {"zh": use.how_zh, "en": use.how_en}
    said = {lang: text.replace(f"= {_SOME_MONTH}", "= ?") for lang, text in how.items()}
    return {"place": f"{use.table}.{use.column}", "zh": use.zh, "en": use.en, "how": said}


def mapping_choices() -> list[Row]:
    """Our columns that one of theirs can be sent to, by table."""
    return [
        {"zh": table.zh, "en": table.name.replace("_", " "), "columns": [
            {"place": f"{table.name}.{c.name}", "zh": c.zh, "en": c.en} for c in columns]}
        for table, columns in choices()
    ]  # fmt: skip


def try_file(
    site: Site,
    file: Path,
    *,
    mapping: str,
    accept: Sequence[str],
    name: str = "",
    keep: Path | None = None,
    progress: Progress | None = None,
) -> Row:
    """What loading would do; nothing is kept but, in the folder ``keep``, the rows that would be set aside."""
    with _written(mapping, name) as path:
        reports = check(site, [file], mapping=path, accept=tuple(accept), keep=keep, progress=progress or Silent())
        return _told(reports, path)


def load_file(
    site: Site, file: Path, *, mapping: str, accept: Sequence[str], name: str = "", progress: Progress | None = None
) -> Row:
    """Load the file, or say why it is held or refused; ``load`` is the number by which it can be undone."""
    with _written(mapping, name) as path:
        reports = load(site, [file], mapping=path, accept=tuple(accept), progress=progress or Silent())
        return _told(reports, path)


def loads(site: Site) -> list[Row]:
    """Every load there was, the last first; ``handed_back`` are those of what people did in the workbench."""
    return [
        load.to_dict() | {"name": Path(load.path).name, "handed_back": load.mapping.startswith("returned_")}
        for load in all_loads(site)
    ]


def foresee_undo(site: Site, number: int) -> Row:
    """What undoing a load would take out and leave alone; raises where it cannot be undone."""
    return foresee(site, number).to_dict()


def undo_load(site: Site, number: int, *, accept: Sequence[str], reason: str) -> Row:
    """Undo a load whole, or raise and change nothing."""
    return undo(site, number, accept=accept, reason=reason).to_dict()


def keep_mapping(site: Site, name: str, text: str) -> Path:
    """Put a mapping beside the site's others, under a name of letters, digits and hyphens; one that is there stays."""
    to = site.intake / f"{name}.toml"
    if not to.exists():
        partial = to.with_name(f".{to.name}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(to)
    return to


@contextmanager
def _written(mapping: str, name: str) -> Iterator[Path]:
    """The mapping as a file; by its name the next month is compared with this one."""
    with tempfile.TemporaryDirectory(prefix="keepline-mapping-") as folder:
        path = Path(folder) / f"{name or 'mapping'}.toml"
        path.write_text(mapping, encoding="utf-8")
        yield path


def _told(reports: Sequence[FileReport], mapping: Path) -> Row:
    """The first report is the file's; rows that waited for it are counted after. Our own folder is nobody's news."""
    first = reports[0]
    return {
        "verdict": first.verdict,
        "load": first.load,
        "counts": vars(first.counts),
        "problems": [_words(problem, mapping) | {"code": problem.code} for problem in first.problems],
        "notes": [_words(note) | {"count": note.count} for note in first.notes],
        "rules": dict(first.rules or {}),
        "samples": [_words(s) | {"line": s.line, "column": s.column, "rule": s.rule} for s in first.samples[:20]],
        "set_aside_files": [name for name in first.set_aside_file.split(", ") if name],
        "tables": {name: vars(counts) for name, counts in (first.tables or {}).items()},
        "months": {
            name: {month: vars(counts) for month, counts in months.items()}
            for name, months in (first.months or {}).items()
        },
        "waited": sum(report.counts.loaded for report in reports[1:]),
    }


def _words(said: Any, path: Path | None = None) -> Row:
    return {
        lang: getattr(said, lang).replace(str(path), path.name) if path else getattr(said, lang)
        for lang in ("zh", "en")
    }
