"""The project's own checks: each says what is wrong, why it matters and what to do instead.

usage: tools/tidy.py [FOLDER]     exit code 1 when there is anything to mend
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import tidy_python
import tidy_text
import tidy_web


@dataclass(frozen=True)
class Source:
    """One file of the project, with its path from the root."""

    root: Path
    path: Path

    @property
    def name(self) -> str:
        return self.path.as_posix()

    @cached_property
    def bytes(self) -> bytes:
        return (self.root / self.path).read_bytes()

    @cached_property
    def text(self) -> str:
        return self.bytes.decode("utf-8", errors="replace")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    @property
    def binary(self) -> bool:
        return b"\0" in self.bytes[:8192]

    def under(self, *folders: str) -> bool:
        return self.name.startswith(folders)


Check = Callable[[Source], Iterable[tuple[int, str]]]


@dataclass(frozen=True)
class Rule:
    """A check with its reason; ``over`` says which files it looks at."""

    name: str
    why: str
    instead: str
    over: Callable[[Source], bool]
    check: Check


def python(*folders: str) -> Callable[[Source], bool]:
    return lambda source: source.path.suffix == ".py" and source.under(*folders)


def sql(source: Source) -> bool:
    return source.path.suffix == ".sql" and source.under("src/")


def committed_text(source: Source) -> bool:
    return not source.binary and source.name != "LICENSE"


CODE = ("src/", "tests/", "tools/", "benchmarks/")
CORE = ("src/keepline/",)
WEB = ("src/keepline_web/",)
MARKS = ("src/keepline_web/frame/templatetags/frame.py", "src/keepline_web/people/views.py")  # each reviewed

RULES = (
    Rule("opening", "a reader decides by one sentence whether to read on",
         "open the file with a docstring whose first line is one sentence saying what it is for",
         python(*CODE), tidy_python.opening),
    Rule("sentence", "a docstring that is not a sentence says nothing the name did not",
         "end its first line with a full stop, or leave it out",
         python(*CORE), tidy_python.sentences),
    Rule("size", "what does not fit a screen is not read",
         "cut it where it changes subject: one function decides, those below compute",
         python(*CODE), tidy_python.sizes),
    Rule("names", "utils and common are where meaning goes to be lost; a manager here is an account manager",
         "name it after what it does in the words of GLOSSARY.md",
         python(*CODE), tidy_python.names),
    Rule("clock", "a run that reads the clock cannot be repeated",
         "take the month or the day as an argument; time.perf_counter() for durations",
         python(*CORE), tidy_python.clock),
    Rule("hash", "Python's hash() differs from one process to the next",
         "use hashlib, or holdout.py for lots",
         python(*CORE), tidy_python.builtin_hash),
    Rule("except", "an error that is swallowed becomes a wrong number",
         "catch the error you expect by name and raise one of errors.py",
         python(*CODE), tidy_python.excepts),
    Rule("print", "a library that prints cannot be embedded",
         "report through Progress, or return the words; cli.py and console.py print",
         lambda s: python(*CORE)(s) and s.path.name not in ("cli.py", "console.py"), tidy_python.prints),
    Rule("engine", "two engines stay equal only while one place knows them",
         "ask engine.py: see, write, map, fetch",
         lambda s: python(*CORE)(s) and s.path.name not in ("engine.py", "spark.py"), tidy_python.engine_names),
    Rule("truth", "a stage that sees the simulator could see the truth",
         "only the command line (cli.py, demo.py) and tests may import keepline.simulate",
         lambda s: python(*CORE)(s) and not s.under("src/keepline/simulate/")
         and s.path.name not in ("cli.py", "demo.py"), tidy_python.simulator),
    Rule("fen", "money read as a float does not add up",
         "declare it int, in fen",
         python("src/keepline/lake/", "src/keepline/policy/", "src/keepline/tables.py"), tidy_python.float_fen),
    Rule("languages", "half of our readers read Chinese, half English",
         "give a refusal its English words first and its Chinese words second",
         python(*CORE), tidy_python.both_languages),
    Rule("fact", "a test that fails should tell by its name what is no longer true",
         "name it as a fact: test_a_file_loaded_twice_changes_nothing",
         lambda s: python("tests/")(s) and s.path.name.endswith("_test.py"), tidy_python.test_names),
    Rule("markup", "a text that is not escaped is a script in a colleague's browser",
         "write it in a template, or put it together with format_html",
         lambda s: python(*WEB)(s) and s.name not in MARKS, tidy_web.marked_safe),
    Rule("raw", "a value inside SQL is a command",
         "ask through the models; else a fixed text with %s, or psycopg.sql for names",
         python(*WEB), tidy_web.raw_sql),
    Rule("everything", "a view that fetches all rows shows them to whoever comes",
         "fetch through visible_to, or a query of queries.py that says who may",
         python(*WEB), tidy_web.everything),
    Rule("zone", "a moment without a zone is another moment on another machine",
         "frame.clock: now() for the moment, today() for the business day",
         python(*WEB), tidy_web.naive_moment),
    Rule("question", "a model nobody can ask is a model nobody can check",
         "open it with -- question:, -- reads: and -- makes:",
         sql, tidy_text.sql_opening),
    Rule("portable", "engines disagree on hash(), and a clock in SQL cannot be repeated",
         "MD5 for lots; the snapshot comes in as :month or months_ago",
         sql, tidy_text.sql_words),
    Rule("places", "a registry's address or a path of one machine works nowhere else; a note to oneself is not kept",
         "leave the address to the user's settings, make the path relative, do it or file it",
         committed_text, tidy_text.places),
    Rule("weight", "everyone who clones carries it forever",
         "make it from code, or store it outside the repository",
         lambda _: True, tidy_text.weight),
)  # fmt: skip


def sources(root: Path) -> list[Source]:
    """Files that are committed or would be; without git, all but hidden ones."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        paths = [Path(name) for name in listed.stdout.split("\0") if name]
    else:
        paths = [path.relative_to(root) for path in root.rglob("*") if not str(path.relative_to(root)).startswith(".")]
    kept = (path for path in sorted(set(paths)) if (root / path).is_file() and "vendor" not in path.parts)
    return [Source(root, path) for path in kept]


def findings(files: Iterable[Source], rules: Iterable[Rule] = RULES) -> Iterator[tuple[Rule, str]]:
    """Each breach with its rule, as ``place: what``."""
    rules = tuple(rules)
    for source in files:
        for rule in rules:
            if rule.over(source):
                yield from ((rule, f"{source.name}:{line}: {what}") for line, what in rule.check(source))


def main(root: Path) -> int:
    found: dict[str, list[str]] = {}
    for rule, breach in findings(sources(root)):
        found.setdefault(rule.name, []).append(breach)
    for rule in RULES:
        if rule.name in found:
            print("\n".join(found[rule.name]))
            print(f"  [{rule.name}] {rule.why}\n  do instead: {rule.instead}\n")
    count = sum(map(len, found.values()))
    print(f"tidy: {len(RULES)} rules, {count} to mend")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
