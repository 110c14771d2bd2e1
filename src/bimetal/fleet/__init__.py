"""Which device should run what, and does it."""
