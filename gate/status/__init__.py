"""`gate status`: which pods of a cluster are held back, since when, for what, and why."""
