"""Small cells: which counts of a table are not told to those who see aggregates alone.

A count below ten may point at somebody. Where totals are told as well, one hidden cell could be worked out from the
others, so more are hidden until none can: in a table of two sides a hidden cell can be worked out from the totals
exactly when it is a bridge between its row and its column in the graph of hidden cells (theory of transport tables).
"""

from __future__ import annotations

from collections.abc import Mapping

LEAST = 10
Cell = tuple[str, str]


def hidden_cells(counts: Mapping[Cell, int]) -> set[Cell]:
    """Of a table whose row and column totals are known: the small cells, and what must be hidden with them."""
    known = {cell: count for cell, count in counts.items() if count > 0}
    hidden = {cell for cell, count in known.items() if count < LEAST}
    while True:
        bare = next((cell for cell in sorted(hidden) if _worked_out(cell, hidden, known)), None)
        more = _smallest_beside(bare, hidden, known) if bare else None
        if more is None:
            return hidden
        hidden.add(more)


def hidden_in_row(counts: Mapping[str, int]) -> set[str]:
    """Of a single row whose total is known."""
    known = {name: count for name, count in counts.items() if count > 0}
    hidden = {name for name, count in known.items() if count < LEAST}
    while hidden and hidden != set(known) and (len(hidden) == 1 or sum(known[name] for name in hidden) < LEAST):
        hidden.add(min((name for name in known if name not in hidden), key=lambda name: (known[name], name)))
    return hidden


def _worked_out(cell: Cell, hidden: set[Cell], known: Mapping[Cell, int]) -> bool:
    """A bridge, or in a row or column whose hidden part is small itself."""
    row, column = cell
    for side, name in ((0, row), (1, column)):
        if sum(known[other] for other in hidden if other[side] == name) < LEAST:
            return True
    reached, edge = {("row", row)}, [("row", row)]
    others = hidden - {cell}
    while edge:
        kind, name = edge.pop()
        for a, b in others:
            there = (
                ("column", b) if (kind, name) == ("row", a) else ("row", a) if (kind, name) == ("column", b) else None
            )
            if there is not None and there not in reached:
                reached.add(there)
                edge.append(there)
    return ("column", column) not in reached


def _smallest_beside(cell: Cell, hidden: set[Cell], known: Mapping[Cell, int]) -> Cell | None:
    """The smallest cell of its row or column that is still told; of the whole table where there is none."""
    told = [other for other in known if other not in hidden]
    beside = [other for other in told if other[0] == cell[0] or other[1] == cell[1]]
    return min(beside or told, key=lambda other: (known[other], other), default=None)
