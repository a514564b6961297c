"""Starts a standalone Spark cluster on this machine from the PySpark package alone, and stops it.

usage: tools/spark_cluster.py start FOLDER [--workers 2] [--cores 1] [--memory 1g] [--host 127.0.0.1] [--port 0]
       tools/spark_cluster.py stop FOLDER

A master and its workers are processes of their own. FOLDER takes their logs and scratch files. Ports that are not given
are free ones, so that several clusters may run on one machine; ``start`` prints what to write in keepline.toml. The
workers run this Python, so whatever it can import, they can.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

CLASSES = "org.apache.spark.deploy"
SAID = "cluster.json"
URL = re.compile(r"Starting Spark master at (spark://\S+)")
LEADS, JOINED = "I have been elected leader", "Successfully registered with master"
PATIENCE = 120.0  # seconds until a process that does not answer is given up
GRACE = 10.0  # seconds between asking a process to end and ending it


class RefusedError(Exception):
    """What cannot be done, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs: where, and its processes, each the head of a group that its executors belong to."""

    url: str
    master: int
    workers: tuple[int, ...]


@dataclass(frozen=True)
class Size:
    """What each worker offers."""

    workers: int = 2
    cores: int = 1
    memory: str = "1g"


def start(folder: Path, size: Size, *, host: str = "127.0.0.1", port: int = 0) -> Cluster:
    """Start a master, then the workers; whatever has begun is stopped again when one of them does not come up."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / SAID).exists():
        raise RefusedError(
            f"{folder} 中已有集群，请先停止：tools/spark_cluster.py stop {folder}",
            f"{folder} has a cluster already; stop it first: tools/spark_cluster.py stop {folder}",
        )
    home = _home()
    begun: list[subprocess.Popen[bytes]] = []
    try:
        begun.append(_begin(home, folder, "master", host, ["--port", str(port)]))
        url = _said(folder, "master", begun[0], URL)
        _said(folder, "master", begun[0], re.compile(f"({LEADS})"))
        offers = ["--port", "0", "--cores", str(size.cores), "--memory", size.memory, url]
        names = [f"worker-{number}" for number in range(1, size.workers + 1)]
        begun += [_begin(home, folder, name, host, offers) for name in names]
        for name, process in zip(names, begun[1:], strict=True):
            _said(folder, name, process, re.compile(f"({JOINED})"))
    except (RefusedError, OSError, KeyboardInterrupt):
        _end([process.pid for process in begun])
        raise
    cluster = Cluster(url, begun[0].pid, tuple(process.pid for process in begun[1:]))
    (folder / SAID).write_text(json.dumps(asdict(cluster)), encoding="utf-8")
    return cluster


def stop(folder: Path) -> None:
    """Stop the cluster of a folder and delete its scratch files; the logs stay."""
    said = folder / SAID
    if not said.exists():
        raise RefusedError(f"{folder} 中没有集群", f"{folder} has no cluster")
    cluster = json.loads(said.read_text(encoding="utf-8"))
    _end([pid for pid in (*cluster["workers"], cluster["master"]) if _is_ours(pid)])
    for scratch in (*folder.glob("local-*"), *folder.glob("work-*")):
        shutil.rmtree(scratch, ignore_errors=True)
    said.unlink()


def kill(process: int) -> None:
    """End a worker and its executors at once, as a machine that fails would."""
    os.killpg(process, signal.SIGKILL)


def _home() -> Path:
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise RefusedError(
            "缺少 PySpark：pip install 'keepline[spark]'", "PySpark is missing: pip install 'keepline[spark]'"
        )
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise RefusedError(
            "缺少 Java 17：请安装 openjdk-17-jre-headless，或设置 JAVA_HOME",
            "Java 17 is missing: install openjdk-17-jre-headless, or set JAVA_HOME",
        )
    return Path(found.origin).parent


def _begin(home: Path, folder: Path, name: str, host: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
    """A daemon in a group of its own, with scratch folders of its own: two that share one fail each other's tasks."""
    kind = "master.Master" if name == "master" else "worker.Worker"
    local, work = (folder / f"{what}-{name}" for what in ("local", "work"))
    for scratch in (local, work):
        scratch.mkdir(exist_ok=True)
    given = {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": host,
        "SPARK_LOCAL_DIRS": str(local),
        "SPARK_WORKER_DIR": str(work),
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
        "PYSPARK_PYTHON": sys.executable,
    }
    command = [str(home / "bin" / "spark-class"), f"{CLASSES}.{kind}", "--host", host, "--webui-port", "0", *words]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=os.environ | given
        )


def _said(folder: Path, name: str, process: subprocess.Popen[bytes], what: re.Pattern[str]) -> str:
    """What a daemon says of itself in its log, once it does."""
    log, began = folder / f"{name}.log", time.monotonic()
    while (found := what.search(log.read_text(encoding="utf-8", errors="replace"))) is None:
        if process.poll() is not None or time.monotonic() - began > PATIENCE:
            raise RefusedError(f"{name} 未能启动，原因见 {log}", f"{name} did not start; {log} says why")
        time.sleep(0.2)
    return found[1]


def _is_ours(pid: int) -> bool:
    """Whether the process still is what it was; numbers are used again. Its command line is long, hence -ww."""
    told = subprocess.run(["ps", "-ww", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return CLASSES in told.stdout


def _end(processes: Sequence[int]) -> None:
    """Ask each group to end, and end what has not."""
    until = time.monotonic() + GRACE
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for pid in processes:
            try:
                os.killpg(pid, sent)
            except ProcessLookupError:
                continue
        while any(map(_is_ours, processes)) and time.monotonic() < until:
            time.sleep(0.1)


def _words() -> argparse.Namespace:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    acts = reader.add_subparsers(dest="act", required=True)
    begin = acts.add_parser("start", help="启动 start a master and workers")
    for act in (begin, acts.add_parser("stop", help="停止 stop them")):
        act.add_argument("folder", type=Path)
    begin.add_argument("--workers", type=int, default=Size.workers, help="工作节点数 how many workers")
    begin.add_argument("--cores", type=int, default=Size.cores, help="每节点核数 processors of each")
    begin.add_argument("--memory", default=Size.memory, help="每节点内存 memory of each, as 4g")
    begin.add_argument("--host", default="127.0.0.1", help="监听地址 address; the default answers this machine alone")
    begin.add_argument("--port", type=int, default=0, help="主节点端口 port of the master; 0: a free one")
    return reader.parse_args()


def main() -> int:
    words = _words()
    try:
        if words.act == "stop":
            stop(words.folder)
            return 0
        size = Size(words.workers, words.cores, words.memory)
        made = start(words.folder, size, host=words.host, port=words.port)
    except RefusedError as refused:
        print(refused, file=sys.stderr)
        return 1
    print(f'engine = "spark"\nspark_master = "{made.url}"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
