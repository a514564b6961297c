"""What the documents say is so: links, commands, targets, locks, and what the wheel carries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import make_results
import make_tables
from keepline.cli import whole

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in ("build", "run", "test")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def code_lines(page: Path) -> Iterator[str]:
    """Lines of fenced blocks, without comments, and code within sentences."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL):
        yield from (line.split("#")[0].strip() for line in block.splitlines())
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def told(word: str) -> list[tuple[str, str]]:
    """Every place where a page tells to run ``word …``."""
    found = [(page, line.removeprefix(".venv/bin/")) for page in PAGES for line in code_lines(page)]
    return [(str(page.relative_to(ROOT)), line) for page, line in found if line.startswith(f"{word} ")]


def test_the_page_of_tables_is_what_is_declared() -> None:
    assert make_tables.TO.read_text(encoding="utf-8") == make_tables.page(), "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (page.parent / link).exists()] == []


def unknown_words(line: str) -> list[str]:
    """What of a command line the program does not know."""
    command: click.Command = whole()
    words = re.sub(r"[|…].*$", "", line).split()[1:]
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            return [words[0]]
        command, words = found, words[1:]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help", "--version"}
    return [word for word in words if word.startswith("--") and word not in options]


def test_every_command_that_is_told_exists_with_its_options() -> None:
    commands = told("keepline")
    assert len(commands) > 15
    assert [(page, line) for page, line in commands if unknown_words(line)] == []


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    assert unknown_words("keepline intake lode x.csv") == ["lode"]
    assert unknown_words("keepline run --sight my-site") == ["--sight"]
    assert unknown_words("keepline intake load x.csv --site my-site") == []


def test_every_make_target_that_is_told_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wanted = {line.split()[1] for _, line in told("make")}
    assert {"demo", "test", "check"} <= wanted <= targets


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\]\((\d{4}[^)]+)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_a_word_of_the_glossary_has_one_meaning() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", (ROOT / "GLOSSARY.md").read_text(encoding="utf-8"), re.MULTILINE)
    for column in (0, 1):
        words = [word.strip() for row in rows for word in re.split(r"[,/]", row[column]) if word.strip(" -")]
        repeated = {word for word in words if words.count(word) > 1} - {"中文", "English"}
        assert repeated == set()


# locks


def locked(lock: Path) -> dict[str, Version]:
    pins = re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)(.*)$", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: Version(version) for name, version, rest in reversed(pins) if ">= '3.12'" not in rest}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"://|--(?:extra-)?index|--find-links|file:", text)


def test_the_locks_are_of_what_the_project_says() -> None:
    project = PROJECT["project"]
    wanted = {
        LOCKS[0]: PROJECT["build-system"]["requires"],
        LOCKS[1]: project["dependencies"],
        LOCKS[2]: project["dependencies"]
        + project["optional-dependencies"]["spark"]
        + PROJECT["dependency-groups"]["dev"],
    }
    for lock, requirements in wanted.items():
        pins = locked(lock)
        for requirement in map(Requirement, requirements):
            assert pins[requirement.name.lower()] in requirement.specifier, f"{requirement}: run make lock"


def test_locks_agree_and_the_demo_needs_no_spark() -> None:
    build, run, test = map(locked, LOCKS)
    assert all(test[name] == version for name, version in run.items())
    assert all(test.get(name, version) == version for name, version in build.items())
    assert not {"pyspark", "py4j", "pytest"} & set(run)


# setting up


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A machine with nothing but a shell: the set-up script and an almost empty PATH."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.sh", tmp_path / "tools")
    (tmp_path / "bin").mkdir()
    for name in ("sh", "dirname", "rm"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def set_up(machine: Path) -> subprocess.CompletedProcess[str]:
    script = machine / "tools" / "setup.sh"
    return subprocess.run(
        [str(machine / "bin" / "sh"), str(script), "run"],
        env={"PATH": str(machine / "bin")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def a_python_that(machine: Path, says: str) -> None:
    path = machine / "bin" / "python3"
    path.write_text(f'#!/bin/sh\ncase "$2" in *{says}*) exit 1;; esac\nexit 0\n', encoding="utf-8")
    path.chmod(0o755)


def test_without_python_the_package_is_named_in_both_languages(bare: Path) -> None:
    answer = set_up(bare)
    assert answer.returncode == 1
    assert "缺少 Python 3.11+" in answer.stderr
    assert "Python 3.11+ is missing" in answer.stderr
    assert "apt-get install python3 python3-venv" in answer.stderr


def test_an_old_python_is_not_taken(bare: Path) -> None:
    a_python_that(bare, says="version_info")
    assert "Python 3.11+ is missing" in set_up(bare).stderr


def test_without_venv_its_package_is_named_and_nothing_is_left_behind(bare: Path) -> None:
    a_python_that(bare, says="ensurepip")
    answer = set_up(bare)
    assert answer.returncode == 1
    assert "apt-get install python3-venv\n" in answer.stderr
    assert not (bare / ".venv").exists()


def test_tests_that_will_skip_are_told_beforehand(tmp_path: Path) -> None:
    answer = subprocess.run(
        [str(shutil.which("sh")), str(ROOT / "tools" / "missing_for_tests.sh")],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "openjdk-17-jre-headless" in answer.stdout
    assert "chromium fonts-noto-cjk" in answer.stdout
    assert "将跳过" in answer.stdout


# the wheel


def test_the_wheel_carries_every_model_policy_template_and_licence(tmp_path: Path) -> None:
    build = f"import hatchling.build; hatchling.build.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("keepline-*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    files = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    wanted = {name for name in files if "__pycache__" not in name and not Path(name).name.startswith(".")}
    assert wanted - carried == set()
    assert any(name.endswith("/LICENSE") and ".dist-info" in name for name in carried)
    assert {Path(name).suffix for name in wanted} >= {".py", ".sql", ".toml", ".typed"}


# the page of results


def test_figures_handed_over_by_tests_stand_in_the_results(tmp_path: Path) -> None:
    test = tmp_path / "value_test.py"
    test.write_text(
        'def test_value(found):\n    found("Spearman | value", 0.81, demand="≥ 0.7", source="own")\n'
        'def test_gap(found):\n    found("gap", "9 %")\n    assert False\n',
        encoding="utf-8",
    )
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    junit = tmp_path / "junit.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(test), f"--junitxml={junit}",
         "-o", "junit_family=xunit1", "--rootdir", str(tmp_path)],
        cwd=tmp_path, check=False, capture_output=True,
        env={**os.environ, "KEEPLINE_CI": "", "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT / "tests")])},
    )  # fmt: skip
    page = make_results.page(list(make_results.figures(junit)), commit="abc1234", counts=make_results.counted(junit))
    assert "Commit `abc1234`" in page
    assert "1 passed, 1 failed, 0 skipped" in page
    assert "| Spearman \\| value | 0.81 | ≥ 0.7 | own | `test_value` |" in page
    assert "| gap | 9 % **(test failed)** |" in page
