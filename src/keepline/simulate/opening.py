"""Opens the simulated operator's site: settings, key, policy scaled to its size, one mapping a table."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

from keepline.errors import SiteError
from keepline.jsonfile import read_json
from keepline.periods import Month
from keepline.policy.documents import KINDS
from keepline.site import write_key
from keepline.tables import LAKE

STARTER_CUSTOMERS = 20_000  # the means in the starter policy are for so many
STORY = "truth/operator.json"

SETTINGS = """# A simulated operator: nothing here is about anybody. 模拟运营商，与任何真实客户无关。
name = "云际通信（模拟）"
currency = "CNY"
engine = "{engine}"
seed = {seed}
simulated = true
data_note_zh = "模拟数据：客户、账单与结果均为虚构，由种子 {seed} 生成"
data_note_en = "simulated data: customers, bills and outcomes are invented, from seed {seed}"
"""

MAPPING = """# {en}, as the simulated operator delivers them. {zh}：模拟运营商的交付格式。
# The columns bear keepline's own names; customer and line numbers are the operator's.
[match]
files = ["{name}.parquet"]

[[table]]
name = "{name}"
identity = true
"""


@dataclass(frozen=True)
class Story:
    """What the operator was asked to be; kept with the truth."""

    customers: int
    months: int
    last: str
    seed: int

    @property
    def first_month(self) -> Month:
        return Month.parse(self.last) + (1 - self.months)


def write_site(root: Path, story: Story, *, engine: str) -> None:
    """Write everything but the files of the months."""
    scale = story.customers / STARTER_CUSTOMERS
    starter = resources.files("keepline.policy").joinpath("starter")
    texts = {f"policy/{kind}.toml": starter.joinpath(f"{kind}.toml").read_text("utf-8") for kind in (*KINDS, "service")}
    texts["policy/limits.toml"] = scaled(texts["policy/limits.toml"], scale)
    for table in LAKE:
        texts[f"intake/{table.name}.toml"] = MAPPING.format(name=table.name, en=table.en, zh=table.zh)
    texts[STORY] = json.dumps(asdict(story), indent=1) + "\n"
    texts["keepline.toml"] = SETTINGS.format(engine=engine, seed=story.seed)
    write_key(root, hashlib.sha256(f"keepline simulated operator {story.seed}".encode()).digest())
    for place, text in texts.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def scaled(limits: str, scale: float) -> str:
    """The text of limits.toml with money and channel contacts multiplied; minutes belong to managers and stay."""
    head, section, channels = limits.partition("[channel_contacts]")
    head = re.sub(r"(?m)^(money_fen = )(\d+)", lambda found: _times(found, scale), head)
    channels = re.sub(r"(?m)^(\w+ = )(\d+)", lambda found: _times(found, scale), channels)
    return head + section + channels


def _times(found: re.Match[str], scale: float) -> str:
    return f"{found[1]}{max(1, round(int(found[2]) * scale))}"


def read_story(root: Path) -> Story:
    path = root / STORY
    if not path.exists():
        raise SiteError(
            f"{root} has no {STORY}: it is not a simulated operator, or its truth was deleted; "
            "no further month can be made",
            f"{root} 缺少 {STORY}：不是模拟运营商，或真值已被删除；无法继续生成账期",
            code="no_truth",
        )
    return Story(**read_json(path))
