"""What each load changed, kept with the lake for as long as the load can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from keepline.lake.store import Lake, LakeFile, Trace

DEPTH = 3  # loads of one table and month that can be undone, the last first; older contents are let go
RECENT = 500  # loads that can be undone at all, so that nothing is kept for ever


def next_load(lake: Lake) -> int:
    """The number of the next load; one that was undone keeps its number to itself."""
    return 1 + max((int(source["load"]) for source in (*lake.sources, *lake.undone)), default=0)


def waits_since(lake: Lake, name: str) -> int:
    """The load that left this file of waiting rows."""
    return max((trace.load for trace in lake.traces if trace.waits == name), default=0)


def with_one_more(lake: Lake, trace: Trace, after: Sequence[LakeFile]) -> tuple[Trace, ...]:
    """All traces once the lake holds ``after`` by this load; of what is too deep below, the old content is let go."""
    before, then = set(lake.files), set(after)
    came = tuple(f for f in after if f not in before)
    went = tuple(f for f in lake.files if f not in then)
    return tuple(_within_depth((*lake.traces, replace(trace, came=came, went=went))[-RECENT:]))


def _within_depth(traces: Sequence[Trace]) -> Iterable[Trace]:
    above: Counter[tuple[str, str]] = Counter()
    kept = []
    for trace in reversed(traces):
        deep = any(above[place] >= DEPTH for place in trace.places)
        kept.append(replace(trace, past=True, went=()) if deep or trace.past else trace)
        above.update(trace.places)
    return reversed(kept)
