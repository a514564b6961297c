"""What ends when a person takes another post or is disabled: each room above puts its own here."""

from __future__ import annotations

from collections.abc import Callable

from keepline_web.people.models import Person

End = Callable[[Person, Person, str], object]
ENDINGS: list[End] = []


def at_leaving(end: End) -> None:
    """Let ``end`` be called with who leaves, by whom, and why, within the transaction of the move itself."""
    ENDINGS.append(end)


def leave_all(person: Person, *, by: Person, why: str) -> None:
    for end in ENDINGS:
        end(person, by, why)
