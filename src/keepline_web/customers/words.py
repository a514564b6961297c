"""The words for the codes a customer's facts come in."""

from __future__ import annotations

from collections.abc import Mapping

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
buys | 代购者 | buys for others
uses | 使用者 | uses
pays | 付款者 | pays
technical | 技术负责人 | technical
""")
