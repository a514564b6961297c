"""The workbench's keys, each drawn from a secret of the site, so that one file is kept safe and none is shared.

Line n of the file is the secret of version n; the last one is used, those before it open what they sealed.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE = "workbench.key"
COMING = "workbench.key.next"  # all lines and a new one, while the database is not yet bound to it
VERSIONS_AT_MOST = 255  # a sealed text begins with one byte that says its version


def key(root: Path, purpose: str, length: int = 32, *, version: int | None = None) -> bytes:
    """The key for one purpose: ``django``, ``field``, ``index``, ``audit``, ``token``; the newest by default."""
    return _drawn(root, purpose, length, version or current(root))


def current(root: Path) -> int:
    """The version of the secret in use."""
    return len(_lines(root))


def begin(root: Path) -> int:
    """Draw the next secret and put it beside the file; its version. It is not used until ``finish``."""
    lines = (*_lines(root), secrets.token_hex(32))
    assert len(lines) <= VERSIONS_AT_MOST, lines
    _write(root / "secrets" / COMING, "".join(f"{line}\n" for line in lines))
    return len(lines)


def finish(root: Path) -> None:
    """From now on the next secret is the one in use."""
    (root / "secrets" / COMING).replace(root / "secrets" / FILE)
    forget()


def drop(root: Path) -> None:
    """Take a secret back that nothing was bound to."""
    (root / "secrets" / COMING).unlink(missing_ok=True)
    forget()


def coming(root: Path) -> int | None:
    """The version of a change that was begun and not finished."""
    path = root / "secrets" / COMING
    return len(path.read_text(encoding="ascii").split()) if path.exists() else None


def forget() -> None:
    """Read the file again at the next use."""
    _lines.cache_clear()
    _drawn.cache_clear()


@cache
def _drawn(root: Path, purpose: str, length: int, version: int) -> bytes:
    lines = _lines(root)
    if version == len(lines) + 1:  # of a change under way
        lines = tuple((root / "secrets" / COMING).read_text(encoding="ascii").split())
    secret = bytes.fromhex(lines[version - 1])
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"keepline {purpose}".encode()).derive(secret)


@cache
def _lines(root: Path) -> tuple[str, ...]:
    path = root / "secrets" / FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f".{FILE}.{os.getpid()}")
        _write(partial, secrets.token_hex(32) + "\n")
        with suppress(FileExistsError):
            os.link(partial, path)  # whoever comes first; the other takes what is there
        partial.unlink()
    return tuple(path.read_text(encoding="ascii").split())


def _write(path: Path, text: str) -> None:
    """Whole, on the disk, readable by the owner alone."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
