"""What gate costs, side by side with what else one would take: `make bench`."""
