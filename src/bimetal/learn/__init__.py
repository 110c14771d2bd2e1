"""History in, constants out."""
