"""Makes docs/tables.md from the declarations in tables.py; --check says whether it is up to date.

usage: tools/make_tables.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

from keepline.tables import LAKE, PUBLISHED, STAGES, Column, Table

TO = Path(__file__).parents[1] / "docs" / "tables.md"
HEAD = """# Tables · 数据表

Made from `src/keepline/tables.py` by `make docs`; do not edit. 由声明生成，请勿手改。

Money is whole fen (BIGINT), months are text `YYYY-MM`, null means unknown. The column *personal* says how close
a column comes to a person: `pseudonym` cannot be turned back without the site's key, `personal` is about one person
without naming them, `restricted` names or reaches a person and lies in `contact_details` and `contact_persons` alone.

金额为整数分，账期为文本 `YYYY-MM`，空值表示未知。*personal* 一列说明与个人的距离：
`pseudonym` 为假名，没有站点密钥不能还原；`personal` 关于个人但不指明是谁；
`restricted` 可指明或联系到个人，只在 `contact_details` 与 `contact_persons` 两张表中。
"""
SECTIONS = (
    ("What the operator brings · 运营商提供", "Only customers and bills are required. 仅客户档案与账单必需。", LAKE),
    ("Between the stages · 各阶段之间", "Not part of what is promised to readers. 供内部使用。", STAGES),
    ("Published every month · 每月发布", "Folders of Parquet parts under `published/YYYY-MM/`.", PUBLISHED),
)


def page() -> str:
    """The whole document."""
    parts = [HEAD]
    for title, note, tables in SECTIONS:
        parts += [f"## {title}\n\n{note}\n", *(described(table) for table in tables)]
    return "\n".join(parts)


def described(table: Table) -> str:
    """One table: its meaning, its key, its columns in order."""
    lines = [f"### `{table.name}` · {table.zh}\n", f"{table.en.capitalize()}. Key 主键: {codes(table.key)}."]
    if table.required:
        lines[-1] += f" Also never null 不可为空: {codes(table.required)}."
    lines += [
        "",
        "| column 列 | type | unit | personal | meaning | 含义 | codes 代码 |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(row(column) for column in table.columns)]) + "\n"


def row(column: Column) -> str:
    cells = (f"`{column.name}`", column.type.value, column.unit, column.personal.value, column.en, column.zh)
    return f"| {' | '.join(cells)} | {codes(column.allowed)} |"


def codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(arguments: list[str]) -> int:
    made = page()
    if arguments != ["--check"]:
        TO.parent.mkdir(exist_ok=True)
        TO.write_text(made, encoding="utf-8")
        return 0
    if TO.exists() and TO.read_text(encoding="utf-8") == made:
        return 0
    print("docs/tables.md is not what tables.py declares; run: make docs\ndocs/tables.md 与声明不符，请运行 make docs")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
