"""Programs on arriving batches."""
