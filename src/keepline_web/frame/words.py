"""Words in Chinese and English, side by side; which of them is said is the request's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

LANGUAGES = {"zh": "zh-hans", "en": "en"}
HTML_LANGUAGES = {"zh": "zh-CN", "en": "en"}


def language() -> str:
    """``zh`` or ``en``."""
    return "en" if (get_language() or "").startswith("en") else "zh"


def say(zh: str, en: str, **values: Any) -> str:
    """The words in the reader's language, with ``{names}`` filled in; marked when a test looks for words left out."""
    said = zh if language() == "zh" else en
    said = said.format(**values) if values else said
    return f"⟦{said}⟧" if settings.PSEUDO else said


@dataclass(frozen=True)
class Text:
    """Words that are said later, when the reader is known."""

    zh: str
    en: str

    def __str__(self) -> str:
        return say(self.zh, self.en)

    def with_values(self, **values: Any) -> Text:
        return Text(self.zh.format(**values), self.en.format(**values))


def listed(text: str) -> dict[str, Text]:
    """Read ``code | 中文 | English``, one a line."""
    rows = (line.split("|") for line in text.strip().splitlines())
    return {code.strip(): Text(zh.strip(), en.strip()) for code, zh, en in rows}


def told(words: Mapping[str, str] | Text | None) -> str:
    """Words that came as ``{"zh": …, "en": …}``, from the core or from a table; nothing for nothing."""
    if words is None:
        return ""
    return str(words) if isinstance(words, Text) else say(words["zh"], words["en"])
