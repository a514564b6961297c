"""Where the database is: an address as people write it, in the words Django wants."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from keepline.front import SiteError

NAME = "keepline"
PLAIN = "KEEPLINE_DATABASE_PLAIN"  # the variable by which an operator says that the way there is protected otherwise
PROTECTED = ("require", "verify-ca", "verify-full")
LOCAL = ("localhost", "127.0.0.1", "::1")
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
    _protected(where)
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


def _protected(where: dict[str, Any]) -> None:
    """Names and passwords do not cross a network in the clear, unless somebody answers for it."""
    said = str(where.get("hostaddr") or where.get("host") or "")
    far = [one for one in said.split(",") if one and not one.startswith(("/", "@")) and one not in LOCAL]
    if far and where.get("sslmode") not in PROTECTED and os.environ.get(PLAIN) != "1":
        raise SiteError(
            f"KEEPLINE_DATABASE_URL leads to {far[0]} over a network without TLS, and customers' data would cross it "
            "in the clear; add ?sslmode=verify-full&sslrootcert=FILE (or at least ?sslmode=require), or set "
            f"{PLAIN}=1 where the network itself is protected",
            f"KEEPLINE_DATABASE_URL 经网络连接 {far[0]} 而未使用 TLS，客户数据将以明文传输；"
            f"请加上 ?sslmode=verify-full&sslrootcert=文件（至少 ?sslmode=require）；"
            f"若网络本身已受保护，可设置 {PLAIN}=1",
            code="database_plain",
        )
