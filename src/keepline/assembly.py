"""A finished month as a folder: its tables, policy, report, workbooks, and the manifest that names them all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlglot import exp

from keepline.canonical import file_hash
from keepline.engine import Engine, Files, Scan
from keepline.errors import PublicationError
from keepline.features.build import lacking
from keepline.kept import same_file
from keepline.lake.store import Lake
from keepline.lookup import write_lookup
from keepline.periods import Month
from keepline.policy.documents import KINDS, Policy
from keepline.publication import MANIFEST, table_summary
from keepline.report.excel import write_plan
from keepline.report.figures import figures
from keepline.report.page import render
from keepline.report.tally import Shelf
from keepline.report.win_back_book import write_win_back
from keepline.run import Run
from keepline.tables import TABLES

PUBLISHED_TABLES = (
    "features", "classes", "scores", "pilots", "looks", "candidates", "decisions", "assignments", "effects", "win_back",
    "niches", "drivers", "learners",
)  # fmt: skip
UNFINISHED = shutil.ignore_patterns(".*")
WHERE_KNOWN = ("price_sensitivity", "schedule", "circles")  # published where the lake or policy tells it


def assemble(run: Run, extra: dict[str, Any]) -> Path:
    """Put a finished publication together; it is not published yet."""
    folder = run.work / "publication"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for table in _made(run):
        for part in run.parts(table):
            same_file(part, folder / table / part.name)
    shutil.copytree(run.policy_folder, folder / "policy", ignore=UNFINISHED)
    demand_same_policy(run.policy, folder / "policy", month=run.month)
    manifest = _manifest(run, folder) | extra
    manifest["lacking"] += _too_little(extra)
    with run.step("lookup", "编制查找索引", "where each customer lies"):
        manifest["lookup"] = write_lookup(folder, _made(run))
    with run.step("report", "生成报告与方案表", "report and plan"):
        found = figures(run.engine, folder, manifest=manifest, policy=run.policy, settings=run.site.settings)
        _write_json(folder / "figures.json", found)
        (folder / "report.html").write_text(render(found), encoding="utf-8")
        names = partial(customer_numbers, run.engine, run.lake)
        shown = names if run.site.settings.plan_shows == "customer_no" else None
        write_plan(
            run.engine,
            folder,
            figures=found,
            policy=run.policy,
            settings=run.site.settings,
            names=shown,
            to=folder / "plan.xlsx",
        )
        shelf = Shelf(run.engine, folder)
        write_win_back(shelf, figures=found, policy=run.policy, names=shown, to=folder / "win-back.xlsx")
    _write_json(folder / MANIFEST, manifest | {"durations": run.durations})
    return folder


def _made(run: Run) -> tuple[str, ...]:
    """The tables of this month: those of every month, and those the lake or policy tells enough for."""
    return PUBLISHED_TABLES + tuple(table for table in WHERE_KNOWN if run.parts(table))


def _too_little(extra: dict[str, Any]) -> list[dict[str, str]]:
    """What was brought but says too little to be used."""
    why = (extra.get("circles") or {}).get("abstains")
    return [{"table": "call_edges", **why}] if why else []


def demand_same_policy(policy: Policy, copy: Path, *, month: Month) -> None:
    """The copy kept must be what the plan was made by; someone may have edited a file while it ran."""
    changed = sorted(name for name, sha in policy.hashes.items() if file_hash(copy / f"{name}.toml") != sha)
    if changed:
        raise PublicationError(
            f"policy changed while {month} was made ({', '.join(changed)}); nothing is published; run it again",
            f"{month} 运行期间政策有改动（{'、'.join(changed)}），未予发布；请重新运行",
            code="policy_changed",
        )


def _manifest(run: Run, folder: Path) -> dict[str, Any]:
    said = run.site.settings
    previous = next((str(p.month) for p in reversed(run.past)), None)
    documents = {name: getattr(run.policy, name) for name in KINDS}
    return {
        "month": str(run.month),
        "publication_id": run.id,
        "engine": run.engine.name,
        "seed": said.seed,
        "simulated": said.simulated,
        "name": said.name,
        "currency": said.currency,
        "data_note_zh": said.data_note_zh,
        "data_note_en": said.data_note_en,
        "previous_month": previous,
        "inputs": [{k: s[k] for k in ("path", "sha256", "rows")} for s in run.lake.sources],
        "intake": list(run.lake.sources),
        "lacking": [vars(lack) for lack in lacking(run.lake, run.month)],
        "policies": [
            {"name": name, "version": doc.version, "sha256": run.policy.hashes[name]} for name, doc in documents.items()
        ],
        "tables": {table: table_summary(folder, table) for table in _made(run)},
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")


def customer_numbers(engine: Engine, lake: Lake, customers: Sequence[int]) -> dict[int, str]:
    """The operator's own numbers of a few customers, from the one restricted table."""
    files = tuple(lake.root / f.path for f in lake.files if f.table == "contact_details")
    engine.see("contact_details", Scan(TABLES["contact_details"], (Files(files),)))
    asked = exp.column("customer_id").isin(*customers)
    found = engine.fetch(exp.select("customer_id", "customer_no").from_("contact_details").where(asked))
    return {row["customer_id"]: row["customer_no"] for row in found.to_pylist()}
