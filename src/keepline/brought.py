"""What the operator brings and people add: the tables of the lake, with their columns, units, keys and meaning."""

from __future__ import annotations

from keepline.columns import Table
from keepline.columns import columns_of as _of

WHO = """customer_id int - id | pseudonym of the customer | 客户假名
month text - - | billing month | 账期"""
_AS_OF = """customer_id int - id | pseudonym of the customer | 客户假名
month text - - | first billing month these facts hold | 起始账期"""

COMPONENTS = ("recurring", "overage", "roaming", "value_added", "topup", "one_off", "discount", "credit")
CHANNELS = ("visit", "manager_call", "hotline", "sms", "app", "shop", "email", "letter")
DECISION_ROLES = ("decides", "gatekeeper", "influences", "buys", "uses", "pays", "technical")
# fmt: off
LAKE: tuple[Table, ...] = (
    Table("customers", ("customer_id", "month"), "who the customer is, as of a month", "客户档案", _of(_AS_OF + """
kind text - p | person or organisation | 客户类型 | person organisation
industry text - - | industry code of an organisation | 行业
region text - - | city or local network | 本地网
district text - - | district | 区县
manager_id text - - | account manager in charge | 客户经理
joined_on date - p | day of the first line | 入网日期
birthday date - p | birthday or founding day | 生日
star_rating text - - | the operator's own tier | 星级
listed_class text - - | class given by list | 名单类别 | important key potential
consent bool - p | agreed to marketing contact; null means no | 营销授权
blacklisted bool - p | on the blacklist | 黑名单
preferred_channel text - p | channel the customer chose | 偏好渠道
contact_gap_days int days p | least days between contacts the customer chose | 联系间隔""")),
    Table("lines", ("line_id", "month"), "one number or circuit of a customer, as of a month", "用户号码", _of("""
line_id int - id | pseudonym of the line | 号码假名
""" + _AS_OF + """
product text - - | kind of service | 产品 | mobile broadband tv fixed iot circuit other
plan_id text - - | plan | 套餐
status text - - | state of the line | 状态 | active suspended disconnected
started_on date - - | opened | 开通日期
contract_end_on date - - | minimum term ends | 合约到期
ended_on date - - | closed | 拆机日期
ported_in bool - - | came with the number from another operator | 携入""")),
    Table("plans", ("plan_id", "month"), "what is charged for what, as of a month", "套餐", _of("""
plan_id text - - | plan | 套餐
month text - - | first billing month these facts hold | 起始账期
name text - - | name customers know | 名称
product text - - | kind of service | 产品
price_fen int fen - | monthly price | 月费
voice_s int s - | voice included | 含通话
data_kb int KB - | data included | 含流量""")),
    Table("bills", ("customer_id", "month", "component"), "billed revenue by month and component", "账单", _of(WHO + """
component text - - | what was billed | 账目 | """ + " ".join(COMPONENTS) + """
amount_fen int fen p | billed; negative for credits and discounts | 金额"""), ("amount_fen",)),
    Table("usage", ("customer_id", "month"), "what was used in the month", "用量", _of(WHO + """
voice_s int s p | outgoing voice | 主叫时长
voice_in_s int s p | incoming voice | 被叫时长
offnet_s int s p | outgoing voice to other operators | 网外主叫
roaming_s int s p | voice while roaming | 漫游时长
data_kb int KB p | data | 流量
sms int count p | messages sent | 短信
topups int count p | times topped up | 充值次数
active_days int days p | days with any use | 活跃天数
dropped_calls int count p | calls that broke off | 掉话""")),
    Table("payments", ("customer_id", "month"), "what was paid and what is owed at month end", "缴费与欠费", _of(WHO + """
paid_fen int fen p | paid in the month | 缴费
arrears_fen int fen p | due and unpaid | 欠费
arrears_months int months p | age of the oldest arrears | 欠费账龄""")),
    Table("contacts", ("contact_id",), "a contact in either direction", "触达", _of("""
contact_id text - - | number of the contact | 触达编号
""" + WHO + """
contacted_on date - p | day | 日期
channel text - - | channel | 渠道
direction text - - | who began | 方向 | in out
purpose text - - | what for | 目的 | marketing service care complaint billing
manager_id text - - | account manager | 客户经理
withdrawn bool - - | taken back: it did not happen; null means it did | 已撤回""")),
    Table("complaints", ("complaint_id",), "a complaint", "投诉", _of("""
complaint_id text - - | number of the complaint | 投诉编号
""" + WHO + """
opened_on date - p | received | 受理日期
closed_on date - p | answered | 办结日期
category text - - | about what | 类别
severity int 1-5 - | how grave | 严重度""")),
    Table("survey_answers", ("customer_id", "month", "question"), "an answer to a survey", "问卷", _of(WHO + """
question text - - | what was asked; stay, recommend and satisfaction are understood | 题目
score real points p | answer | 得分
scale_max real points - | best possible answer | 满分""")),
    Table("experiments", ("experiment_id", "customer_id", "month"), "who was in which pilot, by the lots of which month", "试点", _of("""
experiment_id text - - | pilot | 试点
""" + WHO + """
offer_id text - - | what the treated got | 优惠
arm text - - | what the lot said; counterpart: of the standing control group, counted by no pilot | 组别 | treated held_out counterpart"""), ("offer_id", "arm")),
    Table("deliveries", ("customer_id", "plan_month", "offer_id"), "proof that a planned offer reached its customer", "执行记录", _of(WHO + """
plan_month text - - | month of the plan it belongs to | 方案账期
offer_id text - - | offer | 优惠
channel text - - | channel | 渠道
delivered_on date - p | day | 日期
answer text - p | what the customer said | 结果 | accepted refused none
cost_fen int fen - | what it cost | 成本
withdrawn bool - - | taken back: it did not happen; null means it did | 已撤回""")),
    Table("promises", ("promise_id",), "what was promised to a customer, and whether it was kept", "承诺", _of("""
promise_id text - - | number of the promise | 承诺编号
""" + WHO + """
promised_on date - p | day it was made | 承诺日期
due_on date - p | to be kept by | 应兑现日期
ended_on date - p | day its outcome was said; null while open | 结果日期
kept bool - - | whether it was kept; null while open | 是否兑现
manager_id text - - | who made it | 客户经理""")),
    Table("approvals", ("approval_id",), "an offer somebody asked for, and what was decided", "优惠审批", _of("""
approval_id text - - | number of the request | 申请编号
""" + WHO + """
plan_month text - - | month of the plan or catalogue it comes from | 方案账期
offer_id text - - | offer | 优惠
planned bool - - | the plan had it for this customer | 方案内
price_fen int fen - | monthly price asked | 申请价
list_price_fen int fen - | monthly list price | 目录价
cost_fen int fen - | the most it costs | 成本上限
level int 1-5 - | level that decided | 审批层级
decision text - - | what was decided | 结论 | approved returned refused
decided_on date - p | day of the decision | 审批日期
holds_until date - - | last day an approved one may be used | 有效期至
used_on date - p | day the customer took it up; null where not | 使用日期
answer text - p | what the customer last said of it | 客户答复 | accepted refused none
manager_id text - - | who asked | 客户经理""")),
    Table("price_quotes", ("customer_id", "month", "product_id"), "a price a customer was quoted for one product, and what was bought at it", "报价记录", _of(WHO + """
product_id text - - | what was quoted | 产品
price_fen int fen - | price quoted for one | 报价
list_price_fen int fen - | list price of one | 标价
bought real - p | how many were bought in the month, 0 for none | 购买量
by_lot bool - - | the price was drawn by lot; null means it was not | 随机定价
aim real - p | score the price was aimed by, where not by lot | 定价依据评分""")),
    Table("departures", ("customer_id", "month"), "customers who left, and why", "离网", _of(WHO + """
kind text - p | how | 方式 | left port_out silent
reason text - p | recorded reason code | 原因""")),
    Table("referrals", ("customer_id",), "new customers brought by old ones", "老带新", _of(WHO + """
referrer_id int - id | pseudonym of who brought them | 推荐人""")),
    Table("managers", ("manager_id", "month"), "account managers and their hours, as of a month", "客户经理", _of("""
manager_id text - - | account manager | 客户经理
month text - - | first billing month these facts hold | 起始账期
district text - - | district | 区县
visit_minutes int minutes - | minutes a month for customers | 走访分钟
authority_fen int fen - | largest cost of one offer within own authority | 优惠权限""")),
    Table("network_faults", ("district", "month"), "network faults by district", "网络故障", _of("""
district text - - | district | 区县
month text - - | billing month | 账期
faults int count - | faults | 故障数
fault_minutes int minutes - | minutes of fault | 故障分钟""")),
    Table("call_edges", ("customer_id", "month", "peer_id"), "who calls whom", "交往圈", _of(WHO + """
peer_id int - id | pseudonym of the other party | 对端
calls int count p | calls in the month | 次数""")),
    Table("attributes", ("customer_id", "month", "name"), "further facts of the operator's own", "其他属性", _of(_AS_OF + """
name text - - | name of the fact | 属性
number real - p | value when it is a number | 数值
code text - p | value when it is a code | 代码""")),
    Table("contact_details", ("customer_id",), "names and numbers of customers; restricted", "联系资料", _of("""
customer_id int - id | pseudonym of the customer | 客户假名
customer_no text - r | the operator's own number | 客户编号
name text - r | name | 姓名
phone text - r | telephone | 电话""")),
    Table("affiliations", ("customer_id", "month"), "which organisation an account belongs to, as of a month", "上级单位", _of(_AS_OF + """
head_id int - id | pseudonym of the organisation right above; null from a month on means none any more | 上级单位假名""")),
    Table("contact_persons", ("customer_id", "person_no"), "who speaks for an organisation and what part they have in decisions", "单位联系人", _of("""
customer_id int - id | pseudonym of the customer | 客户假名
person_no text - r | what the operator tells an organisation's contact persons apart by | 联系人编号
role text - - | part in decisions | 决策角色 | """ + " ".join(DECISION_ROLES) + """
name text - r | name | 姓名
phone text - r | telephone | 电话
birthday date - r | birthday | 生日
preferred_channel text - p | channel the person chose | 偏好渠道""")),
)
# fmt: on
