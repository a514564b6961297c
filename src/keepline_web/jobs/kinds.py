"""The kinds of long work there are: each room above puts its own here, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keepline_web.frame.words import Text
from keepline_web.jobs.progress import Progress

Run = Callable[[dict[str, Any], Progress], dict[str, Any] | None]
Address = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class Kind:
    """What a kind of work is called, the function that does it, and the page where its fruit is seen."""

    words: Text
    run: Run
    address: Address | None = None


@dataclass(frozen=True)
class Chore:
    """What the worker does of itself, every so many seconds."""

    run: Callable[[], object]
    every_seconds: int


KINDS: dict[str, Kind] = {}
CHORES: list[Chore] = []


def register(name: str, zh: str, en: str, *, run: Run, address: Address | None = None) -> None:
    """Let work of this name be asked for. ``run`` is given what was asked and a Progress to report to.

    It must stand being run again from its beginning: a worker that is killed leaves it half done.
    """
    KINDS[name] = Kind(Text(zh, en), run, address)


def chore(run: Callable[[], object], *, every_seconds: int) -> None:
    """Let the worker do this from time to time, when nothing was asked of it."""
    CHORES.append(Chore(run, every_seconds))
