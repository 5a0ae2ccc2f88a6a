"""`PING` is answered and nothing is loading; with credentials, the login works."""
