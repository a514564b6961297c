"""``keepline pilot``: how large a pilot must be, and its lots."""

from __future__ import annotations

from pathlib import Path

import click

from keepline import console
from keepline.commands.options import JSON, MONTH, SITE
from keepline.periods import Month
from keepline.site import open_site


@click.group()
def pilot() -> None:
    """试点：开始之前。 A pilot, before it starts."""


@pilot.command(name="size")
@click.argument("offer")
@SITE
@MONTH
@click.option("--effect", type=float, metavar="YUAN", help="值得发现的每户月差异 worth finding, a customer and month")
@click.option("--customers", type=click.IntRange(min=200), help="试点人数 of both arms and all looks")
@click.option("--power", type=click.FloatRange(0.5, 0.99), default=0.8, show_default=True, help="把握 chance to see it")
@JSON
def pilot_size(
    offer: str, site: Path, month: Month, effect: float | None, customers: int | None, power: float, as_json: bool
) -> None:
    """需要多少客户，能看出多大差异。 How many customers a pilot needs, or what so many can show."""
    from keepline.piloting.size import pilot_size as size
    from keepline.piloting.telling import size_text

    fen = None if effect is None else effect * 100
    found = size(open_site(site), month, offer, effect_fen=fen, customers=customers, power=power)
    console.answer(found.to_dict(), size_text(found, "zh"), size_text(found, "en"), as_json=as_json)


@pilot.command(name="draw")
@click.argument("offer")
@SITE
@MONTH
@click.option("--customers", type=click.IntRange(min=200), required=True, help="本次人数 of both arms")
@click.option(
    "--treated-share", type=click.FloatRange(0.05, 0.95), help="实施占比 share treated; default: offers.toml, else 0.5"
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="新目录 a new folder")
@JSON
def pilot_draw(
    offer: str, site: Path, month: Month, customers: int, treated_share: float | None, out: Path, as_json: bool
) -> None:
    """抽签：谁参加、谁得到优惠。 Draw lots: who takes part, and who of them gets the offer."""
    from keepline.piloting.lots import draw_pilot
    from keepline.piloting.telling import drawn_text

    made = draw_pilot(open_site(site), month, offer, customers=customers, treated_share=treated_share, out=out)
    console.answer(made.to_dict(), drawn_text(made, "zh"), drawn_text(made, "en"), as_json=as_json)
