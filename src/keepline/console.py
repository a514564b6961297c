"""How the command line speaks: progress bars on stderr, answers on stdout, refusals in both languages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from keepline.errors import KeeplineError

INTERRUPTED = 130


class Bars:
    """Progress on a terminal as bars; elsewhere as one line a step."""

    def __init__(self, bars: Progress | None) -> None:
        self._bars = bars
        self._task: Any = None

    def begin(self, zh: str, en: str, total: int | None = None) -> None:
        if self._bars is None:
            click.echo(f"· {zh} {en}", err=True)
            return
        self._finish()
        self._task = self._bars.add_task(f"{zh} [dim]{en}[/dim]", total=total)

    def advance(self, done: int = 1) -> None:
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, done)

    def _finish(self) -> None:
        if self._bars is None or self._task is None:
            return
        task = self._bars.tasks[self._bars.task_ids.index(self._task)]
        self._bars.update(self._task, total=task.total or 1, completed=task.total or 1)


@contextmanager
def bars() -> Iterator[Bars]:
    """Progress for one command; on stderr, so that stdout stays clean for machines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Bars(None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        shown = Bars(progress)
        yield shown
        shown._finish()


def say(zh: str, en: str) -> None:
    """One answer in both languages."""
    click.echo(zh)
    click.echo(en)


def give(value: Mapping[str, Any] | list[Any]) -> None:
    """One answer for machines."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def answer(value: Mapping[str, Any], zh: str, en: str, *, as_json: bool) -> None:
    if as_json:
        give(value)
    else:
        say(zh, en)


def run(command: click.Command) -> int:
    """Run the command line and turn whatever ends it into an exit code."""
    as_json = "--json" in sys.argv
    try:
        result = command.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as usage:
        usage.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("已中断；再次运行同一命令即可继续。\nInterrupted; run the same command again to go on.", err=True)
        return INTERRUPTED
    except KeeplineError as refusal:
        _refuse(refusal, as_json=as_json)
        return refusal.exit_code
    return result if isinstance(result, int) else 0


def _refuse(refusal: KeeplineError, *, as_json: bool) -> None:
    if as_json:
        give({"error": {"code": refusal.code, "zh": refusal.zh, "en": refusal.en}})
        return
    click.echo(f"✗ {refusal.zh}\n✗ {refusal.en}", err=True)
