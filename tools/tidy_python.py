"""What tidy looks for in Python files, by their syntax tree; each function yields (line, what)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

FUNCTION_LINES = 40
FILE_LINES = 400
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "stuff", "data2"}
CLOCKS = {"now", "utcnow", "today"}
ACCOUNT_MANAGERS = {"Manager", "AccountManager"}
ENGINES = {"duckdb", "pyspark"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SENTENCE_END = (".", "?", "!", ":", "。", "？", "！")

Found = Iterator[tuple[int, str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Python(Protocol):
    """A Python file as tidy hands it over."""

    @property
    def path(self) -> Path: ...
    @property
    def text(self) -> str: ...
    @property
    def tree(self) -> ast.Module: ...


def opening(source: Python) -> Found:
    said = ast.get_docstring(source.tree)
    if said is None:
        if source.text.strip():
            yield 1, "no docstring"
        return
    first = said.splitlines()[0]
    if not first.endswith(SENTENCE_END):
        yield 1, f"the first line does not end its sentence: {first!r}"
    elif re.search(r"[.?!] [A-Z]", first):
        yield 1, f"the first line is more than one sentence: {first!r}"


def sentences(source: Python) -> Found:
    for node in ast.walk(source.tree):
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_"):
            said = ast.get_docstring(node)
            paragraph = said.split("\n\n")[0].strip() if said else ""
            if paragraph and not paragraph.endswith((*SENTENCE_END, "::")):
                yield node.lineno, f"docstring of {node.name} is not a sentence: {paragraph.splitlines()[-1]!r}"


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def sizes(source: Python) -> Found:
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield FILE_LINES, f"{lines} lines; at most {FILE_LINES} a file"
    for node in ast.walk(source.tree):
        if isinstance(node, _FUNCTIONS) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines; at most {FUNCTION_LINES} a function"


def names(source: Python) -> Found:
    if _vague(source.path.stem):
        yield 1, f"file name {source.path.name} says nothing"
    for node in ast.walk(source.tree):
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            if _vague(node.name):
                yield node.lineno, f"{node.name} says nothing"
            if isinstance(node, ast.ClassDef) and node.name.endswith("Manager") and node.name not in ACCOUNT_MANAGERS:
                yield node.lineno, f"class {node.name}: manager is kept for account managers"


def _vague(name: str) -> bool:
    return bool(VAGUE & set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_")))


def _calls(source: Python) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def clock(source: Python) -> Found:
    for call in _calls(source):
        said = ast.unparse(call.func)
        if (said.rpartition(".")[2] in CLOCKS and "." in said) or said in ("time.time", "time.localtime"):
            yield call.lineno, f"reads the clock: {said}()"


def builtin_hash(source: Python) -> Found:
    for call in _calls(source):
        if isinstance(call.func, ast.Name) and call.func.id == "hash":
            yield call.lineno, "uses hash()"


def prints(source: Python) -> Found:
    for call in _calls(source):
        if isinstance(call.func, ast.Name) and call.func.id == "print":
            yield call.lineno, "prints"


def excepts(source: Python) -> Found:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught in ("Exception", "BaseException", "everything"):
                yield node.lineno, f"catches {caught}"


def _imports(source: Python) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def engine_names(source: Python) -> Found:
    for line, module in _imports(source):
        if module.split(".")[0] in ENGINES:
            yield line, f"imports {module.split('.')[0]}"


def simulator(source: Python) -> Found:
    for line, module in _imports(source):
        if module.startswith("keepline.simulate"):
            yield line, "imports the simulator"


def float_fen(source: Python) -> Found:
    for node in ast.walk(source.tree):
        pair = _annotated(node)
        if pair and pair[0].endswith("_fen") and "float" in pair[1]:
            yield getattr(node, "lineno", 1), f"{pair[0]} is declared {pair[1]}"


def _annotated(node: ast.AST) -> tuple[str, str] | None:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target), ast.unparse(node.annotation)
    if isinstance(node, ast.arg) and node.annotation is not None:
        return node.arg, ast.unparse(node.annotation)
    return None


def both_languages(source: Python) -> Found:
    for call in _calls(source):
        if ast.unparse(call.func).rpartition(".")[2] not in _refusals():
            continue
        words = [_words(argument) for argument in call.args[:2]]
        if len(words) == 2 and words[0] and CHINESE.search(words[0]):
            yield call.lineno, "the first words of a refusal are English"
        if len(words) == 2 and words[1] and not CHINESE.search(words[1]):
            yield call.lineno, "the second words of a refusal are Chinese"


def _refusals() -> set[str]:
    """The names of the errors that are shown to people."""
    errors = Path(__file__).parents[1] / "src" / "keepline" / "errors.py"
    tree = ast.parse(errors.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef)}


def _words(argument: ast.expr) -> str:
    """The fixed words of a text; empty when it is made elsewhere."""
    parts = (n.value for n in ast.walk(argument) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return "".join(parts) if isinstance(argument, (ast.Constant, ast.JoinedStr)) else ""


def test_names(source: Python) -> Found:
    for node in ast.walk(source.tree):
        if isinstance(node, _FUNCTIONS) and node.name.startswith("test") and len(node.name.split("_")) < 4:
            yield node.lineno, f"{node.name} is a label, not a fact"
