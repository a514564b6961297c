"""What operators call our columns, in Chinese and English; the words by which a draft mapping is guessed."""

# ruff: noqa: E501  one column a line reads better than broken lines

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Synonym:
    """One of our columns, the unit it is mostly written in, and a pattern of their names for it."""

    table: str
    column: str
    unit: str
    kind: str  # what its values must look like: any, number, day, flag, code
    pattern: re.Pattern[str]


def _of(spec: str) -> tuple[Synonym, ...]:
    """Read synonyms written one a line: ``table.column unit kind | pattern``; the first that fits counts."""
    found = []
    for line in spec.strip().splitlines():
        head, pattern = (part.strip() for part in line.split(" | ", 1))
        place, unit, kind = head.split()
        table, column = place.split(".")
        found.append(Synonym(table, column, "" if unit == "-" else unit, kind, re.compile(pattern, re.IGNORECASE)))
    return tuple(found)


SYNONYMS = _of(r"""
contact_persons.role - code | ^(联系人)?(决策)?角色$|^(contact[ _]?|decision[ _]?)?role$
contact_persons.name - any | ^(联系人|经办人|决策人)(姓名|名称)?$|^contact([ _]?person)?([ _]?name)?$
contact_persons.phone - any | ^(联系人|经办人|决策人)(电话|手机|移动电话)(号码?)?$|^contact[ _]?(phone|mobile)([ _]?no|[ _]?number)?$
contact_persons.birthday - day | ^(联系人|经办人|决策人)(生日|出生日期)$|^contact[ _]?birth ?(day|date)$
affiliations.head_id - any | ^(上级|总部|母公司|所属)(客户|单位|集团|公司)?(编号|编码|标识|号|id)$|^(parent|head([ _]?office)?)[ _]?(customer|account)?[ _]?(id|no|number|code)$
contact_details.name - any | ^(客户|用户|联系人)?(姓名|名称)$|^(customer|contact|full)?[ _]?name$
contact_details.phone - any | ^(客户|用户|联系人?)?(电话|手机|移动电话)(号码?)?$|^联系方式$|^(contact[ _]?|mobile[ _]?|cell[ _]?)?(phone|mobile|msisdn)([ _]?no|[ _]?number)?$
departures.month - flag | ^churn(ed)?$|^(是否)?(离网|流失|销户)(标识|标志|状态)?$|^(is[ _]?)?(churn|attrition)([ _]?(flag|label|value))?$
customers.joined_on - day | 入网(日期|时间)|激活时间|开户(日期|时间)|(activation|join(ed)?|open(ing)?)[ _]?(date|on)$|^sign[ _-]?up([ _]?(date|on))?$
customers.joined_on months number | ^(网龄|在网时长|在网月数)|tenure|months?[ _]?in[ _]?service|^age[ _]?on[ _]?network
customers.joined_on days number | ^aon$|在网天数
customers.birthday - day | 生日|出生日期|birth ?(day|date)|date[ _]?of[ _]?birth
customers.birthday years number | ^年龄|^age([ _]?hh1)?$|^age[ _]?years$
customers.kind - code | ^(客户|用户)(类型|类别)$|^customer[ _]?(type|kind)$
customers.industry - any | ^(所属)?行业|^industry$
customers.region - any | ^(地市|本地网|城市|分公司|归属地)|^(city|region|service[ _]?area|circle([ _]?id)?)$|通信分公司
customers.district - any | ^(区县|县区|区域|支局)|^district$
customers.manager_id - any | 客户经理|account[ _]?manager|^manager([ _]?id)?$
customers.star_rating - code | 星级|^star([ _]?rating)?$|^tier$
customers.listed_class - code | ^(名单|大客户)(类别|分类)
customers.consent - flag | 营销授权|同意(营销|联系)|consent|opt[ _]?in
customers.blacklisted - flag | 黑名单|blacklist|do[ _]?not[ _]?call
customers.preferred_channel - code | 偏好渠道|preferred[ _]?channel
payments.arrears_fen yuan number | ^(当月|本月)?欠费(金额)?|^arrears|^(amount[ _]?)?overdue
payments.paid_fen yuan number | ^(当月|本月)?缴费|^paid
bills.overage yuan number | 套外.*(费|元)|超套.*费|^overage[ _]?(charge|fee|revenue)
bills.recurring yuan number | ^月(租|费)|月基本费|固定费|^total[ _]?recurring[ _]?charge|^(monthly|recurring)[ _]?(fee|rental)
bills.roaming yuan number | 漫游费|^roaming[ _]?(charge|fee|revenue)
bills.value_added yuan number | 增值.*费|^vas
bills.discount yuan number | 优惠(金额|额|$)|减免|^discount
bills.total yuan number | ^(当月|本月)?ARPU([(]元[)])?$|^(当月|本月)(消费|出账|账单)|出账(收入|金额|费用)|^应收|^账单金额|^monthly[ _]?(revenue|charges?|bill)$|^(total[ _]?)?(amount|bill)[ _]?(fen|yuan)?$|^金额
bills.total yuan number | ^近?(三|3)个?月(平均|均)(消费|ARPU)([(]元[)])?$
bills.total yuan number | 平均消费|^arpu|^avg[ _]?(bill|revenue|spend)
usage.voice_s minutes number | ^(当月|本月)?MOU$|语音通话.*时长|主叫(时长|分钟)|^(monthly|total)[ _]?(og[ _]?)?(minutes|mou)$|^total[ _]?og[ _]?mou
usage.voice_in_s minutes number | 被叫(时长|分钟)|^total[ _]?ic[ _]?mou
usage.offnet_s minutes number | 网外.*(时长|分钟)|^offnet[ _]?mou
usage.roaming_s minutes number | 漫游.*时长|^roam[ _]?og[ _]?mou
usage.data_kb MB number | (总流量|流量使用量|使用流量总|资源使用量|^(当月|本月)?流量)|^(data|gprs)[ _]?(usage|volume)?([ _]?(kb|mb|gb))?$|^vol[ _]?3g[ _]?mb|^total[ _]?data
usage.sms - number | 短信(条数|数|量)?$|^sms([ _]?count)?$
usage.topups - number | 充值次数|^total[ _]?rech[ _]?num|^top[ _]?ups?$
usage.dropped_calls - number | 掉话(次数)?|^dropped[ _]?calls$
survey_answers.satisfaction - number | 整体满意度|^(总体)?满意度|^(overall[ _]?)?satisfaction
survey_answers.recommend - number | 推荐意愿|^nps|recommend
survey_answers.stay - number | 留网意愿|继续使用意愿|stay
""")

# Who the customer is, and which month; looked for first, the best word first.
CUSTOMER = (
    r"^(客户|集团)(编号|编码|标识|id|号)$|^customer[ _]?(id|no|number|code)$",
    r"^(用户|账户|帐户)(编号|编码|标识|id|号码?)?$|^(account|subscriber|user|client|cust)[ _]?(id|no|number|code)?$",
    r"^(手机|电话|业务|设备|服务|联系)?(号码|手机号码?)$|^手机号$|^(phone|msisdn|mobile)([ _]?(no|number))?$",
    r"^id$|^序号$|^编号$",
)
MONTH = r"^(账期|月份|帐期|统计月份?|出账月|年月)$|^(bill(ing)?[ _]?)?month$|^period$|^year[ _]?month$"
COMPONENT = r"^(账目|科目|费用)(项|类型|类别|名称|编码)?$|^(component|charge[ _]?type|item)$"
# What names a person, and so is never drafted into a table for analysis, whatever its values look like.
PERSONAL = r"姓名|联系人|身份证|证件号|护照|号码|住址|地址|(手机|电话|邮箱)(号|$)|(^|[ _])(phone|mobile|msisdn|e?-?mail|address|passport|name)([ _]|$)|id[ _]?card"
YES = ("yes", "y", "true", "t", "1", "1.0", "是", "已离网", "离网", "流失", "churned", "churn", "left")

UNITS = (
    (r"万元", "wan_yuan"), (r"[（(]?元[)）]?", "yuan"), (r"[（(]分[)）]$", "fen"),
    (r"分钟|min", "minutes"), (r"[（(]?秒[)）]?|seconds?|_s$", "seconds"), (r"小时|hours?", "hours"),
    (r"TB", "TB"), (r"GB", "GB"), (r"MB|[（(]M[)）]", "MB"), (r"KB", "KB"), (r"字节|bytes?", "B"),
)  # fmt: skip

# What a word of theirs for a code most likely means; the first that fits counts.
CODE_WORDS = (
    (r"集团|单位|企业|政企|公司|组织|^(corporate|enterprise|business|organi[sz]ation|company|b2b)", "organisation"),
    (r"重要|^important", "important"), (r"重点|^key", "key"), (r"潜在|^potential", "potential"),
    (r"决策|^decid|^decision", "decides"), (r"把关|^gate", "gatekeeper"), (r"影响|^influen", "influences"),
    (r"采购|购买|代购|^(buy|purchas)", "buys"), (r"使用|^use", "uses"), (r"付款|财务|^(pay|financ)", "pays"),
    (r"技术|^tech", "technical"),
)  # fmt: skip


def code_for(word: str, allowed: tuple[str, ...]) -> str:
    """Our code for a word of theirs, as far as it can be guessed; else the first there is."""
    fits = (code for pattern, code in CODE_WORDS if code in allowed and re.search(pattern, word, re.IGNORECASE))
    return next(fits, allowed[0])


def unit_in(header: str, usual: str, fits: frozenset[str]) -> tuple[str, bool]:
    """The unit a header names, else the usual one; true when it was named."""
    for pattern, unit in UNITS:
        if unit in fits and re.search(pattern, header, re.IGNORECASE):
            return unit, True
    return usual, False
