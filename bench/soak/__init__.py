"""Soak: one server under an even load for hours; what it takes up must not grow."""
