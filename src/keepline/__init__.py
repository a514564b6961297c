"""keepline: customer value management for telecom operators."""

__version__ = "0.2.0"
