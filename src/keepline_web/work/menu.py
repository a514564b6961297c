"""This room's pages in the menu."""

from keepline_web.frame.menu import place

place("today", "今日", "Today", icon="sun", order=10, act="own_day", in_tabs=True)
place("log", "营销日志", "Log", icon="notebook", order=30, act="own_day", in_tabs=True)
place("promises", "承诺", "Promises", icon="heart-handshake", order=40, act="own_day", in_tabs=True)
place("proposals", "优惠申请", "Offers", icon="discount", order=50, act="own_day")
place("inbox", "待审批", "To approve", icon="checklist", order=60, act="approve", in_tabs=True)
place("team", "团队", "Team", icon="users-group", order=15, act="see_team", in_tabs=True)
place("arrears", "欠费", "Arrears", icon="alert-triangle", order=25, act="see_arrears")
place("fairness", "优惠公平", "Fairness", icon="discount", order=62, act="approve")
place("targets", "目标", "Targets", icon="flame", order=66, act="see_team")
place("meeting", "营销例会", "Weekly meeting", icon="calendar-event", order=67, act="see_team")
place("bulletin", "月度通报", "Bulletin", icon="file-text", order=68, act="see_team")
