"""What was done by whom, in chains that show when one link is changed, taken out or put in."""
