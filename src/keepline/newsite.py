"""A new site: keepline.toml, an intake folder and a starter policy, each line explained."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from keepline.errors import SiteError
from keepline.policy.documents import KINDS

SETTINGS = """# keepline.toml: the settings of this site. 站点设置。
name = {name}            # operator, shown in reports 运营商名称
currency = "CNY"           # currency of every amount; nothing is converted 币种，不做换算
engine = "duckdb"          # duckdb, or spark for more than one machine 计算引擎
# spark_master = "spark://host:7077"  # where Spark runs; left out: this machine 仅用于 spark，不写即本机
seed = 1                   # seed of everything random; the same seed gives the same plan 随机种子
memory = "1GB"             # what the engine may hold; what is beyond it goes to disk 引擎可用内存
threads = 2                # processors it may use 线程数
range_customers = 500000   # customers of one range; each thread has one 每批客户数，每线程一批
simulated = false          # true: every page says the data are not real 是否模拟数据
plan_shows = "pseudonym"   # how plan.xlsx names customers: pseudonym, or customer_no 方案表中的客户标识
# data_note_zh = "离网样本被放大"      # said on every page 每页显示的数据说明
# data_note_en = "leavers are over-sampled"
# [spark]                  # more settings of Spark, by their own names; last in this file 其他 Spark 设置，放在最后
# "spark.executor.memory" = "4g"
"""

INTAKE = """# Intake

Put one mapping file (TOML) for each kind of file you deliver into this folder. Draft one with

    keepline intake suggest FILE --out intake/NAME.toml

then read it, correct it, and try it without loading anything:

    keepline intake check FILE --site .

# 数据接入

每种来源文件在本目录放一个映射文件（TOML）。用上面的 suggest 命令生成草稿，核对修改后用 check 试载，
确认无误再用 keepline intake load 载入。
"""


def make_site(root: Path, *, name: str) -> list[Path]:
    """Write a new site and name the files made; an existing one is refused, no file is overwritten."""
    if (root / "keepline.toml").exists():
        raise SiteError(
            f"{root} is a site already; nothing was changed",
            f"{root} 已是站点，未作任何改动",
            code="site_exists",
        )
    made = []
    for place, text in _texts(name).items():
        path = root / place
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            made.append(path)
    return made


def _texts(name: str) -> dict[str, str]:
    """Every file by its place; keepline.toml last, so that what was begun and stopped can be begun again."""
    starter = resources.files("keepline.policy").joinpath("starter")
    texts = {
        f"policy/{kind}.toml": starter.joinpath(f"{kind}.toml").read_text("utf-8")
        for kind in (*KINDS, "service", "retention")
    }
    quoted = json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")  # a JSON string is a TOML string
    plan = resources.files("keepline").joinpath("filled_plan.toml").read_text("utf-8")
    return texts | {"intake/README.md": INTAKE, "intake/plan.toml": plan, "keepline.toml": SETTINGS.format(name=quoted)}
