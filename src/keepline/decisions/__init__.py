"""Who gets what, within means, and why or why not."""
