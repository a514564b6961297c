"""How a policy file is read: TOML, strict types, unknown keys refused, errors with their place."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from keepline import handwritten
from keepline.errors import PolicyError


class Part(BaseModel):
    """Anything inside a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Text(Part):
    """Words a user sees, in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Document(Part):
    """A whole policy file: its version is stamped on every row it influenced."""

    version: str = Field(min_length=1, max_length=40)
    valid_from: dt.date


D = TypeVar("D", bound=Document)


def read(path: Path, kind: type[D], *, context: str | None = None) -> D:
    """Read one policy file, or say what is wrong in it, where, and what to do; ``context`` is told to its checks."""
    if not path.is_file():
        raise PolicyError(
            f"policy file {path} is absent; 'keepline init' makes a new site elsewhere to copy one from",
            f"缺少政策文件 {path}；可用 keepline init 另建一个站点，从中复制样本",
            code="policy_absent",
        )
    named = ("policy file", "政策文件")
    return handwritten.read(
        path, kind, refuse=PolicyError, code="policy", name=named, shape=_listed, strict=True, context=context
    )


def _listed(value: Any) -> Any:
    """TOML's lists as the tuples our fields are, since strict types take nothing for something else."""
    if isinstance(value, dict):
        return {key: _listed(inner) for key, inner in value.items()}
    return tuple(_listed(inner) for inner in value) if isinstance(value, list) else value
