"""The audit sent elsewhere as it grows: one JSON line an entry, with its seal, to a file or to syslog.

Streams are sent in their order, each from where it was left; an outage delays and loses nothing. A line may come twice
after a kill, and never with another content: stream and number tell.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterable
from logging.handlers import SYSLOG_UDP_PORT, SysLogHandler
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from keepline.front import SiteError
from keepline_web.audit.models import Entry, Forwarded, Stream
from keepline_web.audit.sealing import plain

log = logging.getLogger("keepline")
AT_ONCE = 500
FIELDS = ("stream", "number", "at", "person_id", "person_name", "act", "object", "detail", "seal_before", "seal")
Send = Callable[[Iterable[str]], None]


def forward() -> int:
    """Send what is not sent yet; how many entries went."""
    if not settings.AUDIT_SINK:
        return 0
    send = sink(settings.AUDIT_SINK)
    return sum(_stream(stream, send) for stream in Stream)


def _stream(stream: Stream, send: Send) -> int:
    """One worker at a time sends a stream: its mark is held until what was sent is noted."""
    with transaction.atomic():
        Forwarded.objects.get_or_create(stream=stream, defaults={"number": 0})
        mark = Forwarded.objects.select_for_update().get(stream=stream)
        rows = list(Entry.objects.filter(stream=stream, number__gt=mark.number).order_by("number")[:AT_ONCE])
        if rows:
            send(line(row) for row in rows)
            mark.number = rows[-1].number
            mark.save(update_fields=["number"])
    return len(rows)


def line(entry: Entry) -> str:
    """The entry as it was sealed, and its seal."""
    said = {name: plain(getattr(entry, name)) for name in FIELDS}
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sink(where: str) -> Send:
    """``file:/var/log/keepline-audit.jsonl``, ``syslog:/dev/log`` or ``syslog://host:port`` (TCP)."""
    said = urlsplit(where)
    if said.scheme == "file" and said.path:
        return lambda lines: _to_file(Path(said.path), lines)
    if said.scheme == "syslog" and (said.path or said.hostname):
        return lambda lines: _to_syslog(said.hostname, said.port, said.path, lines)
    raise SiteError(
        f"KEEPLINE_AUDIT_SINK is {where!r}; write file:/path/to/file.jsonl, syslog:/dev/log or syslog://host:port",
        f"KEEPLINE_AUDIT_SINK 的值 {where!r} 无法识别；请写成 file:/路径/文件.jsonl、syslog:/dev/log 或 syslog://主机:端口",
        code="audit_sink",
    )


def _to_file(path: Path, lines: Iterable[str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.writelines(f"{one}\n" for one in lines)
        stream.flush()
        os.fsync(stream.fileno())


def _to_syslog(host: str | None, port: int | None, path: str, lines: Iterable[str]) -> None:
    where = (host, port or SYSLOG_UDP_PORT) if host else path
    kind = socket.SOCK_STREAM if host else None
    handler = _Loud(where, facility=SysLogHandler.LOG_AUTHPRIV, socktype=kind)
    handler.ident, handler.append_nul = "keepline-audit: ", False
    try:
        for one in lines:
            handler.emit(logging.makeLogRecord({"msg": one + ("\n" if host else ""), "levelno": logging.INFO}))
    finally:
        handler.close()


class _Loud(SysLogHandler):
    """A line that cannot be sent stops the sending, so that it is sent again later."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802
        raise
