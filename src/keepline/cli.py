"""The words on the command line, and nothing behind them: each command calls one front."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import click

from keepline import __version__, console
from keepline.commands import intake, limits, pilot, policy, tariff, value
from keepline.commands.options import ENGINE, JSON, MONTH, SITE
from keepline.periods import Month
from keepline.site import open_site


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


@cli.command()
@click.argument("column", metavar="TABLE.COLUMN")
@SITE
@JSON
def lineage(column: str, site: Path, as_json: bool) -> None:
    """一个数字来自运营商的哪些列。 From which of the operator's columns a number comes."""
    from keepline.lineage.walking import trace

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


@cli.command()
@click.argument("what", metavar="TABLE|plan|win-back")
@SITE
@MONTH
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help=".csv 或 or .parquet")
@JSON
def export(what: str, site: Path, month: Month, out: Path, as_json: bool) -> None:
    """导出一张已发布的表或完整名单，附行数与校验和。 A published table or a whole list, with its rows and checksum."""
    from keepline.exporting import export as export_table

    with console.bars() as progress:
        done = export_table(open_site(site), month, what, out=out, progress=progress)
    console.answer(done.to_dict(), done.text("zh"), done.text("en"), as_json=as_json)


for group in (intake.intake, policy.policy, value.value, limits.limits, pilot.pilot, tariff.tariff):
    cli.add_command(group)


def whole() -> click.Group:
    """Every command: those of other packages (the workbench) join by the entry point group."""
    for extra in entry_points(group="keepline.commands"):
        cli.add_command(extra.load())
    return cli


def main() -> None:
    sys.exit(console.run(whole()))
