"""Where the database is: an address as people write it, in the words Django wants."""

from __future__ import annotations

from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from keepline.front import SiteError

NAME = "keepline"
TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")  # what an address may say of how the way there is protected


def settings_of(address: str) -> dict[str, object]:
    """Django's settings for a ``postgresql://`` address."""
    said = urlsplit(address)
    if said.scheme not in ("postgresql", "postgres"):
        raise SiteError(
            f"KEEPLINE_DATABASE_URL names no PostgreSQL server: {said.scheme or 'nothing'}://…; "
            "write postgresql://user:password@host:port/name",
            f"KEEPLINE_DATABASE_URL 不是 PostgreSQL 地址（{said.scheme or '空'}://…）；"
            "请写成 postgresql://用户:密码@主机:端口/库名",
            code="database_url",
        )
    where = conninfo_to_dict(address)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": where.get("dbname") or NAME,
        "USER": where.get("user") or "",
        "PASSWORD": where.get("password") or "",
        "HOST": where.get("host") or "",
        "PORT": where.get("port") or "",
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "keepline"} | {name: where[name] for name in TLS if where.get(name)},
    }
