"""What is due is removed: each night by the worker, counted first, never younger than the law's least."""
