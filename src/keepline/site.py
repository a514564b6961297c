"""An operator's folder: where its files lie, what keepline.toml says, and the key of its pseudonyms.

::

    SITE/keepline.toml   the settings           SITE/lake/       accepted rows, by table and month
    SITE/intake/         mappings, their files  SITE/work/       work in progress, safe to delete
    SITE/policy/         what people decided    SITE/published/  whole months only
    SITE/secrets/        the pseudonym key      SITE/superseded/ publications that were replaced
    SITE/kept/           parts of past months, safe to delete
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from keepline import handwritten
from keepline.errors import SiteError, UnclearError
from keepline.periods import Month

KEY_FILE = "pseudonym.key"
KEY_BYTES = 32
HEX_KEY = re.compile(r"(?:[0-9a-fA-F]{2}){16,}")  # one of the operator's own may be of another length
SPARK_OURS = {
    "spark.master": ("it is spark_master", "请用 spark_master"),
    "spark.sql.ansi.enabled": ("results hang on it", "结果取决于它"),
    "spark.sql.session.timeZone": ("results hang on it", "结果取决于它"),
    "spark.sql.execution.arrow.maxRecordsPerBatch": ("memory hangs on it", "内存占用取决于它"),
}


class Settings(BaseModel):
    """keepline.toml; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(description="name of the operator, shown in reports")
    currency: str = Field(default="CNY", description="currency of every amount; nothing is converted")
    engine: Literal["duckdb", "spark"] = "duckdb"
    seed: int = Field(default=1, ge=0, description="seed of everything random")
    memory: str = Field(default="1GB", pattern=r"^[1-9]\d{0,6}(MB|GB)$", description="memory an engine may use")
    threads: int = Field(default=2, ge=1)
    range_customers: int = Field(default=500_000, ge=1, description="customers worked on at once")
    spark_master: str = ""
    spark: dict[str, Any] = Field(default_factory=dict, description="more settings of Spark, by their own names")
    simulated: bool = Field(default=False, description="simulated or fictional data: every page says so")
    data_note_zh: str = Field(default="", description="said on every page, e.g. over-sampled leavers")
    data_note_en: str = ""
    plan_shows: Literal["pseudonym", "customer_no"] = Field(
        default="pseudonym", description="how plan.xlsx names a customer to the manager"
    )

    @field_validator("spark")
    @classmethod
    def _spark_clear(cls, said: dict[str, Any]) -> dict[str, Any]:
        for name, value in said.items():
            _check_spark(name, value)
        return said

    @property
    def spark_settings(self) -> dict[str, str]:
        """As Spark reads them."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in self.spark.items()
        }


def _check_spark(name: str, value: Any) -> None:
    """Refuse what Spark would pass over in silence, and what results or this file's other words hang on."""
    if isinstance(value, dict) or not name.startswith("spark."):
        raise UnclearError(
            f'{name} is no name of a setting of Spark; write it whole and in quotes: "spark.executor.memory" = "4g"',
            f'{name} 不是 Spark 的设置名；请写全名并加引号，如 "spark.executor.memory" = "4g"',
        )
    if name in SPARK_OURS:
        en, zh = SPARK_OURS[name]
        raise UnclearError(f"{name} cannot be set here: {en}", f"此处不能设置 {name}：{zh}")
    if not isinstance(value, str | int | float):
        raise UnclearError(f"{name} must be a text, a number, true or false", f"{name} 应为文字、数字、true 或 false")


@dataclass(frozen=True)
class Site:
    """An opened site. Paths are made by the stages that write them, not here."""

    root: Path
    settings: Settings

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def policy(self) -> Path:
        return self.root / "policy"

    @property
    def intake(self) -> Path:
        return self.root / "intake"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def kept(self) -> Path:
        return self.root / "kept"

    @property
    def truth(self) -> Path:
        """Written by the simulator alone; no stage reads it."""
        return self.root / "truth"

    @property
    def key_file(self) -> Path:
        return self.root / "secrets" / KEY_FILE

    def published(self, month: Month) -> Path:
        return self.root / "published" / str(month)

    def key(self) -> bytes:
        """The pseudonym key; made once, before the first customer is known, readable by its owner alone."""
        path = self.key_file
        if not path.exists():
            if self._knows_customers():
                raise unfit_key(path, "is absent", "不存在", code="key_lost")
            write_key(self.root, secrets.token_bytes(KEY_BYTES))
        text = path.read_text(encoding="ascii", errors="replace").strip()
        if not HEX_KEY.fullmatch(text):
            raise unfit_key(path, "is damaged", "已损坏", code="key_damaged")
        return bytes.fromhex(text)

    def _knows_customers(self) -> bool:
        """Whether anything stands here under a pseudonym: rows of the lake, or a month that was published."""
        rows = next(self.lake.rglob("*.parquet"), None)
        return rows is not None or any(path.is_dir() for path in (self.root / "published").glob("????-??"))

    def pseudonym(self, customer_no: str) -> int:
        return pseudonym(self.key(), customer_no)


def pseudonym(key: bytes, number: str) -> int:
    """62 bits of HMAC-SHA256 over the operator's number: never zero, never negative.

    Two of 100 million customers share one with a probability of about 0.1 %; intake refuses
    a file in which that happens.
    """
    digest = hmac.digest(key, number.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") >> 2 or 1


def key_mark(key: bytes) -> str:
    """By which a key is known again: a keyed hash of one fixed text, from which neither key nor pseudonym follows."""
    return hmac.digest(key, b"keepline: the key of this lake", hashlib.sha256).hex()[:32]


def unfit_key(path: Path, en: str, zh: str, *, code: str) -> SiteError:
    """What is wrong with a key, of which no other can take the place."""
    return SiteError(
        f"the pseudonym key {path} {en}, and what this site holds was made with it: under another key every customer "
        "would be somebody else, without a history. Nothing was changed. Put it back from the copy kept apart, or "
        "from a backup of the workbench (keepline restore); if it is lost for good, make a new site and load "
        "every file there",
        f"假名密钥 {path} {zh}，而本站点已有的内容是用原密钥生成的：换一把密钥，每个客户都会变成另一个人，没有历史。"
        "未作任何改动。请从另行保存的副本，或用工作台的备份（keepline restore）恢复它；"
        "若确已丢失，请新建站点并重新载入全部文件",
        code=code,
    )


def write_key(root: Path, key: bytes) -> None:
    """Write the key whole and to the disk itself: a lake that outlives a power cut must not outlive its key."""
    folder = root / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = folder / f".{KEY_FILE}.{os.getpid()}"
    partial.touch(mode=0o600)
    with partial.open("w", encoding="ascii") as stream:
        stream.write(key.hex() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / KEY_FILE)


def open_site(root: Path) -> Site:
    """Open the folder, or say what it lacks."""
    path = root / "keepline.toml"
    if not path.is_file():
        raise SiteError(
            f"{root} is not a site: it has no keepline.toml; make one with: keepline init {root}",
            f"{root} 不是站点：缺少 keepline.toml；请运行 keepline init {root} 创建",
            code="no_site",
        )
    named = ("settings", "设置文件")
    return Site(root, handwritten.read(path, Settings, refuse=SiteError, code="settings", name=named))
