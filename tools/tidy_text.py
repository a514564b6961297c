"""What tidy looks for in SQL models, in any committed text and in the size of files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

HEAD = ("question", "reads", "makes")
BYTES_MAX = 1_000_000

# Written with brackets, so that this file does not find itself.
REGISTRIES = "pypi[.]org|pythonhosted[.]org|npmjs[.]org|deb[.]debian[.]org"
MACHINE = "/(?:work|root|home|Users|opt)/"
NOTES = "TOD[O]|FIXM[E]|XX[X]"
PLACES = re.compile(rf"{REGISTRIES}|(?<![\w.}}>)~*-]){MACHINE}\w|\b(?:{NOTES})\b")
SQL_WORDS = re.compile(r"\b(?:hash\s*\(|now\s*\(|current_date\b|current_timestamp\b|random\s*\()", re.IGNORECASE)

Found = Iterator[tuple[int, str]]


class Written(Protocol):
    """A file as tidy hands it over."""

    @property
    def text(self) -> str: ...
    @property
    def bytes(self) -> bytes: ...


def sql_opening(source: Written) -> Found:
    said = {line[3:].split(":", 1)[0].strip() for line in source.text.splitlines() if line.startswith("-- ")}
    for word in HEAD:
        if word not in said:
            yield 1, f"no line -- {word}:"


def sql_words(source: Written) -> Found:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := SQL_WORDS.search(line.split("--")[0]):
            yield number, f"uses {found.group().strip()}"


def places(source: Written) -> Found:
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := PLACES.search(line):
            yield number, f"says {found.group()!r}"


def weight(source: Written) -> Found:
    if len(source.bytes) > BYTES_MAX:
        yield 1, f"{len(source.bytes):,} bytes; at most {BYTES_MAX:,}"
