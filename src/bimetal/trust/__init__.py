"""Who may do what, and what was really sent."""
