"""Units, people, what each role may do, and signing in."""
