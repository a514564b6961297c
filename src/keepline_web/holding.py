"""Who works on a site's workbench: any number may serve it or back it up, but its keys are changed alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from keepline.front import KeeplineError, Site

LOCK = "workbench/serving.lock"


@contextmanager
def serving(site: Site) -> Iterator[None]:
    """While the workbench serves or is backed up, the keys stay."""
    with _locked(site, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(site: Site) -> Iterator[None]:
    """Nobody serves or backs up meanwhile: it would go on with the old keys."""
    with _locked(site, fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(site: Site, how: int) -> Iterator[None]:
    path = site.root / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, how | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(held)
        raise KeeplineError(
            f"the workbench of {site.root} is running or being backed up, or its keys are being changed; "
            "stop it first, or wait until that is done",
            f"{site.root} 的工作台正在运行或备份，或正在更换密钥；请先停止，或等它完成",
            code="running",
        ) from error
    try:
        yield
    finally:
        os.close(held)
