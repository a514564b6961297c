"""What the role that serves may do in the database: read, add, change and remove rows, but own and unlock nothing.

Tables whose rows are only added (see ``frame/append_only.py``) it may read and add to. To hold a row until the end of
its transaction PostgreSQL asks for the right to change a column: it has that of the key, and the trigger refuses it.
"""

from __future__ import annotations

from django.db import connection
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from keepline.front import SiteError

READ_ONLY = ("django_migrations",)
EVERY = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
ONLY_ADDED = r"SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%\_only\_added' ORDER BY 1"
KEY = """SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indisprimary AND i.indrelid = %s::regclass"""


def grant(address: str) -> None:
    """As the owner: let the role of ``address`` serve. Said anew at each start, so that new tables are in it."""
    role = str(conninfo_to_dict(address).get("user") or "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
        if role in ("", owner):
            raise SiteError(
                f"KEEPLINE_SERVING_URL names {role or 'no role'}, which owns the tables; make a second role that "
                "may only log in, see docs/howto/deploy.md, or leave the variable out",
                f"KEEPLINE_SERVING_URL 使用的角色（{role or '空'}）是表的所有者；请另建一个只能登录的角色，"
                "见 docs/howto/deploy.md，或不设置该变量",
                code="serving_role",
            )
        cursor.execute(EVERY)
        tables = [row[0] for row in cursor.fetchall()]
        cursor.execute(ONLY_ADDED)
        kept = {row[0] for row in cursor.fetchall()}
        for table in tables:
            cursor.execute(KEY, [table])
            _one(cursor, table, role, "key" if table in kept else "row", cursor.fetchone())
        for words in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
        ):
            cursor.execute(sql.SQL(words).format(sql.Identifier(role)))


def _one(cursor: object, table: str, role: str, kind: str, key: tuple[str] | None) -> None:
    names = {
        "role": sql.Identifier(role),
        "table": sql.Identifier(table),
        "key": sql.Identifier(key[0] if key else "id"),
    }
    may = (
        "SELECT"
        if table in READ_ONLY
        else "SELECT, INSERT, UPDATE, DELETE"
        if kind == "row"
        else "SELECT, INSERT, UPDATE ({key})"
    )
    for words in ("REVOKE ALL ON {table} FROM {role}", f"GRANT {may} ON {{table}} TO {{role}}"):
        cursor.execute(sql.SQL(words).format(**names))  # type: ignore[attr-defined]
