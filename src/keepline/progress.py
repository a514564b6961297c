"""How a long step tells how far it is; the command line draws it, tests and libraries stay silent."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def begin(self, zh: str, en: str, total: int | None = None) -> None:
        """A step starts; ``total`` units are to come, when that is known."""

    def advance(self, done: int = 1) -> None:
        """So many units are done."""


class Silent:
    """Progress nobody watches."""

    def begin(self, zh: str, en: str, total: int | None = None) -> None:
        return None

    def advance(self, done: int = 1) -> None:
        return None
