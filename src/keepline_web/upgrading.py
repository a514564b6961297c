"""Bringing the tables to this version: whole or not at all, one process at a time, and never those of a newer one."""

from __future__ import annotations

from collections.abc import Iterable

from keepline import __version__
from keepline.front import KeeplineError

LOCK = 7_290  # of advisory locks: two that start at once migrate one after the other
SHOWN = 3
Step = tuple[str, str]


def bring_up() -> None:
    """Every step that is not taken yet, in one transaction: one that breaks leaves the database as it was."""
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.db.migrations.recorder import MigrationRecorder

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a step may change a table that the one before filled
        refuse_newer(MigrationRecorder(connection).applied_migrations())
        call_command("migrate", interactive=False, verbosity=0)


def refuse_newer(taken: Iterable[Step]) -> None:
    """A database that took steps unknown here was brought up by a newer version, whose rows this one would misread."""
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("keepline_web.")}
    known = set(MigrationLoader(None).disk_migrations)
    unknown = sorted(f"{app}.{name}" for app, name in taken if (app, name) not in known and _ours(app, ours))
    if unknown:
        some = ", ".join(unknown[:SHOWN]) + (" …" if len(unknown) > SHOWN else "")
        raise KeeplineError(
            f"the database was brought up by a newer version of keepline than this one, {__version__} ({some}); "
            "nothing was changed. Install that version or a later one, or restore a backup that this version made",
            f"数据库已由比当前版本 {__version__} 更新的 keepline 升级（{some}），未作任何改动；"
            "请安装该版本或更新的版本，或恢复当前版本所作的备份",
            code="database_newer",
        )


def _ours(app: str, ours: set[str]) -> bool:
    """A room of the workbench, also one that this version does not have; other packages number their own steps."""
    from django.apps import apps

    return app in ours or app not in {config.label for config in apps.get_app_configs()}
