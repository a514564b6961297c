"""The workbench of keepline: where people see what was published, act on it, and tell what happened."""
