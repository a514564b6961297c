"""A site that takes in one kind of file, for tests: say the rows as text, get the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from keepline.lake import intake
from keepline.lake.filereport import FileReport
from keepline.lake.store import open_lake
from keepline.site import Site, open_site, write_key

PHONE = "13800138000"
OTHER = "13900139000"
HEAD = "手机号,账期,金额"
FREE = "[limits]\nset_aside_share_max = 1.0\nrow_count_change_max = 1000\n"
BILLS = """[match]
files = ["bills*"]
[source.units]
money = "yuan"
[[table]]
name = "bills"
[table.columns]
customer_id = { from = "手机号", as = "phone" }
month = "账期"
component = { constant = "recurring" }
amount_fen = "金额"
"""
CUSTOMERS = """[match]
files = ["customers*"]
[[table]]
name = "customers"
[table.columns]
customer_id = { from = "手机号", as = "phone" }
month = "账期"
joined_on = { from = "入网日期", optional = true }
region = { from = "本地网", optional = true }
consent = { from = "授权", optional = true }
blacklisted = { from = "黑名单", optional = true }
"""


class Intake:
    """A site and its folder of incoming files."""

    def __init__(self, root: Path) -> None:
        (root / "intake").mkdir(parents=True)
        (root / "keepline.toml").write_text('name = "测试"\n', encoding="utf-8")
        write_key(root, bytes(range(32)))
        self.site: Site = open_site(root)
        self.inbox = root / "inbox"
        self.inbox.mkdir()
        self.maps(bills=BILLS + FREE, customers=CUSTOMERS + FREE)

    def maps(self, **mappings: str) -> None:
        for name, text in mappings.items():
            (self.site.intake / f"{name}.toml").write_text(text, encoding="utf-8")

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.inbox / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self, name: str, content: str | bytes, **options: Any) -> FileReport:
        return intake.load(self.site, [self.put(name, content)], **options)[0]

    def bills(self, *rows: str, **options: Any) -> FileReport:
        """Bills in the usual header, one row a text."""
        return self.load("bills.csv", "\n".join([HEAD, *rows]) + "\n", **options)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What the lake holds of a table now, month by month."""
        lake = open_lake(self.site.lake)
        return [
            row for f in lake.versions() if f.table == table for row in pq.read_table(lake.root / f.path).to_pylist()
        ]

    def values(self, table: str, column: str) -> list[Any]:
        return [row[column] for row in self.rows(table)]

    def number(self, customer_no: str) -> int:
        return self.site.pseudonym(customer_no)


def row(number: str = PHONE, month: str = "2026-09", amount: str = "12.50") -> str:
    return f"{number},{month},{amount}"


def phones(count: int) -> list[str]:
    """So many mobile numbers."""
    return [f"138{i:08d}" for i in range(count)]


def codes(reasons: Sequence[Any]) -> set[str]:
    return {reason.code for reason in reasons}


def accepted(report: FileReport) -> FileReport:
    """Verdict A."""
    assert report.verdict == "accepted", report.text("en")
    return report


def tidied(report: FileReport, *notes: str) -> FileReport:
    """Verdict N, with these notes."""
    assert report.verdict == "normalised", report.text("en")
    assert set(notes) <= codes(report.notes), report.text("en")
    return report


def aside(report: FileReport, rule: str, rows: int = 1) -> FileReport:
    """Verdict Q: so many rows, by this rule."""
    assert (report.rules or {}).get(rule) == rows, report.text("en")
    assert report.counts.set_aside >= rows
    return report


def refused(report: FileReport, code: str) -> FileReport:
    """Verdict F."""
    assert (report.verdict, report.problems[0].code) == ("refused", code), report.text("en")
    assert report.counts.read == 0
    return report


def held(report: FileReport, code: str) -> FileReport:
    """Nothing is loaded until the code is accepted."""
    assert report.verdict == "held", report.text("en")
    assert code in codes(report.problems)
    assert report.counts.loaded == 0
    return report
