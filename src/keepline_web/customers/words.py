"""The words for the codes a customer's facts come in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepline.front import vocabulary
from keepline_web.frame.words import Text, listed


def _of_core(said: Mapping[str, Mapping[str, str]]) -> dict[str, Text]:
    """The core's own words, so that page and report say the same."""
    return {code: Text(words["zh"], words["en"]) for code, words in said.items()}


CLASSES = _of_core({code: said for code, said in vocabulary.CLASSES.items() if code != "new"})
RISKS = _of_core(vocabulary.BANDS)
LOYALTY = _of_core(vocabulary.LOYALTY)
LOYALTY_KINDS = _of_core(vocabulary.LOYALTY_KINDS)
PRODUCTS = listed("""
mobile | 移动 | mobile
broadband | 宽带 | broadband
tv | 电视 | TV
fixed | 固话 | fixed line
iot | 物联网 | IoT
circuit | 专线 | circuit
other | 其他 | other
""")
LINE_STATES = listed("""
active | 在用 | active
suspended | 停机 | suspended
disconnected | 已拆 | closed
""")
KINDS = listed("""
person | 个人 | person
organisation | 单位 | organisation
""")
DECISION_ROLES = listed("""
decides | 决策者 | decides
gatekeeper | 把关者 | gatekeeper
influences | 影响者 | influences
buys | 采购者 | buys
uses | 使用者 | uses
pays | 付款者 | pays
technical | 技术负责人 | technical
""")
VALUE_BANDS = listed("""
low | 低于 1 千元 | below 1,000 yuan
middle | 1 千至 5 千元 | 1,000 to 5,000 yuan
high | 5 千至 2 万元 | 5,000 to 20,000 yuan
top | 2 万元以上 | 20,000 yuan and more
""")
MOVES = listed("""
up | 升级 | moved up
down | 降级 | moved down
same | 未变 | not moved
new | 新进 | new
""")


def further(asked: Any) -> list[tuple[str, str, Text]]:
    """What a link narrowed a list by beyond the form's fields: name, value, words."""
    return [(name, value, _further(name, value)) for name, value in asked.further.items()]


def _further(name: str, value: str) -> Text:
    code = Text(value, value)
    if name == "was":
        said = CLASSES.get(value, code)
        return Text(f"上月{said.zh}", f"{said.en} last month")
    known = {
        "group": Text("同一组织", "one organisation"), "move": MOVES.get(value, code),
        "month": Text(f"{value} 的名单", f"as of {value}"), "channel": Text(f"方案渠道 {value}", f"planned by {value}"),
        "answered": Text("方案已有答复", "answered the plan"),
    }  # fmt: skip
    return known[name]
