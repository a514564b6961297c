"""The workbench's keys, each drawn from one secret of the site, so that one file is kept safe and none is shared."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE = "workbench.key"


@cache
def key(root: Path, purpose: str, length: int = 32) -> bytes:
    """The key for one purpose: ``django``, ``field``, ``index``, ``audit`` or ``token``."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"keepline {purpose}".encode()).derive(_secret(root))


def _secret(root: Path) -> bytes:
    path = root / "secrets" / FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f".{FILE}.{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        with suppress(FileExistsError):
            os.link(partial, path)  # whoever comes first; the other takes what is there
        partial.unlink()
    return bytes.fromhex(path.read_text(encoding="ascii").strip())
