"""The lake: the operator's rows, accepted and typed, by table and month."""
