"""The door back: what people did in the workbench, taken in like any other file of the operator's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from keepline.lake.filereport import FileReport
from keepline.lake.intake import AGAIN, load
from keepline.site import Site

KINDS = ("contacts", "deliveries", "promises", "approvals")


def hand_in(site: Site, files: Sequence[Path]) -> list[FileReport]:
    """Load each ``KIND*.parquet`` with the mapping of its kind; anything held or refused raises.

    A file handed in twice changes nothing. What falls into a published month becomes a new version of that month,
    which open months see. A file equal to an earlier one is merged again: what it says may have been undone between.
    """
    reports: list[FileReport] = []
    for kind in KINDS:
        own = [file for file in files if file.name.startswith(kind)]
        mapping = resources.files("keepline.front").joinpath(f"returned_{kind}.toml")
        with resources.as_file(mapping) as path:
            reports += [r.insist() for r in load(site, own, mapping=path, accept=(AGAIN,))] if own else []
    return reports
