"""The day's work: whom to turn to and why, what was said, what was promised, what may be offered."""
