"""The report as one self-contained HTML file, made of the figures alone: it needs no network and holds no customer."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from keepline.periods import in_chinese
from keepline.report.definitions import definitions
from keepline.report.numbers import EMPTY, Money, short_count
from keepline.report.pictures.act import act_sections
from keepline.report.pictures.know import know_sections
from keepline.report.pictures.leave import leave_sections
from keepline.report.pictures.prove import prove_sections
from keepline.report.pictures.shape import Block
from keepline.report.words import SIMULATED, Words, both

Figures = dict[str, Any]


def render(figures: Figures) -> str:
    """The page; equal figures give the same bytes."""
    parts = (know_sections, leave_sections, act_sections, prove_sections)
    sections = [*(section for make in parts for section in make(figures)), definitions(figures)]
    page = _templates().get_template("report.html.j2")
    return page.render(
        head=figures["head"],
        month_zh=in_chinese(figures["head"]["month"]),
        cards=_cards(figures),
        findings=figures["findings"],
        sections=sections,
        simulated=SIMULATED,
        css=_inline("templates/report.css"),
        scripts=[_inline(path) for path in ("vendor/echarts.min.js", "drawing/charts.js", "templates/report.js")],
        data=_json(_drawn(sections), figures["head"]),
    )


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("keepline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _inline(path: str) -> Markup:
    """A file of this package, to stand inside the page; none of them ends a script early."""
    return Markup(resources.files("keepline.report").joinpath(path).read_text(encoding="utf-8"))


def _drawn(sections: list[Block]) -> list[Block]:
    """What the script draws: every picture's kind and data, without its table."""
    wanted = ("id", "kind", "title", "unit", "height", "data")
    found = []
    for section in sections:
        for block in section["blocks"]:
            for inner in block["blocks"] if block["type"] == "pair" else [block]:
                if inner["type"] == "picture":
                    found.append({key: inner[key] for key in wanted})
    return found


def _json(pictures: list[Block], head: dict[str, Any]) -> Markup:
    """JSON that cannot end the script it stands in."""
    money = Money(head["currency"])
    said = {"pictures": pictures, "money": {"symbol": money.symbol, "unit": money.unit["zh"]}}
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _cards(figures: Figures) -> list[dict[str, Words]]:
    """The month at a glance."""
    money, base, plan = Money(figures["head"]["currency"]), figures["base"], figures["plan"]
    expected = figures["leaving"]["expected"]["leave"]
    return [
        _card(both("在网客户", "customers in the base"), short_count(base["customers"])),
        _card(both("本月出账收入", "revenue this month"), money.short(base["revenue_fen"])),
        _card(both("本月毛利", "margin this month"), money.short(base["margin_fen"])),
        _card(both("预计离网", "expected leavers"), _leavers(figures["head"], expected)),
        _card(both("方案客户", "customers in the plan"), short_count(plan["customers"])),
        _card(both("预期净增毛利", "expected net margin"), money.short(plan["gain_fen"])),
    ]


def _card(name: Words, value: Words) -> dict[str, Words]:
    return {"name": name, "value": value}


def _leavers(head: dict[str, Any], expected: dict[str, Any]) -> Words:
    """Unknown where leavers were over-sampled and nobody stated the true rate."""
    if not expected["known"] or (head["oversampled"] and head["true_monthly_rate"] is None):
        return both(EMPTY, EMPTY)
    return short_count(round(expected["customers"]))
