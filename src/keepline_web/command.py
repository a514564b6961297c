"""The words of the workbench on the command line; what they start is loaded when they are said."""

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


@click.command()
@click.option("--site", type=click.Path(path_type=Path, file_okay=False), required=True, help="站点目录 site folder")
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), required=True, help="备份文件 backup file, .tar.gz"
)
def backup(site: Path, to: Path) -> None:
    """备份工作台：数据库与密钥。 Back the workbench up: its database and its keys."""
    from keepline_web.keeping import back_up

    said = back_up(open_site(site), to)
    click.echo(f"已备份 {said['bytes']:,} 字节：{said['file']}；内含密钥，请妥善保管。")
    click.echo(f"Backed up {said['bytes']:,} bytes: {said['file']}; it holds the keys, keep it safe.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--site", type=click.Path(path_type=Path, file_okay=False), required=True, help="站点目录 site folder")
def restore(file: Path, site: Path) -> None:
    """把备份恢复到尚无工作台数据的站点。 Restore a backup into a site whose workbench is empty."""
    from keepline_web.keeping import restore as bring_back

    said = bring_back(open_site(site), file)
    zh, en = (
        ("审计链完整", "the audit chains hold")
        if said["chains_hold"]
        else ("审计链不完整", "THE AUDIT CHAINS ARE BROKEN")
    )
    click.echo(f"已恢复 {said['at']} 的备份；{zh}。")
    click.echo(f"Restored the backup of {said['at']}; {en}.")


@click.group()
def keys() -> None:
    """更换工作台的密钥。 The workbench's keys."""


@keys.command("change")
@click.option("--site", type=click.Path(path_type=Path, file_okay=False), required=True, help="站点目录 site folder")
def change_keys(site: Path) -> None:
    """先停止工作台，再更换密钥与数据库口令。 Stop the workbench first; changes keys and passwords."""
    from keepline_web.changing import change

    said = change(open_site(site), lambda count: click.echo(f"已重新加密 {count:,} 行 sealed anew: {count:,} rows"))
    click.echo(f"密钥已更换为第 {said} 版；所有人需重新登录，程序令牌已失效；请立即重新备份。")
    click.echo(
        f"The keys are of version {said} now; everyone signs in again, tokens have ended; take a new backup now."
    )


@click.command()
@click.option("--site", type=click.Path(path_type=Path, file_okay=False), required=True, help="站点目录 site folder")
@click.option("--dry-run", is_flag=True, help="只计数，不清除 count only")
def retention(site: Path, dry_run: bool) -> None:
    """清除已到保存期限的记录。 Remove what is older than policy/retention.toml says; the worker does it daily."""
    from keepline_web.keeping import due

    for one in due(open_site(site), remove=not dry_run):
        click.echo(f"{one.rows:>10,}  < {one.before}  {one.words.zh} {one.words.en}")
    click.echo("仅计数，未清除。 Counted only." if dry_run else "以上已清除。 Removed.")
