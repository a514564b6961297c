"""Niches: small groups whose behaviour differs enough to deserve an offer of their own (K9)."""
