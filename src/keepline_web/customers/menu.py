"""This room's pages in the menu."""

from keepline_web.frame.menu import place

place("accounts", "客户", "Customers", icon="address-book", order=20, act="see_accounts", in_tabs=True)
