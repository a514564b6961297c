"""The words for the codes of this room."""

from __future__ import annotations

from keepline_web.frame.words import listed

CHANNELS = listed("""
manager_call | 电话 | call
visit | 上门 | visit
shop | 营业厅 | shop
email | 邮件 | e-mail
sms | 短信 | message
app | 应用 | app
hotline | 热线 | hotline
letter | 信函 | letter
""")
OUTCOMES = listed("""
reached | 接通 | reached
not_reached | 未接通 | no answer
agreed | 接受优惠 | took the offer
refused | 拒绝 | refused
""")
PURPOSES = listed("""
care | 关怀 | care
marketing | 营销 | offer
service | 服务 | service
billing | 账务 | billing
complaint | 投诉 | complaint
""")
DECISIONS = listed("""
asked | 已提交 | asked
approved | 已批准 | approved
returned | 退回修改 | sent back
refused | 不批准 | refused
withdrawn | 已撤回 | withdrawn
raised | 已上报 | passed up
used | 已使用 | used
restored | 恢复未用 | unused again
expired | 已过期 | expired
""")
MEASURES = listed("""
contacts | 联系次数 | contacts
visits | 上门走访 | visits
agreed | 接受优惠 | offers taken
revenue_3m | 近三月收入 | revenue, 3 months
high_kept | 高风险保有 | high-risk kept
""")
