"""What is known of each customer: class, value, loyalty, probability of leaving."""
