"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keepline.errors import KeeplineError, UsageError
from keepline.periods import Month


class MonthType(click.ParamType[Month]):
    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:  # noqa: ARG002
        if isinstance(value, Month):
            return value
        try:
            return Month.parse(str(value))
        except KeeplineError as error:
            raise UsageError(error.en, error.zh, code=error.code) from error


SITE = click.option(
    "--site", type=click.Path(path_type=Path, file_okay=False), required=True, help="站点目录 site folder"
)
MONTH = click.option("--month", type=MonthType(), required=True, help="账期 billing month, YYYY-MM")
JSON = click.option("--json", "as_json", is_flag=True, help="机器可读 answer as JSON")
FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
MAPPING = click.option(
    "--mapping", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="映射文件 mapping"
)
ACCEPT = click.option("--accept", multiple=True, metavar="CODE", help="确认接受的代码 accept what was held, by code")
ENGINE = click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True)
