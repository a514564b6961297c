"""Every word of a page is said in both languages, and no page carries style, script or handlers of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOMS = Path(__file__).parents[2] / "src" / "keepline_web"
PAGES = sorted(ROOMS.glob("*/templates/**/*.html"))
SPOKEN = re.compile(r'\b(?:aria-label|placeholder|title|alt|content)="([^"]*)"')
OURS = {
    "keepline",
    "GET",
    "简体中文",
    "English",
    "中文",
    "⌘K",
    "min",
    "GB",
    "SHA",
    "button",
    "badge",
    "notice",
    "empty",
    "field",
    "timeline",
    "as",
    "cards",
    "dialog",
    "views",
    "grew",
    "fell",
    "query",
    "listing",
    "icon",
    "⟦",
    "⟧",
}
LETTERS = re.compile(r"[A-Za-z\u4e00-\u9fff]{2,}")
META = re.compile(r"<meta[^>]*>", re.DOTALL)


def bare(text: str) -> str:
    """What is left of a template when its tags, values and marks are taken away."""
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", text, flags=re.DOTALL)
    return re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>", " ", text, flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_word_a_person_reads_is_said_in_both_languages(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [word for word in LETTERS.findall(bare(text)) if word not in OURS] == []
    whole = re.sub(r"{%\s*say\b.*?%}", " ", META.sub(" ", text), flags=re.DOTALL)
    spoken = (bare(value) for value in SPOKEN.findall(whole))
    assert [value for value in spoken if LETTERS.search(value)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_both_languages_of_a_word_name_the_same_values(page: Path) -> None:
    for zh, en in re.findall(r'{%\s*say "([^"]*)" "([^"]*)"', page.read_text(encoding="utf-8")):
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en)), (zh, en)
        assert re.search(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]", zh) or zh == en, zh
        assert not re.search(r"[\u4e00-\u9fff]", en), en


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_carries_style_script_or_handlers_of_its_own(page: Path) -> None:
    text = re.sub(r"{%.*?%}", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//", text) == []
