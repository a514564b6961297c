"""The demonstration: a simulated operator, and the loop turned for its last three months."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from keepline.errors import SiteError
from keepline.jsonfile import read_json
from keepline.lake.intake import load
from keepline.lake.store import open_lake
from keepline.periods import Month, months_between
from keepline.pipeline import run_month
from keepline.progress import Progress
from keepline.publication import find
from keepline.simulate.operator import next_month, start_site
from keepline.site import Site, open_site

LAST = Month.parse("2026-10")
PUBLISHED_MONTHS = 3
LEAST_CUSTOMERS = 1000
LEAST_MONTHS = 8
MOST_MONTHS = 240  # twenty years: customers who joined before the story need a date too
ASKED = "demo.json"


@dataclass(frozen=True)
class Asked:
    """What was asked of the demonstration; a folder made for something else is refused."""

    customers: int
    months: int
    seed: int


def run_demo(root: Path, asked: Asked, *, engine: str, progress: Progress) -> Site:
    """Simulate, load, publish month by month; an interrupted demo goes on where it stopped."""
    _check(asked)
    _start(root, asked, engine)
    site = open_site(root)
    first = LAST + (1 - asked.months)
    for month in months_between(first, LAST):
        _load(site, month, progress)
        if LAST - month < PUBLISHED_MONTHS:
            run_month(site, month, progress=progress)
    return site


def _check(asked: Asked) -> None:
    if asked.customers < LEAST_CUSTOMERS or asked.months < LEAST_MONTHS:
        raise SiteError(
            f"a demo needs at least {LEAST_CUSTOMERS} customers and {LEAST_MONTHS} months, "
            f"asked were {asked.customers} and {asked.months}",
            f"演示至少需要 {LEAST_CUSTOMERS} 个客户、{LEAST_MONTHS} 个账期，"
            f"收到的是 {asked.customers} 和 {asked.months}",
            code="demo_too_small",
        )
    if asked.months > MOST_MONTHS or asked.seed < 0:
        raise SiteError(
            f"a demo tells at most {MOST_MONTHS} months and its seed is not negative, "
            f"asked were {asked.months} and {asked.seed}",
            f"演示最多 {MOST_MONTHS} 个账期，种子不可为负；收到的是 {asked.months} 和 {asked.seed}",
            code="demo_out_of_bounds",
        )


def _start(root: Path, asked: Asked, engine: str) -> None:
    said = root / ASKED
    if said.exists():
        _same(root, read_json(said), vars(asked) | {"engine": engine})
    elif root.exists() and any(root.iterdir()):
        raise SiteError(
            f"{root} is not empty and not a demo; choose another folder with --site",
            f"{root} 非空且不是演示站点；请用 --site 另选目录",
            code="demo_folder",
        )
    else:
        _put(said, vars(asked) | {"engine": engine})
    if not (root / "keepline.toml").exists():  # written last: until then an interrupted start is made again
        start_site(root, customers=asked.customers, months=asked.months, last=LAST, seed=asked.seed, engine=engine)


def _put(path: Path, asked: dict[str, object]) -> None:
    """Write whole or not at all what the folder is for, before anything else lies in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    partial.write_text(json.dumps(asked), encoding="utf-8")
    partial.replace(path)


def _same(root: Path, former: dict[str, object], now: dict[str, object]) -> None:
    if former != now:
        raise SiteError(
            f"{root} holds a demo made with {former}; asked now is {now}. Delete the folder or choose another",
            f"{root} 中的演示参数为 {former}，现在要求的是 {now}；请删除该目录或另选目录",
            code="demo_differs",
        )


def _load(site: Site, month: Month, progress: Progress) -> None:
    if month in open_lake(site.lake).months("bills"):
        return
    before = find(site, month + -1)
    decisions = before.parts("decisions") if before else None
    assignments = before.parts("assignments") if before else None
    files = next_month(site.root, month, decisions=decisions, assignments=assignments, progress=progress)
    for report in load(site, files, progress=progress):
        report.insist()
