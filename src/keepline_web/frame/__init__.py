"""What every page shares: words in two languages, numbers, the business day, the frame and its components."""
