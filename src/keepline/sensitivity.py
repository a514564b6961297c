"""What one more unit of each limit is worth in a published month, and how the plan changes when a limit moves (D4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from keepline import vocabulary
from keepline.decisions.arms import Arms
from keepline.decisions.managers import managers, see_managers
from keepline.decisions.moved_limits import Means, Move, difference, moved, planned
from keepline.decisions.problem import Ints
from keepline.decisions.shortlist import shortlist
from keepline.decisions.words import limit_named
from keepline.lake.store import reading
from keepline.periods import Month
from keepline.policy.published import published_policy
from keepline.publication import Publication, demand
from keepline.run import started
from keepline.site import Site
from keepline.vocabulary import Pair
from keepline.workfolder import own_folder

SHOWN = 40  # limits in the text; all are in the JSON
UNITS: dict[str, Pair] = {"fen": ("元", "yuan"), "contacts": ("次", "contacts"), "minutes": ("分钟", "minutes")}


@dataclass(frozen=True)
class Limited:
    """Every limit of a published plan: what there is, what is used, what one more unit is worth."""

    month: Month
    limits: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        return {"month": str(self.month), "limits": self.limits}

    def text(self, lang: str) -> str:
        zh = lang == "zh"
        head = f"{self.month} 各项限额（按再多一单位的价值排列）" if zh else f"Limits of {self.month}, dearest first"
        ordered = sorted(self.limits, key=lambda row: (row["limit"] != "money", -row["shadow_price"], row["limit"]))
        rows = [f"  {row[lang]}: {_used(row, place=0 if zh else 1)}; {row[f'worth_{lang}']}" for row in ordered[:SHOWN]]
        more = len(ordered) - len(rows)
        rows += [f"  … 另有 {more} 项，见 --json" if zh else f"  … and {more} more, see --json"] if more else []
        return "\n".join([head, *rows])


def _used(row: dict[str, Any], *, place: int) -> str:
    """What is used of what there is; money in whole units of the currency."""
    each = 100 if row["unit"] == "fen" else 1
    return f"{row['used'] / each:,.0f} / {row['available'] / each:,.0f} {UNITS[row['unit']][place]}"


def limits_of(site: Site, month: Month) -> Limited:
    """From the publication's manifest alone."""
    return Limited(month, demand(site, month).manifest["plan"]["limits"])


@dataclass(frozen=True)
class Moved:
    """Two plans of one month, the second within moved limits. Amounts in fen."""

    month: Month
    moves: tuple[Move, ...]
    figures: dict[str, Any]
    offers: dict[str, Pair]
    as_published: bool  # the first plan is the published one

    def to_dict(self) -> dict[str, Any]:
        moves = [{"limit": m.limit, "by": m.by, "share": m.share} for m in self.moves]
        return {"month": str(self.month), "moves": moves, "as_published": self.as_published, **self.figures}

    def text(self, lang: str) -> str:
        zh, place = lang == "zh", 0 if lang == "zh" else 1
        said = ("，" if zh else ", ").join(_moved(move, lang) for move in self.moves)
        lines = [f"{self.month} 限额变动：{said}" if zh else f"{self.month}, limits moved: {said}"]
        if not self.as_published:
            lines.append(
                "注意：发布后客户经理资料或程序有变化，两个方案均按现在重算"
                if zh
                else "Note: managers or the program changed since publication; both plans were computed as of now"
            )
        lines += self._totals(zh=zh)
        lines += self._groups(place)
        return "\n".join(lines)

    def _totals(self, *, zh: bool) -> list[str]:
        before, after = self.figures["before"], self.figures["after"]
        names = (
            ("gain_fen", "预期净增毛利（元）", "expected gain (yuan)", 100),
            ("cost_fen", "预期成本（元）", "expected cost (yuan)", 100),
            ("customers", "安排的客户", "customers treated", 1),
        )
        rows = []
        for code, chinese, english, unit in names:
            old, new = before[code] / unit, after[code] / unit
            rows.append(f"  {chinese if zh else english}: {old:,.0f} → {new:,.0f} ({new - old:+,.0f})")
        added, dropped, other = (self.figures[name] for name in ("added", "dropped", "other_offer"))
        rows.append(
            f"  新增 {added:,} 位，退出 {dropped:,} 位，换优惠 {other:,} 位"
            if zh
            else f"  {added:,} added, {dropped:,} dropped, {other:,} with another offer"
        )
        return rows

    def _groups(self, place: int) -> list[str]:
        heads = (("分类·", "class: "), ("优惠·", "offer: "))
        rows = []
        for code, found in self.figures["by_class"].items():
            name = vocabulary.CLASSES.get(code, ("未知", "unknown"))[place]
            rows.append(f"  {heads[0][place]}{name}: +{found['added']:,} −{found['dropped']:,}")
        for code, found in self.figures["by_offer"].items():
            if found["before"] != found["after"]:
                name = self.offers.get(code, (code, code))[place]
                change = found["after"] - found["before"]
                rows.append(f"  {heads[1][place]}{name}: {found['before']:,} → {found['after']:,} ({change:+,})")
        return rows


def _moved(move: Move, lang: str) -> str:
    """What moves, in words, by how much and of what."""
    name = limit_named(move.limit).said(lang)
    if move.share:
        return f"{name} {move.by:+g}%"
    unit = "fen" if move.limit == "money" else "contacts" if move.limit.startswith("channel:") else "minutes"
    amount = move.by / 100 if unit == "fen" else move.by
    return f"{name} {amount:+,g} {UNITS[unit][0 if lang == 'zh' else 1]}"


def move_limits(site: Site, month: Month, moves: Sequence[Move]) -> Moved:
    """Allocate the published candidates within moved limits; nothing is published or changed."""
    made = demand(site, month)
    policy = published_policy(made.folder / "policy", month)
    with reading(site.lake) as lake, started(site) as engine:
        see_managers(engine, lake, month)
        before = Means(policy, managers(engine, policy.limits))
    with own_folder(site.work, "moved-") as folder:
        sides = (before, moved(before, moves))
        old, new = (_planned(made, means, folder / name) for means, name in zip(sides, ("old", "new"), strict=True))
        figures = difference(old, new, lambda part, who: _classes(made.parts("classes")[part], who))
    names = {offer.id: (offer.name.zh, offer.name.en) for offer in policy.offers.offer}
    same = old.plan.gain_fen == made.manifest["plan"]["primal_value_fen"]
    return Moved(month, tuple(moves), figures, names, same)


def _planned(made: Publication, means: Means, folder: Path) -> Arms:
    parts, scores = made.parts("candidates"), made.parts("scores")
    short = shortlist(parts, means.policy, means.known, scores=scores, folder=folder)
    return planned(short, means.policy)


def _classes(part: Path, who: Ints) -> list[str]:
    """The class of some customers of a part."""
    table = pq.read_table(part, columns=["customer_id", "class"])
    found = table["class"].take(pc.index_in(pa.array(who), table["customer_id"]))
    return [name or "unknown" for name in found.to_pylist()]
