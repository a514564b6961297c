"""keepline: customer value management for telecom operators."""

__version__ = "0.1.0"
