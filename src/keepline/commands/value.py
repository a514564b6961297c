"""``keepline value``: what customers are worth, and what a change would be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from keepline import console
from keepline.commands.options import JSON, MONTH, SITE
from keepline.periods import Month
from keepline.site import open_site


@click.group()
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
