"""Every picture and table of the page: its finding as a title, unit, source and data month, and the table behind it."""
