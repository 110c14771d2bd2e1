"""Models trained elsewhere, brought over: objects of other libraries in, programs out."""
