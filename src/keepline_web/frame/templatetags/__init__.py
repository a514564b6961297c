"""Tags and filters that templates may use without loading them."""
