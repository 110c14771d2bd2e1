"""Train where the data is."""
