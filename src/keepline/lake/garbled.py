"""Text that was spoilt on its way: bytes of another encoding, or UTF-8 once read as something else."""

from __future__ import annotations

import re

# What the bytes 80–FF look like in Windows-1252 and Latin-1.
_HIGH = "\u0080-\u00ff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
_RARE = re.compile(f"[\x00{_HIGH}\udc80-\udcff\ufffd锟烫屯]")  # one of these is in whatever the next three find
_LOST = re.compile("[\udc80-\udcff\x00]")
_KNOWN = re.compile("\ufffd|锟斤拷|烫烫烫|屯屯屯")
_WESTERN = re.compile(f"[{_HIGH}]{{2,}}")
_CHINESE = re.compile("[\u3400-\u9fff]")


def garbled(text: str) -> str:
    """The rule a garbled line breaks, or nothing. ASCII never is; ask only for other lines."""
    if _RARE.search(text):
        if _LOST.search(text):
            return "bad_encoding"
        if _KNOWN.search(text) or any(_western(run) for run in _WESTERN.findall(text)):
            return "mojibake"
    return "mojibake" if _was_utf8(text) else ""


def _western(run: str) -> bool:
    """True when the run is UTF-8 that somebody read as Windows-1252 or Latin-1: å¼ for 张."""
    try:
        data = b"".join(_byte(char) for char in run)
    except UnicodeEncodeError:
        return False
    return any(_is_utf8(data[start:]) for start in range(min(3, len(data) - 1)))


def _byte(char: str) -> bytes:
    return char.encode("latin-1") if ord(char) < 256 else char.encode("cp1252")


def _is_utf8(data: bytes) -> bool:
    """The bytes start with a character of UTF-8 that people write: Latin-1 letters or anything of three bytes.

    Two-byte characters beyond Latin-1 do not count: Ü— would be one, and is good German.
    """
    try:
        first = data.decode("utf-8")[:1]
    except UnicodeDecodeError as error:
        first = data[: error.start].decode("utf-8")[:1]
    return bool(first) and (ord(first) < 0x100 or ord(first) >= 0x800)


def _was_utf8(text: str) -> bool:
    """True when Chinese UTF-8 was read as GB18030: 寮犱笁 for 张三; proper text almost never survives this."""
    try:
        was = text.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return False
    return bool(_CHINESE.search(was) and _CHINESE.search(text))
