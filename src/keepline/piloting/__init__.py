"""Before a pilot starts: how many customers it needs, and who is drawn into which arm."""
