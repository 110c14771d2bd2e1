"""What was seen, for as long as allowed."""
