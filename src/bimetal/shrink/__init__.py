"""The same answer in fewer bytes, and whether it fits."""
