"""Runs a job of ours and the same job of its peers in turn, as child processes, and tells what each cost.

A bench says which jobs there are, a jobs file does them. In the bench::

    rows = interleaved([Job("keepline", ours("value_jobs.py", "bgnbd", folder)), Job("lifetimes", peer(...))])

In the jobs file, which runs in a child and may import what it likes::

    with job() as said:           # what is inside is the job: CPU seconds of this process and its children
        fitted = fit(data)
    said(parameters=[...])        # whatever else the bench shows; written to stdout as JSON

The CPU seconds of the job leave out imports and reading the data, alike for all; memory is the peak of
the whole child. This file needs nothing but Python, so that peers' environments can run it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DATA = ROOT.parent / "shared" / "data"  # the real data sets, beside the project
PEERS = "KEEPLINE_PEERS"  # the Python of an environment that has the peers
Command = tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """Something to be done, by whom."""

    who: str
    command: Command
    rounds: int | None = None  # fewer than the others, where one takes long
    most_mb: float = 0.0  # memory at which it is stopped; 0: none


@dataclass
class Measured:
    """What the rounds of one job cost; medians, and the greatest memory."""

    who: str
    job_seconds: list[float] = field(default_factory=list)  # CPU of the job alone, as the child tells it
    cpu_seconds: list[float] = field(default_factory=list)  # CPU of the whole child, by wait4
    peaks_mb: list[float] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    failed: str = ""

    @property
    def job(self) -> float:
        return median(self.job_seconds)

    @property
    def cpu(self) -> float:
        return median(self.cpu_seconds)

    @property
    def peak_mb(self) -> float:
        return max(self.peaks_mb)


class Said:
    """Collects what a child tells of its job."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    def __call__(self, **more: Any) -> None:
        self.told |= more
        print(json.dumps(self.told), flush=True)


@contextmanager
def job() -> Iterator[Said]:
    """In a child: what is inside counts; tell the rest with what this yields, afterwards."""
    said, begun = Said(), _processor()
    yield said
    said.told["seconds"] = _processor() - begun


def _processor() -> float:
    return sum(_spent(resource.getrusage(who)) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def interleaved(jobs: Sequence[Job], *, rounds: int = 3) -> dict[str, Measured]:
    """Every job once, then every job again: a busy minute falls on all of them."""
    made = {each.who: Measured(each.who) for each in jobs}
    for turn in range(rounds):
        for each in jobs:
            if turn < (each.rounds or rounds) and not made[each.who].failed:
                _once(each, made[each.who])
    return made


def _once(each: Job, into: Measured) -> None:
    """One child from start to end; its own account is the last line it wrote."""
    environment = os.environ | {"PYTHONPATH": f"{HERE}{os.pathsep}{ROOT / 'src'}", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as wrong:
        with subprocess.Popen(each.command, stdout=subprocess.PIPE, stderr=wrong, env=environment) as child:
            assert child.stdout is not None
            stopped = Stopped(child.pid, each.most_mb)
            text = child.stdout.read().decode()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            stopped.over.set()
        if stopped.at_mb:
            into.failed = f"out of memory, stopped at {stopped.at_mb:,.0f} MB after {_spent(usage):.0f} CPU s"
            return
        if child.returncode:
            wrong.seek(0)
            said = wrong.read().decode(errors="replace").strip().splitlines()
            into.failed = said[-1] if said else f"ended with {child.returncode}"
            return
    into.said = json.loads(text.splitlines()[-1])
    into.job_seconds.append(into.said["seconds"])
    into.cpu_seconds.append(_spent(usage))
    into.peaks_mb.append(usage.ru_maxrss / 1024)


class Stopped:
    """Watches the memory of a child and kills it above a limit; ``at_mb`` says what it held then."""

    def __init__(self, pid: int, most_mb: float) -> None:
        self.at_mb, self.over = 0.0, threading.Event()
        self._pid, self._most = pid, most_mb
        if most_mb:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.over.wait(0.05):
            held = resident_mb(self._pid)
            if held > self._most:
                self.at_mb = held
                with suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
                return


def resident_mb(pid: int) -> float:
    """Memory a process holds now."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 2**20


def _spent(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def ours(*words: object) -> Command:
    """A jobs file run with the Python of this project."""
    return (sys.executable, str(HERE / str(words[0])), *map(str, words[1:]))


def peer(*words: object, room: str = "") -> Command:
    """A jobs file run with the Python that has the peers; ours where there is none, which then fails by name.

    ``room`` names an environment of its own, for peers that do not get on with the others.
    """
    return (str(peers_python(room) or sys.executable), str(HERE / str(words[0])), *map(str, words[1:]))


def peers_python(room: str = "") -> Path | None:
    """The environment of the peers: KEEPLINE_PEERS, or benchmarks/peers/.venv; with a room, named after it."""
    named = os.environ.get(f"{PEERS}_{room.upper()}" if room else PEERS)
    found = Path(named) if named else HERE / "peers" / _folder(room) / "bin" / "python"
    return found if found.is_file() else None


def _folder(room: str) -> str:
    return f".venv-{room}" if room else ".venv"


def missing_peers(room: str = "") -> str:
    """What to do where the peers are not installed; empty when they are."""
    if peers_python(room):
        return ""
    folder, file = f"benchmarks/peers/{_folder(room)}", f"{room or 'requirements'}.txt"
    return (
        "The peers are not installed, so only our own figures follow. To compare:\n"
        f"python3 -m venv {folder} && {folder}/bin/pip install -r benchmarks/peers/{file}\n"
        f"or name the Python of an environment that has them in {PEERS}{'_' + room.upper() if room else ''}.\n"
    )


def machine() -> str:
    """One line about where the figures come from."""
    return f"{os.cpu_count()} cores, {sys.platform}, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}"


def cost_table(title: str, found: dict[str, Measured], *, shows: Sequence[str] = ()) -> None:
    """A table of costs; ratios are of the peer to ours, the first row."""
    first = next(iter(found.values()))
    print(f"\n### {title}\n")
    head = ["", "CPU s of the job", "× ours", "CPU s of the process", "peak MB", *shows]
    rows = []
    for each in found.values():
        if each.failed:
            rows.append([each.who, f"failed: {each.failed}", *[""] * (len(head) - 2)])
            continue
        ratio = f"{each.job / first.job:.1f}" if first.job_seconds else ""
        said = [shown(each.said.get(name)) for name in shows]
        rows.append([each.who, f"{each.job:.3f}", ratio, f"{each.cpu:.2f}", f"{each.peak_mb:.0f}", *said])
    table(head, rows)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table in Markdown."""
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, value))
    return f"{value:.7g}" if isinstance(value, float) else "" if value is None else str(value)


def mark(what: str, *, found: float, least: float | None = None, most: float | None = None) -> bool:
    """One line about a mark; whether it is met."""
    met = (least is None or found >= least) and (most is None or found <= most)
    asked = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"- {what}: {found:.4g}, asked {asked}: {'met' if met else '**not met**'}")
    return met
