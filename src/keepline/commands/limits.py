"""``keepline limits``: what one more unit of a limit is worth, and how the plan changes when limits move."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from keepline import console
from keepline.commands.options import JSON, MONTH, SITE
from keepline.periods import Month
from keepline.site import open_site


@click.group()
def limits() -> None:
    """方案的限额。 The limits a plan is made within."""


@limits.command(name="show")
@SITE
@MONTH
@JSON
def limits_show(site: Path, month: Month, as_json: bool) -> None:
    """各项限额用了多少，再多一单位值多少。 What each limit has and uses, and what one more unit is worth."""
    from keepline.sensitivity import limits_of

    found = limits_of(open_site(site), month)
    console.answer(found.to_dict(), found.text("zh"), found.text("en"), as_json=as_json)


@limits.command(name="what-if")
@click.argument("moves", nargs=-1, metavar="LIMIT=±AMOUNT[%]...")
@SITE
@MONTH
@JSON
def limits_what_if(moves: Sequence[str], site: Path, month: Month, as_json: bool) -> None:
    """限额变动后方案会怎样，如 money=+10%。 How the plan changes when limits move, such as money=+10%."""
    from keepline.decisions.moved_limits import parse_moves
    from keepline.sensitivity import move_limits

    found = move_limits(open_site(site), month, parse_moves(moves))
    console.answer(found.to_dict(), found.text("zh"), found.text("en"), as_json=as_json)
