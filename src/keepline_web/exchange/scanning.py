"""The operator's own program looks at a file before anything else reads it; without its word the file is not kept."""

from __future__ import annotations

import logging
import shlex
import shutil
import subprocess
from pathlib import Path

from django.conf import settings

from keepline_web.frame.refusals import Refused

log = logging.getLogger("keepline")
CLEAN, HARMFUL = 0, 1  # as ClamAV and most others end; anything else means that it could not look
PATIENCE_SECONDS = 300


def scan(folder: Path, name: str) -> None:
    """Run ``KEEPLINE_SCAN_COMMAND``, the file's path its last word; remove what is harmful or was not looked at."""
    if not settings.SCAN:
        return
    code = _ask([*shlex.split(settings.SCAN), str(folder / name)])
    if code == CLEAN:
        return
    shutil.rmtree(folder)
    if code == HARMFUL:
        raise Refused(
            f"扫描程序认为文件 {name} 有害，没有接收；请把文件交给信息安全人员检查，不要再次上传。",
            f"The scanner says that {name} is harmful, so it was not taken; "
            "give it to those who look after security, do not send it again.",
            code="file_harmful", status=422,
        )  # fmt: skip
    raise Refused(
        f"文件 {name} 没有扫描成功，因此没有接收；请稍后重试，仍然失败请联系管理员。",
        f"{name} could not be scanned, so it was not taken; try again in a while, then ask the administrator.",
        code="not_scanned", status=503,
    )  # fmt: skip


def _ask(words: list[str]) -> int:
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("KEEPLINE_SCAN_COMMAND could not be run: %s", error.__class__.__name__)
        return -1
    if done.returncode not in (CLEAN, HARMFUL):
        log.error("KEEPLINE_SCAN_COMMAND ended with code %s: %s", done.returncode, done.stderr.strip()[-200:])
    return done.returncode
