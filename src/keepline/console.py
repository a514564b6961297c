"""How the command line speaks: progress bars on stderr, answers on stdout, refusals in both languages."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from keepline.errors import KeeplineError

USAGE = 2
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
        return _usage(usage, as_json=as_json)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(as_json=as_json)
    except KeeplineError as refusal:
        return _refuse(refusal, as_json=as_json)
    except OSError as error:
        return _refuse(_of_files(error), as_json=as_json)
    except pa.ArrowException as error:
        return _refuse(_of_parquet(error), as_json=as_json)
    return result if isinstance(result, int) else 0


def _usage(usage: click.ClickException, *, as_json: bool) -> int:
    if isinstance(usage, click.exceptions.NoArgsIsHelpError):
        usage.show()
        return USAGE
    zh = f"命令用法有误：{_usage_zh(usage)}；用 --help 查看写法"
    if as_json:
        _error("usage", zh=zh, en=usage.format_message())
    click.echo(f"✗ {zh}", err=True)
    usage.show()
    return USAGE


def _usage_zh(usage: click.ClickException) -> str:
    """What is wrong with the words typed, by click's own classes."""
    if isinstance(usage, click.NoSuchOption):
        near = f"；是否想写 {'、'.join(sorted(usage.possibilities))}" if usage.possibilities else ""
        return f"没有选项 {usage.option_name}{near}"
    named = getattr(usage, "param_hint", None) or _called(getattr(usage, "param", None))
    if isinstance(usage, click.MissingParameter):
        return f"缺少 {named}"
    if isinstance(usage, click.BadOptionUsage):
        return f"选项 {usage.option_name} 后面缺少内容"
    return f"{named} 的内容不对" if isinstance(usage, click.BadParameter) else "没有这个命令，或多写了内容"


def _called(param: click.Parameter | None) -> str:
    return max(param.opts, key=len) if param is not None and param.opts else "参数"


def _interrupted(*, as_json: bool) -> int:
    zh, en = "已中断；再次运行同一命令即可继续。", "Interrupted; run the same command again to go on."
    click.echo(f"{zh}\n{en}", err=True)
    if as_json:
        _error("interrupted", zh=zh, en=en)
    return INTERRUPTED


FILES_ZH = {
    errno.ENOENT: "不存在",
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许操作",
    errno.EEXIST: "已存在",
    errno.ENOTDIR: "不是文件夹",
    errno.EISDIR: "是文件夹",
    errno.EROFS: "所在磁盘只读",
    errno.EFBIG: "文件过大",
    errno.ENAMETOOLONG: "名称过长",
    errno.EMFILE: "打开的文件过多",
}

FULL = (errno.ENOSPC, errno.EDQUOT)


def _of_files(error: OSError) -> KeeplineError:
    """What the file system refused: a place that cannot be read or written, a full disk."""
    place, why = error.filename or "-", error.strerror or str(error)
    if error.errno in FULL:
        return KeeplineError(
            f"{place}: the disk is full, or your share of it ({why}); make room on the disk of the site and on that of "
            "temporary files (TMPDIR), then run the same command again",
            f"{place}：磁盘或配额已满；请在站点所在磁盘和临时文件所在磁盘（TMPDIR）上清理空间，再运行同一命令",
            code="disk_full",
        )
    said = FILES_ZH.get(error.errno or 0, "系统拒绝了操作")
    return KeeplineError(
        f"{place}: {why}; check that the place exists, may be read and written, and that the disk has room",
        f"{place}：{said}；请检查该位置是否存在、是否可读写、磁盘是否已满",
        code="file_system",
    )


def _of_parquet(error: pa.ArrowException) -> KeeplineError:
    """A Parquet file of the site that was cut short or written over by somebody else."""
    first = (str(error).strip() or "-").splitlines()[0]
    return KeeplineError(
        f"a Parquet file of the site is damaged: {first}; restore lake/ or published/ from a backup, "
        "or delete work/ and kept/",
        f"站点中的 Parquet 文件已损坏：{first}；请从备份恢复 lake/ 或 published/，或删除 work/ 与 kept/",
        code="damaged_file",
    )


def _refuse(refusal: KeeplineError, *, as_json: bool) -> int:
    if as_json:
        _error(refusal.code, zh=refusal.zh, en=refusal.en)
    else:
        click.echo(f"✗ {refusal.zh}\n✗ {refusal.en}", err=True)
    return refusal.exit_code


def _error(code: str, *, zh: str, en: str) -> None:
    give({"error": {"code": code, "zh": zh, "en": en}})
