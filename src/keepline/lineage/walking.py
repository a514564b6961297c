"""From which of the operator's columns a published number comes: stage by stage back to their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keepline.errors import KeeplineError
from keepline.lake.mapping import source_columns
from keepline.lineage.stages import Stages
from keepline.site import Site
from keepline.tables import LAKE, TABLES

LAKE_NAMES = {table.name for table in LAKE}
POLICY = "policy"
WHO = {"customers.customer_id"}


@dataclass(frozen=True)
class Lineage:
    """The way back from one column: every step, the lake columns, the operator's own, and policy files."""

    column: str
    steps: dict[str, list[str]]
    lake: list[str]
    operator: dict[str, list[str]]  # lake column -> "mapping: their column"
    policy: list[str]  # files in which a number or a choice it rests on is written

    def to_dict(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "steps": self.steps,
            "lake_columns": self.lake,
            "operator_columns": self.operator,
            "policy_files": self.policy,
        }

    def text(self, lang: str) -> str:
        head = f"{self.column} 的来源" if lang == "zh" else f"where {self.column} comes from"
        unknown = "（本站点映射未提供）" if lang == "zh" else "(no mapping of this site provides it)"
        ours = "（由 keepline 写入：账期或版本号）" if lang == "zh" else "(written by keepline: the month or a version)"
        files, label = ("政策文件", "运营商的列") if lang == "zh" else ("policy files", "the operator's columns")
        lines = [f"  {name} ← {', '.join(sources)}" for name, sources in self.steps.items() if sources]
        ends = [f"  {name} ⇐ {'; '.join(self.operator.get(name, [])) or unknown}" for name in self.lake]
        told = [label, *ends] if ends else []
        told += [files, *(f"  {name}" for name in self.policy)] if self.policy else []
        return "\n".join([head, *lines, *(told or [label, f"  {ours}"])])


def trace(site: Site, column: str, *, stages: Stages | None = None) -> Lineage:
    """Walk back from ``table.column`` to the operator's files; ``stages`` that were asked before answer sooner."""
    _known(column)
    stages = stages or Stages(site)
    steps: dict[str, list[str]] = {}
    waiting = [column]
    while waiting:
        here = waiting.pop()
        if here in steps or _is_end(here):
            continue
        steps[here] = sorted(_sources(stages, here))
        waiting.extend(steps[here])
    found = {source for sources in steps.values() for source in sources if _is_end(source)}
    found |= {column} if _is_end(column) else set()
    ends = sorted(end for end in found if not end.startswith(f"{POLICY}."))
    files = sorted(f"{end.split('.')[1]}.toml" for end in found - set(ends))
    named = {end: columns for end in ends if (columns := source_columns(site, end))}
    return Lineage(column, steps, ends, named, files)


def _is_end(column: str) -> bool:
    return column.split(".")[0] in (*LAKE_NAMES, POLICY)


def _known(column: str) -> None:
    table, _, name = column.partition(".")
    if table not in TABLES or name not in TABLES[table].names:
        raise KeeplineError(
            f"{column!r} is no declared column; write TABLE.COLUMN as in docs/tables.md, e.g. decisions.gain_fen",
            f"{column!r} 不是已声明的列；请按 docs/tables.md 写成 表.列，例如 decisions.gain_fen",
            code="no_column",
        )


def _sources(stages: Stages, column: str) -> set[str]:
    table, name = column.split(".")
    found = stages.of(table).get(name, set())
    return WHO if name == "customer_id" and not found else found - {column}
