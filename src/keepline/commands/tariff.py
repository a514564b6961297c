"""``keepline tariff``: planned tariffs, tried on past use."""

from __future__ import annotations

from pathlib import Path

import click

from keepline import console
from keepline.commands.options import JSON, SITE, MonthType
from keepline.periods import Month
from keepline.site import open_site


@click.group()
def tariff() -> None:
    """资费测算。 Planned tariffs, tried on past use."""


@tariff.command(name="try")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@SITE
@click.option("--month", type=MonthType(), help="最后一个账期 last month billed anew; the last with bills by default")
@click.option("--months", type=int, default=3, show_default=True, help="账期数 how many months of use")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="逐户写入 one row a customer, .csv or .parquet"
)
@JSON
def tariff_try(file: Path, site: Path, month: Month | None, months: int, out: Path | None, as_json: bool) -> None:
    """用过去的用量试算新资费：谁受益、谁受损、收入如何。 Who gains, who loses, what revenue does."""
    from keepline.tariffs import try_tariff

    with console.bars() as progress:
        found = try_tariff(open_site(site), file, month=month, months=months, out=out, progress=progress)
    console.answer(found.to_dict(), found.text("zh"), found.text("en"), as_json=as_json)
