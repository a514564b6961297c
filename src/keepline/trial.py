"""What the site's policy would have done in a published month, beside what was done (D8)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlglot import exp, parse_one

from keepline import sqlmodel, vocabulary
from keepline.engine import Engine, Files, Scan
from keepline.errors import PublicationError
from keepline.kept import Kept
from keepline.lake.store import reading
from keepline.periods import Month
from keepline.pipeline import decide_month, month_identity, opened
from keepline.policy.documents import ANY_MONTH, KINDS, Policy, read_policy
from keepline.policy.published import published_policy
from keepline.progress import Progress
from keepline.publication import Publication, alone, demand, parts_of, published
from keepline.run import started
from keepline.site import Site
from keepline.tables import STATES, TABLES
from keepline.vocabulary import Pair

TALLY = """SELECT state, COALESCE(offer_id, '') AS offer_id, COUNT(*) AS customers,
CAST(SUM(gain_fen) AS BIGINT) AS gain_fen, CAST(SUM(cost_fen) AS BIGINT) AS cost_fen
FROM decisions GROUP BY state, COALESCE(offer_id, '') ORDER BY 1, 2"""
CLASSES = "SELECT class AS code, COUNT(*) AS customers FROM classes GROUP BY class ORDER BY 1"
MOVED = """SELECT COUNT(*) AS customers FROM before_decisions AS b
JOIN decisions AS a ON a.customer_id = b.customer_id
WHERE a.state <> b.state OR COALESCE(a.offer_id, '') <> COALESCE(b.offer_id, '')"""


TOTALS: dict[str, Pair] = {
    "gain_fen": ("预期收益（元）", "expected gain (yuan)"),
    "cost_fen": ("预期成本（元）", "expected cost (yuan)"),
}
# group of figures | how its lines begin | words of its codes, None for the offers' own names
GROUPS: tuple[tuple[str, Pair, dict[str, Pair] | None], ...] = (
    ("classes", ("分类·", "class: "), vocabulary.CLASSES),
    ("states", ("去向·", "state: "), vocabulary.STATES),
    ("offers", ("优惠·", "offer: "), None),
    ("total", ("方案·", "plan: "), TOTALS),
)


@dataclass(frozen=True)
class Trial:
    """Two plans for one month side by side. Amounts in fen."""

    month: Month
    changed: list[dict[str, str]]
    before: dict[str, Any]
    after: dict[str, Any]
    moved: int
    data_changed: bool
    not_yet: dict[str, str]  # policies that bind only after the month, and from which day
    offers: dict[str, Pair]  # names of the offers of both policies

    def to_dict(self) -> dict[str, Any]:
        said = {name: value for name, value in vars(self).items() if name != "offers"}
        return said | {"month": str(self.month)}

    def text(self, lang: str) -> str:
        zh = lang == "zh"
        lines = [f"{self.month} 试算：改动的政策" if zh else f"Trial on {self.month}; policies changed:"]
        lines += [f"  {c['name']}: {c['before']} → {c['after']}" for c in self.changed]
        lines += [] if self.changed else ["  没有改动" if zh else "  none"]
        lines += self._notes(zh=zh)
        rows = self._rows(0 if zh else 1)
        if rows:
            lines.append("项目：已发布方案 → 现政策" if zh else "what: published plan → policy of now")
        lines += rows or ["方案没有变化" if zh else "The plan does not change."]
        end = f"处理方式有变化的客户：{self.moved:,}" if zh else f"customers treated differently: {self.moved:,}"
        return "\n".join([*lines, end])

    def _notes(self, *, zh: bool) -> list[str]:
        notes = [
            f"注意：{c['name']} 有改动而版本仍是 {c['after']}；采用之前请改写版本，以便日后查证"
            if zh
            else f"Note: {c['name']} changed and is still version {c['after']}; raise it before use, so that plans tell"
            for c in self.changed
            if c["before"] == c["after"]
        ]
        notes += [
            f"注意：{name} 自 {day} 起生效，此处在更早的账期 {self.month} 上试算"
            if zh
            else f"Note: {name} binds from {day} on; here it was tried on {self.month}, an earlier month"
            for name, day in self.not_yet.items()
        ]
        if self.data_changed:
            notes.append(
                "注意：发布后数据有变化；两个方案均用现有数据重算。"
                if zh
                else "Note: the data changed since publication; both plans were computed on the data of now."
            )
        return notes

    def _rows(self, lang: int) -> list[str]:
        """What changed, by name: ``before → after (difference)``."""
        rows = []
        for group, heading, names in GROUPS:
            words = names or self.offers
            before, after = self.before[group], self.after[group]
            for code in [*before, *(code for code in after if code not in before)]:
                old, new = (_shown(group, side.get(code, 0)) for side in (before, after))
                if old != new:
                    said = words.get(code, (code, code))[lang]
                    rows.append(f"  {heading[lang]}{said}: {old:,} → {new:,} ({new - old:+,})")
        return rows


def _shown(group: str, amount: int) -> int:
    """Money in whole units of the currency, customers as they are."""
    return round(amount / 100) if group == "total" else amount


def try_policy(site: Site, against: Month | None, *, progress: Progress) -> Trial:
    """Compute the month with the site's policy, also one that binds only later; nothing is published or changed."""
    made, now = _publication(site, against), read_policy(site.policy, ANY_MONTH)
    past = [p for p in published(site) if p.month < made.month]
    old = published_policy(made.folder / "policy", made.month)

    def compute(policy: Policy, folder: Path, label: str) -> Path:
        run_id = f"trial-{label}-{month_identity(site, lake, policy, made.month, past)}"
        kept = Kept(site.kept, adds=False)
        with opened(site, lake, policy, folder, made.month, past, run_id, progress, kept=kept) as run:
            decide_month(run)
            return run.work

    with alone(site), reading(site.lake) as lake:
        data_changed = month_identity(site, lake, old, made.month, past) != made.id
        new_folder = compute(now, site.policy, "new")
        old_folder = compute(old, made.folder / "policy", "old") if data_changed else made.folder
        policies, folders = (old, now), (old_folder, new_folder)
        trial = _compare(site, made.month, policies, folders, data_changed=data_changed)
        for folder in {new_folder, old_folder} - {made.folder}:
            shutil.rmtree(folder)
    return trial


def _publication(site: Site, against: Month | None) -> Publication:
    if against is not None:
        return demand(site, against)
    every = published(site)
    if not every:
        raise PublicationError(
            f"nothing is published in {site.root} yet; there is nothing to compare with",
            f"{site.root} 尚无发布内容，无从比较",
            code="not_published",
        )
    return every[-1]


def _compare(
    site: Site, month: Month, policies: tuple[Policy, Policy], folders: tuple[Path, Path], *, data_changed: bool
) -> Trial:
    (old, now), (old_folder, new_folder) = policies, folders
    changed = [
        {"name": name, "before": getattr(old, name).version, "after": getattr(now, name).version}
        for name in KINDS
        if old.hashes[name] != now.hashes[name]
    ]
    with started(site) as engine:
        before, after = _tally(engine, old_folder), _tally(engine, new_folder)
        _see(engine, "decisions", new_folder)
        _see(engine, "decisions", old_folder, view="before_decisions")
        moved = engine.fetch(_query(MOVED)).to_pylist()[0]["customers"]
    names = {offer.id: (offer.name.zh, offer.name.en) for policy in policies for offer in policy.offers.offer}
    return Trial(month, changed, before, after, moved, data_changed, _not_yet(now, month), names)


def _not_yet(policy: Policy, month: Month) -> dict[str, str]:
    """Files that bind only after the month."""
    days = {name: getattr(policy, name).valid_from for name in KINDS}
    return {name: day.isoformat() for name, day in days.items() if day > month.last_day}


def _see(engine: Engine, table: str, folder: Path, *, view: str | None = None) -> None:
    engine.see(view or table, Scan(TABLES[table], (Files(parts_of(folder / table)),)))


def _query(text: str) -> exp.Query:
    return sqlmodel.as_query(parse_one(text, read="duckdb"))


def _tally(engine: Engine, folder: Path) -> dict[str, Any]:
    _see(engine, "decisions", folder)
    _see(engine, "classes", folder)
    rows = engine.fetch(_query(TALLY)).to_pylist()
    treated = [row for row in rows if row["state"] == "treated"]
    return {
        "classes": {r["code"]: r["customers"] for r in engine.fetch(_query(CLASSES)).to_pylist()},
        "states": {s: sum(r["customers"] for r in rows if r["state"] == s) for s in STATES},
        "offers": {r["offer_id"]: r["customers"] for r in treated},
        "total": {
            "gain_fen": sum(r["gain_fen"] for r in treated),
            "cost_fen": sum(r["cost_fen"] for r in treated),
        },
    }
