"""Starting everything a site's workbench needs, in order, and ending it in the reverse order."""

from __future__ import annotations

import ctypes
import datetime as dt
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

import click

from keepline.front import KeeplineError, Site, published_months
from keepline_web.holding import serving
from keepline_web.upgrading import bring_up
from keepline_web.webserver import PARENT

LOOPBACK = ("127.0.0.1", "localhost", "::1")
READY_SECONDS = 60
STOP_SECONDS = 20
DIES_AT_MOST, WITHIN_SECONDS = 5, 60
THREADS = 8
TOLD_WHEN_PARENT_DIES = 1  # PR_SET_PDEATHSIG of prctl(2)
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
LOOK_SECONDS = 0.5  # between two looks at the children
WORKER = [sys.executable, "-m", "keepline_web.jobs.worker"]


class Stopped(Exception):
    """Told to stop by a signal."""


def run(site: Site, *, host: str, port: int) -> None:
    """Run until told to stop. Prints ``ready http://…`` when pages are answered."""
    _may_listen(host)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        with serving(site):
            own = not os.environ.get("KEEPLINE_DATABASE_URL")
            revive = database_of(site)
            _prepare(site)
            _step_down(site, own=own)
            _wait_free(host, port)
            _serve(host, port or _free_port(host), revive)
    except Stopped:
        click.echo("stopped", err=True)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise Stopped


def _may_listen(host: str) -> None:
    """Other machines are answered only where a proxy speaks TLS before us."""
    if host not in LOOPBACK and not os.environ.get("KEEPLINE_URL", "").startswith("https://"):
        raise KeeplineError(
            f"{host} can be reached from other machines, and passwords would cross the network unprotected; "
            "put a TLS proxy before it and set KEEPLINE_URL=https://…, see docs/howto/deploy.md",
            f"{host} 可被其他机器访问，口令将以明文传输；请在前面放置 TLS 反向代理并设置 KEEPLINE_URL=https://…，"
            "见 docs/howto/deploy.md",
            code="no_tls",
        )


def database_of(site: Site) -> Callable[[], None]:
    """The server named by ``KEEPLINE_DATABASE_URL``, or the site's own; answers how to keep it alive.

    The site's own ends with this process: its exit handler stops it, after everything else.
    """
    os.environ["KEEPLINE_SITE"] = str(site.root.resolve())
    if os.environ.get("KEEPLINE_DATABASE_URL"):
        return lambda: None
    os.environ.setdefault("XDG_RUNTIME_DIR", str(_runtime(site)))  # where the server's socket and locks lie
    from keepline_web import database

    password = site.root / "secrets" / "database.password"
    server = database.start(_database_folder(site), password)
    os.environ["KEEPLINE_DATABASE_URL"] = database.url(server, password)
    return partial(database.revive, server)


def _database_folder(site: Site) -> Path:
    return (site.root / "workbench" / "database").resolve()


def reachable() -> None:
    """The database answers; if not, its own words are told, which hold no password."""
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        said = (str(error).strip().splitlines() or ["?"])[0]
        raise KeeplineError(
            f"the database does not answer: {said}; check KEEPLINE_DATABASE_URL and that the server runs",
            f"数据库没有响应：{said}；请检查 KEEPLINE_DATABASE_URL，并确认数据库已启动",
            code="database_away",
        ) from error


def _runtime(site: Site) -> Path:
    folder = site.root.resolve() / "workbench" / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _prepare(site: Site) -> None:
    """Tables as this version wants them, a demo's people, and publications that are not in yet."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepline_web.settings")
    import django
    from django.conf import settings
    from django.db import connections

    django.setup()
    reachable()
    bring_up()
    from keepline_web import rekeying
    from keepline_web.frame.clock import FIRST_DAY, begin_calendar, real_day

    rekeying.settle(site.root)
    rekeying.reseal(site.root)  # what a change of keys that was killed left
    if settings.DEMO and (months := published_months(site)):
        from keepline_web.exchange.demo import settle

        first = (months[-1][0] + 1).first_day + dt.timedelta(days=FIRST_DAY - 1)
        begin_calendar(site.root, first=first, real=real_day())
        settle(site)
    _bring_in(site)
    if settings.DEMO:
        from keepline_web.exchange.demo_targets import aim

        aim(site)
    connections.close_all()


def _bring_in(site: Site) -> None:
    """What can be brought in; what cannot is told, and the months there are get served."""
    from keepline_web.exchange.arriving import bring_in_all

    _, left = bring_in_all(site, lambda month: click.echo(f"· 载入 {month} 的发布 bringing in {month}", err=True))
    for month, why in left.items():
        click.echo(f"! 未能接入 {month}：{why.zh}", err=True)
        click.echo(f"! {month} is not brought in: {why.en}", err=True)


def _step_down(site: Site, *, own: bool) -> None:
    """From here on the database is asked as a role that owns no table: what is only added, it cannot unlock."""
    address = _second_role(site) if own else os.environ.get("KEEPLINE_SERVING_URL")
    if address:
        from keepline_web.serving_role import grant

        grant(address)
        os.environ["KEEPLINE_DATABASE_URL"] = address


def _second_role(site: Site) -> str:
    from keepline_web import database

    folder, secrets = _database_folder(site), site.root / "secrets"
    server = database.start(folder, secrets / "database.password")
    database.serving_role(server, folder, secrets / "serving.password")
    return database.url(server, secrets / "serving.password", role=database.SERVING)


def _serve(host: str, port: int, revive: Callable[[], None]) -> None:
    """Start the children in order, keep them and the database alive, and end them in the reverse order."""
    children: list[Child] = []
    try:
        for words in (_web(host, port), WORKER):
            children.append(Child(words))
        _wait_ready(children[0], host, port)
        click.echo(f"ready http://{_shown(host)}:{port}")
        while True:
            time.sleep(LOOK_SECONDS)
            revive()
            for child in children:
                child.keep()
    finally:
        for child in children:
            child.end()


class Child:
    """A process that is started again when it dies, until it dies too often, and that does not outlive us."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.died: list[float] = []
        self.process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        known = os.environ | {PARENT: str(os.getpid())}
        return subprocess.Popen(
            self.words, env=known, start_new_session=True, preexec_fn=partial(_end_with, os.getpid())
        )

    def keep(self) -> None:
        if self.process.poll() is None:
            return
        moment = time.monotonic()
        self.died = [*(at for at in self.died if moment - at < WITHIN_SECONDS), moment]
        if len(self.died) >= DIES_AT_MOST:
            raise self.dies()
        self.process = self._started()

    def dies(self) -> KeeplineError:
        name, code = self.words[2], self.process.returncode
        return KeeplineError(
            f"{name} ended with code {code}; is the port taken? See the lines above",
            f"{name} 退出，代码 {code}；端口是否被占用？请查看上面的输出",
            code="child_died",
        )

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _end_with(parent: int) -> None:
    """In the child: when we are killed it is told to stop, as it holds the port and knows keys that may change.

    Linux says so at once; where nobody does, the child looks itself (``webserver.py``, ``jobs/working.py``).
    """
    if LIBC is not None:
        LIBC.prctl(TOLD_WHEN_PARENT_DIES, signal.SIGTERM)
        if os.getppid() != parent:  # killed before it could be said
            os._exit(1)


def _web(host: str, port: int) -> list[str]:
    """The web server's command line."""
    name = f"[{host}]" if ":" in host else host
    return [
        sys.executable, "-m", "gunicorn", "keepline_web.wsgi:application", "--bind", f"{name}:{port}",
        "--workers", str(min(2, os.cpu_count() or 1)), "--threads", str(THREADS), "--worker-class", "gthread",
        "--graceful-timeout", "10", "--timeout", "60", "--log-level", "warning", "--no-control-socket",
        "--config", "python:keepline_web.webserver",
        "--worker-tmp-dir", str(Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")),
    ]  # fmt: skip


def _wait_ready(child: Child, host: str, port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if child.process.poll() is not None:
            raise child.dies()
        try:
            with urlopen(f"http://{_shown(host)}:{port}/healthz", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise KeeplineError(
        f"the web server did not answer within {READY_SECONDS} seconds; see the lines above",
        f"网页服务在 {READY_SECONDS} 秒内没有响应；请查看上面的输出",
        code="web_not_ready",
    )


def _shown(host: str) -> str:
    return "[::1]" if host == "::1" else "127.0.0.1" if host in ("0.0.0.0", "localhost") else host


def _wait_free(host: str, port: int) -> None:
    """Who served here before and was killed lets go of the port only when its last answers are sent."""
    until = time.monotonic() + STOP_SECONDS
    while port and time.monotonic() < until:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server binds
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    return  # the web server says what is wrong with it
            else:
                return
        time.sleep(LOOK_SECONDS)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
