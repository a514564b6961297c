"""This room's page in the menu."""

from keepline_web.frame.menu import place

place("exports", "导出", "Exports", icon="download", order=72, act="export")
