"""Exports: lists taken out for a reason, beyond a limit with a second person's consent, and never unmasked."""
