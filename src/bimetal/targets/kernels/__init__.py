"""Fast versions of named operators."""
