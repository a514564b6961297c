"""MD5 of a salt and a whole number as machine code, for lots drawn of very many customers (RFC 1321)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keepline.compiled import compiled

SINES = np.array([int(2**32 * abs(math.sin(i + 1))) for i in range(64)], dtype=np.int64)
TURNS = np.repeat(np.array([[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]), 4, axis=0).ravel()
BEGIN = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476], dtype=np.int64)
WORD = 0xFFFFFFFF
BLOCK = 64  # bytes
DIGITS_MAX = 19  # of a whole number of 64 bits
CLOSING = 9  # bytes: a one bit, and the length


@compiled
def mix(message: Any, words: Any, state: Any, sines: Any, turns: Any) -> None:
    """One block of 64 bytes."""
    for n in range(16):
        low, high = message[4 * n] | (message[4 * n + 1] << 8), message[4 * n + 2] | (message[4 * n + 3] << 8)
        words[n] = low | (high << 16)
    a, b, c, d = state[0], state[1], state[2], state[3]
    for n in range(64):
        if n < 16:
            f, g = (b & c) | (~b & d), n
        elif n < 32:
            f, g = (d & b) | (~d & c), (5 * n + 1) & 15
        elif n < 48:
            f, g = b ^ c ^ d, (3 * n + 5) & 15
        else:
            f, g = c ^ (b | (~d & WORD)), (7 * n) & 15
        x = (a + f + sines[n] + words[g]) & WORD
        a, d, c = d, c, b
        b = (b + ((x << turns[n]) | (x >> (32 - turns[n])))) & WORD
    state[0], state[1] = (state[0] + a) & WORD, (state[1] + b) & WORD
    state[2], state[3] = (state[2] + c) & WORD, (state[3] + d) & WORD


@compiled
def write_message(message: Any, salt: int, number: int) -> int:
    """The digits of a number behind the salt, and what closes a message; how many blocks it takes."""
    size, left = salt, number
    while left > 0 or size == salt:
        size += 1
        left //= 10
    for at in range(size - 1, salt - 1, -1):
        message[at] = 48 + number % 10
        number //= 10
    blocks = (size + CLOSING + BLOCK - 1) // BLOCK
    message[size] = 128
    for at in range(size + 1, blocks * BLOCK):
        message[at] = 0
    for at in range(8):
        message[blocks * BLOCK - 8 + at] = ((8 * size) >> (8 * at)) & 255
    return blocks


@compiled
def draw(numbers: Any, message: Any, salt: int, tables: Any, found: Any) -> None:
    """To ``found`` the first four bytes of each number's MD5, the first one weighing most."""
    begin, sines, turns = tables
    words, state = np.empty(16, np.int64), np.empty(4, np.int64)
    for i in range(len(numbers)):
        blocks = write_message(message, salt, numbers[i])
        state[:] = begin
        for block in range(blocks):
            mix(message[block * BLOCK : (block + 1) * BLOCK], words, state, sines, turns)
        first = state[0]
        found[i] = ((first & 255) << 24) | ((first & 0xFF00) << 8) | ((first >> 8) & 0xFF00) | (first >> 24)


def first_bytes(numbers: Any, prefix: str) -> Any:
    """The first eight hexadecimal digits of the MD5 of the prefix and each number (none negative), as a number."""
    salt = prefix.encode()
    message = np.zeros(-(-(len(salt) + DIGITS_MAX + CLOSING) // BLOCK) * BLOCK, dtype=np.int64)
    message[: len(salt)] = np.frombuffer(salt, dtype=np.uint8)
    found = np.empty(len(numbers), dtype=np.int64)
    draw(np.asarray(numbers, dtype=np.int64), message, len(salt), (BEGIN, SINES, TURNS), found)
    return found
