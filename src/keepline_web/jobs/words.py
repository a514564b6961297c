"""The words for the states of a task."""

from __future__ import annotations

from keepline_web.frame.words import Text, listed

STATES = listed("""
queued | 排队中 | waiting
running | 进行中 | running
done | 已完成 | done
failed | 未完成 | failed
cancelled | 已取消 | cancelled
""")
GIVEN_UP = Text(
    "执行任务的进程三次意外中断，已停止重试，没有产生结果；请重新提交，若仍如此请告诉管理员任务编号 {n}。",
    "The process doing it ended unexpectedly three times; it is not tried again, and nothing came of it. "
    "Ask again; if it happens again, tell the administrator the task's number, {n}.",
)
BROKEN = Text(
    "系统出错，没有产生结果；请重新提交，若仍如此请把编号 {n} 告诉管理员。",
    "Something broke, and nothing came of it. Ask again; if it happens again, tell the administrator the number {n}.",
)
