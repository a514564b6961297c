"""Every table that crosses a stage: its columns, types, units, key, meaning and level of personal data.

The declarations are executed: intake types rows by them, SQL models are checked against
them without running, Parquet is written with them, and ``docs/tables.md`` is made from them.

Money is integer fen (BIGINT). Months are text ``YYYY-MM``. Null means unknown, never NaN.
``customer_id`` is a keyed pseudonym: 62 bits of HMAC-SHA256 over the operator's own number.
"""

from __future__ import annotations

from keepline.brought import CHANNELS as CHANNELS
from keepline.brought import COMPONENTS as COMPONENTS
from keepline.brought import DECISION_ROLES as DECISION_ROLES
from keepline.brought import LAKE as LAKE
from keepline.brought import WHO as _WHO
from keepline.carried import CARRIED as CARRIED
from keepline.carried import LATEST as LATEST
from keepline.columns import ARROW as ARROW
from keepline.columns import Column as Column
from keepline.columns import Personal as Personal
from keepline.columns import Table as Table
from keepline.columns import Type as Type
from keepline.columns import columns_of as _of
from keepline.priced import METERED as METERED
from keepline.priced import POOLED as POOLED
from keepline.priced import PRICE_CELLS as PRICE_CELLS
from keepline.priced import PRICE_LEVELS as PRICE_LEVELS
from keepline.priced import PRICE_QUOTED as PRICE_QUOTED
from keepline.priced import PRICE_SEGMENTS as PRICE_SEGMENTS
from keepline.priced import PRICE_SENSITIVITY as PRICE_SENSITIVITY
from keepline.priced import PRICE_SUMS as PRICE_SUMS
from keepline.priced import RATED as RATED
from keepline.priced import TARIFF_CHANGES as TARIFF_CHANGES

# Features of what people did in the workbench; a site without one lacks nothing.
OF_PEOPLE = ("promises_kept_3m", "promises_broken_3m", "granted_3m_fen")
# fmt: off
FEATURES = Table("features", ("customer_id",), "one row a customer of the base and snapshot month", "客户特征", _of(_WHO + """
kind text - p | person or organisation | 客户类型 | person organisation
industry text - - | industry | 行业
region text - - | city | 本地网
district text - - | district | 区县
manager_id text - - | account manager | 客户经理
star_rating text - - | tier | 星级
listed_class text - - | class by list | 名单类别 | important key potential
consent bool - p | agreed to contact | 营销授权
blacklisted bool - p | on the blacklist | 黑名单
preferred_channel text - p | channel chosen | 偏好渠道
contact_gap_days int days p | rhythm chosen | 联系间隔
tenure_months int months p | months since the first line | 网龄
age_years int years p | age of a person | 年龄
months_to_birthday int months p | months until the birthday, 0 to 11 | 距生日
revenue_fen int fen p | billed this month | 本月收入
revenue_3m_fen int fen p | billed in three months | 近三月收入
revenue_12m_fen int fen p | billed in twelve months | 近十二月收入
revenue_change real share p | revenue, three months against the three before | 收入变化
revenue_slope_fen real fen/month p | revenue, trend over six months | 收入趋势
months_billed int months p | months with a bill above zero, of twelve | 出账月数
margin_fen int fen p | margin this month by the stated shares | 本月毛利
margin_3m_fen int fen p | margin of three months | 近三月毛利
margin_12m_fen int fen p | margin of twelve months | 近十二月毛利
recurring_fen int fen p | recurring charge this month | 月租
overage_3m_fen int fen p | charged beyond the allowance | 套外
discount_3m_fen int fen p | given as discounts, positive | 优惠额
topup_3m_fen int fen p | topped up in three months | 充值额
recurring_drop_fen int fen p | fall of the recurring charge against three months ago, 0 if none | 降套额
voice_s int s p | outgoing voice this month | 本月主叫
voice_3m_s int s p | outgoing voice of three months | 近三月主叫
voice_change real share p | outgoing voice, this month against the mean of the two before | 主叫变化
voice_in_3m_s int s p | incoming voice of three months | 近三月被叫
offnet_share real share p | share of outgoing voice that goes to other operators | 网外占比
roaming_3m_s int s p | roaming of three months | 近三月漫游
data_kb int KB p | data this month | 本月流量
data_3m_kb int KB p | data of three months | 近三月流量
data_change real share p | data, this month against the mean of the two before | 流量变化
sms_3m int count p | messages of three months | 近三月短信
topups_3m int count p | top-ups of three months | 近三月充值次数
active_days int days p | days with use this month | 活跃天数
months_silent int months p | months since any use, 0 when used this month | 沉默月数
dropped_calls_3m int count p | dropped calls of three months | 近三月掉话
complaints_3m int count p | complaints of three months | 近三月投诉
complaints_12m int count p | complaints of twelve months | 近十二月投诉
complaints_open int count p | complaints not yet answered | 未办结投诉
months_since_complaint int months p | months since the last complaint | 距上次投诉
contacts_out_1m int count p | marketing contacts this month | 本月营销触达
contacts_out_3m int count p | marketing contacts of three months | 近三月营销触达
days_since_contact int days p | days from the last marketing contact to month end | 距上次触达
district_faults_3m int count - | faults in the district, three months | 区县故障
arrears_fen int fen p | owed at month end | 欠费
arrears_months int months p | age of the oldest arrears | 欠费账龄
late_6m int count p | months with arrears, of six | 欠费月数
lines int count p | lines not closed | 号码数
products int count p | kinds of service held | 产品数
contract_months_left int months p | months to the latest contract end, negative when past | 合约剩余
plan_price_fen int fen p | price of the dearest plan held | 套餐价
ported_in bool - p | came from another operator | 携入
satisfaction real share p | last satisfaction answer, 0 to 1 | 满意度
stay_intention real share p | last stated intention to stay, 0 to 1 | 留网意愿
recommend real share p | last stated willingness to recommend, 0 to 1 | 推荐意愿
referrals_12m int count p | new customers brought | 推荐数
peers int count p | parties called this month | 交往数
peers_left_3m int count p | parties called who left within three months | 交往圈离网
granted_3m_fen int fen p | cost of offers outside the plan taken up within three months | 方案外优惠
promises_kept_3m int count p | promises kept within three months | 近三月兑现承诺
promises_broken_3m int count p | promises broken, or due without an outcome, within three months | 近三月失约
months_since_lots int months p | months since a pilot last drew the customer, into either arm; null when none did within twelve | 距试点抽签"""))

LABELS = Table("labels", ("customer_id",), "what became of the base of a past snapshot within the horizon", "结果标签", _of(_WHO + """
left_within bool - p | left within the horizon | 离网
left_after int months p | months from the snapshot to the month they left in; null when they stayed | 离网间隔
ported_within bool - p | left with the number | 携号转网
downgraded_within bool - p | moved to a cheaper recurring charge | 降套
margin_after_fen int fen p | margin in the horizon | 期后毛利
alone_share real - p | share of the horizon before an offer reached the customer; 1 where none did | 未触达占比"""))

CLASSES = Table("classes", ("customer_id",), "key-account class of the month, with its reason", "客户分类", _of(_WHO + """
class text - - | class | 类别 | important key potential ordinary
previous_class text - - | class of the month before; null when new to the base | 上月类别
move text - - | what happened | 变动 | new same up down
rule text - - | id of the rule that decided, or list | 规则
reason_zh text - - | why, in Chinese | 原因
reason_en text - - | why, in English | 原因（英文）"""))

SCORES = Table("scores", ("customer_id",), "value, loyalty and leaving of the month", "客户评分", _of(_WHO + """
value_fen int fen p | expected margin over the horizon: persistence, growth and word of mouth | 客户价值
value_low_fen int fen p | lower end of the interval | 价值下限
value_high_fen int fen p | upper end of the interval | 价值上限
persistence_fen int fen p | expected margin while staying, at today's margin | 持续
growth_fen int fen p | expected change of margin while staying | 增长
word_of_mouth_fen int fen p | expected margin of customers brought | 口碑
expected_months real months p | expected months of staying within the horizon | 预期在网
loyalty text - p | loyalty class | 忠诚类别 | loyal general wavering unknown
loyalty_kind text - p | attachment, inertia, price or unknown | 忠诚性质 | attachment inertia price unknown
leave_probability real share p | probability of leaving within the horizon | 离网概率
port_out_probability real share p | probability of leaving with the number | 携转概率
downgrade_probability real share p | probability of a cheaper recurring charge | 降套概率
leave_monthly real share p | monthly rate that gives the probability | 月离网率
stay_1m real share p | probability of being here still after a month | 一个月后在网概率
stay_3m real share p | the same after three months | 三个月后在网概率
stay_6m real share p | the same after six months | 六个月后在网概率
stay_12m real share p | the same after twelve months | 十二个月后在网概率
stay_24m real share p | the same after 24 months | 二十四个月后在网概率
risk_band text - p | band by policy | 风险等级 | high medium low unknown
reason_1 text - p | code of the strongest reason for the risk | 原因一
reason_2 text - p | second reason | 原因二
reason_3 text - p | third reason | 原因三
model_version text - - | model that scored | 模型版本"""))

PILOTS = Table("pilots", ("offer_id", "outcome", "times", "term"), "what pilots found: the effect of an offer, linear in a few terms", "试点结果", _of("""
offer_id text - - | offer | 优惠
outcome text - - | probability of leaving within the horizon, margin a month, or the share of the treated who take the offer | 指标 | leave margin taken
times text - - | what the term is multiplied by: nothing more, the share who take the offer, that times the risk, or the risk | 乘以 | one taken taken_risk plain_risk
term text - - | intercept, or the feature or score the coefficient multiplies | 项
experiment_id text - - | pilot | 试点
coefficient real - - | change of the outcome for one scaled unit of the term | 系数
centre real - - | subtracted from the term | 中心
scale real - - | the term is divided by it | 尺度
treated int customers - | customers treated | 实施人数
held_out int customers - | customers left alone | 对照人数
mean_effect real - - | mean change over all in the pilot | 平均效果
low real - - | lower end of the 90 % interval of the mean | 下限
high real - - | upper end of the 90 % interval of the mean | 上限
verdict text - - | measured, no_effect or too_few | 结论 | measured no_effect too_few
lots_p real - - | chance of lots as uneven as these; in doubt below 0.001 | 抽签均衡概率
reach real - - | half of the 90 % interval of the plain effect for one unit of what it is multiplied by; null where that is nothing | 每单位半宽"""))

LEARNERS = Table("learners", ("offer_id", "outcome", "learner"), "how well each learner told who responds to an offer, and which was chosen", "试点的学习方法", _of("""
offer_id text - - | offer | 优惠
outcome text - - | what the offer changes | 指标 | leave margin
learner text - - | plain: the same share of the risk or of the takers for all; share: that share differs by customer; line: the effect differs by customer; both: the two together | 方法 | plain share line both
experiment_id text - - | pilot | 试点
qini real - - | what ranking by this learner gains over treating by lot, a customer, on average over all shares treated | 排序增益
error real - - | its standard error | 标准误
chosen bool - - | not more than one standard error below the best: the mean of those chosen speaks | 是否采用
kept real - - | share of what they add to the plain effect that is used; null where not chosen | 采用比例"""))

LOOKS = Table("looks", ("offer_id", "experiment_id", "look"), "where each pilot stands under the rule it was started with", "试点判定", _of("""
offer_id text - - | offer | 优惠
experiment_id text - - | pilot | 试点
look int - - | which look | 第几次查看
looks int - - | looks planned | 计划次数
month text - - | month whose lots the look adds | 抽签账期
treated int customers - | customers treated so far | 实施人数
held_out int customers - | customers left alone so far | 对照人数
share real - - | of the planned evidence | 已有证据占比
difference real - - | net margin a customer and month, treated less left alone, as assigned | 每户月净毛利差
low real - - | lower end of an interval that holds at all looks together | 下限
high real - - | upper end | 上限
worth_month_fen int fen - | what policy wants above which the offer is rolled out | 值得推广的水平
ratio_p real - - | chance of arms as unequal in size as these; in doubt below 0.001 | 样本比例检验
verdict text - - | by the rule | 判定 | roll_out stop keep_looking too_few lots_in_doubt"""))

NICHES = Table("niches", ("niche", "place"), "small groups who use the service unlike others of their kind and plan", "细分客户群", _of("""
niche int - - | which group, the most striking first | 序号
month text - - | snapshot month | 账期
trait_1 text - - | what they share: a feature, own:NAME for the operator's facts | 共同特征
value_1 text - - | its value; bands as first-last or first+ | 取值
trait_2 text - - | a second thing they share | 第二特征
value_2 text - - | its value | 取值
customers int customers p | customers of the base in it; estimated where only a lot was looked at | 客户数
margin_fen int fen p | their margin this month | 本月毛利
place int - - | of the behaviour, the most striking first | 次序
behaviour text - p | feature that differs | 行为
difference real - p | from others of their kind and plan, in standard deviations, in the half that was not searched | 差异
low real - p | lower end of its 90 % interval | 下限
high real - p | upper end | 上限
times real - p | the group's mean over what is usual of its kind | 倍数"""))

DRIVERS = Table("drivers", ("customer_id",), "what holds each customer: six drivers of loyalty, and how much of each is known", "忠诚驱动", _of(_WHO + """
quality real - p | quality, 0 to 1; null where nothing is known | 质量
quality_known real share - | share of its evidence that is known | 质量（已知）
perceived_value real - p | what it gives for what it costs, 0 to 1; null where nothing is known | 感知价值
perceived_value_known real share - | share of its evidence that is known | 感知价值（已知）
dependence real - p | what leaving would cost them, 0 to 1; null where nothing is known | 依赖
dependence_known real share - | share of its evidence that is known | 依赖（已知）
belonging real - p | belonging, 0 to 1; null where nothing is known | 归属
belonging_known real share - | share of its evidence that is known | 归属（已知）
recognition real - p | recognition: would stay and recommend, 0 to 1; null where nothing is known | 认同
recognition_known real share - | share of its evidence that is known | 认同（已知）
honour real - p | honour, 0 to 1; null where nothing is known | 荣誉
honour_known real share - | share of its evidence that is known | 荣誉（已知）"""))

TIES = Table("ties", ("customer_id", "peer_id"), "who talked with whom within three months, seen from either end", "通话关系", _of("""
customer_id int - id | pseudonym of the customer | 客户假名
peer_id int - id | pseudonym of the other party | 对端
calls int count p | calls to the other | 主叫次数
called int count p | calls from the other | 被叫次数"""))

CIRCLES = Table("circles", ("customer_id",), "which circle of the calling graph a customer is in, and what part they have in it", "交往圈与影响力", _of(_WHO + """
circle int - p | which circle, the largest first; null when in none | 圈号
circle_size int customers p | customers of the base in it | 圈内客户数
ties int customers p | customers they talk with | 通话对象数
influence real - p | how much they are turned to, in multiples of the mean; null when they talk with nobody | 影响力
influence_rank int - p | place by influence among all, 1 the first | 影响力名次
rank_in_circle int - p | place in the circle by how many of it call them, then by influence | 圈内名次
circle_callers int customers p | of those still in the circle who call them | 圈内主叫人数
circles_reached int - p | other circles they talk with | 联系的其他圈
spread real share p | how evenly their calls go over circles; 0 when to one alone | 跨圈程度
leader bool - p | opinion leader of the circle | 意见领袖
gatekeeper bool - p | connects circles | 联络人
circle_left_3m int customers p | of the circle who left within three months | 近三月圈内离网
leader_left_3m bool - p | a leader of the circle left within three months | 近三月意见领袖离网
brought_12m int count p | new customers brought | 推荐数"""))

OUTCOMES = Table("outcomes", ("customer_id",), "what became of some customers within an outcome window", "期后结果", _of(_WHO + """
left_after int months p | months from the snapshot to the month they left in; null when they stayed | 离网间隔
months_stayed int months p | whole months of the window before leaving | 在网月数
margin_stayed_fen int fen p | margin of those months | 在网期毛利
margin_fen int fen p | margin of the whole window | 期后毛利"""))

ARM_SUMS = Table("arm_sums", ("offer_id", "arm"), "sums over one arm of a plan, from which its effect is computed", "组别汇总", _of("""
offer_id text - - | offer | 优惠
arm text - - | what the lot said | 组别 | treated held_out
customers int customers - | customers | 人数
delivered int customers - | with proof of delivery | 有执行记录
stayed int customers - | still there at the end of the window | 仍在网
cost_fen int fen - | what it cost | 成本
gain_fen int fen - | expected incremental margin less cost | 预期净增毛利
margin_fen int fen - | margin in the window | 期后毛利
before_fen int fen - | margin of the three months before | 前三月毛利
margin_squares real - - | squares of the margin | 期后毛利平方和
before_squares real - - | squares of the margin before | 前三月毛利平方和
products real - - | margin times margin before | 乘积和
given int customers - | were given another offer by hand within the window | 另获优惠人数
expected_cost_fen int fen - | what it was expected to cost | 预期成本"""))

SCORE_CELLS = Table("score_cells", ("score",), "customers and leavers by published probability, rounded", "概率分格", _of("""
score real share - | published probability of leaving, five decimals | 离网概率
customers int customers - | customers | 人数
gone int customers - | of them left within the horizon | 离网人数
probability real - - | sum of the published probabilities | 概率和
squares real - - | sum of their squares | 概率平方和
gone_probability real - - | sum of the probabilities of those who left | 离网者概率和"""))

DISCOUNTS = Table("discounts", ("months_ago",), "what a fen of each month of the value horizon is worth at the snapshot", "折现系数", _of("""
months_ago int months - | months before the end of the horizon | 距期末
factor real - - | worth at the snapshot | 系数"""))

VALUE_SUMS = Table("value_sums", ("month",), "published value against the margin that followed, summed", "价值检验汇总", _of("""
month text - - | month of the plan | 方案账期
customers int customers - | customers | 人数
predicted_fen int fen - | published value without word of mouth | 预测价值
realised_fen int fen - | discounted margin that followed | 实际毛利"""))

CANDIDATES = Table("candidates", ("customer_id", "offer_id"), "what each eligible offer would earn from a customer", "候选优惠", _of(_WHO + """
offer_id text - - | offer | 优惠
channel text - - | channel | 渠道
manager_id text - - | whose minutes it takes; null when none | 客户经理
gain_fen int fen - | expected incremental margin less cost | 预期净增毛利
gain_low_fen int fen - | lower end of the interval | 下限
gain_high_fen int fen - | upper end of the interval | 上限
cost_fen int fen - | expected cost | 预期成本
minutes int minutes - | manager minutes | 经理分钟
assumed bool - - | the effect is an assumption of policy, not measured | 效果为假设"""))

STATES = ("not_contactable", "no_consent", "blacklisted", "in_arrears", "contacted_recently", "complaint_open",
          "in_pilot", "no_offer_fits", "beyond_authority", "no_gain", "held_out", "below_cut", "treated")

DECISIONS = Table("decisions", ("customer_id",), "what is done for each customer of the base, and why", "决策", _of(_WHO + """
state text - - | the one state the customer ends in | 状态 | """ + " ".join(STATES) + """
arm text - - | treated or held out; null for everyone else | 组别 | treated held_out
offer_id text - - | offer; null exactly when nothing is to be done | 优惠
channel text - - | channel; null exactly when nothing is to be done | 渠道
manager_id text - - | account manager in charge | 客户经理
reason text - - | code of the reason | 原因
gain_fen int fen - | expected incremental margin of the offer less cost | 预期净增毛利
cost_fen int fen - | expected cost of the offer | 预期成本
policy_version text - - | policies it was decided by | 政策版本
model_version text - - | model it was decided by | 模型版本"""))

ASSIGNMENTS = Table("assignments", ("customer_id",), "the offer the rule chose for treated and held-out alike; for analysts", "对照分派", _of(_WHO + """
arm text - - | what the lot said | 组别 | treated held_out
offer_id text - - | offer the rule chose | 优惠
by_rule bool - - | chosen by the prices alone, not by filling up or making room | 按价选中
gain_fen int fen - | expected incremental margin less cost | 预期净增毛利
cost_fen int fen - | expected cost | 预期成本
margin_before_fen int fen p | margin of the three months before | 前三月毛利"""))

SCHEDULE = Table("schedule", ("customer_id",), "the week in which each treated customer's contact falls; only where policy knows weeks", "排期", _of(_WHO + """
week int - - | week of the plan, from 1 on | 周次"""))

EFFECTS = Table("effects", ("plan_month", "offer_id", "measure"), "what past plans earned, against those left alone", "成效", _of("""
plan_month text - - | month of the plan | 方案账期
month text - - | last month of the outcome window | 测量账期
offer_id text - - | offer, or * for the whole plan | 优惠
measure text - - | what was compared | 指标 | margin retention
treated int customers - | customers treated | 实施人数
held_out int customers - | customers left alone | 对照人数
delivered int customers - | treated with proof of delivery | 有执行记录
treated_mean real - - | mean of the treated | 实施均值
held_out_mean real - - | mean of those left alone | 对照均值
difference real - - | treated less held out, a customer | 差异
low real - - | lower end of the 90 % interval | 下限
high real - - | upper end of the 90 % interval | 上限
earned_fen int fen - | difference times treated, less cost where it is margin | 增收
cost_fen int fen - | what it cost | 成本
verdict text - - | measured, or why there is no figure | 结论 | measured no_delivery too_few window_open
needed int customers - | customers an arm that would be needed | 所需人数
treated_given int customers - | treated who were given another offer by hand as well | 实施中另获优惠
held_out_given int customers - | left alone by lot who were given an offer by hand | 对照中另获优惠"""))

WIN_BACK = Table("win_back", ("customer_id",), "who left in the last three months and is not back", "赢回名单", _of(_WHO + """
left_month text - p | month they left in | 离网账期
kind text - p | how | 方式 | left port_out silent
reason text - p | recorded reason code, or unrecorded | 原因
margin_3m_fen int fen p | margin of the three months before they left | 离网前三月毛利
district text - - | district | 区县
manager_id text - - | account manager they had | 客户经理
may_contact bool - p | gave consent and is not on the blacklist | 可联系"""))
# fmt: on

STAGES = (
    CARRIED,
    *LATEST.values(),
    FEATURES,
    LABELS,
    PILOTS,
    OUTCOMES,
    ARM_SUMS,
    SCORE_CELLS,
    DISCOUNTS,
    VALUE_SUMS,
    CANDIDATES,
    ASSIGNMENTS,
    SCHEDULE,
    METERED,
    POOLED,
    RATED,
    TARIFF_CHANGES,
    TIES,
    PRICE_QUOTED,
    PRICE_CELLS,
    PRICE_LEVELS,
    PRICE_SEGMENTS,
    PRICE_SUMS,
)
PUBLISHED = (
    CLASSES,
    DRIVERS,
    SCORES,
    DECISIONS,
    EFFECTS,
    LOOKS,
    LEARNERS,
    NICHES,
    CIRCLES,
    WIN_BACK,
    PRICE_SENSITIVITY,
)
TABLES: dict[str, Table] = {table.name: table for table in (*LAKE, *STAGES, *PUBLISHED)}
