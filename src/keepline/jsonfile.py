"""JSON files that keepline wrote itself: read back, or refused as damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from keepline.errors import SiteError


def read_json(path: Path) -> Any:
    """The file's content; a file cut short or written over is refused by name."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON and of UTF-8 alike
        raise damaged(path, str(error), "内容不是完整的 JSON") from error


def damaged(path: Path, en: str, zh: str) -> SiteError:
    """The refusal of a file that is not as keepline wrote it."""
    return SiteError(
        f"{path} is damaged ({en}); restore it from a backup; keepline never leaves it half written",
        f"{path} 已损坏（{zh}）；请从备份恢复。该文件由 keepline 整体写入，不会只写一半",
        code="damaged_file",
    )
