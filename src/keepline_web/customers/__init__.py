"""Accounts: the customers people look after, what is known of each, who owns them, and who may see them."""
