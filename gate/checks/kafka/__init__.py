"""A broker answers metadata; each topic has leaders."""
