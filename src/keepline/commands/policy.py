"""``keepline policy``: the site's policy files checked, and tried on a published month."""

from __future__ import annotations

from pathlib import Path

import click

from keepline import console
from keepline.commands.options import JSON, SITE, MonthType
from keepline.periods import Month
from keepline.site import open_site


@click.group()
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
