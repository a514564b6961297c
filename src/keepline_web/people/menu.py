"""This room's pages in the menu."""

from keepline_web.frame.menu import place

place("people", "组织与人员", "Organisation", icon="users", order=80, act="configure")
place("audit", "审计", "Audit", icon="shield-check", order=90, act="read_audit")
