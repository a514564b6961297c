"""Loops over customers as machine code: Numba compiles each once and keeps it beside the file, or in the user's cache.

What is kept is renewed when that file changes, so a loop calls none of another file. Loops add in a stated order and
without fast mathematics, so that what they find is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function as machine code; where nothing can be kept on disk it is compiled anew in each process."""
    try:
        return cast(F, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no folder that may be written
        return cast(F, njit(nogil=True)(function))
