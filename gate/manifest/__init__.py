"""`gate manifest`: prints the container that a configuration asks for."""
