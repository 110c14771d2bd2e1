"""Fuzz: everything that reads bytes from outside, and bytes that were meant to hurt it."""
