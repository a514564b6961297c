"""What a file really is, by its first bytes and not by its name: packed, text, Excel or Parquet, its encoding."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from keepline.lake.mapping import Bounds, Source
from keepline.lake.refusals import refusal

CHUNK = 1 << 20
RATIO_FROM = 64 << 20  # bytes unpacked before the ratio counts
EXCEL_NAMES = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".et"}
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_WEB = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"<head", b"<meta", b"<style", b"<div", b"<body")
_DELIMITERS = (",", ";", "\t", "|", "\x01")
DELIMITER_NAMES = {",": ",", ";": ";", "\t": "tab", "|": "|", "\x01": "^A"}
_CHINESE = re.compile("[\u4e00-\u9fff]")

Kind = Literal["csv", "excel", "parquet"]


@dataclass
class Opened:
    """A file that can be read: what it is, how to get at its bytes, what was noticed."""

    path: Path
    kind: Kind
    binary: Callable[[], IO[bytes]]  # unpacked, from the start
    encoding: str = ""
    delimiter: str = ","
    notes: list[tuple[str, str]] = field(default_factory=list)  # rule code and what it names


class Unpacked(io.RawIOBase):
    """A packed stream that stops when it unpacks to absurdly much."""

    def __init__(self, stream: IO[bytes], *, packed: int, bounds: Bounds, name: str) -> None:
        self._stream, self._packed, self._bounds, self._name = stream, max(packed, 1), bounds, name
        self._done = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise refusal("unreadable", file=self._name, said=error) from error
        self._done += len(data)
        ratio = self._done // self._packed
        if self._done > RATIO_FROM and ratio > self._bounds.unpack_ratio_max:
            raise refusal("zip_bomb", file=self._name, said=f"{ratio}:1", limit="unpack_ratio_max")
        buffer[: len(data)] = data
        return len(data)


def look(path: Path, source: Source, bounds: Bounds) -> Opened:
    """Find out what the file is, or refuse it."""
    if not path.is_file():
        raise refusal("absent", file=str(path))
    if path.stat().st_size == 0:
        raise refusal("empty_file", file=path.name)
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        opened = _zipped(path, source, bounds)
    elif head.startswith(_OLE):
        opened = _old_excel(path)
    elif head.startswith(b"PAR1"):
        opened = Opened(path, "parquet", lambda: path.open("rb"))
    else:
        opened = Opened(path, "csv", _stream(path, head, bounds))
    return _named_otherwise(_as_text(opened, source, bounds) if opened.kind == "csv" else opened)


def _stream(path: Path, head: bytes, bounds: Bounds) -> Callable[[], IO[bytes]]:
    packers: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
    for magic, unpack in packers.items():
        if head.startswith(magic):
            return lambda: _guarded(unpack(path), path, bounds)
    return lambda: path.open("rb")


def _guarded(stream: IO[bytes], path: Path, bounds: Bounds) -> IO[bytes]:
    return io.BufferedReader(Unpacked(stream, packed=path.stat().st_size, bounds=bounds, name=path.name), CHUNK)


def _zipped(path: Path, source: Source, bounds: Bounds) -> Opened:
    """An Excel workbook, or an archive with one file in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [info for info in archive.infolist() if not info.is_dir()]
    except zipfile.BadZipFile as error:
        raise refusal("unreadable", file=path.name, said=error) from error
    names = {info.filename for info in inside}
    if "[Content_Types].xml" in names or "content.xml" in names:
        _workbook_size(path, inside, bounds)
        return Opened(path, "excel", lambda: path.open("rb"))
    member = _member(path, [info for info in inside if not info.filename.startswith("__MACOSX/")], source)
    if member.flag_bits & 1:
        raise refusal("password", file=path.name)
    opened = Opened(path, "csv", lambda: _guarded(_inside(path, member), path, bounds))
    if Path(member.filename).name != member.filename:
        opened.notes.append(("path_in_name", member.filename))
    return opened


def _inside(path: Path, member: zipfile.ZipInfo) -> IO[bytes]:
    archive = zipfile.ZipFile(path)  # closed with the member's stream
    return archive.open(member)


def _workbook_size(path: Path, inside: list[zipfile.ZipInfo], bounds: Bounds) -> None:
    """A workbook is read as a whole, so its size is bounded; what the archive says of itself is checked by reading."""
    most = bounds.unpacked_mb_max << 20
    said = sum(info.file_size for info in inside)
    if said > most:
        raise refusal("zip_bomb", file=path.name, said=f"{said >> 20} MB", limit="unpacked_mb_max")
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise refusal("unreadable", file=path.name, said=error) from error
    if broken:
        raise refusal("unreadable", file=path.name, said=broken)


def _member(path: Path, inside: list[zipfile.ZipInfo], source: Source) -> zipfile.ZipInfo:
    if source.member:
        inside = [info for info in inside if info.filename == source.member]
    if len(inside) == 1:
        return inside[0]
    if not inside:
        raise refusal("empty_file", file=path.name)
    raise refusal("several_members", file=path.name, said=", ".join(info.filename for info in inside[:5]))


def _old_excel(path: Path) -> Opened:
    """An .xls workbook; the same container holds workbooks under a password."""
    data = path.read_bytes() if path.stat().st_size < 64 << 20 else b""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise refusal("password", file=path.name)
    return Opened(path, "excel", lambda: path.open("rb"))


def _named_otherwise(opened: Opened) -> Opened:
    suffix = opened.path.suffix.lower()
    fits = {"excel": suffix in EXCEL_NAMES, "parquet": suffix == ".parquet"}
    wrong = suffix in EXCEL_NAMES or suffix == ".parquet" if opened.kind == "csv" else not fits[opened.kind]
    if wrong:
        opened.notes.append(("other_format", opened.kind))
    return opened


@dataclass
class Survey:
    """What one pass over the bytes of a text file finds."""

    size: int = 0
    nul: bool = False
    utf8: bool = True
    ends: set[str] = field(default_factory=set)
    head: bytes = b""


def _as_text(opened: Opened, source: Source, bounds: Bounds) -> Opened:
    found = _survey(opened, bounds)
    if found.size == 0 or not found.head.lstrip(codecs.BOM_UTF8 + b" \t\r\n"):
        raise refusal("empty_file", file=opened.path.name)
    if found.head.lstrip(codecs.BOM_UTF8 + b" \t\r\n")[:15].lower().startswith(_WEB):
        raise refusal("html_table", file=opened.path.name)
    opened.encoding = _encoding(opened, found, source)
    if found.nul and not opened.encoding.startswith("utf-16"):
        raise refusal("nul_bytes", file=opened.path.name)
    if len(found.ends) > 1 and not opened.encoding.startswith("utf-16"):
        opened.notes.append(("mixed_line_ends", ""))
    opened.delimiter = source.delimiter if source.delimiter != "auto" else _delimiter(opened, source)
    if opened.delimiter != "," and source.delimiter == "auto":
        opened.notes.append(("delimiter", DELIMITER_NAMES.get(opened.delimiter, opened.delimiter)))
    return opened


def _survey(opened: Opened, bounds: Bounds) -> Survey:
    found, run, last = Survey(), 0, b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened.binary() as stream:
        while chunk := stream.read(CHUNK):
            found.head = found.head or chunk[:4096]
            found.size += len(chunk)
            found.nul = found.nul or b"\0" in chunk
            found.utf8 = found.utf8 and _decodes(decoder, chunk)
            found.ends |= _line_ends(last, chunk)
            last = chunk[-1:]
            newest = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            run = run + len(chunk) if newest < 0 else len(chunk) - newest
            if run > bounds.line_mb_max << 20:
                raise refusal("line_too_long", file=opened.path.name, said=bounds.line_mb_max)
    return found


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _line_ends(last: bytes, chunk: bytes) -> set[str]:
    both = chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
    returns = chunk.count(b"\r") - (chunk[-1:] == b"\r") + (last == b"\r")
    found = {"crlf"} if both else set()
    found |= {"lf"} if chunk.count(b"\n") > both else set()
    return found | ({"cr"} if returns > both else set())


def _encoding(opened: Opened, found: Survey, source: Source) -> str:
    """As the mapping says; by the byte order mark; UTF-8 when all of it is; else by most of the lines."""
    if source.encoding != "auto":
        try:
            return codecs.lookup(source.encoding).name
        except LookupError as error:
            raise refusal("bad_encoding_name", file=opened.path.name, said=source.encoding) from error
    if found.head.startswith(codecs.BOM_UTF8):
        opened.notes.append(("byte_order_mark", ""))
        return "utf-8-sig"
    if found.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        opened.notes.append(("encoding", "UTF-16"))
        return "utf-16"
    return "utf-8" if found.utf8 else _by_lines(opened, found)


def _by_lines(opened: Opened, found: Survey) -> str:
    """UTF-8 or GB18030 by the lines only one of them can read; a line of the other is set aside later."""
    utf8 = gb = 0
    with opened.binary() as stream:
        for line in _lines_ended_by_cr(stream) if "cr" in found.ends else stream:
            if line.isascii():
                continue
            if _is_chinese_utf8(line):
                utf8 += 1
            else:
                gb += _reads(line, "gb18030")
    if utf8 and gb:
        opened.notes.append(("mixed_encodings", ""))
    if utf8 >= gb:
        return "utf-8"
    opened.notes.append(("encoding", "GB18030"))
    return "gb18030"


def _lines_ended_by_cr(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines however they end; by \\n alone such a file would be one line."""
    return (line.encode("latin-1") for line in io.TextIOWrapper(stream, encoding="latin-1", newline=None))


def _is_chinese_utf8(line: bytes) -> bool:
    try:
        return bool(_CHINESE.search(line.decode("utf-8")))
    except UnicodeDecodeError:
        return False


def _reads(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def text_stream(opened: Opened) -> io.TextIOWrapper:
    """The text, its lines ending in \\n however they were written; bytes that do not fit stay visible."""
    errors = "replace" if opened.encoding.startswith("utf-16") else "surrogateescape"
    return io.TextIOWrapper(opened.binary(), encoding=opened.encoding, errors=errors, newline=None)


def _delimiter(opened: Opened, source: Source) -> str:
    """The mark that parts the header row into most columns."""
    with text_stream(opened) as stream:
        lines = [stream.readline(1 << 20) for _ in range(source.header_row)]
    header = lines[-1]
    columns = {mark: _parts(header, mark, source.quote) for mark in _DELIMITERS}
    return max(_DELIMITERS, key=lambda mark: columns[mark])


def _parts(header: str, mark: str, quote: str) -> int:
    try:
        return len(next(csv.reader([header], delimiter=mark, quotechar=quote or None), []))
    except csv.Error:
        return 0
