"""This room's pages in the menu."""

from keepline_web.frame.menu import place

place("month", "本月", "The month", icon="chart-bar", act="see_figures", order=12, in_tabs=True)
place("data", "数据", "Data", icon="file-import", act="load", order=70, in_tabs=True)
