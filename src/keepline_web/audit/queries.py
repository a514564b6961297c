"""Reading the audit, and finding where a chain was touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet

from keepline_web import keys
from keepline_web.audit.models import Entry, Head, Stream
from keepline_web.audit.sealing import ENDS, FIELDS, head_seal_of, seal_of
from keepline_web.frame.words import Text


@dataclass(frozen=True)
class Broken:
    """A place where a chain does not hold: the stream, the row's number, and what is wrong."""

    stream: str
    number: int
    why: Text


CHANGED = Text("内容被改动", "was changed")
GAP = Text("之前有记录被删除或插入", "rows before it were taken out or put in")
CUT = Text("之后的记录被截去", "rows after it were cut off")
HEAD = Text("链尾记录被改动", "the record of the chain's end was changed")


def entries() -> QuerySet[Entry]:
    """Everything, latest first; the view decides who may ask."""
    return Entry.objects.all()


def entries_like(stream: str, text: str) -> QuerySet[Entry]:
    """Those of one stream, where it is one, and with a text in their object, name or act, where there is one."""
    rows, text = entries(), text.strip()
    if stream in Stream.values:
        rows = rows.filter(stream=stream)
    if text:
        rows = rows.filter(Q(object__icontains=text) | Q(person_name__icontains=text) | Q(act__icontains=text))
    return rows


def broken() -> list[Broken]:
    """The first break of each stream; nothing when all chains hold."""
    return [found for stream in Stream if (found := next(_breaks(str(stream)), None)) is not None]


def _breaks(stream: str) -> Iterator[Broken]:
    head = Head.objects.filter(stream=stream).first()
    before, last, version = (head.cut_seal, head.cut_number, 1) if head else ("", 0, 1)
    for entry in Entry.objects.filter(stream=stream).order_by("number").iterator(2000):
        if entry.number != last + 1 or entry.seal_before != before:
            yield Broken(stream, entry.number, GAP)
            return
        if not _sealed(entry, version):
            yield Broken(stream, entry.number, CHANGED)
            return
        before, last, version = entry.seal, entry.number, entry.key_version
    if head is None:
        if last:
            yield Broken(stream, last, HEAD)
        return
    if head_seal_of({name: getattr(head, name) for name in ENDS}) != head.head_seal:
        yield Broken(stream, last, HEAD)
    elif (head.number, head.seal) != (last, before):
        yield Broken(stream, last, CUT)


def _sealed(entry: Entry, version: int) -> bool:
    """Under the key it names, which is there and no older than that of the entry before."""
    if not version <= entry.key_version <= keys.current(settings.SITE.root):
        return False
    return seal_of({name: getattr(entry, name) for name in FIELDS}, version=entry.key_version) == entry.seal
