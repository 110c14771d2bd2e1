"""Ready-made domains."""
