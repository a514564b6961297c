"""Every page of every role, as it is sent: no word stands in it that is neither said in both languages nor data."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from keepline.front import loads
from keepline_web.people.models import Person, Unit
from keepline_web.people.roles import Role
from web.cast import Cast
from web.visiting import browser, pages, text_of

CHINESE = re.compile(r"[\u4e00-\u9fff]+")
SAID = re.compile(r"⟦[^⟦⟧]*⟧")
HIDDEN = re.compile(r"<(script|style|textarea|code|pre)\b.*?</\1>|<!--.*?-->", re.DOTALL)
READ = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"]*)"')

# the switch of languages, and what is left of names of people and organisations when they are masked or counted
ALSO_DATA = {"简体中文", "中文", "测", "欧", "司", "清河第", "单位", "本周拜访"}
UNITS = {"元", "万元", "亿元", "字节"}


def read(page: str) -> str:
    """What a person reads or hears of a page: its text and the words of its marks."""
    body = HIDDEN.sub(" ", page[page.index("<body") :])
    return html.unescape(" ".join([re.sub(r"<[^>]*>", " ", body), *READ.findall(body)]))


def data() -> list[str]:
    """Names that are the operator's own, the longest first."""
    names = {settings.SITE.settings.name, *Unit.objects.values_list("name", flat=True)}
    names |= {Path(load["name"]).stem for load in loads(settings.SITE)}  # files that tests beside this one loaded
    for person in Person.objects.all():
        names |= {person.name, person.username, person.manager_id or ""}
    return sorted(names - {""}, key=len, reverse=True)


def told(role: str, cast: Cast, language: str) -> Iterator[tuple[str, str]]:
    person = cast.of_role(role)
    person.language = language
    person.save(update_fields=["language"])
    client: Client = browser(person)
    for path in sorted(set(pages(role, cast))):
        answer = client.get(path)
        if answer.headers.get("Content-Type", "").startswith("text/html") and answer.status_code == 200:
            yield path, read(text_of(answer))


@pytest.mark.parametrize("role", Role.values)
def test_an_english_page_holds_no_chinese_but_names(role: str, cast: Cast) -> None:
    known, left = data(), {}
    for path, text in told(role, cast, "en"):
        for name in known:
            text = text.replace(name, " ")
        found = sorted(set(CHINESE.findall(text)) - ALSO_DATA)
        if found:
            left[path] = found
    assert left == {}


@pytest.mark.parametrize("role", Role.values)
def test_every_chinese_word_of_a_page_went_through_the_words(
    role: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pseudo-locale: what is said in two languages comes marked; what is left is data, and units of numbers."""
    monkeypatch.setattr(settings, "PSEUDO", True)
    known, left = data(), {}
    for path, text in told(role, cast, "zh"):
        while SAID.search(text):  # what is said may hold what is said
            text = SAID.sub(" ", text)
        for name in known:
            text = text.replace(name, " ")
        found = sorted(set(CHINESE.findall(text)) - ALSO_DATA - UNITS)
        if found:
            left[path] = found
    assert left == {}
