"""The words for what was done, on what, and for the particulars of an entry."""

from __future__ import annotations

from typing import Any

from keepline_web.frame.words import Text, listed

ACTS = listed("""
signed_in | 登录 | signed in
signed_out | 退出登录 | signed out
sign_in_refused | 登录被拒 | sign-in refused
second_factor_set_up | 启用第二重验证 | second factor set up
second_factor_refused | 第二重验证未通过 | second factor refused
password_changed | 修改密码 | password changed
session_ended | 结束登录中的设备 | a session ended
person_made | 新建人员 | person made
person_moved | 变更岗位 | person moved
person_disabled | 停用人员 | person disabled
person_enabled | 恢复人员 | person enabled
person_reset | 重置密码 | password reset
unit_made | 新建单位 | unit made
unmasked | 查看完整姓名与号码 | saw name and number in full
assigned | 归属变更 | owner changed
claimed | 认领客户 | customer claimed
given_out | 分派客户 | customers given out
reassigned | 批量移交所选 | customers picked and handed over
handed_over | 移交名单 | list handed over
covered | 安排代管 | cover arranged
cover_ended | 结束代管 | cover ended
view_saved | 保存视图 | view kept
view_removed | 删除视图 | view removed
contact_logged | 记录联系 | contact logged
contact_withdrawn | 撤回联系记录 | contact taken back
step_planned | 安排下次联系 | next contact planned
promised | 记下承诺 | promise recorded
promise_ended | 承诺有结果 | promise ended
entitlement_given | 提供服务权益 | entitlement given
target_set | 设定目标 | target set
proposal_made | 申请优惠 | offer asked for
proposal_approved | 批准优惠 | offer approved
proposal_returned | 退回优惠申请 | offer sent back
proposal_refused | 不批准优惠 | offer refused
proposal_withdrawn | 撤回优惠申请 | offer withdrawn
export_asked | 申请导出 | export asked for
export_approved | 批准导出 | export consented to
export_refused | 不批准导出 | export refused
export_withdrawn | 撤回导出 | export withdrawn
export_made | 生成导出文件 | export made
export_downloaded | 下载导出文件 | export downloaded
export_decision_refused | 审批自己的导出被拒 | consent to one's own export refused
publication_in | 发布数据进入工作台 | publication brought in
handed_back | 工作记录交回 | records handed back
affiliated | 记下上级单位 | head office recorded
contact_person_added | 添加联系人 | contact person added
contact_person_changed | 修改联系人 | contact person changed
contact_person_ended | 联系人失效 | contact person ended
token_made | 生成令牌 | token made
token_ended | 停用令牌 | token ended
tokens_ended | 停用全部令牌 | all tokens ended
token_refused | 令牌被拒 | token refused
sessions_ended | 结束其他设备的登录 | other sessions ended
all_sessions_ended | 结束全部登录 | all sessions ended
keys_changed | 更换密钥 | keys changed
handed_back_again | 工作记录重新交回 | records handed back again
load_undo_asked | 申请撤销装载 | undoing a load asked for
load_undone | 撤销装载 | load undone
upload_checked | 试装文件 | file tried
upload_loaded | 装载文件 | file loaded
demo_targets_set | 演示目标设定 | targets of the demonstration set
upload_received | 收到上传文件 | file received
forged | 伪造或过期的请求 | forged or outdated request
forbidden | 无权的操作 | act not theirs
not_there | 打开范围外或不存在的页面 | page not theirs or not there
not_right | 提交的内容未被接受 | input not taken
unreadable | 无法读取的请求 | request not readable
wrong_method | 不支持的请求方式 | way of asking not taken
refused | 操作被拒 | act refused
too_often | 操作过于频繁 | too often
""")
SORTS = listed("""
account | 客户 | customer
person | 人员 | person
unit | 单位 | unit
month | 月份 | month
export | 导出 | export
proposal | 优惠申请 | offer
upload | 上传 | upload
view | 视图 | view
page | 页面 | page
handing | 交回 | handing back
load | 装载 | load
token | 令牌 | token
targets | 目标 | targets
retention | 保存期限 | retention
""")
KEYS = listed("""
reason | 原因 | reason
role | 岗位 | post
unit | 单位 | unit
kind | 层级 | level
name | 名称 | name
username | 用户名 | user name
month | 月份 | month
accounts | 户数 | customers
plan_rows | 方案行数 | rows of the plan
events | 触达与投诉数 | contacts and complaints
may_not_own | 不能负责客户的经理编号（户数） | managers who may not own (accounts)
no_one_unit | 不能确定单位的区县 | districts of no certain unit
publication | 发布编号 | publication
from | 从 | from
to | 到 | to
on | 生效 | from day
until | 至 | until
by | 由 | by
outcome | 结果 | outcome
channel | 方式 | way
contact | 联系编号 | contact
step | 安排编号 | step
promise | 承诺编号 | promise
due_on | 到期 | due
rows | 行数 | rows
size | 字节 | bytes
sha256 | 校验和 | checksum
filters | 条件 | filters
query | 条件 | filters
shared | 共享 | shared
files | 文件 | files
needs_second | 须第二人 | second person
cover | 代管编号 | cover
kept | 兑现 | kept
amount | 金额 | amount
measure | 指标 | measure
method | 请求方式 | way of asking
code | 代码 | code
count | 次数 | times
sessions | 设备数 | sessions
before | 原为 | before
policy | 政策版本 | policy version
refused | 拒绝原因 | refused because
contact_person | 联系人编号 | contact person
times | 次数 | times
why | 原因 | why
lines | 行数 | lines
trial | 试载任务 | trial
accept | 已接受 | accepted
places | 涉及 | touched
with | 连同 | with
demo | 演示 | demo
targets | 目标数 | targets
months | 月份 | months
proposal | 申请编号 | request
what | 动作 | step
price_fen | 价格（分） | price (fen)
cost_fen | 成本（分） | cost (fen)
given | 提供编号 | given
entitlement | 权益 | what is owed
token | 令牌编号 | token
tokens | 令牌数 | tokens
scopes | 范围 | scopes
days | 天数 | days
by_token | 经由令牌 | by token
""")
CODES = listed("""
channel:manager_call | 电话 | call
channel:visit | 上门 | visit
channel:shop | 营业厅 | shop
channel:email | 邮件 | e-mail
channel:sms | 短信 | message
channel:app | 应用 | app
channel:hotline | 热线 | hotline
channel:letter | 信函 | letter
outcome:reached | 接通 | reached
outcome:not_reached | 未接通 | no answer
outcome:agreed | 接受优惠 | took the offer
outcome:refused | 拒绝 | refused
kind:province | 省 | province
kind:city | 地市 | city
kind:district | 区县 | district
kind:team | 班组 | team
""")
YES, NO, ITEMS = Text("是", "yes"), Text("否", "no"), Text("{n} 项", "{n} items")
STREAMS = listed("""
sign_in | 登录 | sign-in
people | 人员 | people
customers | 客户 | customers
work | 工作记录 | work
decisions | 优惠审批 | decisions
exports | 导出 | exports
exchange | 数据进出 | data in and out
refusals | 被拒的请求 | refusals
""")


def act_said(act: str) -> Text:
    """The act in words; one that has none yet is given by its name."""
    return ACTS.get(act, Text(act, act))


def object_said(said: str) -> tuple[Text | None, str]:
    """``account:12`` as its sort in words and its number."""
    sort, _, number = said.partition(":")
    return SORTS.get(sort), number if sort in SORTS else said


def details_said(detail: dict[str, Any]) -> list[tuple[Text, Any]]:
    """The particulars, each under its word; a long one is cut where it is shown."""
    return [
        (KEYS.get(key, Text(key, key)), CODES.get(f"{key}:{value}") or _value(value)) for key, value in detail.items()
    ]


def _value(value: Any) -> Any:
    """A value as one reads it: yes and no, the parts of a group that say something, everything else as it is."""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, dict):
        said = (f"{key}={part}" for key, part in value.items() if part not in ("", None, False, [], {}))
        return ", ".join(said) or "--"
    return ITEMS.with_values(n=len(value)) if isinstance(value, list) else value
