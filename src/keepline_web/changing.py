"""``keepline keys change``: the workbench stands still, its keys and its own database's passwords are drawn anew."""

from __future__ import annotations

import os
from collections.abc import Callable

from keepline.front import KeeplineError, Site
from keepline_web.holding import alone
from keepline_web.keys import FILE
from keepline_web.serving import database_of, reachable
from keepline_web.upgrading import bring_up


def change(site: Site, told: Callable[[int], None]) -> int:
    """The new version. Killed at any moment, the next start finds either the old state or the new."""
    if not (site.root / "secrets" / FILE).exists():
        raise KeeplineError(
            f"there are no keys to change: the workbench of {site.root} was never started",
            f"没有可更换的密钥：{site.root} 的工作台从未启动过",
            code="no_keys",
        )
    with alone(site):
        own = not os.environ.get("KEEPLINE_DATABASE_URL")
        database_of(site)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keepline_web.settings")
        import django

        django.setup()
        reachable()
        bring_up()
        from keepline_web import rekeying

        version = rekeying.change(site, told)
        if own:
            _passwords(site)
    return version


def _passwords(site: Site) -> None:
    """The owner's at once; that of the role that serves is made anew at the next start."""
    from keepline_web import database

    password = site.root / "secrets" / "database.password"
    folder = (site.root / "workbench" / "database").resolve()
    database.renew(database.start(folder, password), folder, password)
    (site.root / "secrets" / "serving.password").unlink(missing_ok=True)
