"""Sealing a few bytes: AES-256-GCM under a key of the site, bound to where they belong, with the key's version."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keepline_web import keys

NONCE = 12


def seal(root: Path, plain: bytes, *, bound: bytes) -> bytes:
    """Version of the key, nonce, and what only opens at the same place."""
    version, nonce = keys.current(root), secrets.token_bytes(NONCE)
    return bytes([version]) + nonce + _cipher(keys.key(root, "field", version=version)).encrypt(nonce, plain, bound)


def unseal(root: Path, data: bytes, *, bound: bytes) -> bytes:
    nonce, sealed = data[1 : NONCE + 1], data[NONCE + 1 :]
    return _cipher(keys.key(root, "field", version=data[0])).decrypt(nonce, sealed, bound)


@cache
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
