"""Each house rule catches a planted breach, and lets through what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

import tidy

HEAD = '"""Tells what it is for."""\n'
SQL = "-- question: how much?\n-- reads: bills\n-- makes: features\n"
GATE = "from keepline_web.people.access import page\n"
LONG = "def long() -> None:\n" + "    pass\n" * 40

BREACHES = [
    ("opening", "src/keepline/a.py", "x = 1\n"),
    ("opening", "src/keepline/a.py", '"""what it is"""\n'),
    ("opening", "src/keepline/a.py", '"""What it is. And more."""\n'),
    ("sentence", "src/keepline/a.py", HEAD + 'def f() -> None:\n    """no sentence"""\n'),
    ("size", "src/keepline/a.py", HEAD + LONG),
    ("size", "tests/core/a_test.py", HEAD + "x = 1\n" * 400),
    ("names", "src/keepline/date_utils.py", HEAD),
    ("names", "src/keepline/a.py", HEAD + "def row_helper() -> None: ...\n"),
    ("names", "src/keepline/a.py", HEAD + "class CacheManager: ...\n"),
    ("clock", "src/keepline/a.py", HEAD + "x = dt.datetime.now()\n"),
    ("clock", "src/keepline/a.py", HEAD + "x = dt.date.today()\n"),
    ("clock", "src/keepline/a.py", HEAD + "x = time.time()\n"),
    ("hash", "src/keepline/a.py", HEAD + "x = hash('a')\n"),
    ("except", "src/keepline/a.py", HEAD + "try:\n    f()\nexcept Exception:\n    pass\n"),
    ("except", "tools/a.py", HEAD + "try:\n    f()\nexcept:\n    pass\n"),
    ("print", "src/keepline/a.py", HEAD + "print(1)\n"),
    ("engine", "src/keepline/lake/a.py", HEAD + "import duckdb\n"),
    ("engine", "src/keepline/lake/a.py", HEAD + "def f():\n    from pyspark.sql import SparkSession\n"),
    ("truth", "src/keepline/insight/a.py", HEAD + "from keepline.simulate.operator import truth\n"),
    ("truth", "src/keepline/insight/a.py", HEAD + "from keepline import simulate\n"),
    ("fen", "src/keepline/policy/a.py", HEAD + "class Offer:\n    cost_fen: float = 0\n"),
    ("languages", "src/keepline/a.py", HEAD + 'raise SiteError("no site", "no site")\n'),
    ("languages", "src/keepline/a.py", HEAD + 'raise SiteError(f"没有 {x}", "没有")\n'),
    ("fact", "tests/core/a_test.py", HEAD + "def test_load() -> None: ...\n"),
    ("markup", "src/keepline_web/work/a.py", HEAD + "x = mark_safe(y)\n"),
    ("raw", "src/keepline_web/work/a.py", HEAD + "rows = Account.objects.raw('SELECT 1')\n"),
    ("raw", "src/keepline_web/work/a.py", HEAD + "cursor.execute(f'SELECT {x}')\n"),
    ("raw", "src/keepline_web/work/a.py", HEAD + "cursor.execute('SELECT ' + x)\n"),
    ("raw", "src/keepline_web/work/a.py", HEAD + "cursor.execute('SELECT {}'.format(x))\n"),
    ("everything", "src/keepline_web/work/a.py", HEAD + GATE + "rows = Account.objects.all()\n"),
    ("zone", "src/keepline_web/work/a.py", HEAD + "x = dt.datetime.now()\n"),
    ("zone", "src/keepline_web/work/a.py", HEAD + "x = dt.date.today()\n"),
    ("question", "src/keepline/features/a.sql", "SELECT 1 AS x\n"),
    ("portable", "src/keepline/features/a.sql", SQL + "SELECT hash(customer_id) AS x FROM bills\n"),
    ("portable", "src/keepline/features/a.sql", SQL + "SELECT CURRENT_DATE AS x\n"),
    ("places", "docs/a.md", "pip install --index-url https://" + "pypi" + ".org/simple\n"),
    ("places", "tests/core/a_test.py", HEAD + 'DATA = "/' + 'root/data/x.csv"\n'),
    ("places", "README.md", "TO" + "DO: write this\n"),
    ("weight", "docs/a.bin", "x" * 1_000_001),
]

RIGHT = [
    ("src/keepline/a.py", HEAD + 'raise SiteError(f"{x} is no site", f"{x} 不是站点")\n'),
    ("src/keepline/a.py", HEAD + "started = time.perf_counter()\nprint_width = 3\n"),
    ("src/keepline/cli.py", HEAD + "print(1)\nfrom keepline.simulate import operator\n"),
    ("src/keepline/engine.py", HEAD + "import duckdb\n"),
    ("src/keepline/a.py", HEAD + "from contextlib import contextmanager\nclass AccountManager: ...\n"),
    ("src/keepline_web/a.py", HEAD + "x = dt.datetime.now(dt.UTC)\ncursor.execute('SELECT %s', [x])\n"),
    ("src/keepline_web/a.py", HEAD + "cursor.execute(sql.SQL('GRANT {}').format(x))\ny = Unit.objects.all()\n"),
    ("src/keepline/features/a.sql", SQL + "SELECT MD5(code) AS code -- never hash(\nFROM bills\n"),
    ("docs/a.md", "Work in progress lies in SITE/work/, run /usr/bin/chromium and ~/work/x.\n"),
    ("tests/core/a_test.py", HEAD + "def test_a_file_loaded_twice_changes_nothing() -> None: ...\n"),
]


def broken(root: Path, name: str, text: str) -> set[str]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return {rule.name for rule, _ in tidy.findings([tidy.Source(root, Path(name))])}


@pytest.mark.parametrize(("rule", "name", "text"), BREACHES)
def test_a_planted_breach_is_caught_by_its_rule(tmp_path: Path, rule: str, name: str, text: str) -> None:
    assert rule in broken(tmp_path, name, text)


@pytest.mark.parametrize(("name", "text"), RIGHT)
def test_what_is_right_is_let_through(tmp_path: Path, name: str, text: str) -> None:
    assert broken(tmp_path, name, text) == set()


def test_every_rule_has_a_planted_breach() -> None:
    assert {rule.name for rule in tidy.RULES} == {rule for rule, _, _ in BREACHES}


def test_every_rule_says_why_and_what_to_do_instead() -> None:
    assert all(len(rule.why) > 20 and len(rule.instead) > 15 for rule in tidy.RULES)


def test_a_breach_is_told_with_its_place_reason_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken(tmp_path, "src/keepline/a.py", HEAD + "print(1)\n")
    assert tidy.main(tmp_path) == 1
    said = capsys.readouterr().out
    assert "src/keepline/a.py:2: prints" in said
    assert "do instead: report through Progress" in said
