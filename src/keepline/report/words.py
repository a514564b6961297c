"""The words of the report and the plan for every code a table may hold, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

from keepline import vocabulary

Words = dict[str, str]


def both(zh: str, en: str) -> Words:
    return {"zh": zh, "en": en}


def _list(text: str) -> dict[str, Words]:
    return _words(vocabulary.listed(text))


def _words(pairs: Mapping[str, vocabulary.Pair]) -> dict[str, Words]:
    return {code: both(*pair) for code, pair in pairs.items()}


UNKNOWN = both("未知", "unknown")
ASSUMED = both("假设", "assumed")
MEASURED = both("实测", "measured")
SIMULATED = both("模拟数据", "Simulated data")

CLASSES, STATES = _words(vocabulary.CLASSES), _words(vocabulary.STATES)
MOVES = _list("""
new | 新在网 | new
same | 不变 | same
up | 上升 | up
down | 下降 | down
""")
LOYALTY = _list("""
loyal | 忠诚 | loyal
general | 一般 | general
wavering | 游离 | wavering
unknown | 未知 | unknown
""")
LOYALTY_KINDS = _list("""
attachment | 情感依附 | attachment
inertia | 惰性 | inertia
price | 价格 | price
unknown | 未知 | unknown
""")
BANDS = _list("""
high | 高风险 | high risk
medium | 中风险 | medium risk
low | 低风险 | low risk
unknown | 未知 | unknown
""")
VALUE_BANDS = _list("""
top | 价值前 20% | top 20% by value
next | 其后 30% | next 30%
rest | 其余 50% | other 50%
unknown | 价值未知 | value unknown
""")
CHANNELS = _list("""
visit | 上门走访 | visit
manager_call | 客户经理电话 | manager's call
hotline | 热线（来电时） | hotline, when they call
sms | 短信 | SMS
app | 手机应用 | app
shop | 营业厅 | shop
email | 电子邮件 | e-mail
letter | 信函 | letter
""")
PURPOSES = _list("""
profit | 利润 | profit
loyalty | 忠诚 | loyalty
""")
MEASURES = _list("""
margin | 毛利 | margin
retention | 保有 | retention
leave | 离网 | leaving
""")
ANSWERS = _list("""
accepted | 接受 | accepted
refused | 拒绝 | refused
thinking | 考虑中 | thinking it over
no_answer | 未接通 | no answer
wrong_number | 号码有误 | wrong number
""")


KINDS_OF_LEAVING: dict[str, Words] = {
    "left": both("离网", "left"),
    "port_out": both("携号转出", "ported out"),
    "silent": both("沉默离网", "silent"),
}


def word(words: Mapping[str, Words], code: str | None) -> Words:
    """The words of a code; a code that is not listed stands for itself, null is unknown."""
    return UNKNOWN if code is None else words.get(code, both(code, code))
