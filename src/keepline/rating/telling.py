"""A planned tariff's answer in sentences, Chinese or English, and for machines."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from keepline import vocabulary
from keepline.periods import Month
from keepline.policy.tariff import Tariff
from keepline.rating.changes import REACH_90, SIZES_FEN, Row, Sums
from keepline.vocabulary import Pair, listed

STATES = listed("""
no_line | 没有新资费计费的号码 | no line of the kind the tariff is for
no_use | 所需用量未知 | use that is charged is not known
price_unknown | 保留号码的套餐价未知 | a kept line's plan price is not known
use_too_large | 用量超出可信范围 | use larger than can be true
""")
GROUPS: dict[str, Pair] = {
    "class": ("按分类", "by class"),
    "kind": ("按客户类型", "by kind"),
    "district": ("按区县", "by district"),
    "size": ("按月均变化（元）", "by change a month (yuan)"),
}
KINDS: dict[str, Pair] = {"person": ("个人", "person"), "organisation": ("单位", "organisation")}
UNKNOWN: Pair = ("未知", "unknown")


@dataclass(frozen=True)
class Spread:
    """An amount in fen with its interval."""

    fen: float
    low: float
    high: float


@dataclass(frozen=True)
class TariffTrial:
    """What a planned tariff would have changed, with everybody moved and with the choice assumed. Amounts in fen."""

    tariff: Tariff
    month: Month
    months: int
    sums: Sums

    @property
    def chosen(self) -> Spread:
        """Revenue's change with choice: from the least readiness to the greatest, each with 90 % of chance."""
        whole, luck = self.sums.whole, self.sums.luck
        sides = [
            (whole[f"chosen{name}_fen"] or 0.0, REACH_90 * sqrt(luck[f"variance{name}"] or 0.0))
            for name in ("", "_low", "_high")
        ]
        low, high = min(fen - reach for fen, reach in sides), max(fen + reach for fen, reach in sides)
        return Spread(sides[0][0], low, high)

    @property
    def not_rated(self) -> dict[str, int]:
        return {code: months for code, months in self.sums.states.items() if code != "rated"}

    def to_dict(self) -> dict[str, Any]:
        whole, chosen = self.sums.whole, self.chosen
        moved = ("customers", "months", "today_fen", "after_fen", "gain", "lose", "saved_fen", "added_fen")
        return {
            "tariff": self.tariff.id,
            "version": self.tariff.version,
            "month": str(self.month),
            "months": self.months,
            "everybody_moved": {name: whole[name] or 0 for name in moved},
            "choice": {
                "assumed": self.tariff.choice.model_dump(),
                "moving": {"value": whole["moving"], "low": whole["moving_low"], "high": whole["moving_high"]},
                "revenue_fen": {"value": round(chosen.fen), "low": round(chosen.low), "high": round(chosen.high)},
                "interval": 0.9,
            },
            "not_billed_months": self.not_rated,
            "by": {name: [_entry(name, row) for row in rows] for name, rows in self.sums.by.items()},
        }

    def text(self, lang: str) -> str:
        zh = lang == "zh"
        lines = [*_head(self, zh=zh), *_moved(self, zh=zh), *_choice(self, zh=zh)]
        for name, rows in self.sums.by.items():
            lines.append(_heading(name, zh=zh))
            lines += [_line(name, row, zh=zh) for row in rows]
        return "\n".join(lines)


def _entry(name: str, row: Row) -> Row:
    return row | {"code": _size(row["code"], zh=False) if name == "size" else row["code"]}


def _yuan(fen: float) -> str:
    return f"{fen / 100:,.0f}"


def _head(trial: TariffTrial, *, zh: bool) -> list[str]:
    said, first = trial.tariff, trial.month + (1 - trial.months)
    names = "；".join(f"{STATES[code][0]} {n:,}" for code, n in trial.not_rated.items())
    whys = "; ".join(f"{STATES[code][1]} {n:,}" for code, n in trial.not_rated.items())
    whole = trial.sums.whole
    if zh:
        lines = [
            f"资费测算：{said.name.zh}（{said.id}，版本 {said.version}），按 {first} 至 {trial.month} 的实际用量计费",
            f"测算客户 {whole['customers']:,} 位，{whole['months'] or 0:,} 户月",
        ]
        return [*lines, f"未测算的户月：{names}"] if names else lines
    lines = [
        f"tariff {said.name.en} ({said.id}, version {said.version}), billed on the use of {first} to {trial.month}",
        f"billed anew: {whole['customers']:,} customers, {whole['months'] or 0:,} customer-months",
    ]
    return [*lines, f"customer-months not billed: {whys}"] if whys else lines


def _moved(trial: TariffTrial, *, zh: bool) -> list[str]:
    whole = trial.sums.whole
    today, after = whole["today_fen"] or 0, whole["after_fen"] or 0
    share = f"{(after - today) / today:+.1%}" if today else "-"
    same = whole["customers"] - (whole["gain"] or 0) - (whole["lose"] or 0)
    gain, lose = whole["gain"] or 0, whole["lose"] or 0
    saved, added = _yuan(-(whole["saved_fen"] or 0)), _yuan(whole["added_fen"] or 0)
    if zh:
        return [
            f"如果全部改用：{trial.months} 个账期合计账单 {_yuan(today)} → {_yuan(after)} 元"
            f"（{_yuan(after - today)}，{share}）",
            f"  受益 {gain:,} 位，少付 {saved} 元；受损 {lose:,} 位，多付 {added} 元；不变 {same:,} 位",
        ]
    return [
        f"everybody moved: bills of all {trial.months} months {_yuan(today)} → {_yuan(after)} yuan "
        f"({_yuan(after - today)}, {share})",
        f"  {gain:,} gain, paying {saved} yuan less; {lose:,} lose, paying {added} more; {same:,} pay the same",
    ]


def _choice(trial: TariffTrial, *, zh: bool) -> list[str]:
    whole, said, made = trial.sums.whole, trial.tariff.choice, trial.chosen
    moving, low, high = (f"{whole[f'moving{side}'] or 0:,.0f}" for side in ("", "_low", "_high"))
    at = [_plain_yuan(fen) for fen in (said.inertia_fen, said.inertia_low_fen, said.inertia_high_fen)]
    if zh:
        who = "同一单位的客户共同" if trial.tariff.pooled else "每位客户"
        return [
            f"如果自行选择：约 {moving} 位改用（{low} 至 {high}），"
            f"收入变化 {_yuan(made.fen)} 元"
            f"（从最不愿到最愿改用，各含 90% 的偶然：{_yuan(made.low)} 至 {_yuan(made.high)}）",
            f"  假设：{who}月均省出 {at[0]} 元以上才改用（惰性，{at[1]} 至 {at[2]}），"
            f"会考虑的占 {said.considering:.0%}（{said.considering_low:.0%} 至 {said.considering_high:.0%}）；"
            "用量不因资费而变；以后各月与这些月相同。均为假设，未经实测",
        ]
    who = "the accounts of an organisation move together" if trial.tariff.pooled else "each moves"
    return [
        f"by their own choice: about {moving} move ({low} to {high}), "
        f"revenue changes by {_yuan(made.fen)} yuan ({_yuan(made.low)} to {_yuan(made.high)}: from "
        "the least to the greatest readiness assumed, each with 90% of chance)",
        f"  assumed, not measured: {who} when saving more than {at[0]} yuan a month (inertia, {at[1]} to {at[2]}), "
        f"{said.considering:.0%} consider it ({said.considering_low:.0%} to {said.considering_high:.0%}); "
        "nobody uses more or less because of it; later months are like these",
    ]


def _plain_yuan(fen: int) -> str:
    return f"{fen / 100:g}"


def _heading(name: str, *, zh: bool) -> str:
    if zh:
        return f"{GROUPS[name][0]}：客户，受益，受损，账单变化（元），自选时的变化（元）"
    return f"{GROUPS[name][1]}: customers, gain, lose, change of bills (yuan), change by choice (yuan)"


def _line(name: str, row: Row, *, zh: bool) -> str:
    said = _said(name, row["code"], zh=zh)
    figures = (f"{row['customers']:,}", f"{row['gain']:,}", f"{row['lose']:,}")
    money = (_yuan(row["after_fen"] - row["today_fen"]), _yuan(row["chosen_fen"]))
    return f"  {said}: " + ", ".join((*figures, *money))


def _said(name: str, code: Any, *, zh: bool) -> str:
    if name == "size":
        return _size(code, zh=zh)
    words = vocabulary.CLASSES if name == "class" else KINDS if name == "kind" else {}
    pair: Pair = UNKNOWN if code is None else words.get(code, (code, code))
    return pair[0] if zh else pair[1]


def _size(place: int, *, zh: bool) -> str:
    """The words of a place among SIZES_FEN; nothing stands in the middle, by itself."""
    middle = SIZES_FEN.index(0)
    if place == middle + 1:
        return "0"
    edges = [_plain_yuan(fen) for fen in SIZES_FEN]
    low = place - 1 if place <= middle else place - 2
    if low < 0:
        return f"≤ {edges[0]}"
    if low + 1 >= len(edges):
        return f"≥ {edges[-1]}"
    return f"{edges[low]} {'至' if zh else 'to'} {edges[low + 1]}"
