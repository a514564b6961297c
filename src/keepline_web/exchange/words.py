"""Words for what becomes of a file: what intake said of it, how a load stands, and what was done with it."""

from __future__ import annotations

from keepline_web.frame.words import Text, listed

VERDICTS = listed("""
accepted | 接受 | accepted
normalised | 整理后接受 | accepted after tidying
partly | 接受，部分行搁置 | accepted, some rows set aside
ignored | 此前已载入，未作改动 | loaded before, nothing changed
held | 待确认，未载入 | held, nothing loaded
refused | 拒绝，未载入 | refused, nothing loaded
""")
TONES = {"accepted": "good", "normalised": "good", "partly": "good", "ignored": "", "held": "warn", "refused": "bad"}
STATES = listed("""
stands | 已载入 | loaded
past | 已载入，不能再撤销 | loaded, can be undone no more
undone | 已撤销 | undone
""")
STEPS = listed("""
check | 试载 | tried
load | 载入 | loaded
undo | 撤销 | undone
""")
NEVER_TRIED = Text("尚未试载", "not tried yet")
AT_WORK = Text("处理中", "at work")
FAILED = Text("没有完成", "not done")
CANCELLED = Text("已取消", "cancelled")
TRIED = Text("试载：{said}", "tried: {said}")
