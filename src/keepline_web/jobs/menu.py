"""This room's page in the menu."""

from keepline_web.frame.menu import place
from keepline_web.jobs.queries import news

place("tasks", "任务中心", "Tasks", icon="clock", order=70, act="signed_in", count=news)
