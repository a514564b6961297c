"""What became of one file: counts that add up, reasons in both languages, ready for people and machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from keepline.errors import HeldError, IntakeError, KeeplineError
from keepline.lake.rules import ALL
from keepline.tables import TABLES

MONTHS_TOLD = 6  # of a table, each on a line of its own
COUNTS = ("loaded", "updated", "unchanged", "ignored", "set_aside")
VERDICTS = {
    "accepted": ("accepted", "接受"),
    "normalised": ("accepted after tidying", "整理后接受"),
    "partly": ("accepted, some rows set aside", "接受，部分数据行搁置"),
    "ignored": ("ignored", "已忽略"),
    "held": ("held, nothing loaded", "暂停，未载入任何数据"),
    "refused": ("refused, nothing loaded", "拒绝，未载入任何数据"),
}
_COUNT_WORDS = {
    "read": "读取",
    "loaded": "新增",
    "updated": "更新",
    "unchanged": "未变",
    "ignored": "忽略",
    "set_aside": "搁置",
}


@dataclass(frozen=True)
class Reason:
    """Something noticed about a file: a value mended, why it is held or refused."""

    code: str
    en: str
    zh: str
    count: int = 1


def reason(code: str, value: str = "", count: int = 1) -> Reason:
    """A reason in its own words; see ``rules.py``."""
    en, zh = ALL[code].told(column="", value=value if code != "extra_columns" else value[:200])
    return Reason(code, en, zh, count)


def refused(error: KeeplineError) -> Reason:
    return Reason(error.code, error.en, error.zh)


@dataclass(frozen=True)
class Sample:
    """One row set aside, with its place and why."""

    line: int
    column: str
    rule: str
    en: str
    zh: str
    raw: str


@dataclass(frozen=True)
class Counts:
    """``read = loaded + updated + unchanged + ignored + set aside``, always."""

    read: int = 0
    loaded: int = 0
    updated: int = 0
    unchanged: int = 0
    ignored: int = 0
    set_aside: int = 0

    def __post_init__(self) -> None:
        total = self.loaded + self.updated + self.unchanged + self.ignored + self.set_aside
        if total != self.read:
            raise AssertionError(f"rows went missing: read {self.read}, accounted for {total}")


@dataclass(frozen=True)
class FileReport:
    """The answer of check and load for one file."""

    path: str
    verdict: str
    counts: Counts
    sha256: str = ""
    mapping: str = ""
    tables: Mapping[str, Counts] | None = None  # rows of ours, by table
    months: Mapping[str, Mapping[str, Counts]] | None = None  # of these, by month; 0001-01 where a table has none
    notes: tuple[Reason, ...] = ()
    problems: tuple[Reason, ...] = ()  # why it is held or refused
    rules: Mapping[str, int] | None = None  # rows set aside, by rule
    samples: tuple[Sample, ...] = ()
    set_aside_file: str = ""
    load: int = 0  # its number, by which it can be undone

    def to_dict(self) -> dict[str, Any]:
        said = asdict(self)
        return {"path": said.pop("path"), "verdict": said.pop("verdict"), **said.pop("counts"), **said}

    def text(self, lang: str) -> str:
        """The report for people; ``lang`` is zh or en."""
        verdict = VERDICTS[self.verdict][lang == "zh"]
        words = {name: _COUNT_WORDS[name] if lang == "zh" else name.replace("_", " ") for name in _COUNT_WORDS}
        comma = "，" if lang == "zh" else ", "
        sums = " + ".join(f"{words[name]} {getattr(self.counts, name):,}" for name in COUNTS)
        lines = [f"{self.path}: {verdict}", f"  {words['read']} {self.counts.read:,} = {sums}"]
        for table, months in (self.months or {}).items():
            lines += [f"  {place}: {comma.join(said)}" for place, said in _by_month(table, months, words)]
        lines += [f"  ✗ {_told(problem, lang)} [{problem.code}]" for problem in self.problems]
        lines += [f"  · {_told(note, lang)}{_times(note)}" for note in self.notes]
        lines += [f"  - {_rule_line(code, count, lang)}" for code, count in sorted((self.rules or {}).items())]
        lines += [f"      {_place(s, lang)}: {s.zh if lang == 'zh' else s.en}" for s in self.samples[:5]]
        if self.verdict == "held":
            codes = " ".join(f"--accept {problem.code}" for problem in self.problems)
            lines.append(("  核对无误后可加：" if lang == "zh" else "  if it is right all the same, add: ") + codes)
        if self.load and self.verdict != "ignored":
            lines.append(("  载入编号：" if lang == "zh" else "  load ") + str(self.load))
        if self.set_aside_file:
            lines.append(("  待修正文件：" if lang == "zh" else "  mend and load again: ") + self.set_aside_file)
        return "\n".join(lines)

    def insist(self) -> FileReport:
        """The report, or the error it stands for: for callers who cannot go on without the file."""
        if self.verdict in ("held", "refused"):
            kind = HeldError if self.verdict == "held" else IntakeError
            raise kind(self.text("en"), self.text("zh"), code=self.problems[0].code)
        return self


def _by_month(table: str, months: Mapping[str, Counts], words: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Rows of ours by month, which tells a file loaded under another month's name; very many months as one span."""
    cut = [[month] for month in sorted(months)]
    if len(cut) > MONTHS_TOLD:
        cut = [sorted(months)]
    for span in cut:
        sums = {name: sum(getattr(months[month], name) for month in span) for name in COUNTS}
        told = [f"{words[name]} {count:,}" for name, count in sums.items() if count]
        named = "" if "month" not in TABLES[table].names else span[0] if len(span) == 1 else f"{span[0]} … {span[-1]}"
        yield f"{table} {named}".strip(), told or ["0"]


def _told(said: Reason, lang: str) -> str:
    return said.zh if lang == "zh" else said.en


def _times(note: Reason) -> str:
    return f" ({note.count:,})" if note.count > 1 else ""


def _rule_line(code: str, count: int, lang: str) -> str:
    en, zh = ALL[code].told(column="…", value="…")
    return f"{count:,} × {zh if lang == 'zh' else en} [{code}]"


def _place(sample: Sample, lang: str) -> str:
    return f"第 {sample.line} 行" if lang == "zh" else f"line {sample.line}"
