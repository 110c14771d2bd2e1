"""What must hold: one folder per room, and the laws that cross them."""
