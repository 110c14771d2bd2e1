"""bimetal: one model, the same bits on every metal."""

__version__ = "0.1.0"
