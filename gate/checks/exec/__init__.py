"""A command exits with the wanted code."""
