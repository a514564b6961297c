"""``keepline intake``: the operator's files taken in, told about and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from keepline import console
from keepline.commands.options import ACCEPT, FILES, JSON, MAPPING, SITE
from keepline.errors import UsageError
from keepline.site import open_site

HELD = 3


@click.group()
def intake() -> None:
    """接入数据文件。 Take in the operator's files."""


@intake.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="写入文件 write the draft here")
@JSON
def suggest(file: Path, out: Path | None, as_json: bool) -> None:
    """根据表头草拟映射。 Draft a mapping from a stranger's headers."""
    from keepline.lake.intake import suggest as draft

    text = draft(file)
    if out is None:
        console.give({"mapping": text}) if as_json else click.echo(text)
        return
    if out.exists():
        raise UsageError(
            f"{out} exists; a draft does not replace what you may have corrected: choose another name, or remove it",
            f"{out} 已存在；草稿不会覆盖您可能已改好的文件，请换一个名称或先删除它",
            code="draft_exists",
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    zh, en = f"草稿已写入 {out}，请核对每一行。", f"Draft written to {out}; read every line of it."
    console.answer({"mapping": text, "out": str(out)}, zh, en, as_json=as_json)


@intake.command()
@FILES
@SITE
@MAPPING
@ACCEPT
@JSON
def check(files: Sequence[Path], site: Path, mapping: Path | None, accept: Sequence[str], as_json: bool) -> int:
    """试载：哪些接受、哪些搁置、为什么。 What would be accepted, what set aside, and why."""
    from keepline.lake.intake import check as check_files

    with console.bars() as progress:
        reports = check_files(open_site(site), files, mapping=mapping, accept=accept, progress=progress)
    code = _told(reports, as_json=as_json)
    if not as_json:
        console.say("以上为试载，未载入任何数据。", "This was a trial: nothing was loaded.")
    return code


@intake.command()
@FILES
@SITE
@MAPPING
@ACCEPT
@JSON
def load(files: Sequence[Path], site: Path, mapping: Path | None, accept: Sequence[str], as_json: bool) -> int:
    """载入。 Load what check accepts."""
    from keepline.lake.intake import load as load_files

    with console.bars() as progress:
        reports = load_files(open_site(site), files, mapping=mapping, accept=accept, progress=progress)
    return _told(reports, as_json=as_json)


@intake.command(name="loads")
@SITE
@JSON
def list_loads(site: Path, as_json: bool) -> None:
    """已有的载入，最近的在前。 What was loaded, the last first."""
    from keepline.lake.loads import loads

    found = loads(open_site(site))
    if as_json:
        console.give([load.to_dict() for load in found])
    elif not found:
        console.say("还没有载入任何文件。", "Nothing was loaded yet.")
    for load in () if as_json else found:
        console.say(load.text("zh"), load.text("en"))


@intake.command(name="undo")
@click.argument("number", metavar="LOAD", type=int)
@SITE
@ACCEPT
@click.option("--reason", default="", help="原因 why, kept with the load")
@JSON
def undo_load(number: int, site: Path, accept: Sequence[str], reason: str, as_json: bool) -> None:
    """撤销一次载入。 Undo one load, by its number; later loads that build on it are named and refused."""
    from keepline.lake.undoing import undo

    done = undo(open_site(site), number, accept=accept, reason=reason)
    console.answer(done.to_dict(), done.text("zh"), done.text("en"), as_json=as_json)


def _told(reports: Sequence[Any], *, as_json: bool) -> int:
    """Show intake reports; the worst verdict decides the exit code."""
    if as_json:
        console.give([report.to_dict() for report in reports])
    for report in () if as_json else reports:
        console.say(report.text("zh"), report.text("en"))
    verdicts = {report.verdict for report in reports}
    return 1 if "refused" in verdicts else HELD if "held" in verdicts else 0
