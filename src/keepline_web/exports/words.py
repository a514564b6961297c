"""The words for the states of an export, and for the filters it was asked with."""

from __future__ import annotations

from keepline_web.customers.listing import Listing
from keepline_web.customers.words import CLASSES, LOYALTY, RISKS, further
from keepline_web.frame.inputs import whole
from keepline_web.frame.words import Text, listed
from keepline_web.people.models import Person

STATES = listed("""
waiting | 待审批 | waiting for consent
making | 制作中 | being made
ready | 可下载 | ready
expired | 已过期 | expired
failed | 未完成 | failed
cancelled | 已取消 | cancelled
refused | 未批准 | refused
withdrawn | 已撤回 | withdrawn
lapsed | 逾期未批 | lapsed
""")
STEPS = listed("""
asked | 提交 | asked
approved | 批准 | approved
refused | 不批准 | refused
withdrawn | 撤回 | withdrawn
made | 生成文件 | file made
downloaded | 下载 | downloaded
""")
CODES = {"class": CLASSES, "risk": RISKS, "loyalty": LOYALTY}
ALL = Text("本人范围内全部客户", "every customer within the scope")
SEARCHED = Text("按文字搜索（内容不显示）", "a search by text (not shown)")
PLANNED = Text("本月方案", "in the plan")
OWING = Text("欠费", "in arrears")
OWNER = Text("负责人：{n}", "owner: {n}")
CHOSEN = Text("勾选的 {n} 户", "{n} picked by hand")
DISTRICT = Text("区县：{n}", "district: {n}")


def filters_in_words(asked: Listing) -> list[Text]:
    """What the list was narrowed by; a text searched for may be a name or a number and is not repeated."""
    said = [
        CODES[name].get(code, Text(code, code)) for name, code in asked.codes.items() if name not in ("was", "move")
    ]
    said += [words for _, _, words in further(asked)]
    said += [words for words, on in ((PLANNED, asked.planned), (OWING, asked.owing), (SEARCHED, asked.text)) if on]
    if asked.chosen:
        said.append(CHOSEN.with_values(n=len(asked.chosen)))
    if asked.district:
        said.append(DISTRICT.with_values(n=asked.district))
    number = whole(asked.owner)  # read as the list reads it: what is no number narrows nothing
    if number is not None:
        owner = Person.objects.filter(pk=number).first()
        said.append(OWNER.with_values(n=owner.name if owner else asked.owner))
    return said or [ALL]
