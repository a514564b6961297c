"""Past use billed under a planned tariff, and the choice customers would make."""
