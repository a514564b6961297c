"""This room's pages in the menu."""

from keepline_web.frame.menu import place

place("accounts", "客户", "Customers", icon="address-book", order=20, act="see_accounts", in_tabs=True)
place("handover", "移交与代管", "Handover", icon="users", order=64, act="assign")
