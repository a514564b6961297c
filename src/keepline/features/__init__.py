"""Lake to one row a customer of the base and snapshot month; and what became of past bases."""
