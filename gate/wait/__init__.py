"""`gate wait`: checks by itself, shows progress, then exits or becomes a command."""
