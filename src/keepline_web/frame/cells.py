"""Small cells: which counts of a row are not told to those who see aggregates alone.

A count below ten may point at somebody. Where the total stands beside it, one hidden count follows from the others, and
several that are small together are still few; so the next smallest are hidden with them.
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 10


def hidden_in_row(counts: Mapping[str, int]) -> set[str]:
    """Of counts whose total is known: the small ones, and what must be hidden with them."""
    known = {name: count for name, count in counts.items() if count > 0}
    hidden = {name for name, count in known.items() if count < LEAST}
    while hidden and hidden != set(known) and (len(hidden) == 1 or sum(known[name] for name in hidden) < LEAST):
        hidden.add(min((name for name in known if name not in hidden), key=lambda name: (known[name], name)))
    return hidden
