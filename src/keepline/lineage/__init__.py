"""Where a published number comes from."""
