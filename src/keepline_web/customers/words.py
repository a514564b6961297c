"""The words for the codes a customer's facts come in."""

from __future__ import annotations

from keepline_web.frame.words import listed

CLASSES = listed("""
important | 重要客户 | important
key | 重点大客户 | key
potential | 潜在大客户 | potential
ordinary | 普通客户 | ordinary
""")
RISKS = listed("""
high | 高风险 | high risk
medium | 中风险 | medium risk
low | 低风险 | low risk
unknown | 风险未知 | risk unknown
""")
LOYALTY = listed("""
loyal | 忠诚 | loyal
general | 一般 | general
wavering | 游离 | wavering
unknown | 未知 | unknown
""")
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
LOYALTY_KINDS = listed("""
attachment | 情感依附 | attachment
inertia | 惰性 | inertia
price | 价格 | price
unknown | 未知 | unknown
""")
