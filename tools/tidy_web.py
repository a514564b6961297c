"""What tidy looks for in the workbench's files, where one careless line opens a door; each yields (line, what)."""

from __future__ import annotations

import ast

from tidy_python import Found, Python

SAFE = {"mark_safe", "SafeString", "SafeText"}
RAW = {"raw", "extra"}
GATE = "keepline_web.people.access"


def marked_safe(source: Python) -> Found:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in SAFE:
            yield node.lineno, f"{ast.unparse(node.func)}() lets a text through unescaped"


def raw_sql(source: Python) -> Found:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in RAW or name == "RawSQL":
            yield node.lineno, f"{name}() takes SQL as text"
        elif name in ("execute", "executemany") and node.args and _joined(node.args[0]):
            yield node.lineno, "SQL is joined from texts"


def _joined(said: ast.expr) -> bool:
    """An f-string with values in it, texts added or percent-formatted, or ``.format()`` of a plain text."""
    if isinstance(said, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in said.values)
    if isinstance(said, ast.BinOp):
        return True
    called = isinstance(said, ast.Call) and isinstance(said.func, ast.Attribute) and said.func.attr == "format"
    return called and isinstance(said.func.value, ast.Constant)  # type: ignore[union-attr]


def everything(source: Python) -> Found:
    """In a file with views: rows are fetched through what says who may see them."""
    if GATE not in source.text:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".objects.all"):
            yield node.lineno, f"{ast.unparse(node.func)}() asks nobody who may see it"


def naive_moment(source: Python) -> Found:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.endswith(("datetime.utcnow", "date.today")) or (
                name.endswith("datetime.now") and not node.args and not node.keywords
            ):
                yield node.lineno, f"{name}() knows no zone, or the wrong one"
