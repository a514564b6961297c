"""How a TOML file that a person wrote is read: strictly, and refused in both languages with the place of each mistake.

Checks of our own inside a pydantic class raise :class:`UnclearError`, so that they too have Chinese words.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from keepline.errors import KeeplineError, UnclearError

SHOWN = 5  # mistakes told at once
M = TypeVar("M", bound=BaseModel)

# pydantic's code | what it says; {names} are filled from what pydantic knows of the mistake
CHINESE = """
missing | 缺少这一项
extra_forbidden | 没有这一项，请检查拼写
string_type | 应为加引号的文字
int_type | 应为整数
int_parsing | 应为整数
int_from_float | 应为整数，不能有小数
int_parsing_size | 数字过大
float_type | 应为数字
float_parsing | 应为数字
bool_type | 应为 true 或 false
bool_parsing | 应为 true 或 false
date_type | 应为日期，如 2026-10-01，不加引号
date_parsing | 应为日期，如 2026-10-01
date_from_datetime_inexact | 应为日期，不带时刻
date_from_datetime_parsing | 应为日期，如 2026-10-01
finite_number | 应为有限的数字
greater_than | 应大于 {gt}
greater_than_equal | 不得小于 {ge}
less_than | 应小于 {lt}
less_than_equal | 不得大于 {le}
string_too_short | 至少 {min_length} 个字符
string_too_long | 至多 {max_length} 个字符
too_short | 至少 {min_length} 项，现有 {actual_length} 项
too_long | 至多 {max_length} 项，现有 {actual_length} 项
string_pattern_mismatch | 写法须符合 {pattern}
literal_error | 只能是 {expected} 之一
enum | 只能是 {expected} 之一
tuple_type | 应为方括号列表
list_type | 应为方括号列表
dict_type | 应为一节（[名称] 或 键 = 值）
model_type | 应为一节（[名称] 或 键 = 值）
model_attributes_type | 应为一节（[名称] 或 键 = 值）
"""
WORDS = {code.strip(): said.strip() for code, said in (line.split("|") for line in CHINESE.strip().splitlines())}


def read(
    path: Path,
    kind: type[M],
    *,
    refuse: Callable[..., KeeplineError],
    code: str,
    name: tuple[str, str],
    shape: Callable[[Any], Any] = lambda value: value,
    strict: bool | None = None,
    context: str | None = None,
) -> M:
    """Read a file as ``kind``, or raise what ``refuse(en, zh, code=…)`` makes; an absent file is the caller's to tell.

    ``name`` is what such a file is called, in English and Chinese; ``code`` begins the refusal's code; ``context`` is
    told to the checks of our own.
    """
    try:
        said = shape(tomllib.loads(path.read_text(encoding="utf-8-sig")))
        return kind.model_validate(said, strict=strict, context=context)
    except UnicodeDecodeError as error:
        raise refuse(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8",
            f"{path} 不是 UTF-8 文本（第 {error.start} 字节）；请另存为 UTF-8",
            code=f"{code}_toml",
        ) from error
    except RecursionError as error:
        raise refuse(
            f"{path} is nested too deeply to be read", f"{path} 嵌套过深，无法读取", code=f"{code}_toml"
        ) from error
    except ValidationError as error:
        mistakes = [mistake for mistake in error.errors() if not _follows(mistake, error.errors())][:SHOWN]
        zh, en = ("\n  ".join(told(mistake) for mistake in mistakes) for told in (_zh, _en))
        raise refuse(
            f"{name[0]} {path} is not clear:\n  {en}", f"{name[1]} {path} 有误：\n  {zh}", code=f"{code}_unclear"
        ) from error
    except ValueError as error:  # of TOML, and of a number no computer reads
        raise refuse(
            f"{path} is not valid TOML: {error}", f"{path} 不是有效的 TOML：{_place(error)}", code=f"{code}_toml"
        ) from error


def _follows(mistake: ErrorDetails, all_of_them: list[ErrorDetails]) -> bool:
    """A list found too short because an entry of it could not be read."""
    place = mistake["loc"]
    below = [other for other in all_of_them if len(other["loc"]) > len(place) and other["loc"][: len(place)] == place]
    return mistake["type"] == "too_short" and bool(below)


def _place(error: ValueError) -> str:
    found = re.search(r"line (\d+), column (\d+)", str(error))
    where = f"第 {found[1]} 行第 {found[2]} 列" if found else "文件末尾"
    return f"{where}附近写法不对，请检查引号、等号与括号"


def _where(mistake: ErrorDetails, whole: str) -> str:
    return ".".join(str(part) for part in mistake["loc"]) or whole


def _en(mistake: ErrorDetails) -> str:
    return f"{_where(mistake, 'file')}: {mistake['msg'].removeprefix('Value error, ')}"


def _zh(mistake: ErrorDetails) -> str:
    about: Mapping[str, Any] = mistake.get("ctx", {})
    own = about.get("error")
    if isinstance(own, UnclearError):
        return f"{_where(mistake, '文件')}：{own.zh}"
    words = WORDS.get(mistake["type"], "写法不对")
    filled = {key: str(value).replace(" or ", "、").replace(", ", "、") for key, value in about.items()}
    return f"{_where(mistake, '文件')}：{words.format_map(filled)}"
