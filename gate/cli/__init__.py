"""Words in, exit code out: the command line, its flags, and the start of each command."""
