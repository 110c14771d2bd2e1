"""The door for hands: commands."""
