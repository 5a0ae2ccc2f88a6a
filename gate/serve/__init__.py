"""`gate serve`: the listening socket, the endpoints, and the process that stays."""
