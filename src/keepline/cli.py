"""The words on the command line, and nothing behind them: each command calls one front."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from keepline import __version__, console
from keepline.errors import KeeplineError, UsageError
from keepline.periods import Month
from keepline.site import open_site

HELD = 3


class MonthType(click.ParamType[Month]):
    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:  # noqa: ARG002
        if isinstance(value, Month):
            return value
        try:
            return Month.parse(str(value))
        except KeeplineError as error:
            raise UsageError(error.en, error.zh, code=error.code) from error


SITE = click.option(
    "--site", type=click.Path(path_type=Path, file_okay=False), required=True, help="站点目录 site folder"
)
MONTH = click.option("--month", type=MonthType(), required=True, help="账期 billing month, YYYY-MM")
JSON = click.option("--json", "as_json", is_flag=True, help="机器可读 answer as JSON")
FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
MAPPING = click.option(
    "--mapping", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="映射文件 mapping"
)
ACCEPT = click.option("--accept", multiple=True, metavar="CODE", help="确认接受的代码 accept what was held, by code")
ENGINE = click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="keepline")
def cli() -> None:
    """keepline 客户价值管理：每个账期保住谁、为谁做什么、挣了多少。

    Customer value management for telecom operators: whom to keep, what to do for each
    within means, and what it earned.
    """


@cli.command()
@click.option("--site", type=click.Path(path_type=Path), default=Path("demo-site"), show_default=True)
@click.option("--customers", type=int, default=20_000, show_default=True)
@click.option("--months", type=int, default=15, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@ENGINE
@JSON
def demo(site: Path, customers: int, months: int, seed: int, engine: str, as_json: bool) -> None:
    """模拟一家运营商并完成最近三个账期。 Simulate an operator and publish its last three months."""
    from keepline.demo import LAST, Asked, run_demo

    _require(engine)
    with console.bars() as progress:
        made = run_demo(site, Asked(customers, months, seed), engine=engine, progress=progress)
    folder = made.published(LAST)
    told = {"site": str(site), "report": str(folder / "report.html"), "plan": str(folder / "plan.xlsx")}
    zh = f"完成。以下为模拟数据。\n报告：{told['report']}\n方案：{told['plan']}\n工作台：keepline serve --site {site}"
    en = f"Done; the data are simulated.\nReport: {told['report']}\nPlan: {told['plan']}\n"
    en += f"The workbench: keepline serve --site {site}"
    console.answer(told, zh, en, as_json=as_json)


def _require(engine: str) -> None:
    """Refuse before anything is made when the engine cannot start."""
    if engine == "spark":
        from keepline import engine as engines

        engines.start(engine).close()


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", default="", help="运营商名称 name of the operator")
@JSON
def init(folder: Path, name: str, as_json: bool) -> None:
    """新建站点。 Make a new site: settings, intake folder, starter policy."""
    from keepline.newsite import make_site

    made = make_site(folder, name=name or folder.resolve().name)
    listing = "\n".join(f"  {path}" for path in made)
    zh = f"已创建站点：\n{listing}\n下一步：keepline intake suggest 文件"
    en = f"Made the site. Next: keepline intake suggest FILE --out {folder}/intake/NAME.toml"
    console.answer({"site": str(folder), "files": [str(p) for p in made]}, zh, en, as_json=as_json)


@cli.group()
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


@cli.command()
@SITE
@MONTH
@click.option("--replace", is_flag=True, help="重新发布 publish anew, keeping the former under superseded/")
@JSON
def run(site: Path, month: Month, replace: bool, as_json: bool) -> None:
    """完成一个账期的闭环并发布。 The whole loop for one month."""
    from keepline.pipeline import replace_month, run_month

    opened = open_site(site)
    with console.bars() as progress:
        outcome = (replace_month if replace else run_month)(opened, month, progress=progress)
    made = outcome.publication
    told = {"month": str(month), "publication_id": made.id, "already": outcome.already, "folder": str(made.folder)}
    zh = f"{month} {'此前已发布，未作改动' if outcome.already else '已发布'}：{made.folder}\n编号 {made.id}"
    en = f"{month} {'was published already; nothing was done' if outcome.already else 'published'}: {made.folder}"
    console.answer(told, zh, f"{en}\npublication_id {made.id}", as_json=as_json)


@cli.group()
def policy() -> None:
    """政策文件。 The site's policy files."""


@policy.command(name="check")
@SITE
@click.option("--month", type=MonthType(), help="账期 month the policy shall bind for")
@JSON
def policy_check(site: Path, month: Month | None, as_json: bool) -> None:
    """校验政策文件。 Validate the policy files."""
    from keepline.review import review_policy

    found = review_policy(open_site(site), month)
    console.answer(found.to_dict(), found.text("zh"), found.text("en"), as_json=as_json)


@policy.command(name="try")
@SITE
@click.option(
    "--against", type=MonthType(), help="与哪个已发布账期比较 published month to compare with; the last by default"
)
@JSON
def policy_try(site: Path, against: Month | None, as_json: bool) -> None:
    """试算：现行政策在该账期会怎样。 What the site's policy would have done in a published month."""
    from keepline.trial import try_policy

    with console.bars() as progress:
        trial = try_policy(open_site(site), against, progress=progress)
    console.answer(trial.to_dict(), trial.text("zh"), trial.text("en"), as_json=as_json)


@cli.command()
@click.argument("customer")
@SITE
@MONTH
@click.option("--face", type=click.Choice(["analyst", "seller"]), default="analyst", show_default=True)
@click.option("--lang", type=click.Choice(["both", "zh", "en"]), default="both", show_default=True)
@JSON
def explain(customer: str, site: Path, month: Month, face: str, lang: str, as_json: bool) -> None:
    """一个客户的全部已知与决策，以及原因。 Everything known and decided about one customer, and why."""
    from keepline.inquiry import explain_customer

    found = explain_customer(open_site(site), customer, month)
    if as_json:
        console.give(found.to_dict(face=face))
        return
    for language in ("zh", "en") if lang == "both" else (lang,):
        click.echo(found.text(lang=language, face=face))


@cli.group()
def value() -> None:
    """客户价值。 What customers are worth."""


WHERE = click.option(
    "--where", multiple=True, metavar="COLUMN=VALUE", help="客户群条件，可多次 which segment; may be repeated"
)


@value.command(name="show")
@SITE
@MONTH
@WHERE
@JSON
def value_show(site: Path, month: Month, where: Sequence[str], as_json: bool) -> None:
    """一个客户群的价值及区间。 What a segment is worth, with an interval."""
    from keepline.whatif import parse_where, what_if

    found = what_if(open_site(site), month, where=parse_where(where))
    console.answer(found.to_dict(), found.text("zh"), found.text("en"), as_json=as_json)


@value.command(name="what-if")
@SITE
@MONTH
@WHERE
@click.option("--fewer-leaving", type=float, metavar="POINTS", help="少离网几个百分点 points fewer leaving")
@click.option("--more-loyal", type=float, metavar="POINTS", help="忠诚客户增加几个百分点 points more loyal")
@JSON
def value_what_if(
    site: Path,
    month: Month,
    where: Sequence[str],
    fewer_leaving: float | None,
    more_loyal: float | None,
    as_json: bool,
) -> None:
    """假如少离网、多忠诚，值多少。 What fewer leaving or more loyalty would be worth."""
    from keepline.whatif import asked, parse_where, what_if

    kind, points = asked(fewer_leaving=fewer_leaving, more_loyal=more_loyal)
    found = what_if(open_site(site), month, where=parse_where(where), kind=kind, points=points)
    console.answer(found.to_dict(), found.text("zh"), found.text("en"), as_json=as_json)


@cli.command()
@click.argument("column", metavar="TABLE.COLUMN")
@SITE
@JSON
def lineage(column: str, site: Path, as_json: bool) -> None:
    """一个数字来自运营商的哪些列。 From which of the operator's columns a number comes."""
    from keepline.lineage import trace

    found = trace(open_site(site), column)
    console.answer(found.to_dict(), found.text("zh"), found.text("en"), as_json=as_json)


@cli.command()
@SITE
@MONTH
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@JSON
def report(site: Path, month: Month, out: Path, as_json: bool) -> None:
    """重新生成报告（不写入发布目录）。 Render the report again, never into a publication."""
    from keepline.inquiry import render_report

    render_report(open_site(site), month, out)
    console.answer({"report": str(out)}, f"报告已写入 {out}", f"Report written to {out}", as_json=as_json)


def whole() -> click.Group:
    """Every command: those of other packages (the workbench) join by the entry point group."""
    for extra in entry_points(group="keepline.commands"):
        cli.add_command(extra.load())
    return cli


def main() -> None:
    sys.exit(console.run(whole()))
