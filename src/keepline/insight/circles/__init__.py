"""Who belongs together in the calling graph, who is turned to, and who connects groups (K10)."""
