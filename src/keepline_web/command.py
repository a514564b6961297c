"""The words ``keepline serve`` on the command line; what they start is loaded only when they are said."""

from __future__ import annotations

from pathlib import Path

import click

from keepline.front import KeeplineError, open_site


@click.command()
@click.option("--site", type=click.Path(path_type=Path, file_okay=False), required=True, help="站点目录 site folder")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址 address to listen on")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="端口，0 为任意 port, 0: any"
)
def serve(site: Path, host: str, port: int) -> None:
    """启动客户经理工作台。 Start the workbench: database, web server and worker."""
    opened = open_site(site)
    try:
        from keepline_web.serving import run
    except ModuleNotFoundError as error:
        raise KeeplineError(
            f"the workbench needs packages that are not installed ({error.name}); install the extra 'web'",
            f"工作台所需的软件包未安装（{error.name}）；请安装 keepline 的附加组件 web",
            code="no_web",
        ) from error
    run(opened, host=host, port=port)
