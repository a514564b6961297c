"""The tables about prices: past use billed under a planned tariff, and how what customers buy answers to its price."""

from __future__ import annotations

from keepline.brought import WHO as _WHO
from keepline.columns import Table
from keepline.columns import columns_of as _of

# fmt: off
_METERED = _WHO + """
group_id int - id | who shares an allowance with whom: the organisation right above, else the customer | 共享单位
today_fen int fen p | billed in the month | 当月账单
replaced_fen int fen p | of it, what the tariff takes the place of | 被替代部分
kept_fen int fen p | plan prices of lines the tariff is not for; null when one is unknown | 保留月租
mobile int count p | mobile lines | 移动号码数
broadband int count p | broadband lines | 宽带数
tv int count p | television lines | 电视数
fixed int count p | fixed lines | 固话数
iot int count p | lines of things | 物联网卡数
circuit int count p | circuits | 专线数
other int count p | lines of other kinds | 其他号码数
voice int s p | outgoing voice | 主叫
voice_onnet int s p | outgoing voice within the operator's network | 网内主叫
voice_offnet int s p | outgoing voice to other operators | 网外主叫
voice_in int s p | incoming voice | 被叫
roaming int s p | voice while roaming | 漫游
data int KB p | data | 流量
sms int count p | messages | 短信"""

METERED = Table("metered", ("customer_id", "month"), "what a tariff is billed on: a month's use, lines and bill", "计费依据", _of(_METERED))

POOLED = Table("pooled", ("customer_id", "month"), "the same beside what all accounts of the organisation used", "共享计费依据", _of(_METERED + """
members int customers - | accounts that share | 共享客户数
all_lines int count - | lines of all of them that amounts for each line count | 共享号码数
all_voice int s - | outgoing voice of all of them; null when one is unknown | 共享主叫
upto_voice int s - | of it, by accounts up to this one in order of pseudonym | 累计主叫
all_data int KB - | data of all of them | 共享流量
upto_data int KB - | of it, by accounts up to this one | 累计流量
all_sms int count - | messages of all of them | 共享短信
upto_sms int count - | of it, by accounts up to this one | 累计短信"""))

RATED = Table("rated", ("customer_id", "month"), "a past month billed under a planned tariff", "资费测算明细", _of(_WHO + """
group_id int - id | who decides and shares together | 共享单位
state text - - | whether it could be billed, or why not | 状态 | rated no_line no_use price_unknown use_too_large
today_fen int fen p | billed in the month | 原账单
fee_fen int fen p | monthly fees less bundles | 月费
voice_fen int fen p | voice | 语音费
roaming_fen int fen p | roaming | 漫游费
data_fen int fen p | data | 流量费
sms_fen int fen p | messages | 短信费
adjusted_fen int fen p | added to reach the least charge, and by rounding the bill | 保底与取整
tariff_fen int fen p | the tariff's month | 新资费
after_fen int fen p | the bill with the tariff in the place of what it replaces | 新账单"""))

TARIFF_CHANGES = Table("tariff_changes", ("customer_id",), "what a planned tariff would change for each customer, and whether they would move", "资费测算", _of("""
customer_id int - id | pseudonym of the customer | 客户假名
group_id int - id | who decides together | 共享单位
class text - - | class of the last month, where published | 客户分类
kind text - p | person or organisation | 客户类型
district text - - | district | 区县
months int months - | months billed anew | 测算月数
today_fen int fen p | billed in these months | 原账单
after_fen int fen p | billed under the tariff | 新账单
change_fen int fen p | difference | 变化
change_month_fen int fen p | difference a month, rounded | 月均变化
group_change_fen int fen p | difference of all who decide together | 单位变化
group_months int months - | months in which any of them was billed anew | 单位测算月数
moves real share p | probability to choose the tariff, as assumed | 选择概率
moves_low real share p | at the least readiness assumed | 选择概率下限
moves_high real share p | at the greatest readiness assumed | 选择概率上限"""))
_QUOTED = """segment text - - | customers alike: kind, price of the plan, tenure | 客户群
product_id text - - | what was quoted | 产品
month text - - | month of the quotes | 账期
band int - - | 0 by lot; else the twentieth of the score the price was aimed by | 评分档
price_fen int fen - | price quoted | 报价
list_price_fen int fen - | list price | 标价"""

PRICE_QUOTED = Table("price_quoted", ("customer_id", "month", "product_id"), "a quote that may be learnt from, beside those it compares with", "可用报价", _of("""
customer_id int - id | pseudonym of the customer | 客户假名
""" + _QUOTED + """
bought real - p | bought | 购买量"""))

PRICE_CELLS = Table("price_cells", ("segment", "product_id", "month", "band", "price_fen", "list_price_fen"), "what was bought at which price, summed", "价格单元", _of(_QUOTED + """
quotes int count - | quotes | 报价次数
bought real - - | bought | 购买量
squares real - - | sum of squares of what each bought | 购买量平方和"""))

PRICE_LEVELS = Table("price_levels", ("segment", "product_id", "month", "band", "price_fen", "list_price_fen"), "what one quote is expected to sell", "预期购买量", _of(_QUOTED + """
log_price real - - | log of price over list price | 价格比对数
expected real - - | expected of one quote at the segment's elasticity | 预期购买量"""))

PRICE_SEGMENTS = Table("price_segments", ("segment",), "how customers who are alike answer to price", "客户群价格敏感度", _of("""
segment text - - | customers alike: kind, price of the plan, tenure | 客户群
elasticity real - - | change of what is bought for one percent of price, drawn to all segments | 价格弹性
error real - - | its standard error | 标准误
quotes int count - | quotes it rests on | 报价次数
bought real - - | bought at them | 购买量"""))

PRICE_SUMS = Table("price_sums", ("customer_id",), "a customer's own answer to price, against what the segment's elasticity expects", "客户价格反应", _of("""
customer_id int - id | pseudonym of the customer | 客户假名
quotes int count p | quotes | 报价次数
bought real - p | bought | 购买量
score real - p | bought more at dear prices than expected, up to a scale | 得分
information real - p | how much the customer's quotes tell | 信息量
of_one real - p | how much one purchase tells, a product each | 单次信息量
scattered real - p | squared distances of purchases from what was expected, over the expected | 离散平方和
freedom int count p | purchases free to differ: quotes less one a product | 自由度"""))

PRICE_SENSITIVITY = Table("price_sensitivity", ("customer_id",), "how what a customer buys answers to its price, and how sure that is", "价格敏感度", _of(_WHO + """
segment text - p | customers alike: kind, price of the plan, tenure | 客户群
basis text - p | own: from the customer's own purchases too; segment: from customers alike; unknown: nothing was seen | 依据 | own segment unknown
elasticity real - p | change of what is bought for one percent of price; null where unknown | 价格弹性
low real - p | lower end of the 90 % interval | 下限
high real - p | upper end of the 90 % interval | 上限
quotes int count p | own quotes it rests on | 本人报价次数"""))
# fmt: on
